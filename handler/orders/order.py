"""A certificate order (V1), as the order list shows it."""

from datetime import datetime
from typing import NamedTuple

from handler.certificates.renewable import Renewable

LIVE = frozenset({"ISSUED", "WILLEXPIRED"})
"""Statuses of an order whose certificate is in force."""

PENDING = frozenset({"PAYED", "CHECKING"})
"""Statuses of an order that is on its way to a certificate."""

ISSUED = LIVE | {"EXPIRED"}
"""Statuses of an order whose certificate was issued and never taken back."""


class Order(NamedTuple):
    """A row of `ListUserCertificateOrder`, type CPACK or BUY (CAS API 2020-04-07)."""

    renewable: Renewable
    status: str
    """PAYED, CHECKING, CHECKED_FAIL, ISSUED, WILLEXPIRED, EXPIRED, NOTACTIVATED or REVOKED."""
    cert_type: str
    """DV, OV, EV or FREE."""
    domain_type: str
    """ONE, MULTIPLE, WILDCARD, M_WILDCARD or MIX."""
    source_type: str
    trustee_status: str
    """`trustee`: hosted, the platform renews it by itself."""
    bought_at: datetime | None
    starts: datetime | None = None
    """When its certificate began to be in force; None until it is issued."""
    odd: tuple[str, ...] = ()
    """The fields of the row that made no sense, such as a text for `CertEndTime`; here they are empty."""

    @property
    def id(self) -> str:
        """The order id."""
        return self.renewable.id

    @property
    def domain(self) -> str:
        """As CAS shows it; empty while it has bound none."""
        return self.renewable.domain

    @property
    def product(self) -> str:
        """The product code."""
        return self.renewable.product

    @property
    def ends(self) -> datetime | None:
        """When its certificate expires; None until it is issued."""
        return self.renewable.ends
