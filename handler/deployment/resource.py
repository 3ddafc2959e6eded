"""Where a certificate is bound in another cloud product: `ListCloudResources` (CAS API 2020-04-07). Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from handler.certificates.ids import id_in
from handler.certificates.rows import SHOWN, Row


class Resource(NamedTuple):
    """One row."""

    id: str
    certificate_id: str
    """Of the certificate that is bound to it now."""
    product: str
    """As CAS spells it: CDN, ALB and so on."""
    region: str
    domain: str
    """As CAS shows it; empty for some products."""
    instance: str
    """Of a load balancer, its id; else mostly empty."""
    listener: str
    cloud: str = "aliyun"
    odd: tuple[str, ...] = ()
    """The fields that made no sense, or without which it cannot be told what is bound where."""

    @property
    def name(self) -> str:
        """By what a person finds it in its product: instance and listener, else the domain, else its id here."""
        return "/".join(filter(None, (self.instance, self.listener))) or self.domain or self.id


def resource_in(row: object) -> Resource | str:
    """Return the resource of a row, or what can be shown of a row that has no id."""
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    resource_id = id_in(row.get("Id"))
    if resource_id is None:
        return f"Id {row.get('Id')!r}"[:SHOWN]
    fields = Row(row)
    found = Resource(
        id=resource_id,
        certificate_id=fields.id("CertId"),
        product=fields.text("CloudProduct").strip(),
        region=fields.text("RegionId") or fields.text("CloudRegion"),
        domain=fields.text("Domain"),
        instance=fields.text("InstanceId"),
        listener=fields.text("ListenerId"),
        cloud=fields.text("CloudName").strip().lower() or "aliyun",
    )
    lacking = {"CertId": not found.certificate_id, "CloudProduct": not found.product}
    odd = [*fields.odd, *(name for name, lacks in lacking.items() if lacks)]
    return found._replace(odd=tuple(dict.fromkeys(odd)))
