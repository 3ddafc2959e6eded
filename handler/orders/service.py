"""What renewing orders needs of the certificate service: a port, filled in `handler.cloud`."""

from typing import Protocol

from handler.certificates.csr import Csr
from handler.orders.book import OrderBook


class OrderService(Protocol):
    """The certificate orders of one account. Every method raises CasError when it cannot do its work."""

    def order_book(self) -> OrderBook:
        """Read every order, all pages, once."""

    def order_of_certificate(self, certificate_id: str) -> str | None:
        """Return the order behind a certificate, None if there is none (it was uploaded).

        Raises CasRefused if there is no such certificate.
        """

    def purchase(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        """Renew an order, which may cost money. Returns the id of the successor and the request id.

        `seconds`: how long it may take. Never repeats a call. Raises CasBusy, CasThrottled, CasRefused or
        CasMisconfigured when nothing was purchased, CasOutcomeUnknown when that cannot be said.
        """

    def probe(self) -> None:
        """Ask for one order, to see whether that works."""
