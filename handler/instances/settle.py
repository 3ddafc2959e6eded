"""What happened to an application whose answer was lost? Decided by reading that one instance, never by trying again.

Pure. There are no candidates and no rivals: an instance has one application at a time, and one certificate after
another.
"""

from datetime import datetime, timedelta

from handler.instances.instance import Instance
from handler.journal.entries import Applied, Held, Refused
from handler.journal.renewal import Renewal
from handler.outcomes import Reason
from handler.runtime.clock import SKEW

MAX_LOST = 3
"""So many attempts may end without an answer and without a trace; then a person must look."""


def is_clear(shown: Instance | None, instance_id: str) -> bool:
    """Tell whether what CAS shows is that instance, and says what is asked here: its state and its certificate.

    In review is enough: nobody says which certificate an instance shows meanwhile.
    """
    if shown is None or shown.id != instance_id or not shown.status or "Status" in shown.odd:
        return False
    return shown.is_pending or (bool(shown.certificate_id) and "CertificateId" not in shown.odd)


def is_applied(shown: Instance, base: str) -> bool:
    """Tell whether an application is in, or has been answered: it is in review, or has another certificate already."""
    return shown.is_pending or shown.certificate_id not in {"", base}


def verdict(
    renewal: Renewal, shown: Instance | None, read_at: datetime, settle: timedelta, now: datetime
) -> Applied | Refused | Held | None:
    """Settle a lost call; None if that cannot be told yet.

    `shown`: the instance as CAS showed it after `read_at`. `settle`: how long CAS may take to show an application; it
    counts from the last moment at which the call could have taken effect, and clocks may differ by `SKEW`.
    """
    if shown is None or not is_clear(shown, renewal.id):
        return None
    if is_applied(shown, renewal.claimed().certificate_id):
        return Applied("settled")
    if read_at < renewal.last_effect() + settle + SKEW:
        return None
    if renewal.lost + 1 >= MAX_LOST:
        return Held(Reason.ANSWERS_LOST)
    why = "the answer was lost and the instance shows no application"
    return Refused(Reason.NOTHING_BOUGHT, why, now, is_failure=False, is_lost=True)
