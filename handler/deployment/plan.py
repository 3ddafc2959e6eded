"""May a certificate take another one's place, and where? Pure."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from handler.certificates.rows import SHOWN
from handler.deployment.certificate import GONE, UPLOAD, IssuedCertificate
from handler.deployment.resource import Resource
from handler.outcomes import Reason

EVERYWHERE = "*"
OUR_CLOUD = "aliyun"


def unreadable(old: IssuedCertificate, new: IssuedCertificate, _now: datetime) -> bool:
    """CAS shows something of either that makes no sense, or one and the same certificate as both."""
    return bool(old.odd or new.odd) or old.id == new.id


def uploaded(old: IssuedCertificate, new: IssuedCertificate, _now: datetime) -> bool:
    """One of them was uploaded: deploying it costs money, and replacing it is not for us to decide."""
    return UPLOAD in {old.source, new.source}


def not_found(old: IssuedCertificate, new: IssuedCertificate, _now: datetime) -> bool:
    """CAS no longer shows one of them."""
    return GONE in {old.status, new.status}


def revoked(_old: IssuedCertificate, new: IssuedCertificate, _now: datetime) -> bool:
    """The new one was revoked."""
    return new.status == "revoked"


def expired(_old: IssuedCertificate, new: IssuedCertificate, now: datetime) -> bool:
    """The new one has ended, whatever CAS calls it."""
    return new.status == "expired" or (new.ends is not None and new.ends <= now)


def other_names(old: IssuedCertificate, new: IssuedCertificate, _now: datetime) -> bool:
    """The new one is good for other names, be they more or fewer."""
    return old.names != new.names


def ends_no_later(old: IssuedCertificate, new: IssuedCertificate, _now: datetime) -> bool:
    """The new one gains nothing."""
    return old.ends is not None and new.ends is not None and new.ends <= old.ends


CHECKS: dict[Reason, Callable[[IssuedCertificate, IssuedCertificate, datetime], bool]] = {
    Reason.UPLOADED: uploaded,
    Reason.ROW_UNREADABLE: unreadable,
    Reason.CERTIFICATE_NOT_FOUND: not_found,
    Reason.REVOKED: revoked,
    Reason.EXPIRED: expired,
    Reason.NAMES_CHANGED: other_names,
    Reason.ENDS_NO_LATER: ends_no_later,
}


def reason_not_to_deploy(old: IssuedCertificate, new: IssuedCertificate, now: datetime) -> Reason | None:
    """Return the reason of the first check that forbids to replace the old one by the new; None if all allow it."""
    return next((reason for reason, forbids in CHECKS.items() if forbids(old, new, now)), None)


class Plan(NamedTuple):
    """What is bound to the replaced certificate now."""

    resources: tuple[Resource, ...] = ()
    """What is to get the new one."""
    elsewhere: tuple[Resource, ...] = ()
    """Of products that are not in `DEPLOY_TO`: left alone, and told."""
    unreadable: tuple[str, ...] = ()
    """What can be shown of rows that make no sense; they stop no other."""

    @property
    def ids(self) -> frozenset[str]:
        """Those of what is to get the new certificate."""
        return frozenset(resource.id for resource in self.resources)


def is_chosen(product: str, products: Collection[str]) -> bool:
    """Tell whether the operator has chosen a product; case does not count. `products`: of `DEPLOY_TO`."""
    return EVERYWHERE in products or product.casefold() in {one.casefold() for one in products}


def planned(old_id: str, resources: Iterable[Resource], nameless: Iterable[str], products: Collection[str]) -> Plan:
    """Sort the rows that were listed for a certificate, whatever the list was asked for.

    `nameless`: what can be shown of the rows without an id.
    """
    rows = list(resources)
    odd = [row for row in rows if row.odd]
    bound = [row for row in rows if not row.odd and row.certificate_id == old_id and row.cloud == OUR_CLOUD]
    shown = [f"resource {row.id}: {', '.join(row.odd)}"[:SHOWN] for row in odd]
    return Plan(
        resources=tuple(row for row in bound if is_chosen(row.product, products)),
        elsewhere=tuple(row for row in bound if not is_chosen(row.product, products)),
        unreadable=(*nameless, *shown),
    )
