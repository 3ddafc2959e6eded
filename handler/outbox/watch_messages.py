"""The messages about what is watched, and their ids. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.journal.alerts import EXPIRING
from handler.journal.renewal import Renewal
from handler.outbox.cloud_event import MessageType, certificate_of, cloud_event
from handler.runtime.clock import rfc3339

_ID = {Kind.ORDER: "OrderId", Kind.INSTANCE: "InstanceId", Kind.CERTIFICATE: "CertificateId"}


class Expiring(NamedTuple):
    """What nothing will replace."""

    renewable: Renewable
    days: int
    """The threshold that has been reached, in days before the end."""
    days_left: int
    reason: str
    products: tuple[str, ...] = ()
    deferred: int = 0
    """For how many others, which wait for the same limit, the message speaks, too."""

    @property
    def id(self) -> str:
        """Of the message: one for each threshold."""
        return f"{self.renewable.id}{EXPIRING}{self.days}"

    @property
    def noted_as(self) -> str:
        """Under what it is noted that people have been told.

        In an instance one certificate follows another, sooner than such a note is forgotten; so it names the end.
        """
        ends = self.renewable.ends
        is_one_of_many = self.renewable.kind is Kind.INSTANCE and ends is not None
        return f"{self.id}-{ends:%Y-%m-%d}" if is_one_of_many else self.id


class Review(NamedTuple):
    """How the application stands that somebody else has made for an instance."""

    stage: str
    """`hosted` or `in-review`."""
    said: str = ""
    """What the authority said, free text."""
    records: Sequence[dict[str, str]] = ()
    """What somebody must add: Domain, Zone, Host, Type and Value."""


def expiring_message(expiring: Expiring, now: datetime, account_id: str) -> str:
    """Write the message that nothing will replace a certificate.

    `subject` is the id of the order, instance or certificate. `data` has Kind, its id (OrderId, InstanceId or
    CertificateId), Domain, ProductCode, InstanceId and CertEndTime, Reason, DaysLeft (negative when it has ended),
    Products (where it is in use, if that is known) and, if it speaks for others too, Deferred (how many).
    """
    of = expiring.renewable
    data = {
        "Kind": of.kind.value,
        **certificate_of(of),
        _ID[of.kind]: of.id,
        "Reason": str(expiring.reason),
        "DaysLeft": expiring.days_left,
        "Products": list(expiring.products),
        **({"Deferred": expiring.deferred} if expiring.deferred else {}),
    }
    return cloud_event(expiring.id, MessageType.EXPIRING, of.id, now, account_id, data)


def instance_issued_id(renewal: Renewal) -> str:
    """Return the id of the message that the next certificate of an instance is there."""
    return f"{renewal.pair}-issued"


def instance_stalled_id(renewal: Renewal, now: datetime) -> str:
    """Return the id of today's message about an instance that does not get on: one a day, by UTC."""
    return f"{renewal.id}-{_base(renewal)}-stalled-{now:%Y-%m-%d}"


def instance_issued_message(renewal: Renewal, new: Renewable, account_id: str) -> str:
    """Write the message that the next certificate of an instance is there.

    `data` has InstanceId, Domain, ProductCode, CertificateId, ReplacedCertificateId, and CertEndTime of the new one.
    """
    successor = renewal.succeeded()
    data = {
        "InstanceId": renewal.id,
        "Domain": new.domain,
        "ProductCode": new.product,
        "CertificateId": successor.id,
        "ReplacedCertificateId": _base(renewal),
        "CertEndTime": rfc3339(new.ends) if new.ends else None,
    }
    id_ = instance_issued_id(renewal)
    return cloud_event(id_, MessageType.INSTANCE_ISSUED, successor.id, successor.at, account_id, data)


def instance_stalled_message(renewal: Renewal, review: Review, now: datetime, account_id: str) -> str:
    """Write today's message about an instance whose next certificate somebody else gets, and that does not get on.

    `data` has InstanceId, Domain, ProductCode, ReplacedCertificateId and CertEndTime of the certificate that ends,
    Stage (`hosted` or `in-review`), DaysLeft, Detail (what the authority said) and Records (what somebody must add).
    """
    of = renewal.renewable
    data: dict[str, Any] = {
        "InstanceId": renewal.id,
        "Domain": of.domain,
        "ProductCode": of.product,
        "ReplacedCertificateId": _base(renewal),
        "CertEndTime": rfc3339(of.ends) if of.ends else None,
        "Stage": str(review.stage),
        "DaysLeft": (of.ends - now) // timedelta(days=1) if of.ends else None,
        "Detail": review.said,
        "Records": list(review.records),
    }
    id_ = instance_stalled_id(renewal, now)
    return cloud_event(id_, MessageType.INSTANCE_STALLED, renewal.id, now, account_id, data)


def _base(renewal: Renewal) -> str:
    return renewal.base.certificate_id if renewal.base else ""
