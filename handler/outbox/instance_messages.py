"""The messages about instances, and their ids. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from handler.certificates.renewable import Renewable
from handler.journal.renewal import Renewal
from handler.outbox.cloud_event import NOTHING_KNOWN, MessageType, Replaced, cloud_event
from handler.runtime.clock import rfc3339

Records = Sequence[dict[str, str]]
"""What somebody must add so that the authority believes: each with Domain, Zone, Host, Type and Value."""


class Review(NamedTuple):
    """How the application for an instance stands."""

    stage: str
    """`hosted` or `in-review`; or what is in its way."""
    said: str = ""
    """What the authority said, free text."""
    records: Records = ()


def applied_id(renewal: Renewal) -> str:
    """Return the id of the message that an application of ours is in."""
    return f"{renewal.id}-{_base(renewal)}-applied"


def validation_id(renewal: Renewal, records: Records) -> str:
    """Return the id of the message that somebody must add these records; in whatever order CAS shows them."""
    written = sorted(json.dumps(record, sort_keys=True) for record in records)
    return f"{renewal.id}-{_base(renewal)}-validation-{sha256(json.dumps(written).encode()).hexdigest()[:16]}"


def instance_issued_id(renewal: Renewal) -> str:
    """Return the id of the message that the next certificate of an instance is there."""
    return f"{renewal.pair}-issued"


def instance_stalled_id(renewal: Renewal, on: datetime) -> str:
    """Return the id of that day's message about an instance that does not get on: one a day, by UTC."""
    return f"{renewal.id}-{_base(renewal)}-stalled-{on:%Y-%m-%d}"


def applied_message(renewal: Renewal, account_id: str) -> str:
    """Write the message that an application of ours is in; everything in it comes from the journal.

    `data` has InstanceId, Domain, ProductCode, ReplacedCertificateId and CertEndTime of the certificate that ends.
    """
    at = renewal.applied_at or renewal.claimed().deadline
    return cloud_event(applied_id(renewal), MessageType.APPLIED, renewal.id, at, account_id, _replaced(renewal))


def validation_message(renewal: Renewal, records: Records, now: datetime, account_id: str) -> str:
    """Write the message that the authority waits for records that somebody must add.

    `data` has what the message about the application has, and Records.
    """
    data = {**_replaced(renewal), "Records": list(records)}
    return cloud_event(validation_id(renewal, records), MessageType.VALIDATION, renewal.id, now, account_id, data)


def instance_issued_message(
    renewal: Renewal, new: Renewable, account_id: str, replaced: Replaced = NOTHING_KNOWN
) -> str:
    """Write the message that the next certificate of an instance is there.

    `data` has InstanceId, Domain, ProductCode, CertificateId, CertIdentifier (that id with the region, or null),
    ReplacedCertificateId, CertEndTime of the new one, as the journal has it (what CAS shows now, `new`, can be older),
    and StillBound where that is known.
    """
    successor = renewal.succeeded()
    ends = successor.ends or new.ends
    data = {
        "InstanceId": renewal.id,
        "Domain": new.domain,
        "ProductCode": new.product,
        "CertificateId": successor.id,
        "CertIdentifier": successor.identifier or None,
        "ReplacedCertificateId": _base(renewal),
        "CertEndTime": rfc3339(ends) if ends else None,
        **Replaced(still_bound=replaced.still_bound).to_data(),
    }
    id_ = instance_issued_id(renewal)
    return cloud_event(id_, MessageType.INSTANCE_ISSUED, successor.id, successor.at, account_id, data)


def instance_stalled_message(renewal: Renewal, review: Review, on: datetime, now: datetime, account_id: str) -> str:
    """Write the message of the day `on` about an instance whose next certificate does not come.

    `data` has what the message about the application has, Stage (`hosted`, `in-review` or what is in the way),
    DaysLeft, Detail (what the authority said) and Records (what somebody must add).
    """
    ends = renewal.renewable.ends
    data = {
        **_replaced(renewal),
        "Stage": str(review.stage),
        "DaysLeft": (ends - now) // timedelta(days=1) if ends else None,
        "Detail": review.said,
        "Records": list(review.records),
    }
    id_ = instance_stalled_id(renewal, on)
    return cloud_event(id_, MessageType.INSTANCE_STALLED, renewal.id, now, account_id, data)


def _replaced(renewal: Renewal) -> dict[str, Any]:
    of = renewal.renewable
    return {
        "InstanceId": renewal.id,
        "Domain": of.domain,
        "ProductCode": of.product,
        "ReplacedCertificateId": _base(renewal),
        "CertEndTime": rfc3339(of.ends) if of.ends else None,
    }


def _base(renewal: Renewal) -> str:
    return renewal.base.certificate_id if renewal.base else ""
