"""A certificate, as `ListCertificates` and `GetCertificateDetail` (CAS API 2020-04-07) show it to who deploys. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from handler.certificates.domains import is_name, names_in
from handler.certificates.ids import id_in
from handler.certificates.rows import SHOWN, Row, domain_in

UPLOAD = "UPLOAD"
_SOURCES = frozenset({"BUY", "TEST", UPLOAD})
GONE = "gone"
"""Of a certificate that CAS no longer shows; no status of CAS."""
_STATUSES = frozenset({"issued", "revoked", "willExpire", "expired"})


class IssuedCertificate(NamedTuple):
    """One certificate."""

    id: str
    domain: str
    """All that it is good for, as CAS shows it."""
    instance: str
    """Of the order, or the V2 instance, that it was issued for."""
    status: str
    """issued, willExpire, expired or revoked; or `GONE`."""
    source: str
    """BUY, TEST or UPLOAD."""
    ends: datetime | None
    serial: str
    """The serial number as CAS writes it; empty if it shows none."""
    odd: tuple[str, ...] = ()
    """The fields that made no sense, or without which nothing may be deployed."""

    @property
    def names(self) -> frozenset[str]:
        """All of its names, in canonical spelling."""
        return frozenset(names_in(self.domain))


def gone(certificate_id: str, ends: datetime | None) -> IssuedCertificate:
    """Return what is still known of a certificate that CAS no longer shows."""
    return IssuedCertificate(certificate_id, "", "", GONE, "", ends, "")


def certificate_in(row: object) -> IssuedCertificate | str:
    """Return the certificate of a row or of a detail, or what can be shown of one that has no certificate id."""
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    certificate_id = id_in(row.get("CertificateId"))
    if certificate_id is None:
        return f"CertificateId {row.get('CertificateId')!r}"[:SHOWN]
    fields = Row(row)
    found = IssuedCertificate(
        id=certificate_id,
        domain=domain_in(fields),
        instance=fields.text("InstanceId"),
        status=fields.text("CertificateStatus"),
        source=fields.text("CertificateSource"),
        ends=fields.moment("NotAfter"),
        serial=fields.text("Serial"),
    )
    lacking = {
        "Domain": not found.names or not all(map(is_name, found.names)),
        "CertificateStatus": found.status not in _STATUSES,
        "CertificateSource": found.source not in _SOURCES,
        "NotAfter": found.ends is None,
    }
    # Without its serial number a certificate can be deployed as well as any other.
    odd = [name for name in fields.odd if name != "Serial"] + [name for name, lacks in lacking.items() if lacks]
    return found._replace(odd=tuple(dict.fromkeys(odd)))
