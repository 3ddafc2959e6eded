"""ListUserCertificateOrder and GetUserCertificateDetail: what the V1 operations show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.stubs.backend import ApiError
from tests.stubs.cas_api import invalid, positive
from tests.stubs.certificate import Certificate
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.order_account import OrderAccount, RawRow
from tests.stubs.orders import Order

FAKE_PRIVATE_KEY = (
    "-----BEGIN PRIVATE KEY-----\nFAKE-PRIVATE-KEY-THAT-NOBODY-SHOULD-ASK-FOR\n-----END PRIVATE KEY-----\n"
)


class OrderLists(OrderAccount):
    """The lists of orders and certificates. One need not hold still or be right: see `between_pages`,
    `total_count_off_by`, `list_twice`, `odd_row` and `add_raw_row`.
    """

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        super().__init__(clock, credentials)
        self.page_limit = 50
        self.oldest_first = False
        self.total_count_off_by = 0
        """What TotalCount is too high by, in every list."""

    def _list(self, params: Mapping[str, str]) -> dict[str, Any]:
        order_type = params.get("OrderType") or "CPACK"
        page = positive(params, "CurrentPage", default=1)
        size = min(positive(params, "ShowSize", default=50), self.page_limit)
        status, keyword, now = params.get("Status", ""), params.get("Keyword", ""), self.clock.now()
        shown = slice((page - 1) * size, page * size)
        if order_type in self._newest_first:
            listed = self._as_listed(order_type, self._matching_orders(order_type, status, keyword, now))
            total, rows = len(listed), [self._row(line, now) for line in listed[shown]]
        elif order_type in {"CERT", "UPLOAD"}:
            certificates = self._matching_certificates(order_type, status, keyword, now)
            total, rows = (
                len(certificates),
                [self._certificate_row(certificate, now) for certificate in certificates[shown]],
            )
        else:
            raise invalid("OrderType")
        total = max(0, total + self.total_count_off_by)
        return {"TotalCount": total, "CurrentPage": page, "ShowSize": size, "CertificateOrderList": rows}

    def _matching_orders(self, source: str, status: str, keyword: str, now: datetime) -> list[Order]:
        orders = self._newest_first[source]
        if not status and not keyword and (self._last_visible_at is None or self._last_visible_at <= now):
            return orders
        return [
            order
            for order in orders
            if order.visible_at <= now
            and (not status or order.status(now) == status)
            and (not keyword or order.matches(keyword))
        ]

    def _as_listed(self, source: str, orders: list[Order]) -> Sequence[Order | RawRow]:
        in_order = orders[::-1] if self.oldest_first else orders
        if not self.list_twice and not self.extra_rows:
            return in_order
        twice = self.list_twice
        listed: list[Order | RawRow] = [line for line in in_order for _ in range(1 + (line.order_id in twice))]
        for extra in self.extra_rows:
            if extra.source == source:
                listed.insert(extra.place, extra)
        return listed

    def _row(self, line: Order | RawRow, now: datetime) -> Any:
        if isinstance(line, RawRow):
            return line.row
        absent, fields = self._odd.get(line.order_id, ((), {}))
        row = line.row(now) | fields
        return {name: value for name, value in row.items() if name not in absent}

    def _matching_certificates(self, kind: str, status: str, keyword: str, now: datetime) -> list[Certificate]:
        with_instances = kind == "CERT" and self.certificates.user_list_has_instances
        found = [
            certificate
            for certificate in self.certificates.kept()
            if (certificate.source == "UPLOAD" or with_instances)
            and (not status or certificate.order_status(now) == status)
            and certificate.matches(keyword)
        ]
        if kind == "CERT":
            found += [
                order.certificate()
                for order in self._issued_orders()
                if (not status or order.status(now) == status) and order.matches(keyword)
            ]
        return sorted(found, key=lambda certificate: certificate.certificate_id, reverse=True)

    def _certificate_row(self, certificate: Certificate, now: datetime) -> dict[str, Any]:
        return certificate.user_row(now, self.certificates.serial(certificate.certificate_id))

    def _certificate(self, params: Mapping[str, str]) -> dict[str, Any]:
        certificate_id = positive(params, "CertId")
        certificate = self.certificates.find(certificate_id)
        if certificate is None:
            raise ApiError("NotFound", 404, "The certificate does not exist.")
        row = self._certificate_row(certificate, self.clock.now())
        detail = {name: row[name] for name in ("EndDate", "Expired", "Issuer", "Name", "Sans", "SerialNo", "StartDate")}
        detail |= {"Id": certificate_id, "Common": row["CommonName"], "BuyInAliyun": not row["Upload"]}
        detail["CertIdentifier"] = f"{certificate_id}-cn-hangzhou"
        if not row["Upload"]:
            detail["InstanceId"] = certificate.instance_id
        order = next((order for order in self._issued_orders() if order.certificate_id == certificate_id), None)
        if order:
            detail["OrderId"] = order.order_id
        if params.get("CertFilter", "").lower() != "true":
            detail |= {
                "Cert": "-----BEGIN CERTIFICATE-----\nFAKE\n-----END CERTIFICATE-----\n",
                "Key": FAKE_PRIVATE_KEY,
            }
        return detail
