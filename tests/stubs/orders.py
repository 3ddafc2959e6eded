"""Certificate orders, as the V1 operations know them, and the rows that lists show of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.stubs.certificate import Certificate
from tests.stubs.record import Record

Source = Literal["CPACK", "BUY"]
"""An order comes out of a plan (CPACK) or from a single purchase (BUY)."""

PENDING = frozenset({"PAYED", "CHECKING", "CHECKED_FAIL", "NOTACTIVATED"})
EXPIRING_DAYS = 30


@dataclass
class Order(Record):
    """One certificate order, from its purchase to the end of its certificate."""

    order_id: int
    source: Source
    domain: str
    """What lists show, which may be empty while the order is pending."""
    bound_domain: str
    """What the certificate is (or will be) issued for."""
    product_code: str
    product_name: str
    cert_type: str
    domain_type: str
    root_brand: str
    trustee: str
    instance_id: str
    bought_at: datetime
    visible_at: datetime
    """When lists begin to show it."""
    fixed_status: str | None
    """None lets the dates of the certificate decide."""
    cert_start: datetime | None
    cert_end: datetime | None
    certificate_id: int | None

    def status(self, now: datetime) -> str:
        """The status at that time."""
        if self.fixed_status or self.cert_end is None:
            return self.fixed_status or "PAYED"
        return _status_by_time(self.cert_end, now)

    def matches(self, keyword: str) -> bool:
        """The fuzzy search of the list: part of the domain or of the resource id."""
        return keyword in self.domain or keyword in self.instance_id

    def row(self, now: datetime) -> dict[str, Any]:
        """Its row in the lists CPACK and BUY."""
        row = {
            "Algorithm": "RSA_2048",
            "AliyunOrderId": self.order_id + 1_000_000,
            "BuyDate": _milliseconds(self.bought_at),
            "CertType": self.cert_type,
            "Domain": self.domain,
            "DomainCount": 1,
            "DomainType": self.domain_type,
            "InstanceId": self.instance_id,
            "OrderId": self.order_id,
            "ProductCode": self.product_code,
            "ProductName": self.product_name,
            "RootBrand": self.root_brand,
            "SourceType": self.source.lower(),
            "Status": self.status(now),
            "TrusteeStatus": self.trustee,
            "WildDomainCount": int("WILDCARD" in self.domain_type),
        }
        if self.cert_start and self.cert_end:
            row["CertStartTime"] = _milliseconds(self.cert_start)
            row["CertEndTime"] = _milliseconds(self.cert_end)
            row["PartnerOrderId"] = f"partner-{self.order_id}"
        return row

    def certificate(self) -> Certificate:
        """Its certificate; only for an order whose certificate was issued."""
        assert self.certificate_id
        assert self.cert_start
        assert self.cert_end
        return Certificate(
            certificate_id=self.certificate_id,
            names=self.bound_domain.split(","),
            not_before=self.cert_start,
            not_after=self.cert_end,
            source="TEST" if self.cert_type == "FREE" else "BUY",
            instance_id=self.instance_id,
            revoked_at=self.cert_start if self.fixed_status == "REVOKED" else None,  # nobody asks when
        )


def _status_by_time(cert_end: datetime, now: datetime) -> str:
    if cert_end < now:
        return "EXPIRED"
    return "WILLEXPIRED" if cert_end - now <= timedelta(days=EXPIRING_DAYS) else "ISSUED"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
