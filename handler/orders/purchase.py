"""The paid step, one order at a time: claim, purchase, record. Who is notified of it is not its business."""

import random
from collections.abc import Iterable
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
)
from handler.journal.entries import Claimed, Entry, Refused, Renewed, Unknown
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.service import OrderService
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.runtime.countdown import RESERVE_SECONDS, SHORTEST_TIMEOUT, Countdown
from handler.runtime.log import Log

TRY_AGAIN_AFTER = timedelta(hours=20)
"""A useless refusal is repeated by tomorrow's timer, and not by the platform's retry of today's."""
MAX_PAUSE_SECONDS = 30
BUSY_ATTEMPTS = 3
"""Throttling passes while one waits; the service's other kinds of busy may last for hours."""


class Purchase:
    """Purchases what the policy allows, each under a claim in the journal."""

    def __init__(self, orders: OrderService, journal: Journal, notes: OpenNotes, time: Countdown, log: Log) -> None:
        """Use these services, until the time is over."""
        self._orders = orders
        self._journal = journal
        self._notes = notes
        self._time = time
        self._log = log
        self._note = ""

    def has_time(self) -> bool:
        """Tell whether one more renewal can be finished before the invocation ends."""
        if self._time.timeout < SHORTEST_TIMEOUT:
            self._log.problem("timeout-too-short", seconds=self._time.timeout, at_least=SHORTEST_TIMEOUT)
        return self._time.may_purchase()

    def about_to(self, batch: Iterable[Order], book: OrderBook) -> None:
        """Note which orders are to be purchased next, and what exists before that. Raises JournalUnavailable."""
        self._note = self._notes.write([order.id for order in batch], self._time.deadline, book.picture)

    def make(self, order: Order, renewal: Renewal, book: OrderBook, csr: Csr | None) -> tuple[Line, Renewal]:
        """Renew an order that the policy allows, whose journal lets it be claimed, and that is noted; see `about_to`.

        Returns its line and the renewal as it then is: RENEWED and not yet published, if a successor was purchased;
        with `trouble`, if that could not be recorded. Raises JournalUnavailable if the claim cannot be written: then
        nothing was purchased.
        """
        if not self._time.may_purchase():
            return Line(Outcome.DEFERRED, Reason.NO_TIME_LEFT, order.renewable), renewal
        existing = book.existing(order.product, order.domain)
        claim = Claimed(order.renewable, self._time.deadline, book.read_at, existing, self._note)
        try:
            claimed = self._journal.record(renewal, claim, self._time.now())
        except JournalConflict:
            return Line(Outcome.DEFERRED, Reason.IN_PROGRESS, order.renewable), renewal
        return self._purchase(claimed, csr)

    def _purchase(self, renewal: Renewal, csr: Csr | None) -> tuple[Line, Renewal]:
        attempt = 0
        while True:
            attempt += 1
            # Asked again before every call: writing the claim or waiting may have taken long.
            if not self._time.may_purchase():
                return self._not_purchased(renewal, Reason.NO_TIME_LEFT, "", Outcome.DEFERRED)
            try:
                bought = self._orders.purchase(renewal.id, csr, self._time.seconds_left() - RESERVE_SECONDS)
            except CasBusy as busy:
                pause = _pause(busy, attempt)
                patient = isinstance(busy, CasThrottled) or attempt < BUSY_ATTEMPTS
                if not patient or self._time.seconds_left() - pause < SHORTEST_TIMEOUT:
                    return self._not_purchased(renewal, busy.code, busy.message, Outcome.REFUSED)
                self._time.sleep(pause)
            except CasError as failure:
                return self._failed(renewal, failure)
            else:
                return self._purchased(renewal, *bought)

    def _failed(self, renewal: Renewal, failure: CasError) -> tuple[Line, Renewal]:
        if isinstance(failure, CasRefused):
            return self._not_purchased(renewal, failure.code, failure.message, Outcome.REFUSED, TRY_AGAIN_AFTER)
        if isinstance(failure, CasMisconfigured):
            line, renewal = self._not_purchased(renewal, failure.code, failure.message, Outcome.REFUSED)
            return line._replace(stops_run=True), renewal
        recorded = self._record(renewal, Unknown(failure.code, failure.message))
        return line_of(renewal, Outcome.UNKNOWN, failure.code), recorded or renewal

    def _not_purchased(
        self, renewal: Renewal, code: str, message: str, outcome: Outcome, wait: timedelta = timedelta(0)
    ) -> tuple[Line, Renewal]:
        is_failure = outcome is Outcome.REFUSED
        refused = Refused(code, message, self._time.now() + wait, is_failure=is_failure)
        return line_of(renewal, outcome, code), self._record(renewal, refused) or renewal

    def _purchased(self, renewal: Renewal, successor_id: str, request_id: str | None) -> tuple[Line, Renewal]:
        now = self._time.now()
        self._log.info("bought", order_id=renewal.id, new_order_id=successor_id, cas_request_id=request_id)
        recorded = self._record(renewal, Renewed(successor_id, "answer", request_id))
        if recorded is None:
            # The purchase must not be lost with the journal: it is published now, and again, with the same id, by the
            # run that finds it in the order book.
            recorded = renewal._replace(
                state=State.RENEWED,
                successor=Successor(successor_id, now, request_id),
                trouble="the purchase could not be recorded",
            )
        return line_of(recorded, Outcome.RENEWED), recorded

    def _record(self, renewal: Renewal, entry: Entry) -> Renewal | None:
        """Write what a call came to; None if it could not be written.

        The claim then stands alone, and a later run settles it by reading, as if this one had died.
        """
        try:
            return self._journal.record(renewal, entry, self._time.now())
        except (JournalConflict, JournalUnavailable) as failure:
            self._log.problem("journal-unavailable", message=str(failure), kind=type(failure).__name__)
            return None


def _pause(busy: CasBusy, attempt: int) -> float:
    asked = busy.retry_after if isinstance(busy, CasThrottled) else None
    ceiling = min(MAX_PAUSE_SECONDS, 2.0 ** min(attempt, 10))  # beyond some 1,000 attempts a float overflows
    return asked or ceiling * random.uniform(0.5, 1)  # noqa: S311 (spreads calls, guards nothing)
