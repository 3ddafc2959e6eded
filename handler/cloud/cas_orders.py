"""The certificate orders of CAS (V1), read and bought: the `OrderService` of the deployed function."""

from handler.certificates.csr import Csr
from handler.certificates.ids import id_in
from handler.cloud.cas_client import Cas
from handler.cloud.cas_lists import CasList
from handler.errors import CasOutcomeUnknown
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.row import order_in
from handler.outcomes import ListFault, Reason
from handler.runtime.clock import Clock

PAGE = 50

_ORDER_TYPES = ("CPACK", "BUY")


class CasOrders:
    """The certificate orders of one account."""

    def __init__(self, client: Cas, clock: Clock) -> None:
        """`clock`: tells since when a book holds."""
        self._client = client
        self._clock = clock
        self._lists = {order_type: self._list(order_type) for order_type in _ORDER_TYPES}

    def order_book(self) -> OrderBook:
        """Read every CPACK and BUY order, all pages, once. Raises CasError."""
        read_at = self._clock.now()
        readings = {order_type: orders.read() for order_type, orders in self._lists.items()}
        shown = [row for reading in readings.values() for row in reading.listed]
        rows = [row for reading in readings.values() for row in reading.rows]
        return OrderBook(
            [row for row in rows if isinstance(row, Order)],
            read_at,
            listed=[row.id if isinstance(row, Order) else "" for row in rows],
            # An order in both lists has gone from the one to the other meanwhile, and may have left a hole. Rows
            # without an id that look the same count as one that came twice: here it is better to read once more.
            is_tidy=all(reading.total_agrees for reading in readings.values()) and len(set(shown)) == len(shown),
            is_short=any(reading.is_short for reading in readings.values()),
            nameless=[row for row in rows if isinstance(row, str)],
            empty_lists=[order_type for order_type, reading in readings.items() if not reading.rows],
        )

    def order_of_certificate(self, certificate_id: str) -> str | None:
        """Return the order behind a certificate, None if there is none (it was uploaded).

        Raises CasRefused if CAS knows no such certificate, and any other CasError.
        """
        # Without CertFilter the answer holds the private key. The spelling is the SDK's.
        answer = self._client.read("GetUserCertificateDetail", {"CertId": certificate_id, "CertFilter": "True"})
        if not answer:
            raise CasOutcomeUnknown(ListFault.EMPTY_ANSWER, "CAS answered without a body")
        order_id = answer.get("OrderId")
        return str(order_id) if order_id else None

    def purchase(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        """Buy the renewal of an order. Returns the id of the new order and the request id.

        `seconds`: how long it may take. Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when nothing
        was bought, CasOutcomeUnknown when that cannot be said.
        """
        query = {"OrderId": order_id, **({"Csr": csr.pem} if csr else {})}
        answer = self._client.call_once("RenewCertificateOrderForPackageRequest", query, seconds)
        new_order_id = id_in(answer.get("OrderId"))
        if new_order_id is None:
            said = f"CAS accepted the renewal of {order_id} and named no new order"
            raise CasOutcomeUnknown(Reason.NO_ORDER_ID, said)
        if int(new_order_id) == int(order_id):
            said = f"CAS named {order_id} as the order that renews it"
            raise CasOutcomeUnknown(Reason.ANSWER_NAMES_OLD_ORDER, said)
        return new_order_id, answer.get("RequestId")

    def probe(self) -> None:
        """Ask for one order, to see whether that works. Raises CasError."""
        self._lists["CPACK"].probe()

    def _list(self, order_type: str) -> CasList[Order]:
        client, of_type = self._client, {"OrderType": order_type}
        return CasList(
            f"{order_type} orders",
            lambda page: client.read("ListUserCertificateOrder", {**of_type, **page}),
            "CertificateOrderList",
            order_in,
            PAGE,
        )
