"""For a renewed V1 order: which certificate replaces which. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.deployment.certificate import UPLOAD, IssuedCertificate
from handler.deployment.plan import reason_not_to_deploy
from handler.outcomes import Reason

STILL_BOUND = timedelta(days=30)
"""The old certificate may have ended: it is bound all the same, and nothing is more urgent. Later it is history."""


class Twins(NamedTuple):
    """One takes the place of the other."""

    old: IssuedCertificate
    new: IssuedCertificate


def twins(
    old_instance: str, new_instance: str, certificates: Iterable[IssuedCertificate], now: datetime
) -> Twins | Reason:
    """Find the two among certificates, by the `InstanceId` of the old and of the new order.

    Of each order there must be exactly one, in force or just issued, and nothing may forbid that one replaces the
    other; else the reason is returned. Of an old order whose certificates have all ended the one counts that ended
    less than `STILL_BOUND` ago.
    """
    everything = [one for one in certificates if one.source != UPLOAD and one.status != "revoked"]
    pair: list[IssuedCertificate] = []
    for instance, grace in ((old_instance, STILL_BOUND), (new_instance, timedelta(0))):
        of_it = [one for one in everything if instance and one.instance == instance]
        if any(one.odd for one in of_it):
            return Reason.ROW_UNREADABLE
        found = [one for one in of_it if _is_in_force(one, now)] or [
            one for one in of_it if _is_in_force(one, now - grace)
        ]
        if len(found) != 1:
            return Reason.SEVERAL_CERTIFICATES if found else Reason.CERTIFICATE_NOT_FOUND
        pair += found
    old, new = pair
    return reason_not_to_deploy(old, new, now) or Twins(old, new)


def _is_in_force(certificate: IssuedCertificate, now: datetime) -> bool:
    return certificate.ends is not None and certificate.ends > now
