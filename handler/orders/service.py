"""The port to whoever keeps the certificate orders: what the orders and a run need of it."""

from typing import Protocol

from handler.certificates.csr import Csr
from handler.orders.book import OrderBook


class OrderService(Protocol):
    """The certificate orders of one account. Every method raises CasError when it cannot do its work."""

    def order_book(self) -> OrderBook:
        """Read every order once. One reading may have a hole: see `whole_book`."""

    def order_of_certificate(self, certificate_id: str) -> str | None:
        """Return the order behind a certificate, None if there is none (it was uploaded).

        Raises CasRefused if there is no such certificate.
        """

    def purchase(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        """Buy the renewal of an order, once. Returns the id of the new order and the request id, if CAS names one.

        `seconds`: how long it may take. Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when nothing
        was bought, CasOutcomeUnknown when that cannot be said.
        """

    def probe(self) -> None:
        """Ask for one order, to see whether that works."""
