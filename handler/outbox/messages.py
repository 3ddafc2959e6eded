"""The messages about the renewals of orders, and their ids. Pure.

The same fact makes a message of the same id, however often it is sent.
"""

from datetime import datetime, timedelta
from typing import Any

from handler.certificates.renewable import Kind, Renewable
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outbox.cloud_event import NOTHING_KNOWN, MessageType, Replaced, certificate_of, cloud_event
from handler.outcomes import Outcome, Reason
from handler.result import first_candidates
from handler.runtime.clock import rfc3339


def renewed_id(renewal: Renewal) -> str:
    """Return the id of the message about a successor, by which a consumer recognises a repetition."""
    return renewal.pair


def issued_id(renewal: Renewal) -> str:
    """Return the id of the message that the successor's certificate is issued."""
    return f"{renewed_id(renewal)}-issued"


def stalled_id(renewal: Renewal, now: datetime) -> str:
    """Return the id of today's message about a successor that does not get on: one a day, by UTC."""
    return f"{renewed_id(renewal)}-stalled-{now:%Y-%m-%d}"


def failed_id(renewal: Renewal) -> str:
    """Return the id of the message about the failure that a renewal is in, one for each such entry of its journal."""
    return f"{renewal.id}-failed-{renewal.since}"


def unrecordable_id(renewal: Renewal, now: datetime) -> str:
    """Return the id of today's message about a failure that the renewal's own journal cannot record: one a day."""
    return f"{renewal.id}-failed-{now:%Y%m%d}"


def is_recordable(renewal: Renewal) -> bool:
    """Tell whether the renewal's own journal can say who was notified: it can be read, and something added to it."""
    return renewal.claim is not None and (renewal.hold is None or renewal.hold.reason != Reason.JOURNAL_NOT_APPENDABLE)


def renewed_message(renewal: Renewal, account_id: str) -> str:
    """Write the message about a successor; everything in it comes from the journal.

    `data` has OrderId (the successor), RenewedOrderId (the old one), Domain, ProductCode, InstanceId and CertEndTime
    of the old order (RFC 3339, or null), and the purchase's RequestId (null if its answer was lost).
    """
    successor = renewal.succeeded()
    data = {**_both_orders(renewal), "RequestId": successor.request_id}
    return cloud_event(renewed_id(renewal), MessageType.RENEWED, successor.id, successor.at, account_id, data)


def issued_message(renewal: Renewal, new: Renewable, account_id: str, replaced: Replaced = NOTHING_KNOWN) -> str:
    """Write the message that the successor's certificate is issued.

    `data` has OrderId, RenewedOrderId, Domain and ProductCode, of the *new* order InstanceId and CertEndTime, and where
    they are known CertificateId, ReplacedCertificateId and StillBound.
    """
    data = {
        **_both_orders(renewal),
        "InstanceId": new.instance,
        "CertEndTime": rfc3339(new.ends) if new.ends else None,
        **replaced.to_data(),
    }
    at = renewal.progress_at or renewal.succeeded().at
    return cloud_event(issued_id(renewal), MessageType.ISSUED, new.id, at, account_id, data)


def stalled_message(renewal: Renewal, now: datetime, account_id: str) -> str:
    """Write today's message about a successor that does not get on.

    `data` is that of the message about the successor without RequestId, with Stage (a `Progress`) and DaysLeft, the
    whole days that the old certificate has left; negative when it has ended.
    """
    ends = renewal.claimed().renewable.ends
    data = {
        **_both_orders(renewal),
        "Stage": str(renewal.progress),
        "DaysLeft": (ends - now) // timedelta(days=1) if ends else None,
    }
    id_ = stalled_id(renewal, now)
    return cloud_event(id_, MessageType.STALLED, renewal.succeeded().id, now, account_id, data)


def failed_message(renewal: Renewal, shown: Renewable | None, now: datetime, account_id: str, deferred: int = 0) -> str:
    """Write the message about a renewal that failed or needs a decision; `now` is for what cannot be recorded.

    `shown`: what CAS shows of it, for what an unreadable journal cannot tell. `deferred`: how many others wait for the
    same thing. `subject` and OrderId are the old order; of an instance, InstanceId names it and OrderId is null. `data`
    has Kind (of an instance alone), Domain, ProductCode, InstanceId, CertEndTime, Outcome (refused, held or unknown),
    Reason (an error code or a slug), Candidates (ids, where a person must choose: the first of them, if they are very
    many), CandidatesInAll (how many there are) and, if there are any, Deferred.
    """
    reason, candidates = renewal.hold or ("", ())
    if renewal.refusal is not None:
        reason = renewal.refusal.code
    outcome = {State.REFUSED: Outcome.REFUSED, State.HELD: Outcome.HELD}.get(renewal.state, Outcome.UNKNOWN)
    is_order = renewal.kind is Kind.ORDER
    data = {
        **({} if is_order else {"Kind": renewal.kind.value}),
        "OrderId": renewal.id if is_order else None,
        **certificate_of(renewal.renewable if renewal.claim or shown is None else shown),
        **({} if is_order else {"InstanceId": renewal.id}),
        "Outcome": outcome.value,
        "Reason": str(reason or renewal.unknown_code or Reason.NO_ANSWER),
        "Candidates": first_candidates(candidates),
        "CandidatesInAll": len(candidates),
        **({"Deferred": deferred} if deferred else {}),
    }
    if is_recordable(renewal):
        id_, at = failed_id(renewal), renewal.since_at or renewal.claimed().deadline
    else:
        id_, at = unrecordable_id(renewal, now), now
    return cloud_event(id_, MessageType.FAILED, renewal.id, at, account_id, data)


def _both_orders(renewal: Renewal) -> dict[str, Any]:
    return {
        "OrderId": renewal.succeeded().id,
        "RenewedOrderId": renewal.id,
        **certificate_of(renewal.claimed().renewable),
    }
