"""The certificate orders of CAS (V1), read and bought: the `OrderService` of the deployed function."""

import itertools
from typing import Any

from handler.certificates.csr import Csr
from handler.certificates.ids import id_in
from handler.cloud.cas_client import CasClient
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

    def __init__(self, client: CasClient, clock: Clock) -> None:
        """`clock`: tells since when a book holds."""
        self._client = client
        self._clock = clock

    def order_book(self) -> OrderBook:
        """Read every CPACK and BUY order, all pages, once. Raises CasError."""
        read_at = self._clock.now()
        rows: list[Any] = []
        is_tidy = True
        empty_lists = []
        names: list[str] = []
        for order_type in _ORDER_TYPES:
            found, total_agrees = self._listed(order_type)
            names += [str(row.get("OrderId")) for row in found if isinstance(row, dict)]
            is_tidy = is_tidy and total_agrees
            empty_lists += [] if found else [order_type]
            rows += found
        orders = [order_in(row) for row in rows]
        return OrderBook(
            [order for order in orders if isinstance(order, Order)],
            read_at,
            listed=[order.id if isinstance(order, Order) else "" for order in orders],
            # An order in both lists has gone from the one to the other meanwhile, and may have left a hole.
            is_tidy=is_tidy and len(set(names)) == len(names),
            nameless=[order for order in orders if not isinstance(order, Order)],
            empty_lists=empty_lists,
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
        self._page("CPACK", 1, 1)

    def _listed(self, order_type: str) -> tuple[list[Any], bool]:
        """Return all rows of a type, and whether the total was their number on every page.

        The total alone ends nothing, since it may be wrong; and a list of any length ends with an empty page.
        """
        rows: list[Any] = []
        totals: set[int] = set()
        before: list[Any] = []
        for number in itertools.count(1):
            found, total, size = self._page(order_type, number, PAGE)
            if found and found == before:
                if len(rows) >= total:
                    break  # beyond the last page some services answer the last one again
                said = f"page {number} of the {order_type} orders is page {number - 1} again"
                raise CasOutcomeUnknown(ListFault.LIST_NOT_PAGED, said)
            rows += found
            totals.add(total)
            if not found or (len(found) < size and len(rows) >= total):
                break
            before = found
        return rows, totals == {len(rows)}

    def _page(self, order_type: str, number: int, size: int) -> tuple[list[Any], int, int]:
        """Return the rows of a page, the total, and how many rows a full page has."""
        query = {"OrderType": order_type, "CurrentPage": str(number), "ShowSize": str(size)}
        answer = self._client.read("ListUserCertificateOrder", query)
        rows, total, shown = (answer.get(name) for name in ("CertificateOrderList", "TotalCount", "ShowSize"))
        if not isinstance(rows, list) or not _is_count(total):
            lacks = "CertificateOrderList" if not isinstance(rows, list) else "TotalCount"
            said = f"CAS answered page {number} of the {order_type} orders without {lacks}"
            raise CasOutcomeUnknown(ListFault.NO_LIST, said)
        full = int(shown or 0) if _is_count(shown) else 0
        return rows, int(total or 0), min(size, full) if full else size


def _is_count(value: object) -> bool:
    return (type(value) is int and value >= 0) or (isinstance(value, str) and value.isascii() and value.isdigit())
