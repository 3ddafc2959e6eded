"""The V1 orders of the account: what a test sets up, and what people and certificate authorities do to them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.stubs.cas_api import CasApi
from tests.stubs.certificates import LIFETIME, Certificates
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.orders import PENDING, Order, Source
from tests.stubs.record import Record
from tests.stubs.resources import Resources
from tests.stubs.shapes import Common, Shapes

FIRST_ORDER_ID = 123451222


@dataclass
class RawRow(Record):
    """A row of a list with no order behind it, any JSON value."""

    row: Any
    source: Source
    place: int


class OrderAccount(CasApi):
    """The account with its V1 orders, and the certificates that all kinds have in common."""

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        super().__init__(clock, credentials)
        self.shapes = Shapes()
        self._common = Common(clock, self._lock, self.shapes)
        self.resources = Resources(self._common)
        self.certificates = Certificates(self._common, self._issued_orders, self.resources.products)
        self.list_twice: set[int] = set()
        """The orders whose row comes twice, one right after the other. TotalCount counts both."""
        self.extra_rows: list[RawRow] = []
        """Rows without an order; TotalCount counts them. See `add_raw_row`."""
        self.next_order_id = FIRST_ORDER_ID
        self._orders: dict[int, Order] = {}
        self._newest_first: dict[str, list[Order]] = {"CPACK": [], "BUY": []}
        self._odd: dict[int, tuple[list[str], dict[str, Any]]] = {}
        self._last_visible_at: datetime | None = None

    def add_order(
        self,
        order_id: int | None = None,
        domain: str = "www.example.com",
        days_left: float = 20,
        status: str | None = None,
        source: Source = "CPACK",
        product_code: str = "digicert-dv-1",
        product_name: str = "DigiCert DV",
        cert_type: str = "DV",
        domain_type: str | None = None,
        root_brand: str = "DigiCert",
        trustee: str = "unTrustee",
        instance_id: str | None = None,
        bought_at: datetime | None = None,
        cert_end: datetime | None = None,
        certificate_id: int | None = None,
        visible_at: datetime | None = None,
        place: int | None = None,
    ) -> int:
        """Put an order into the account and return its id.

        Without a `status` the end of the certificate decides what it is from day to day; a pending status means that
        there is no certificate yet. `domain_type` follows from the domain unless it is given. `place` is where the
        list shows it, 0 being the first row; lists are newest first otherwise.
        """
        with self._lock:
            now = self.clock.now()
            if order_id is None:
                order_id, self.next_order_id = self.next_order_id, self.next_order_id + 1
            issued = status not in PENDING
            cert_end = (cert_end or now + timedelta(days=days_left)) if issued else None
            cert_start = min(now, cert_end - LIFETIME) if cert_end else None
            self._insert(
                Order(
                    order_id=order_id,
                    source=source,
                    domain=domain,
                    bound_domain=domain,
                    product_code=product_code,
                    product_name=product_name,
                    cert_type=cert_type,
                    domain_type=domain_type or ("WILDCARD" if domain.startswith("*.") else "ONE"),
                    root_brand=root_brand,
                    trustee=trustee,
                    instance_id=instance_id or instance_id_of(order_id),
                    bought_at=bought_at or cert_start or now,
                    visible_at=visible_at or now,
                    fixed_status=status,
                    cert_start=cert_start,
                    cert_end=cert_end,
                    certificate_id=(certificate_id or _certificate_id(order_id)) if issued else None,
                )
            )
            if place is not None:
                self.move_row(order_id, place)
            return order_id

    def add_upload(self, common_name: str, days_left: float = 20, certificate_id: int | None = None) -> int:
        """Put an uploaded certificate into the account and return its certificate id; see `Certificates.upload`."""
        return self.certificates.upload(common_name, days_left=days_left, certificate_id=certificate_id)

    def order(self, order_id: int | str) -> Order:
        """The order with that id; KeyError if there is none."""
        return self._orders[int(order_id)]

    def order_ids(self) -> list[int]:
        """The ids of all orders, in the order in which they came into the account."""
        return list(self._orders)

    def status(self, order_id: int | str) -> str:
        """What the order is at this moment."""
        return self.order(order_id).status(self.clock.now())

    def apply(self, order_id: int | str) -> None:
        """Somebody submits the application of a pending order: PAYED to CHECKING."""
        with self._lock:
            order = self.order(order_id)
            order.domain, order.fixed_status = order.bound_domain, "CHECKING"

    def issue(self, order_id: int | str, days: float = 200) -> None:
        """The certificate authority issues the certificate, for `days` from now."""
        with self._lock:
            order, now = self.order(order_id), self.clock.now()
            order.domain, order.fixed_status = order.bound_domain, None
            order.cert_start, order.cert_end = now, now + timedelta(days=days)
            order.certificate_id = _certificate_id(order.order_id)

    def fail_review(self, order_id: int | str) -> None:
        """The certificate authority says no: CHECKED_FAIL."""
        self.order(order_id).fixed_status = "CHECKED_FAIL"

    def remove(self, order_id: int | str) -> None:
        """The order disappears from the order book."""
        with self._lock:
            order = self._orders.pop(int(order_id))
            self._newest_first[order.source].remove(order)

    def move(self, order_id: int | str, source: Source) -> None:
        """The order goes from the one list to the other."""
        with self._lock:
            order = self.order(order_id)
            self.remove(order_id)
            order.source = source
            self._insert(order)

    def move_row(self, order_id: int | str, place: int) -> None:
        """The order's row goes to another place in its list, 0 being the first."""
        with self._lock:
            order = self.order(order_id)
            rows = self._newest_first[order.source]
            rows.remove(order)
            rows.insert(place, order)

    def odd_row(self, order_id: int | str, *absent: str, **fields: Any) -> None:
        """List the order without some fields and with other values in others; with neither, as it is again."""
        with self._lock:
            self._odd[int(order_id)] = (list(absent), fields)
            if not absent and not fields:
                del self._odd[int(order_id)]

    def add_raw_row(self, row: Any, source: Source = "CPACK", place: int = 0) -> None:
        """List any JSON value as a row, 0 being the first; a place behind the end is the end."""
        with self._lock:
            self.extra_rows.append(RawRow(row, source, place))

    def _orders_to_json(self) -> dict[str, Any]:
        return {
            "list_twice": sorted(self.list_twice),
            "extra_rows": [row.to_json() for row in self.extra_rows],
            "odd": [[order_id, *odd] for order_id, odd in self._odd.items()],
            "orders": [order.to_json() for order in self._orders.values()],
            "rows": {source: [order.order_id for order in rows] for source, rows in self._newest_first.items()},
        }

    def _orders_from_json(self, state: Mapping[str, Any]) -> None:
        self._orders.clear()
        self._newest_first = {"CPACK": [], "BUY": []}
        for order in state["orders"]:
            self._insert(Order.from_json(order))
        self._newest_first = {
            source: [self._orders[order_id] for order_id in order_ids] for source, order_ids in state["rows"].items()
        }
        self.list_twice = set(state["list_twice"])
        self.extra_rows = [RawRow.from_json(row) for row in state["extra_rows"]]
        self._odd = {order_id: (absent, fields) for order_id, absent, fields in state["odd"]}

    def _issued_orders(self) -> list[Order]:
        return [order for order in self._orders.values() if order.certificate_id]

    def _insert(self, order: Order) -> None:
        if order.order_id in self._orders:
            raise ValueError(f"there is an order {order.order_id} already")
        self._orders[order.order_id] = order
        insort(
            self._newest_first[order.source], order, key=lambda other: (-other.bought_at.timestamp(), -other.order_id)
        )
        self._last_visible_at = max(order.visible_at, self._last_visible_at or order.visible_at)


def instance_id_of(order_id: int) -> str:
    """The resource id that an order has unless it is given another."""
    return f"cas-cn-{order_id:x}"


def _certificate_id(order_id: int) -> int:
    return 1_000_000 + order_id % 1_000_000_000
