"""What comes after the renewal, and what is told when there is none.

A new order waits for an application, its review and the certificate. Each run that reads the orders looks at those that
were renewed earlier and are not yet issued, in the order book that it has read anyway, and tells what is new.
Everything that is told is journalled, so that each fact is told once, and after a crash again with the same id.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handler.errors import JournalConflict, JournalNotAppendable, JournalUnavailable, PublishFailed
from handler.journal.work import State, Work
from handler.orders.book import ISSUED, LIVE, Order, OrderBook
from handler.orders.policy import stand_ins
from handler.outbox.messages import failed_message, issued_message, stalled_id, stalled_message
from handler.run.invocation import Invocation

WATCHED_AFTER_END = timedelta(days=30)
"""So long after the old certificate's end a renewal that never got on is told of; then it is given up."""
UNKNOWN_TOO_LONG = timedelta(days=1)


def tell_failure(invocation: Invocation, work: Work, book: OrderBook, deferred: int = 0) -> Work:
    """Tell that an order was refused or is held, unless that is told; return the work with what was journalled.

    `deferred`: how many other orders wait for the same thing. Never raises: the run fails for such an order anyway,
    and what could not be told now is told by the next run.
    """
    now = invocation.clock.now()
    id_ = failure_id(work, now)
    if id_ in work.told or not invocation.may_write():
        return work
    try:
        if is_recordable(work):
            message = failed_message(work, id_, book.get(work.order_id), invocation.account_id, deferred)
            return _tell(invocation, work, invocation.settings.alert_queue, id_, message)
        if not invocation.journal.was_alerted(id_):
            message = failed_message(work._replace(since_at=now), id_, book.get(work.order_id), invocation.account_id)
            invocation.queue.send(invocation.settings.alert_queue, message)
            invocation.log.info("told", order_id=work.order_id, message_id=id_, state=work.state.value)
            invocation.journal.alerted(id_, now)
    except (PublishFailed, JournalUnavailable) as failure:
        invocation.log.problem("not-told", order_id=work.order_id, message=str(failure))
    return work


def is_recordable(work: Work) -> bool:
    """Tell whether the order's own journal can say what was told: it can be read, and something added to it."""
    return work.claim is not None and work.hold[0] != JournalNotAppendable.reason


def failure_id(work: Work, now: datetime) -> str:
    """Return the id of the message that tells of a failure; of what cannot be recorded, one a day."""
    return work.failure_id if is_recordable(work) else f"{work.order_id}-failed-{now:%Y%m%d}"


def tell_if_unknown_too_long(invocation: Invocation, work: Work, book: OrderBook) -> Work:
    """Tell that an order's outcome has been unknown for longer than a day, unless that is told."""
    if invocation.clock.now() - work.last_effect() <= UNKNOWN_TOO_LONG:
        return work
    return tell_failure(invocation, work, book)


def watch(invocation: Invocation, works: Iterable[Work], book: OrderBook) -> tuple[dict[str, Work], list[str]]:
    """Look at renewed orders that are not yet issued; tell what is new.

    Returns the works as they are now, by old order, and what went wrong.
    """
    seen, errors = {}, []
    for work in works:
        if not invocation.may_write():
            seen[work.order_id] = work
            continue
        try:
            seen[work.order_id] = _look_at(invocation, work, book)
        except (PublishFailed, JournalUnavailable) as failure:
            seen[work.order_id] = work
            errors.append(f"order {work.order_id}: {failure}")
    return seen, errors


def stage_of(work: Work, book: OrderBook, now: datetime, settle: timedelta) -> str:
    """Return how far the successor of a renewed order is: its status, or a word for what the book does not show.

    ISSUED once its certificate was in force. REPLACED: another certificate for the domain is in force for longer.
    GONE: the book no longer shows the order. ABANDONED: a month after the old certificate's end it can no longer be
    issued. Empty: the book need not show it yet.
    """
    if work.renewal is None or work.claim is None:
        return ""
    new = book.get(work.renewal.new_order_id)
    if new is not None and new.status in ISSUED:
        return "ISSUED"
    if is_over(work, now) and (new is None or new.status == "REVOKED"):
        return "ABANDONED"
    old = book.get(work.order_id)
    if old is not None and any(other.status in LIVE for other in stand_ins(old, book)):
        return "REPLACED"
    if new is not None:
        return new.status
    return "GONE" if now > work.renewal.at + settle else ""


def is_over(work: Work, now: datetime) -> bool:
    """Tell whether the old certificate of a renewed order ended so long ago that nobody is told any more."""
    claim = work.claimed()
    return now > (claim.cert_end or work.renewed().at) + WATCHED_AFTER_END


def _look_at(invocation: Invocation, work: Work, book: OrderBook) -> Work:
    now = invocation.clock.now()
    stage = stage_of(work, book, now, invocation.settings.settle)
    new = book.get(work.renewal.new_order_id) if work.renewal else None
    is_news = stage != work.stage
    if is_news:
        try:
            work = invocation.journal.observed(work, now, stage)
        except JournalConflict:
            return work  # another run is looking at it too
        except JournalNotAppendable:
            if stage == "ISSUED" and new is not None:
                _tell_issued(invocation, work._replace(stage_at=now), new, is_news=False)
            raise
    if stage == "ISSUED" and new is not None:
        return _tell_issued(invocation, work, new, is_news=is_news)
    end = work.claim.cert_end if work.claim else None
    told_today = stalled_id(work, now) in work.told
    if stage in {"ISSUED", "REPLACED", "ABANDONED"} or is_over(work, now):
        return work
    if told_today or end is None or end - now > invocation.settings.stalled_within:
        return work
    message = stalled_message(work, now, invocation.account_id)
    return _tell(invocation, work, invocation.settings.alert_queue, stalled_id(work, now), message)


def _tell_issued(invocation: Invocation, work: Work, new: Order, *, is_news: bool) -> Work:
    """Tell that the certificate is there; if that is no news, it may be told already and its journal cannot say so."""
    if not is_news and invocation.journal.was_alerted(work.issued_id):
        return work
    message = issued_message(work, new, invocation.account_id)
    try:
        return _tell(invocation, work, invocation.settings.smq_queue, work.issued_id, message)
    except JournalNotAppendable:
        invocation.journal.alerted(work.issued_id, invocation.clock.now())
        raise


def _tell(invocation: Invocation, work: Work, queue: str, id_: str, message: str) -> Work:
    invocation.queue.send(queue, message)
    invocation.log.info("told", order_id=work.order_id, message_id=id_, state=work.state.value)
    try:
        return invocation.journal.told(work, invocation.clock.now(), id_)
    except JournalConflict:
        return work


def is_watched(work: Work) -> bool:
    """Tell whether an order is renewed and its certificate not yet issued."""
    return work.state is State.DONE and work.is_unfinished
