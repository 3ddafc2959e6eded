"""What happened to a call whose answer was lost? Decided by reading the order book, never by trying again.

Pure: the book, the works and what is recorded are handed in. The lost calls of a run are settled as one `Puzzle`, since
what is known of one narrows what the others can be.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from handler.certificates.domains import canonical
from handler.journal.work import MAY_HAVE_BOUGHT, Work
from handler.orders.book import OrderBook, Picture
from handler.runtime.clock import SKEW

MAX_LOST = 3
"""So many attempts may end without an answer and without a trace; then a person must look."""
NAMES_OLD_ORDER = "answer-names-old-order"
"""The code of a purchase that CAS answered with the id of the very order that was to be renewed."""


@dataclass(frozen=True)
class Successor:
    """Exactly one order can be the successor."""

    new_order_id: str


@dataclass(frozen=True)
class NothingBought:
    """No order can be the successor, and the call is longer ago than CAS may take to show one."""


@dataclass(frozen=True)
class Later:
    """The order book cannot tell yet. `reason` is a slug."""

    reason: str = "settling"


@dataclass(frozen=True)
class Hold:
    """The order book will never tell; a person must. `reason` is a slug."""

    reason: str
    candidates: tuple[str, ...]


Verdict = Successor | NothingBought | Later | Hold


class Puzzle:
    """Which orders can be the successors of which calls, over all open work at once."""

    def __init__(
        self, works: Iterable[Work], book: OrderBook, recorded: Collection[str], pictures: Mapping[str, Picture]
    ) -> None:
        """`works`: all open work. `recorded`: ids known as somebody's successor. `pictures`: see `OpenWork`."""
        self._book = book
        self._recorded = set(recorded)
        self._pictures = pictures
        self._new = {key: book.ids - picture.ids for key, picture in pictures.items()}
        self._works = {work.order_id: work for work in works if work.state in MAY_HAVE_BOUGHT}
        self._busy: tuple[datetime, frozenset[str]] | None = None
        self._unreadable = {order_id for order_id, work in self._works.items() if work.claim is None}
        self._candidates: dict[str, set[str]] = {}
        self._claimants: dict[str, set[str]] = defaultdict(set)
        for order_id, work in self._works.items():
            if work.claim is not None:
                new = self._new.get(work.claim.picture)
                self._candidates[order_id] = set(candidates_of(work, book, new)) - self._recorded
                for candidate in self._candidates[order_id]:
                    self._claimants[candidate].add(order_id)

    def has_new(self, lost: Iterable[Work]) -> bool:
        """Tell whether any order has come into being since one of these calls that is nobody's successor yet."""
        return any(self._candidates.get(work.order_id) or self._unexplained(work) for work in lost)

    def certain(self, lost: Iterable[Work]) -> Iterator[tuple[Work, Successor]]:
        """Yield each lost call of which exactly one order can be the successor, and no other call's.

        What is found for one may leave only one for another, so that the order of the calls does not matter. After
        each the caller says with `found` whether that is recorded now.
        """
        waiting = {work.order_id: work for work in lost if work.order_id in self._candidates}
        near = set(waiting)
        while near:
            # All of a round are decided by what was known when it began: so the order does not matter.
            certain = [(work, self._own(work.order_id)) for work in waiting.values() if work.order_id in near]
            near = set()
            for work, own in certain:
                if len(own) == 1 and not self._is_incomplete(work):
                    del waiting[work.order_id]
                    beside = self._candidates[work.order_id] - set(own)
                    yield work, Successor(own[0])
                    if work.order_id not in self._candidates:
                        near |= {other for new in beside for other in self._claimants[new]}

    def found(self, order_id: str, new_order_id: str) -> None:
        """Take a call out of the puzzle whose successor is recorded now."""
        for new in self._candidates.pop(order_id, set()):
            self._claimants[new].discard(order_id)
        for other in self._claimants.pop(new_order_id, set()):
            self._candidates[other].discard(new_order_id)
        self._works.pop(order_id, None)
        self._recorded.add(new_order_id)

    def verdict(self, work: Work, settle: timedelta, now: datetime) -> Verdict:
        """Settle one lost call.

        `settle`: how long CAS may
        take to show a new order. It counts from the last moment at which the call could have taken effect, by the
        clock of the run that made it, to the moment at which the book began to be read, by this one's; the clocks may
        differ by `SKEW`.
        """
        if self._is_incomplete(work):
            return Later("list-incomplete")
        candidates, own = self._candidates.get(work.order_id, set()), self._own(work.order_id)
        if len(own) == 1:
            return Successor(own[0])
        if own:
            return Hold("several-candidates", tuple(sorted(candidates)))
        if candidates:
            in_progress = self._in_progress(now)
            if not any(in_progress.isdisjoint(self._claimants[new]) for new in candidates):
                return Later()
            return Hold("shared-candidates", tuple(sorted(candidates)))
        if self._book.read_at < work.last_effect() + settle + SKEW:
            return Later()
        return self._nothing(work, now)

    def _nothing(self, work: Work, now: datetime) -> Verdict:
        """Settle a call that no order can have come from, if all orders are what they seem."""
        if work.claimed().picture not in self._pictures:
            return Hold("picture-lost", ())
        new = self._unexplained(work)
        if new and self._in_progress(now):
            return Later()  # it may be that run's
        # What can be another call's successor is explained once that is settled, by reading or by a person.
        nameless = set(self._book.nameless) - self._pictures[work.claimed().picture].nameless
        if any(not self._claimants.get(order_id) for order_id in new) or nameless:
            return Hold("unexplained-orders", tuple(sorted(new)))
        if new:
            return Later()
        if work.unknown_code == NAMES_OLD_ORDER:
            return Hold(NAMES_OLD_ORDER, ())
        if work.lost + 1 >= MAX_LOST:
            return Hold("answers-lost", ())
        return NothingBought()

    def _own(self, order_id: str) -> list[str]:
        """Return the candidates that can be no other call's successor."""
        if self._unreadable - {order_id}:
            return []  # of a journal that cannot be read nobody knows what it claimed
        return sorted(new for new in self._candidates.get(order_id, ()) if self._claimants[new] == {order_id})

    def _in_progress(self, now: datetime) -> frozenset[str]:
        """Return the orders that other runs may still be at."""
        if self._busy is None or self._busy[0] != now:
            busy = frozenset(order_id for order_id, work in self._works.items() if work.is_in_progress(now))
            self._busy = now, busy
        return self._busy[1]

    def _unexplained(self, work: Work) -> frozenset[str]:
        """Return the orders of the whole account that are newer than the claim and nobody's successor."""
        return self._new.get(work.claimed().picture, frozenset()) - self._recorded - {work.order_id}

    def _is_incomplete(self, work: Work) -> bool:
        """Tell whether the book lacks what must be there: the old order, or a list that had orders before."""
        picture = self._pictures.get(work.claimed().picture)
        emptied = picture is not None and not self._book.empty_lists <= picture.empty_lists
        return emptied or self._book.get(work.order_id) is None


def candidates_of(work: Work, book: OrderBook, new: frozenset[str] | None = None) -> frozenset[str]:
    """Return the orders that did not exist when the claim was written, of the same product, with its domain or none.

    `new`: the ids of all orders that came into being since; if that is not known, what the claim's snapshot lacks.
    """
    claim = work.claimed()
    if new is None:
        rivals = book.rivals(claim.product_code, claim.domain)
    else:
        names = {canonical(claim.domain), ""}
        rivals = [
            order
            for order_id in new
            if (order := book.get(order_id)) is not None
            and order.product_code == claim.product_code
            and canonical(order.domain) in names
        ]
    return frozenset(order.id for order in rivals) - claim.snapshot - {work.order_id}


def why_not_successor(
    work: Work, new_order_id: str, book: OrderBook, recorded: Mapping[str, str], others: Iterable[Work], now: datetime
) -> str | None:
    """Tell why an order that a person names cannot be the successor, None if it can.

    It must exist, not have existed before the call, be of this domain or of none or named by the hold, be nobody else's
    successor, and not be what a run in progress may just be buying. `recorded`: old order by successor. `others`: all
    other open work. The product is not compared: the person has looked, and it is the one thing in which a renewal
    could differ from what this program assumes.
    """
    claim = work.claimed()
    order = book.get(new_order_id)
    if order is None:
        return f"CAS shows no order {new_order_id}"
    if new_order_id in claim.snapshot:
        return f"order {new_order_id} existed before {work.order_id} was to be renewed"
    # Somebody may have applied with the new order for another domain: then the hold names it.
    named = new_order_id in work.hold[1]
    if order.domain and canonical(order.domain) != canonical(claim.domain) and not named:
        return f"order {new_order_id} is for {order.domain!r}, not for {claim.domain!r}"
    if recorded.get(new_order_id, work.order_id) != work.order_id:
        return f"order {new_order_id} is already the successor of {recorded[new_order_id]}"
    for other in others:
        if (
            other.order_id != work.order_id
            and other.claim is not None
            and other.is_in_progress(now)
            and new_order_id in candidates_of(other, book)
        ):
            return f"order {new_order_id} may be what a run in progress buys for {other.order_id}; try again later"
    return None
