"""A certificate instance (V2), as the list of instances shows it.

An instance is a subscription in which one certificate follows another. So two things expire: its newest certificate,
which a browser is served, and the subscription, which needs money.
"""

from datetime import datetime
from typing import NamedTuple

from handler.certificates.renewable import Renewable

CLOSED = frozenset({"expired", "refund", "closed"})
"""States of a subscription that is over."""


class Instance(NamedTuple):
    """A row of `ListInstances` (CAS API 2020-04-07)."""

    renewable: Renewable
    """Its end is that of the newest certificate."""
    configured: str
    """The domains for which the next certificate would be, as CAS shows them."""
    status: str
    """inactive, pending, normal, willExpire, expired, refund or closed; of the subscription, but for pending."""
    certificate_id: str
    """Of the newest certificate; empty before the first."""
    certificate_status: str
    """issued, revoked, willExpire or expired."""
    kind: str
    """BUY or TEST."""
    starts: datetime | None
    """When the newest certificate began to be in force."""
    subscription_ends: datetime | None
    is_hosted: bool
    """`AutoReissue=enable`: the platform gets the next certificate by itself."""
    certificate_type: str
    """DV, OV or EV."""
    pending_result: str
    """What the authority said of the newest application, free text."""
    products: tuple[str, ...]
    """The cloud products on which the newest certificate is in use."""
    odd: tuple[str, ...] = ()
    """The fields of the row that made no sense; here they are empty."""
    identifier: str = ""
    """The newest certificate's id with the region, such as `20000001-cn-hangzhou`, as other products want it."""

    @property
    def id(self) -> str:
        """The instance id, such as `cas_dv-cn-example01`."""
        return self.renewable.id

    @property
    def is_pending(self) -> bool:
        """Whether its newest application is in review."""
        return self.status == "pending"

    @property
    def ends(self) -> datetime | None:
        """When the newest certificate expires."""
        return self.renewable.ends
