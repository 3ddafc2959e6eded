"""The paid step, one order at a time: claim, buy, record, publish."""

import random
from collections.abc import Callable
from datetime import timedelta

from handler.certificates.csr import Csr
from handler.errors import (
    CasBusy,
    CasError,
    CasMisconfigured,
    CasRefused,
    CasThrottled,
    JournalConflict,
    JournalUnavailable,
    PublishFailed,
)
from handler.journal.journal import Snapshot
from handler.journal.work import Refusal, Renewal, State, Work
from handler.orders.book import Order
from handler.outbox.messages import renewed_message
from handler.result import OrderResult, Outcome, of_order, of_work
from handler.run.invocation import RESERVE_SECONDS, Invocation

TRY_AGAIN_AFTER = timedelta(hours=20)
"""A useless refusal is repeated by tomorrow's timer, and not by the platform's retry of today's."""
LEAST_CALL_SECONDS = 10
"""A renewal with less time than this for its answer is not started."""
MAX_PAUSE_SECONDS = 30
BUSY_ATTEMPTS = 3
"""Throttling passes while one waits; the service's other kinds of busy may last for hours."""


SHORTEST_TIMEOUT = LEAST_CALL_SECONDS + RESERVE_SECONDS
"""In seconds: a function with a shorter one would defer every renewal, for ever."""


def has_time(invocation: Invocation) -> bool:
    """Tell whether a renewal started now would end before the invocation does."""
    return invocation.seconds_left() >= SHORTEST_TIMEOUT


def renew(
    invocation: Invocation, order: Order, work: Work, seen: Snapshot, csr: Csr | None
) -> tuple[OrderResult, Work]:
    """Renew an order that the policy allows and whose journal, `work`, lets it be claimed.

    Returns its line and the work as it then is. Raises JournalUnavailable if the claim cannot be written: then nothing
    was bought.
    """
    if not has_time(invocation):
        return of_order(order, Outcome.DEFERRED, "no-time-left"), work
    try:
        claimed = invocation.journal.claim(work, order, invocation.clock.now(), invocation.deadline, seen)
    except JournalConflict:
        return of_order(order, Outcome.DEFERRED, "in-progress"), work
    return _buy(invocation, claimed, csr)


def publish(invocation: Invocation, work: Work) -> tuple[OrderResult, Work]:
    """Put the message of a RENEWED order on the queue, and record that; return the work as it then is."""
    try:
        smq_message_id = _send(invocation, work)
    except PublishFailed as failure:
        line = of_work(work, Outcome.RENEWED, failure.code, failed=True, stops_run=failure.misconfigured)
        return line, work
    sent = work.renewed_id
    try:
        work = invocation.journal.published(work, invocation.clock.now(), sent, smq_message_id)
    except JournalConflict:
        invocation.log.info("published-elsewhere-too", order_id=work.order_id)
    except JournalUnavailable as failure:
        # It will be sent once more, with the same id.
        invocation.log.problem("journal-unavailable", order_id=work.order_id, message=str(failure))
        return of_work(work, Outcome.RENEWED, failure.reason, message_id=sent, failed=True), work
    return of_work(work, Outcome.RENEWED, message_id=sent), work


def _buy(invocation: Invocation, work: Work, csr: Csr | None) -> tuple[OrderResult, Work]:
    attempt = 0
    while True:
        attempt += 1
        # Asked again before every call: writing the claim or waiting may have taken long.
        if not has_time(invocation):
            return _not_bought(invocation, work, "no-time-left", "", Outcome.DEFERRED)
        try:
            bought = invocation.cas.purchase(work.order_id, csr, invocation.seconds_left() - RESERVE_SECONDS)
        except CasBusy as busy:
            pause = _pause(busy, attempt)
            patient = isinstance(busy, CasThrottled) or attempt < BUSY_ATTEMPTS
            if not patient or invocation.seconds_left() - pause < SHORTEST_TIMEOUT:
                return _not_bought(invocation, work, busy.code, busy.message, Outcome.REFUSED)
            invocation.clock.sleep(pause)
        except CasError as failure:
            return _failed(invocation, work, failure)
        else:
            return _record_and_publish(invocation, work, *bought)


def _pause(busy: CasBusy, attempt: int) -> float:
    asked = busy.retry_after if isinstance(busy, CasThrottled) else None
    ceiling = min(MAX_PAUSE_SECONDS, 2.0 ** min(attempt, 10))  # beyond some 1,000 attempts a float overflows
    return asked or ceiling * random.uniform(0.5, 1)  # noqa: S311 (spreads calls, guards nothing)


def _failed(invocation: Invocation, work: Work, failure: CasError) -> tuple[OrderResult, Work]:
    if isinstance(failure, CasRefused):
        return _not_bought(invocation, work, failure.code, failure.message, Outcome.REFUSED, TRY_AGAIN_AFTER)
    if isinstance(failure, CasMisconfigured):
        line, work = _not_bought(invocation, work, failure.code, failure.message, Outcome.REFUSED)
        return line._replace(stops_run=True), work
    now = invocation.clock.now()
    recorded = _record(invocation, lambda: invocation.journal.unknown(work, now, failure.code, failure.message))
    return of_work(work, Outcome.UNKNOWN, failure.code), recorded or work


def _not_bought(
    invocation: Invocation,
    work: Work,
    code: str,
    message: str,
    outcome: Outcome,
    wait: timedelta = timedelta(0),
) -> tuple[OrderResult, Work]:
    now = invocation.clock.now()
    refusal = Refusal(code, message, now + wait, is_failure=outcome is Outcome.REFUSED)
    recorded = _record(invocation, lambda: invocation.journal.refused(work, now, refusal))
    return of_work(work, outcome, code), recorded or work


def _record_and_publish(
    invocation: Invocation, work: Work, new_order_id: str, request_id: str | None
) -> tuple[OrderResult, Work]:
    now = invocation.clock.now()
    invocation.log.info("bought", order_id=work.order_id, new_order_id=new_order_id, cas_request_id=request_id)
    recorded = _record(invocation, lambda: invocation.journal.renewed(work, now, new_order_id, "answer", request_id))
    if recorded is not None:
        return publish(invocation, recorded)
    # The purchase must not be lost with the journal: it is told now, and again, with the same id, by the run that
    # finds it in the order book.
    unrecorded = work._replace(state=State.RENEWED, renewal=Renewal(new_order_id, now, request_id))
    line = of_work(unrecorded, Outcome.RENEWED, JournalUnavailable.reason, failed=True)
    try:
        _send(invocation, unrecorded)
    except PublishFailed:
        return line, unrecorded
    return line._replace(message_id=unrecorded.renewed_id), unrecorded


def _send(invocation: Invocation, work: Work) -> str:
    """Put the message on the queue and return the id that the queue gave it; log why, if that fails, and raise it."""
    try:
        return invocation.queue.send(invocation.settings.smq_queue, renewed_message(work, invocation.account_id))
    except PublishFailed as failure:
        invocation.log.problem("publish-failed", order_id=work.order_id, code=failure.code, message=failure.message)
        raise


def _record(invocation: Invocation, write: Callable[[], Work]) -> Work | None:
    """Write what a call came to; None if it could not be written.

    The claim then stands alone, and a later run settles it by reading, as if this one had died.
    """
    try:
        return write()
    except (JournalConflict, JournalUnavailable) as failure:
        invocation.log.problem("journal-unavailable", message=str(failure), kind=type(failure).__name__)
        return None
