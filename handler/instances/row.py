"""From a row of `ListInstances` (CAS API 2020-04-07) to an instance. Pure."""

from collections.abc import Mapping

from handler.certificates.ids import instance_id_in
from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rows import SHOWN, Row
from handler.instances.instance import Instance

_HOSTED = {"enable": True, "disable": False, "": False}
_STATES = frozenset({"inactive", "pending", "normal", "willExpire", "expired", "refund", "closed"})
_CERTIFICATE_STATES = frozenset({"", "issued", "revoked", "willExpire", "expired"})


def instance_in(row: object) -> Instance | str:
    """Return the instance of a row, or what can be shown of a row that has no instance id.

    Fields that make no sense come back empty, and are named in `Instance.odd`; so are a state that is not documented,
    and the end of a certificate that has none.
    """
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    fields = Row(row)
    instance_id = instance_id_in(row.get("InstanceId"))
    if instance_id is None:
        return f"InstanceId {row.get('InstanceId')!r}"[:SHOWN]
    status, auto_reissue = fields.text("Status"), fields.text("AutoReissue")
    configured = fields.text("Domain")
    found = Instance(
        renewable=Renewable(
            Kind.INSTANCE,
            instance_id,
            domain=fields.text("CertificateDomain") or configured,
            product=fields.text("Spec"),
            instance=instance_id,
            ends=fields.moment("CertificateNotAfter"),
        ),
        configured=configured,
        status=status,
        certificate_id=fields.id("CertificateId"),
        identifier=fields.text("CertIdentifier"),
        certificate_status=fields.text("CertificateStatus"),
        kind=fields.text("InstanceType"),
        starts=fields.moment("CertificateNotBefore"),
        subscription_ends=fields.moment("InstanceEndTime"),
        is_hosted=_HOSTED.get(auto_reissue, False),
        certificate_type=fields.text("CertificateType"),
        pending_result=fields.text("PendingResult"),
        products=fields.texts("UsingProductList"),
    )
    return found._replace(odd=tuple(dict.fromkeys([*fields.odd, *_odd_values(found, auto_reissue)])))


def _odd_values(found: Instance, auto_reissue: str) -> list[str]:
    """Return the fields whose values are of the right type, and yet make no sense."""
    has_no_end = bool(found.certificate_id) and found.ends is None and found.status != "pending"
    odd = {
        "Status": found.status not in _STATES,
        "CertificateStatus": found.certificate_status not in _CERTIFICATE_STATES,
        "AutoReissue": auto_reissue not in _HOSTED,
        # Nothing would tell when its window opens, and so that it is too early. In review is enough to know.
        "CertificateNotAfter": has_no_end,
    }
    return [name for name, is_odd in odd.items() if is_odd]
