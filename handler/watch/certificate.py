"""A certificate, as `ListCertificates` (CAS API 2020-04-07) shows it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from handler.certificates.ids import id_in
from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rows import SHOWN, Row, domain_in

_STATUSES = frozenset({"issued", "revoked", "willExpire", "expired"})


class Certificate(NamedTuple):
    """One row."""

    renewable: Renewable
    """Its `instance` is that of the order or of the V2 instance behind it, or that of an upload."""
    status: str
    """issued, revoked, willExpire or expired."""
    source: str
    """BUY, TEST or UPLOAD."""
    starts: datetime | None
    odd: tuple[str, ...] = ()
    """The fields of the row that made no sense; here they are empty."""
    products: tuple[str, ...] = ()
    """The cloud products on which it is in use."""

    @property
    def id(self) -> str:
        """The certificate id, in digits."""
        return self.renewable.id


def certificate_in(row: object) -> Certificate | str:
    """Return the certificate of a row, or what can be shown of a row that has no certificate id.

    Fields that make no sense come back empty, and are named in `Certificate.odd`; so are an undocumented status, and
    the end if there is none.
    """
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    certificate_id = id_in(row.get("CertificateId"))
    if certificate_id is None:
        return f"CertificateId {row.get('CertificateId')!r}"[:SHOWN]
    fields = Row(row)
    found = Certificate(
        renewable=Renewable(
            Kind.CERTIFICATE,
            certificate_id,
            domain=domain_in(fields),
            instance=fields.text("InstanceId"),
            ends=fields.moment("NotAfter"),
        ),
        status=fields.text("CertificateStatus"),
        source=fields.text("CertificateSource"),
        starts=fields.moment("NotBefore"),
        products=fields.texts("UsingProductList"),
    )
    odd = [*fields.odd]
    odd += [] if found.status in _STATUSES else ["CertificateStatus"]
    odd += [] if found.renewable.ends else ["NotAfter"]
    return found._replace(odd=tuple(dict.fromkeys(odd)))
