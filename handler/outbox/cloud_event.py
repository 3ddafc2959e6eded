"""What all messages have in common: CloudEvents 1.0, and their types. Pure."""

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from handler.certificates.renewable import Renewable
from handler.runtime.clock import rfc3339

MOST_BOUND = 100
"""So many places are named at most: a queue takes no message of any length."""
MOST_OF_A_LIST = 15_000
"""So many bytes the places of one list take at most, since a place can have a hundred names: two such lists and the
longest certificate fit into what SMQ takes, which is 48 KB before Base64."""

_Place = TypeVar("_Place", bound=Mapping[str, Any])


class MessageType(str, Enum):
    """The types of messages."""

    RENEWED = "cas.order.renewed"
    """A successor was purchased."""
    ISSUED = "cas.order.issued"
    """The successor's certificate is issued."""
    STALLED = "cas.order.stalled"
    """The successor does not get on, and the old certificate ends soon. An alert."""
    FAILED = "cas.renewal.failed"
    """The renewal was refused, needs a decision, or its outcome has been unknown for too long. An alert."""
    APPLIED = "cas.instance.applied"
    """An application for the next certificate of an instance is in."""
    VALIDATION = "cas.instance.validation"
    """The authority waits for records that somebody must add. An alert."""
    INSTANCE_ISSUED = "cas.instance.issued"
    """The next certificate of an instance is there."""
    INSTANCE_STALLED = "cas.instance.stalled"
    """The next certificate of an instance, applied for or hosted, does not get on. An alert."""
    DEPLOYED = "cas.certificate.deployed"
    """A certificate has taken the place of the one that it replaces."""
    DEPLOY_FAILED = "cas.certificate.deploy-failed"
    """It has not, or not everywhere, or it is not what is served. An alert."""
    EXPIRING = "cas.certificate.expiring"
    """Something ends soon, or has ended, and nothing will replace it. An alert."""


class Replaced(NamedTuple):
    """What a message that a certificate is issued says of the one that it replaces, as far as it is known."""

    certificate_id: str = ""
    """Of the new certificate."""
    replaced_id: str = ""
    still_bound: Sequence[Mapping[str, str]] | None = None
    """Where the old one is bound: each with Product, Region, Resource and Domain; None if that is not known."""

    def to_data(self) -> dict[str, Any]:
        """Return the fields CertificateId, ReplacedCertificateId and StillBound; without those that are not known."""
        known = {"CertificateId": self.certificate_id, "ReplacedCertificateId": self.replaced_id}
        bound = self.still_bound
        return {
            **{name: value for name, value in known.items() if value},
            **({} if bound is None else {"StillBound": as_many_as_fit([dict(one) for one in bound[:MOST_BOUND]])}),
        }


NOTHING_KNOWN = Replaced()


def as_many_as_fit(places: Sequence[_Place]) -> list[_Place]:
    """Return the first of these, as many as `MOST_OF_A_LIST` allows."""
    sizes = itertools.accumulate(len(_json(one)) + 1 for one in places)
    return [one for one, size in zip(places, sizes, strict=True) if size <= MOST_OF_A_LIST]


def cloud_event(id_: str, type_: MessageType, subject: str, at: datetime, account_id: str, data: dict[str, Any]) -> str:
    """Write a message: a CloudEvent in structured JSON, in whole seconds of UTC."""
    return _json(
        {
            "specversion": "1.0",
            "id": id_,
            "source": f"acs:yundun-cert::{account_id}",
            "type": type_.value,
            "subject": subject,
            "time": rfc3339(at.replace(microsecond=0)),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def certificate_of(of: Renewable) -> dict[str, Any]:
    """Return what every message says of a certificate: Domain, ProductCode, InstanceId and CertEndTime (RFC 3339)."""
    return {
        "Domain": of.domain if of.is_known else None,
        "ProductCode": of.product if of.is_known else None,
        "InstanceId": of.instance if of.is_known else None,
        "CertEndTime": rfc3339(of.ends) if of.ends else None,
    }


def _json(value: object) -> str:
    """Return ASCII: as many bytes as characters."""
    return json.dumps(value, separators=(",", ":"))
