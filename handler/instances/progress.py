"""How far the next certificate of an instance is: is it there, and if not, what is in its way? Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.certificates.renewable import Renewable
from handler.instances.detail import Task
from handler.instances.instance import Instance
from handler.instances.policy import names_of
from handler.journal.entries import Issued
from handler.journal.renewal import Renewal
from handler.outcomes import Reason
from handler.runtime.clock import SKEW

RECORDS_AFTER = timedelta(minutes=10)
"""The platform needs minutes to add records in zones of its own; whoever is asked sooner would add them for nothing."""
LONG_REVIEW = timedelta(days=1)
"""So long may an application be in review before people are alerted of it."""
BACKDATED = timedelta(days=2)
"""A certificate can begin so long before the claim that it follows: authorities do so, and a list can be old. One that
began earlier was there already, although it may end later than the base: lifetimes become shorter."""


class Shown(NamedTuple):
    """One certificate that an instance has issued."""

    certificate: Renewable
    is_revoked: bool
    starts: datetime | None = None


def next_in_row(renewal: Renewal, instance: Instance) -> Issued | None:
    """Return the newest certificate of a row if it follows the base: another one, for longer, of the same names."""
    if instance.certificate_status == "revoked":
        return None
    names = {*instance.renewable.domains, *names_of(instance)}
    found = _next(renewal, instance.certificate_id, instance.ends, names)
    return found._replace(identifier=instance.identifier) if found else None


def next_among(renewal: Renewal, certificates: Iterable[Shown]) -> Issued | None:
    """Return the certificate that follows the base, of those that its instance has issued; the longest.

    One that was in force when the base was claimed follows nothing.
    """
    earliest = renewal.claim.snapshot_at - BACKDATED if renewal.claim is not None else None
    found = [
        issued
        for certificate, is_revoked, starts in certificates
        if certificate.instance == renewal.id and not is_revoked
        if starts is None or earliest is None or starts >= earliest
        if (issued := _next(renewal, certificate.id, certificate.ends, set(certificate.domains))) is not None
    ]
    return max(found, key=lambda issued: issued.ends, default=None)


def trouble(
    renewal: Renewal, shown: Instance, said: str, task: Task | None, settle: timedelta, now: datetime
) -> Reason | None:
    """Return what is in the way of an application of ours, None if nothing is.

    `said`: what the authority said. `settle`: how long CAS may take to show that the application is in.
    """
    applied_at = renewal.applied_at or now
    if task is not None and task.has_failed:
        return Reason.SUBMISSION_FAILED
    if said:
        return Reason.AUTHORITY_SAYS
    if shown.is_pending:
        return Reason.REVIEW_TOO_LONG if now - applied_at > LONG_REVIEW else None
    return Reason.NOT_ISSUED if now > applied_at + settle + SKEW else None


def _next(renewal: Renewal, certificate_id: str, ends: datetime | None, names: set[str]) -> Issued | None:
    base = renewal.base
    if base is None or certificate_id in {"", base.certificate_id} or ends is None:
        return None
    lasts_longer = base.renewable.ends is None or ends > base.renewable.ends
    return Issued(certificate_id, ends) if lasts_longer and set(base.renewable.domains) <= names else None
