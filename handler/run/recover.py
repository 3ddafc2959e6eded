"""What earlier runs left open, taken up before anything new is decided."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.journal import OpenWork
from handler.journal.work import Refusal, State, Work, successors
from handler.orders.book import OrderBook
from handler.orders.purchase import publish
from handler.orders.settle import Hold, Later, NothingBought, Puzzle, Verdict
from handler.result import OrderResult, Outcome, held_line, of_work
from handler.run.follow import is_watched, tell_failure, tell_if_unknown_too_long, watch
from handler.run.invocation import Invocation

LOOK_BACK = timedelta(days=2)
"""A successor recorded this long before a snapshot was read is in the snapshot, since `SETTLE_SECONDS` is at most
a day; so no journal that rested since then can matter."""


def publish_open(invocation: Invocation) -> list[OrderResult]:
    """Publish what is renewed and not yet published; needs no order book."""
    works = invocation.journal.open_work(invocation.clock.now(), tidy=True).works
    return [_publish(invocation, work)[0] for work in works.values() if work.state is State.RENEWED]


class TakenUp(NamedTuple):
    """What came of the work that earlier runs had left."""

    lines: tuple[OrderResult, ...]
    """A line for each order that had open work."""
    unbought: Mapping[str, Work]
    """By old order, what came out closed and unbought: it may be renewed in this very run, which then replaces
    its line."""
    works: dict[str, Work]
    """Everything that was unfinished, as it is now, by old order."""
    errors: tuple[str, ...]


def has_lost(works: Iterable[Work], now: datetime) -> bool:
    """Tell whether any of the works is to be settled by reading."""
    return any(work.is_lost(now) for work in works)


def take_up(invocation: Invocation, left: OpenWork, book: OrderBook, now: datetime, *, dry_run: bool) -> TakenUp:
    """Publish, settle, tell or report all unfinished work.

    If anything is to be settled `now`, `book` is known to be whole: so `now` is the moment for which that was found
    out, and what counts as lost only since then is left to the next run. A dry run writes and publishes nothing, and so
    leaves all of it as it is.
    """
    settling = _Settling(invocation, book, left, now)
    lines = settling.take_up(dry_run=dry_run)
    if dry_run:
        return TakenUp(tuple(lines), {}, left.works, left.problems)
    refused = [tell_failure(invocation, work, book) for work in left.works.values() if work.state is State.REFUSED]
    watched, errors = watch(invocation, [work for work in left.works.values() if is_watched(work)], book)
    told = {work.order_id: work for work in refused}
    now_open = {**left.works, **settling.works, **told, **watched}
    return TakenUp(tuple(lines), settling.unbought, now_open, (*left.problems, *errors))


class _Settling:
    """The open works of one run. Each is written down as soon as it is settled."""

    def __init__(self, invocation: Invocation, book: OrderBook, left: OpenWork, now: datetime) -> None:
        self._invocation = invocation
        self._book = book
        self._pictures = left.pictures
        self._now = now
        self.works = {order_id: work for order_id, work in left.works.items() if work.is_open}
        self.unbought: dict[str, Work] = {}

    def take_up(self, *, dry_run: bool) -> list[OrderResult]:
        lost = [work for work in self.works.values() if work.is_lost(self._now)]
        waiting = [work for work in self.works.values() if not work.is_lost(self._now)]
        lines = [self._waiting(work, dry_run=dry_run) for work in waiting]
        if dry_run:
            return lines + [of_work(work, Outcome.DEFERRED, "settling") for work in lost]
        if not lost:
            return lines
        puzzle = self._puzzle(lost)
        done: dict[str, OrderResult] = {}
        for work, found in puzzle.certain(lost):
            done[work.order_id] = self._carry_out(work, found)
            renewal = self.works[work.order_id].renewal
            if renewal is not None:
                puzzle.found(work.order_id, renewal.new_order_id)
        rest = [work for work in lost if work.order_id not in done]
        settle = self._invocation.settings.settle
        return [
            *lines,
            *done.values(),
            *(self._carry_out(work, puzzle.verdict(work, settle, self._now)) for work in rest),
        ]

    def _waiting(self, work: Work, *, dry_run: bool) -> OrderResult:
        if work.state is State.HELD:
            return self._held(work, dry_run=dry_run)
        if work.state is State.CLAIMED:
            if work.claim_is_odd(self._now):
                return self._held(work._replace(hold=("claim-from-the-future", ())), dry_run=dry_run)
            return of_work(work, Outcome.DEFERRED, "in-progress")
        if dry_run:
            return of_work(work, Outcome.DEFERRED, "not-published")
        line, self.works[work.order_id] = _publish(self._invocation, work)
        return line

    def _held(self, work: Work, *, dry_run: bool) -> OrderResult:
        """Return the line of an order that only a person can go on with, and tell people, unless they know."""
        if not dry_run:
            self.works[work.order_id] = tell_failure(self._invocation, work, self._book)
        return held_line(work, self._book.get(work.order_id))

    def _puzzle(self, lost: list[Work]) -> Puzzle:
        """Return the puzzle with the successors that are known, by reading no more journals than it takes.

        They are read after the book: an order in it that another run has bought is known to the journal by then.
        """
        puzzle = Puzzle(self.works.values(), self._book, successors(self.works.values()), self._pictures)
        if not puzzle.has_new(lost):
            return puzzle
        oldest = min(work.claimed().snapshot_at for work in lost)
        touched = {
            work.order_id: work for work in self._invocation.journal.touched_since(oldest - LOOK_BACK, self.works)
        }
        # Work that no note names any more stands between the candidates all the same, and so does a journal that
        # cannot be read: it could be the owner of any.
        for order_id, work in touched.items():
            if work.is_open:
                self.works.setdefault(order_id, work)
        recorded = successors([*touched.values(), *self.works.values()])
        return Puzzle(self.works.values(), self._book, recorded, self._pictures)

    def _carry_out(self, work: Work, decided: Verdict) -> OrderResult:
        if not self._invocation.may_write():
            return of_work(work, Outcome.DEFERRED, "no-time-left")
        try:
            return self._write_down(work, decided)
        except JournalConflict:
            return of_work(work, Outcome.DEFERRED, "in-progress")
        except JournalUnavailable as failure:
            self._invocation.log.problem("journal-unavailable", order_id=work.order_id, message=str(failure))
            return self._held(work._replace(hold=(failure.reason, ()), trouble=str(failure)), dry_run=False)

    def _write_down(self, work: Work, decided: Verdict) -> OrderResult:
        journal = self._invocation.journal
        if isinstance(decided, Later):
            self.works[work.order_id] = tell_if_unknown_too_long(self._invocation, work, self._book)
            return of_work(work, Outcome.DEFERRED, decided.reason)
        if isinstance(decided, Hold):
            held = journal.held(work, self._now, decided.reason, decided.candidates)
            self.works[work.order_id] = held
            return self._held(held, dry_run=False)
        if isinstance(decided, NothingBought):
            why = "the answer was lost and no new order appeared"
            refusal = Refusal("nothing-bought", why, self._now, is_failure=False)
            unbought = journal.refused(work, self._now, refusal, lost=True)
            self.works[work.order_id] = self.unbought[work.order_id] = unbought
            return of_work(unbought, Outcome.DEFERRED, "nothing-bought")
        renewed = journal.renewed(work, self._now, decided.new_order_id, "settled")
        self.works[work.order_id] = renewed
        line, self.works[work.order_id] = _publish(self._invocation, renewed)
        return line


def _publish(invocation: Invocation, work: Work) -> tuple[OrderResult, Work]:
    if not invocation.may_write():
        return of_work(work, Outcome.DEFERRED, "not-published"), work
    return publish(invocation, work)
