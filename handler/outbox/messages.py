"""The messages that consumers get: CloudEvents 1.0 in structured JSON. Pure.

The same fact makes a message of the same id, however often it is sent.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from handler.journal.work import Work
from handler.orders.book import Order
from handler.result import first_candidates
from handler.runtime.clock import rfc3339

RENEWED = "cas.order.renewed"
ISSUED = "cas.order.issued"
STALLED = "cas.order.stalled"
FAILED = "cas.renewal.failed"


def stalled_id(work: Work, now: datetime) -> str:
    """Return the id of today's message about a renewal that does not get on: one a day, by UTC."""
    return f"{work.renewed_id}-stalled-{now:%Y-%m-%d}"


def renewed_message(work: Work, account_id: str) -> str:
    """Write the message for a renewed order; everything in it comes from the journal.

    `data` has OrderId (the new order), RenewedOrderId (the old one), Domain, ProductCode, InstanceId and CertEndTime
    of the old order (RFC 3339, or null), and the renewal call's RequestId (null if its answer was lost).
    """
    renewal = work.renewed()
    data = {**_both_orders(work), "RequestId": renewal.request_id}
    return _cloud_event(work.renewed_id, RENEWED, renewal.new_order_id, renewal.at, account_id, data)


def issued_message(work: Work, new: Order, account_id: str) -> str:
    """Write the message for a new order whose certificate is issued.

    `data` has OrderId, RenewedOrderId, Domain and ProductCode, and of the *new* order InstanceId and CertEndTime.
    """
    data = {
        **_both_orders(work),
        "InstanceId": new.instance_id,
        "CertEndTime": rfc3339(new.cert_end) if new.cert_end else None,
    }
    return _cloud_event(work.issued_id, ISSUED, new.id, work.stage_at or work.renewed().at, account_id, data)


def stalled_message(work: Work, now: datetime, account_id: str) -> str:
    """Write today's message for a new order that does not get on.

    `data` is that of the renewal's message without RequestId, with Stage (see `Work.stage`) and DaysLeft, the whole
    days that the old certificate has left; negative when it has ended.
    """
    renewal, claim = work.renewed(), work.claimed()
    data = {
        **_both_orders(work),
        "Stage": work.stage,
        "DaysLeft": (claim.cert_end - now) // timedelta(days=1) if claim.cert_end else None,
    }
    return _cloud_event(stalled_id(work, now), STALLED, renewal.new_order_id, now, account_id, data)


def failed_message(work: Work, id_: str, order: Order | None, account_id: str, deferred: int = 0) -> str:
    """Write the message for an order that was not renewed and needs a person.

    `order`: its row, for what an unreadable journal cannot tell. `deferred`: how many others wait for the same thing.
    `subject` and OrderId are the old order. `data` has Domain, ProductCode, InstanceId, CertEndTime, Outcome
    (refused, held or unknown), Reason (an error code or a slug), Candidates (ids, where a person must choose: the first
    of them, if they are very many), CandidatesInAll (how many there are) and, if there are any, Deferred.
    """
    reason, candidates = work.hold
    if work.refusal is not None:
        reason = work.refusal.code
    data = {
        "OrderId": work.order_id,
        **(_old_certificate(work) if work.claim else _certificate_of(order)),
        "Outcome": work.state.value if work.state.value in {"refused", "held"} else "unknown",
        "Reason": reason or work.unknown_code or "no-answer",
        "Candidates": first_candidates(candidates),
        "CandidatesInAll": len(candidates),
        **({"Deferred": deferred} if deferred else {}),
    }
    at = work.since_at or work.claimed().deadline
    return _cloud_event(id_, FAILED, work.order_id, at, account_id, data)


def _cloud_event(id_: str, type_: str, subject: str, at: datetime, account_id: str, data: dict[str, Any]) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": id_,
            "source": f"acs:yundun-cert::{account_id}",
            "type": type_,
            "subject": subject,
            "time": rfc3339(at.replace(microsecond=0)),
            "datacontenttype": "application/json",
            "data": data,
        },
        separators=(",", ":"),
    )


def _both_orders(work: Work) -> dict[str, Any]:
    return {"OrderId": work.renewed().new_order_id, "RenewedOrderId": work.order_id, **_old_certificate(work)}


def _old_certificate(work: Work) -> dict[str, Any]:
    claim = work.claimed()
    return {
        "Domain": claim.domain,
        "ProductCode": claim.product_code,
        "InstanceId": claim.instance_id,
        "CertEndTime": rfc3339(claim.cert_end) if claim.cert_end else None,
    }


def _certificate_of(order: Order | None) -> dict[str, Any]:
    return {
        "Domain": order.domain if order else None,
        "ProductCode": order.product_code if order else None,
        "InstanceId": order.instance_id if order else None,
        "CertEndTime": rfc3339(order.cert_end) if order and order.cert_end else None,
    }
