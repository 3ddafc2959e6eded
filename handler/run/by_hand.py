"""What a person says of an order that this program cannot settle by reading."""

from datetime import datetime, timezone

from handler.command import Release, Resolve
from handler.errors import EventRefused, JournalConflict
from handler.journal.work import State, Work, successors
from handler.orders.book import OrderBook
from handler.orders.purchase import publish
from handler.orders.settle import why_not_successor
from handler.result import OrderResult, Outcome, of_work
from handler.run.follow import tell_failure
from handler.run.invocation import Invocation

_EVER = datetime(2000, 1, 1, tzinfo=timezone.utc)


def resolve_held(invocation: Invocation, said: Resolve, book: OrderBook) -> OrderResult:
    """Record the successor that a person names, and publish it.

    Raises EventRefused if the order does not wait for that, or the named order cannot be its successor.
    """
    work = _settleable(invocation, said.order_id, book, "resolve")
    now, journal = invocation.clock.now(), invocation.journal
    touched = journal.touched_since(_EVER)
    objection = why_not_successor(work, said.new_order_id, book, successors(touched), touched, now)
    if objection is not None:
        raise EventRefused("resolve.new_order_id", objection)
    try:
        _take_successor(invocation, said, now)
        if not work.is_open:
            # No note names it any more, and it must be found if it cannot be published now.
            journal.about_to_claim([work.order_id], invocation.deadline)
        renewed = journal.renewed(work, now, said.new_order_id, "person")
        _leave_former(invocation, work, said.new_order_id, now)
    except JournalConflict:
        return of_work(work, Outcome.DEFERRED, "in-progress")
    return publish(invocation, renewed)[0]


def release(invocation: Invocation, said: Release, book: OrderBook) -> OrderResult:
    """Record that nothing was bought, so that the next run may renew the order again.

    Raises EventRefused if the order does not wait for that.
    """
    work = _settleable(invocation, said.order_id, book, "release")
    now = invocation.clock.now()
    try:
        released = invocation.journal.released(work, now)
        _leave_former(invocation, work, None, now)
    except JournalConflict:
        return of_work(work, Outcome.DEFERRED, "in-progress")
    return of_work(released, Outcome.SKIPPED, "released")


def _settleable(invocation: Invocation, order_id: str, book: OrderBook, what: str) -> Work:
    place = f"{what}.order_id"
    if invocation.settings.dry_run:
        raise EventRefused(what, "DRY_RUN is true, so nothing is recorded; set it to false first")
    now = invocation.clock.now()
    work = invocation.journal.read(order_id)
    if work.state is State.HELD:
        return tell_failure(invocation, work, book)
    if work.is_lost(now) or work.claim_is_odd(now):
        return work
    if work.may_be_corrected and not (what == "release" and work.state is State.REFUSED):
        return work
    raise EventRefused(place, f"order {order_id} does not wait for a person: its journal says {work.state.value!r}")


def _take_successor(invocation: Invocation, said: Resolve, now: datetime) -> None:
    """Make the named order this one's, so that of two events at once one is refused.

    Raises EventRefused if it is another's, and JournalConflict if the other event came at the very same time.
    """
    journal, new = invocation.journal, said.new_order_id
    owner = journal.take_successor(said.order_id, new, now)
    if owner == said.order_id:
        return
    other = journal.read(owner)
    if other.is_open or (other.renewal is not None and other.renewal.new_order_id == new):
        raise EventRefused("resolve.new_order_id", f"order {new} was named as the successor of {owner}")
    # What was said of the other order was taken back, or its run died before it was recorded.
    journal.leave_successor(owner, new, now)
    if journal.take_successor(said.order_id, new, now) != said.order_id:
        raise JournalConflict(f"successors/{new}")


def _leave_former(invocation: Invocation, work: Work, new_order_id: str | None, now: datetime) -> None:
    former = work.renewal.new_order_id if work.renewal else None
    if former is not None and former != new_order_id:
        invocation.journal.leave_successor(work.order_id, former, now)
