"""Which renewals some later run must look at. Pure."""

from handler.certificates.renewable import Kind
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders.progress import Progress
from handler.outbox.instance_messages import applied_id, instance_issued_id
from handler.outbox.messages import failed_id, issued_id


def is_unfinished(renewal: Renewal) -> bool:
    """Tell whether a later run must look at it: open, refused and nobody notified, or renewed and not yet issued."""
    if renewal.state is State.REFUSED:
        is_failure = renewal.refusal is not None and renewal.refusal.is_failure
        return is_failure and failed_id(renewal) not in renewal.notified
    return renewal.is_open or is_watched(renewal) or is_followed(renewal)


def is_followed(renewal: Renewal) -> bool:
    """Tell whether it is an instance whose next certificate is awaited, or people are not notified of it yet."""
    if renewal.state is State.APPLIED and applied_id(renewal) not in renewal.notified:
        return True
    if renewal.state in {State.FOLLOWED, State.APPLIED}:
        return renewal.progress != Progress.ABANDONED
    is_done = renewal.kind is Kind.INSTANCE and renewal.state is State.DONE
    return is_done and instance_issued_id(renewal) not in renewal.notified


def is_watched(renewal: Renewal) -> bool:
    """Tell whether it is renewed and published, and the successor's certificate not yet issued."""
    return (
        renewal.kind is Kind.ORDER
        and renewal.state is State.DONE
        and renewal.progress != Progress.ABANDONED
        and issued_id(renewal) not in renewal.notified
    )
