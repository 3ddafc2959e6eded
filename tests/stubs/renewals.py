"""The renewal: each call that is not refused is a purchase, however often the same order is renewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tests.stubs.backend import ApiError
from tests.stubs.cas_api import positive
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.order_account import OrderAccount, instance_id_of
from tests.stubs.orders import PENDING, Order, Source
from tests.stubs.record import Record

FIRST_RENEWAL_ID = 98987582437920968
"""Above 2^53 on purpose: such an id does not survive a float."""


@dataclass
class Purchase(Record):
    """One renewal that happened: money or quota is gone."""

    old_order_id: int
    new_order_id: int
    at: datetime
    csr: str | None
    by: Literal["api", "console"]


class Renewals(OrderAccount):
    """Renewals of V1 orders, through the API or in the console.

    There is no idempotency token in this API, so the stub has none. What the documentation leaves open can be set
    either way: `renewable_statuses`, `pending_domain`, `pending_source`, `visible_after`.
    """

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        super().__init__(clock, credentials)
        self.renewable_statuses: set[str] = {"WILLEXPIRED"}
        self.quota: int | None = None
        self.pending_domain: Literal["empty", "filled"] = "empty"
        self.pending_source: Source | None = None
        self.visible_after: float = 0
        self.renewal_takes: float = 0
        """Seconds from the arrival of a renewal to its effect, in which its caller may have given up or died."""
        self.next_renewal_id = FIRST_RENEWAL_ID
        self.purchases: list[Purchase] = []

    def bought(self, order_id: int | str) -> list[Purchase]:
        """The renewals of that order which the API was asked for."""
        return [bought for bought in self.purchases if bought.by == "api" and bought.old_order_id == int(order_id)]

    def renew_in_console(self, order_id: int | str, domain_filled: bool = True) -> int:
        """A person renews the order in the console; returns the new order's id."""
        with self._lock:
            return self._renew(self.order(order_id), csr=None, by="console", domain_filled=domain_filled)

    def cancel(self, order_id: int | str) -> None:
        """A pending order goes away and gives its quota back; an issued certificate is revoked."""
        with self._lock:
            order = self.order(order_id)
            if order.status(self.clock.now()) not in PENDING:
                order.fixed_status = "REVOKED"
                return
            self.remove(order_id)
            if self.quota is not None:
                self.quota += 1

    def _renew_checked(self, params: Mapping[str, str]) -> int:
        self.clock.sleep(self.renewal_takes)
        order = self._orders.get(positive(params, "OrderId"))
        if order is None:
            raise ApiError("NotFoundOrder", 404, "The order does not exist.")
        if order.cert_type == "FREE" or order.domain_type in {"MULTIPLE", "M_WILDCARD", "MIX"}:
            raise ApiError("OperationDenied.StatusNotSupport", 400, "This kind of certificate cannot be renewed.")
        status = order.status(self.clock.now())
        if status == "EXPIRED":
            raise ApiError("OrderExpired", 400, "The order has expired.")
        if status not in self.renewable_statuses:
            raise ApiError("OrderStateError", 403, f"An order that is {status} cannot be renewed.")
        if self.quota == 0:
            raise ApiError("InsufficientQuota", 400, "The quota is used up.")
        return self._renew(order, params.get("Csr"), by="api", domain_filled=self.pending_domain == "filled")

    def _renew(self, old: Order, csr: str | None, by: Literal["api", "console"], domain_filled: bool) -> int:
        now = self.clock.now()
        new_id, self.next_renewal_id = self.next_renewal_id, self.next_renewal_id + 1
        if self.quota is not None:
            self.quota -= 1
        copied = vars(old) | {
            "order_id": new_id,
            "source": self.pending_source or old.source,
            "domain": old.bound_domain if domain_filled else "",
            "instance_id": instance_id_of(new_id),
            "bought_at": now,
            "visible_at": now + timedelta(seconds=self.visible_after),
            "fixed_status": "PAYED",
            "cert_start": None,
            "cert_end": None,
            "certificate_id": None,
        }
        self._insert(Order(**copied))
        self.purchases.append(Purchase(old.order_id, new_id, now, csr, by))
        return new_id
