"""What a person decides of a renewal that this program cannot settle by reading."""

from datetime import datetime, timezone

from handler.command import Release, Resolve
from handler.errors import EventRefused, JournalConflict
from handler.journal.entries import Released, Renewed
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.named_successors import NamedSuccessors
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal, successors
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.settle import why_not_successor
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.runtime.countdown import Countdown

_EVER = datetime(2000, 1, 1, tzinfo=timezone.utc)


class ByHand:
    """Carries out a person's decision."""

    def __init__(
        self, journal: Journal, notes: OpenNotes, named: NamedSuccessors, outbox: Outbox, time: Countdown
    ) -> None:
        """`named`: the successors that persons have named."""
        self._journal = journal
        self._notes = notes
        self._named = named
        self._outbox = outbox
        self._time = time

    def resolve(self, said: Resolve, book: OrderBook) -> Line:
        """Record the successor that a person names, and publish it.

        Raises EventRefused if the order does not wait for that, or the named order cannot be its successor.
        """
        renewal = self._undecided(said.order_id, book, "resolve")
        now = self._time.now()
        touched = self._journal.touched_since(_EVER)
        objection = why_not_successor(renewal, said.new_order_id, book, successors(touched), touched, now)
        if objection is not None:
            raise EventRefused("resolve.new_order_id", objection)
        try:
            self._take(said, now)
            if not renewal.is_open:
                # No note names it any more, and it must be found if it cannot be published now.
                self._notes.write([renewal.id], self._time.deadline)
            renewed = self._journal.record(renewal, Renewed(said.new_order_id, "person"), now)
            self._leave_former(renewal, said.new_order_id, now)
        except JournalConflict:
            return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        return self._outbox.publish(renewed)[0]

    def release(self, said: Release, book: OrderBook) -> Line:
        """Record that nothing was purchased, or may be applied for again, so that the next run may do it again.

        Raises EventRefused if the order or the instance does not wait for that.
        """
        renewal = self._undecided(said.id, book, "release")
        now = self._time.now()
        try:
            released = self._journal.record(renewal, Released(), now)
            self._leave_former(renewal, None, now)
        except JournalConflict:
            return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        return line_of(released, Outcome.SKIPPED, Reason.RELEASED)

    def _undecided(self, id_: str, book: OrderBook, what: str) -> Renewal:
        now = self._time.now()
        renewal = self._journal.read(id_)
        if renewal.state is State.HELD:
            return self._outbox.alert_failed(renewal, book.renewable(id_))
        if renewal.is_lost(now) or renewal.claim_is_odd(now):
            return renewal
        if renewal.may_be_corrected and not (what == "release" and renewal.state is State.REFUSED):
            return renewal
        if renewal.state is State.APPLIED:
            return renewal  # whether it gets on, a person sees better
        kind = renewal.kind.value
        said = f"{kind} {id_} does not wait for a person: its journal says {renewal.state.value!r}"
        raise EventRefused(f"{what}.{kind}_id", said)

    def _take(self, said: Resolve, now: datetime) -> None:
        """Make the named order this one's, so that of two events at once one is refused.

        Raises EventRefused if it is another's, and JournalConflict if the other event came at the very same time.
        """
        named, new = self._named, said.new_order_id
        owner = named.take(said.order_id, new, now)
        if owner == said.order_id:
            return
        other = self._journal.read(owner)
        if other.is_open or (other.successor is not None and other.successor.id == new):
            raise EventRefused("resolve.new_order_id", f"order {new} was named as the successor of {owner}")
        # What was said of the other order was taken back, or its run died before it was recorded.
        named.leave(owner, new, now)
        if named.take(said.order_id, new, now) != said.order_id:
            raise JournalConflict(f"successors/{new}")

    def _leave_former(self, renewal: Renewal, successor_id: str | None, now: datetime) -> None:
        former = renewal.successor.id if renewal.successor else None
        if former is not None and former != successor_id:
            self._named.leave(renewal.id, former, now)
