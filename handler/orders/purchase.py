"""The paid step, one order at a time. Who is notified of it is not its business."""

from collections.abc import Iterable

from handler.certificates.csr import Csr
from handler.journal.attempts import Attempts
from handler.journal.entries import Claimed, Renewed
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.service import OrderService
from handler.outcomes import Outcome
from handler.result import Line
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log


class Purchase:
    """Purchases what the policy allows, each under a claim in the journal."""

    def __init__(self, orders: OrderService, journal: Journal, notes: OpenNotes, time: Countdown, log: Log) -> None:
        """Use these services, until the time is over."""
        self._orders = orders
        self._attempts = Attempts(journal, time, log)
        self._notes = notes
        self._time = time
        self._log = log
        self._note = ""

    def has_time(self) -> bool:
        """Tell whether one more renewal can be finished before the invocation ends."""
        return self._attempts.has_time()

    def about_to(self, batch: Iterable[Order], book: OrderBook) -> None:
        """Note which orders are to be purchased next, and what exists before that. Raises JournalUnavailable."""
        self._note = self._notes.write([order.id for order in batch], self._time.deadline, book.picture)

    def make(self, order: Order, renewal: Renewal, book: OrderBook, csr: Csr | None) -> tuple[Line, Renewal]:
        """Renew an order that the policy allows, whose journal lets it be claimed, and that is noted; see `about_to`.

        Returns its line and the renewal as it then is: RENEWED and not yet published, if a successor was purchased;
        with `trouble`, if that could not be recorded. Raises JournalUnavailable if the claim cannot be written: then
        nothing was purchased.
        """
        existing = book.existing(order.product, order.domain)
        claim = Claimed(order.renewable, self._time.deadline, book.read_at, existing, self._note)

        def purchase(seconds: float) -> Renewed:
            successor_id, request_id = self._orders.purchase(order.id, csr, seconds)
            self._log.info("bought", order_id=order.id, new_order_id=successor_id, cas_request_id=request_id)
            return Renewed(successor_id, "answer", request_id)

        return self._attempts.make(renewal, claim, purchase, Outcome.RENEWED)
