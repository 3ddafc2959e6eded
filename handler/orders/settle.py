"""What happened to a call whose answer was lost? Decided by reading the order book, never by trying again.

Pure: the book, the renewals and what is recorded are handed in. The lost calls of a run are settled as one `Puzzle`,
since what is known of one narrows what the others can be.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.certificates.domains import canonical
from handler.journal.entries import Held
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal
from handler.journal.states import MAY_HAVE_PURCHASED
from handler.orders.book import OrderBook
from handler.outcomes import Reason
from handler.runtime.clock import SKEW

MAX_LOST = 3
"""So many attempts may end without an answer and without a trace; then a person must look."""


class Found(NamedTuple):
    """Exactly one order can be the successor."""

    successor_id: str


class NothingPurchased(NamedTuple):
    """No order can be the successor, and the call is longer ago than CAS may take to show one."""


class Later(NamedTuple):
    """The order book cannot tell yet."""

    reason: Reason = Reason.SETTLING


Verdict = Found | NothingPurchased | Later | Held
"""`Held`: the order book will never tell; a person must."""


class Puzzle:
    """Which orders can be the successors of which calls, over all open work at once."""

    def __init__(
        self, renewals: Iterable[Renewal], book: OrderBook, recorded: Collection[str], pictures: Mapping[str, Picture]
    ) -> None:
        """`renewals`: all open renewals. `recorded`: ids known as somebody's successor. `pictures`: see `OpenWork`."""
        self._book = book
        self._recorded = set(recorded)
        self._pictures = pictures
        self._new = {key: book.ids - picture.ids for key, picture in pictures.items()}
        self._renewals = {renewal.id: renewal for renewal in renewals if renewal.state in MAY_HAVE_PURCHASED}
        self._busy: tuple[datetime, frozenset[str]] | None = None
        self._unreadable = {order_id for order_id, renewal in self._renewals.items() if renewal.claim is None}
        self._candidates: dict[str, set[str]] = {}
        self._claimants: dict[str, set[str]] = defaultdict(set)
        for order_id, renewal in self._renewals.items():
            if renewal.claim is not None:
                new = self._new.get(renewal.claim.picture)
                self._candidates[order_id] = set(candidates_of(renewal, book, new)) - self._recorded
                for candidate in self._candidates[order_id]:
                    self._claimants[candidate].add(order_id)

    def has_new(self, lost: Iterable[Renewal]) -> bool:
        """Tell whether any order has come into being since one of these calls that is nobody's successor yet."""
        return any(self._candidates.get(renewal.id) or self._unexplained(renewal) for renewal in lost)

    def certain(self, lost: Iterable[Renewal]) -> Iterator[tuple[Renewal, Found]]:
        """Yield each lost call of which exactly one order can be the successor, and no other call's.

        What is found for one may leave only one for another, so that the order of the calls does not matter. After
        each the caller says with `found` whether that is recorded now.
        """
        waiting = {renewal.id: renewal for renewal in lost if renewal.id in self._candidates}
        near = set(waiting)
        while near:
            # All of a round are decided by what was known when it began: so the order does not matter.
            certain = [(renewal, self._own(renewal.id)) for renewal in waiting.values() if renewal.id in near]
            near = set()
            for renewal, own in certain:
                if len(own) == 1 and not self._is_incomplete(renewal):
                    del waiting[renewal.id]
                    beside = self._candidates[renewal.id] - set(own)
                    yield renewal, Found(own[0])
                    if renewal.id not in self._candidates:
                        near |= {other for new in beside for other in self._claimants[new]}

    def found(self, order_id: str, successor_id: str) -> None:
        """Take a call out of the puzzle whose successor is recorded now."""
        for new in self._candidates.pop(order_id, set()):
            self._claimants[new].discard(order_id)
        for other in self._claimants.pop(successor_id, set()):
            self._candidates[other].discard(successor_id)
        self._renewals.pop(order_id, None)
        self._recorded.add(successor_id)

    def verdict(self, renewal: Renewal, settle: timedelta, now: datetime) -> Verdict:
        """Settle one lost call.

        `settle`: how long CAS may take to show a new order. It counts from the last moment at which the call could have
        taken effect, by the clock of the run that made it, to the moment at which the book began to be read, by this
        one's; the clocks may differ by `SKEW`.
        """
        if self._is_incomplete(renewal):
            return Later(Reason.LIST_INCOMPLETE)
        candidates, own = self._candidates.get(renewal.id, set()), self._own(renewal.id)
        if len(own) == 1:
            return Found(own[0])
        if own:
            return Held(Reason.SEVERAL_CANDIDATES, tuple(sorted(candidates)))
        if candidates:
            in_progress = self._in_progress(now)
            if not any(in_progress.isdisjoint(self._claimants[new]) for new in candidates):
                return Later()
            return Held(Reason.SHARED_CANDIDATES, tuple(sorted(candidates)))
        if self._book.read_at < renewal.last_effect() + settle + SKEW:
            return Later()
        if self._book.is_short:
            # By its own total the list hides orders: the new one may be among them.
            return Later(Reason.LIST_INCOMPLETE)
        return self._nothing(renewal, now)

    def _nothing(self, renewal: Renewal, now: datetime) -> Verdict:
        """Settle a call that no order can have come from, if all orders are what they seem."""
        if renewal.claimed().picture not in self._pictures:
            return Held(Reason.PICTURE_LOST)
        new = self._unexplained(renewal)
        if new and self._in_progress(now):
            return Later()  # it may be that run's
        # What can be another call's successor is explained once that is settled, by reading or by a person.
        nameless = set(self._book.nameless) - self._pictures[renewal.claimed().picture].nameless
        if any(not self._claimants.get(order_id) for order_id in new) or nameless:
            return Held(Reason.UNEXPLAINED_ORDERS, tuple(sorted(new)))
        if new:
            return Later()
        if renewal.unknown_code == Reason.ANSWER_NAMES_OLD_ORDER:
            return Held(Reason.ANSWER_NAMES_OLD_ORDER)
        if renewal.lost + 1 >= MAX_LOST:
            return Held(Reason.ANSWERS_LOST)
        return NothingPurchased()

    def _own(self, order_id: str) -> list[str]:
        """Return the candidates that can be no other call's successor."""
        if self._unreadable - {order_id}:
            return []  # of a journal that cannot be read nobody knows what it claimed
        return sorted(new for new in self._candidates.get(order_id, ()) if self._claimants[new] == {order_id})

    def _in_progress(self, now: datetime) -> frozenset[str]:
        """Return the orders that other runs may still be at."""
        if self._busy is None or self._busy[0] != now:
            busy = frozenset(order_id for order_id, renewal in self._renewals.items() if renewal.is_in_progress(now))
            self._busy = now, busy
        return self._busy[1]

    def _unexplained(self, renewal: Renewal) -> frozenset[str]:
        """Return the orders of the whole account that are newer than the claim and nobody's successor."""
        return self._new.get(renewal.claimed().picture, frozenset()) - self._recorded - {renewal.id}

    def _is_incomplete(self, renewal: Renewal) -> bool:
        """Tell whether the book lacks what must be there: the old order, or a list that had orders before."""
        picture = self._pictures.get(renewal.claimed().picture)
        emptied = picture is not None and not self._book.empty_lists <= picture.empty_lists
        return emptied or self._book.get(renewal.id) is None


def candidates_of(renewal: Renewal, book: OrderBook, new: frozenset[str] | None = None) -> frozenset[str]:
    """Return the orders that did not exist when the claim was written, of the same product, with its domain or none.

    `new`: the ids of all orders that came into being since; if that is not known, what the claim's snapshot lacks.
    """
    claim = renewal.claimed()
    if new is None:
        rivals = book.rivals(claim.renewable.product, claim.renewable.domain)
    else:
        names = {canonical(claim.renewable.domain), ""}
        rivals = [
            order
            for order_id in new
            if (order := book.get(order_id)) is not None
            and order.product == claim.renewable.product
            and canonical(order.domain) in names
        ]
    return frozenset(order.id for order in rivals) - claim.snapshot - {renewal.id}


def why_not_successor(
    renewal: Renewal,
    successor_id: str,
    book: OrderBook,
    recorded: Mapping[str, str],
    others: Iterable[Renewal],
    now: datetime,
) -> str | None:
    """Tell why an order that a person names cannot be the successor, None if it can.

    It must exist, not have existed before the call, be of this domain or of none or named by the hold, be nobody else's
    successor, and not be what a run in progress may just be buying. `recorded`: old order by successor. `others`: all
    other open renewals. The product is not compared: the person has looked, and it is the one thing in which a renewal
    could differ from what this program assumes.
    """
    claim = renewal.claimed()
    order = book.get(successor_id)
    if order is None:
        return f"CAS shows no order {successor_id}"
    if successor_id in claim.snapshot:
        return f"order {successor_id} existed before {renewal.id} was to be renewed"
    # Somebody may have applied with the new order for another domain: then the hold names it.
    named = renewal.hold is not None and successor_id in renewal.hold.candidates
    if order.domain and canonical(order.domain) != canonical(claim.renewable.domain) and not named:
        return f"order {successor_id} is for {order.domain!r}, not for {claim.renewable.domain!r}"
    if recorded.get(successor_id, renewal.id) != renewal.id:
        return f"order {successor_id} is already the successor of {recorded[successor_id]}"
    for other in others:
        if (
            other.id != renewal.id
            and other.claim is not None
            and other.is_in_progress(now)
            and successor_id in candidates_of(other, book)
        ):
            return f"order {successor_id} may be what a run in progress buys for {other.id}; try again later"
    return None
