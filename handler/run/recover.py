"""What earlier runs left open, taken up before anything new is decided."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from handler.certificates.renewable import Kind
from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.entries import Entry, Held, Refused, Renewed
from handler.journal.journal import Journal
from handler.journal.lines import held_line, line_of
from handler.journal.open_notes import OpenWork
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal, successors
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.settle import Found, Later, NothingPurchased, Puzzle, Verdict
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log

LOOK_BACK = timedelta(days=2)
"""A successor recorded this long before a snapshot was read is in the snapshot, since `SETTLE_SECONDS` is at most
a day; so no journal that rested since then can matter."""
UNKNOWN_TOO_LONG = timedelta(days=1)
"""An outcome that is unknown for longer is an alert."""


def has_lost(renewals: Iterable[Renewal], now: datetime) -> bool:
    """Tell whether any of them is to be settled by reading."""
    return any(renewal.is_lost(now) for renewal in renewals)


class Recovery:
    """Publishes, settles or reports all open work. Each piece is recorded as soon as it is settled."""

    def __init__(self, journal: Journal, outbox: Outbox, time: Countdown, settle: timedelta, log: Log) -> None:
        """`settle`: how long CAS may take to show a new order."""
        self._journal = journal
        self._outbox = outbox
        self._time = time
        self._settle = settle
        self._log = log
        self.renewals: dict[str, Renewal] = {}
        """All that was open, as it is now, by id."""

    def publish(self, renewals: Iterable[Renewal]) -> Iterator[Line]:
        """Publish what is renewed and not yet published; needs no order book. Yields their lines."""
        for renewal in renewals:
            if renewal.state is State.RENEWED:
                yield self._publish(renewal)

    def take_up(self, work: OpenWork, book: OrderBook, now: datetime) -> Iterator[Line]:
        """Take up all open work; yields a line for each.

        If anything is to be settled `now`, `book` is known to be whole: so `now` is the moment for which that was found
        out, and what counts as lost only since then is left to the next run. A line with the reason `nothing-bought`
        says that its order is closed and not purchased: it may be purchased in this very run.
        """
        self.renewals = {id_: one for id_, one in work.renewals.items() if one.is_open and one.kind is Kind.ORDER}
        everything = list(self.renewals.values())
        yield from [self._waiting(renewal, book, now) for renewal in everything if not renewal.is_lost(now)]
        lost = [renewal for renewal in everything if renewal.is_lost(now)]
        if not lost:
            return
        puzzle = self._puzzle(lost, book, work.pictures)
        done = set()
        for renewal, found in puzzle.certain(lost):
            done.add(renewal.id)
            yield self._carry_out(renewal, found, book, now)
            successor = self.renewals[renewal.id].successor
            if successor is not None:
                puzzle.found(renewal.id, successor.id)
        for renewal in lost:
            if renewal.id not in done:
                yield self._carry_out(renewal, puzzle.verdict(renewal, self._settle, now), book, now)

    def _waiting(self, renewal: Renewal, book: OrderBook, now: datetime) -> Line:
        if renewal.state is State.RENEWED:
            return self._publish(renewal)
        if renewal.claim_is_odd(now):
            renewal = renewal._replace(hold=Held(Reason.CLAIM_FROM_THE_FUTURE))
        elif renewal.state is State.CLAIMED:
            return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        return self._held(renewal, book)

    def _held(self, renewal: Renewal, book: OrderBook) -> Line:
        """Return the line of what needs a decision, and alert people, unless they know."""
        shown = book.renewable(renewal.id)
        self.renewals[renewal.id] = self._outbox.alert_failed(renewal, shown)
        return held_line(renewal, shown)

    def _publish(self, renewal: Renewal) -> Line:
        if not self._time.may_write():
            return line_of(renewal, Outcome.DEFERRED, Reason.NOT_PUBLISHED)
        line, self.renewals[renewal.id] = self._outbox.publish(renewal)
        return line

    def _puzzle(self, lost: list[Renewal], book: OrderBook, pictures: Mapping[str, Picture]) -> Puzzle:
        """Return the puzzle with the successors that are known, by reading no more journals than it takes.

        They are read after the book: an order in it that another run has purchased is known to the journal by then.
        """
        puzzle = Puzzle(self.renewals.values(), book, successors(self.renewals.values()), pictures)
        if not puzzle.has_new(lost):
            return puzzle
        oldest = min(renewal.claimed().snapshot_at for renewal in lost)
        touched = self._journal.touched_since(oldest - LOOK_BACK, self.renewals)
        # Work that no note names any more stands between the candidates all the same, and so does a journal that
        # cannot be read: it could be the owner of any.
        for renewal in touched:
            if renewal.is_open:
                self.renewals.setdefault(renewal.id, renewal)
        recorded = successors([*touched, *self.renewals.values()])
        return Puzzle(self.renewals.values(), book, recorded, pictures)

    def _carry_out(self, renewal: Renewal, verdict: Verdict, book: OrderBook, now: datetime) -> Line:
        if not self._time.may_write():
            return line_of(renewal, Outcome.DEFERRED, Reason.NO_TIME_LEFT)
        if isinstance(verdict, Later):
            self._alert_if_unknown_too_long(renewal, book)
            return line_of(renewal, Outcome.DEFERRED, verdict.reason)
        try:
            settled = self._journal.record(renewal, _entry(verdict, now), now)
        except JournalConflict:
            return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        except JournalUnavailable as failure:
            self._log.problem("journal-unavailable", order_id=renewal.id, message=str(failure))
            return self._held(renewal._replace(hold=Held(failure.reason), trouble=str(failure)), book)
        self.renewals[renewal.id] = settled
        if settled.state is State.HELD:
            return self._held(settled, book)
        if settled.state is State.REFUSED:
            return line_of(settled, Outcome.DEFERRED, Reason.NOTHING_BOUGHT)
        return self._publish(settled)

    def _alert_if_unknown_too_long(self, renewal: Renewal, book: OrderBook) -> None:
        if self._time.now() - renewal.last_effect() > UNKNOWN_TOO_LONG:
            self.renewals[renewal.id] = self._outbox.alert_failed(renewal, book.renewable(renewal.id))


def _entry(verdict: Found | NothingPurchased | Held, now: datetime) -> Entry:
    """Return the entry that records a verdict."""
    if isinstance(verdict, Found):
        return Renewed(verdict.successor_id, "settled")
    if isinstance(verdict, Held):
        return verdict
    why = "the answer was lost and no new order appeared"
    return Refused(Reason.NOTHING_BOUGHT, why, now, is_failure=False, is_lost=True)


def in_a_dry_run(work: OpenWork, book: OrderBook, now: datetime) -> Iterator[Line]:
    """Yield the lines of open work that stays as it is: a dry run records and publishes nothing."""
    waiting_first = sorted(work.renewals.values(), key=lambda renewal: renewal.is_lost(now))
    for renewal in (one for one in waiting_first if one.is_open):
        if renewal.is_lost(now):
            yield line_of(renewal, Outcome.DEFERRED, Reason.SETTLING)
        elif renewal.state is State.RENEWED:
            yield line_of(renewal, Outcome.DEFERRED, Reason.NOT_PUBLISHED)
        elif renewal.state is State.CLAIMED and not renewal.claim_is_odd(now):
            yield line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        else:
            odd = renewal.state is State.CLAIMED
            held = renewal._replace(hold=Held(Reason.CLAIM_FROM_THE_FUTURE)) if odd else renewal
            yield held_line(held, book.renewable(renewal.id))
