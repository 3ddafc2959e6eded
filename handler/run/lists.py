"""The lists beside the order book, as far as they are watched."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from handler.certificates.renewable import Kind
from handler.errors import CasError, CasMisconfigured
from handler.instances.instance import CLOSED
from handler.instances.policy import names_of
from handler.instances.service import InstanceList
from handler.run.services import Services
from handler.watch.service import CertificateList

_PERMISSIONS = {Kind.INSTANCE: "yundun-cert:ListInstances", Kind.CERTIFICATE: "yundun-cert:ListCertificates"}
_T = TypeVar("_T")


class Lists(NamedTuple):
    """What CAS shows beside orders. What could not be read, or is not watched, is empty."""

    instances: InstanceList = InstanceList()
    certificates: CertificateList = CertificateList()
    problems: tuple[str, ...] = ()
    """What could not be read, and what to do about it."""
    has_instances: bool = False
    """Whether they are watched and could be read."""
    is_broken: bool = False
    """Whether a list could not be read for another reason than a missing permission, so that it may be there soon."""


def read_lists(services: Services, *, all_kinds: bool) -> Lists:
    """Read the lists that are watched; of the certificates nothing is needed unless `all_kinds` are looked at.

    Never raises: without these lists the orders are renewed all the same, and the run ends as failed.
    """
    problems: list[str] = []
    unread: dict[Kind, bool] = {}

    def read(kind: Kind, reading: Callable[[], _T], nothing: _T) -> _T:
        if kind not in services.settings.watch or not (all_kinds or kind is Kind.INSTANCE):
            return nothing
        try:
            return reading()
        except CasError as failure:
            what = f"{kind.value}s"
            advice = f"allow {_PERMISSIONS[kind]} to the role, or take `{what}` out of WATCH"
            problems.append(f"{what} could not be looked at: {failure}; {advice}")
            unread[kind] = not isinstance(failure, CasMisconfigured)
            return nothing

    instances = read(Kind.INSTANCE, services.instances.instances, InstanceList())
    certificates = read(Kind.CERTIFICATE, services.certificates.certificates, CertificateList())
    has_instances = Kind.INSTANCE in services.settings.watch and Kind.INSTANCE not in unread
    return Lists(instances, certificates, tuple(problems), has_instances, is_broken=any(unread.values()))


def covered_until(lists: Lists, now: datetime) -> dict[frozenset[str], datetime]:
    """Return until when an instance has a certificate in force, by the names that it has."""
    until: dict[frozenset[str], datetime] = {}
    for instance in lists.instances.instances:
        in_force = instance.certificate_id and instance.certificate_status not in {"revoked", "expired"}
        if in_force and instance.ends is not None and instance.ends > now and instance.status not in CLOSED:
            names = frozenset(names_of(instance))
            until[names] = max(instance.ends, until.get(names, instance.ends))
    return until
