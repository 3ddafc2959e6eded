"""What certificates are bound to in the other products of the cloud, and who is notified: resources and contacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from tests.stubs.listing import Listing
from tests.stubs.record import Record
from tests.stubs.shapes import Common

PRODUCTS = ("SLB", "ALB", "NLB", "GA", "CDN", "DCDN", "OSS", "LIVE", "VOD", "WAF", "DDOS", "APIGateway", "FC", "MSE")
"""The products of this cloud that a certificate can be deployed to, as CAS spells them; there are some more."""
WITH_LISTENERS = frozenset({"SLB", "ALB", "NLB", "GA"})
USER_ID = 123456789012
FIRST_RESOURCE_ID = 3_100_001
FIRST_CONTACT_ID = 21_001


@dataclass
class Contact(Record):
    """Somebody whom CAS notifies."""

    contact_id: int
    name: str
    email: str

    def row(self) -> dict[str, Any]:
        """Its row in ListContact, where the address is masked."""
        mailbox, _, domain = self.email.partition("@")
        return {
            "ContactId": self.contact_id,
            "Email": f"{mailbox[:1]}***@{domain}",
            "EmailStatus": 1,
            "Mobile": "138****0000",
            "MobileStatus": 1,
            "Name": self.name,
            "WebhookList": [],
        }


@dataclass
class Resource(Record):
    """A place in another product where a certificate is in use."""

    resource_id: int
    certificate_id: int
    """Bound now."""
    product: str
    domain: str
    region: str
    instance_id: str
    listener_id: str
    visible_at: datetime
    """When ListCloudResources begins to show it."""
    cloud_name: str = "aliyun"
    fails: bool = False
    """Whether every deployment to it fails."""
    supports_certificates: bool = True
    former_certificate_id: int | None = None
    bound_at: datetime | None = None
    """When the certificate took the place of the former one."""

    def row(self, certificate_id: int) -> dict[str, Any]:
        """Its row in ListCloudResources, but for the certificate's times; `certificate_id`: what shows as bound."""
        return {
            "CertId": certificate_id,
            "CertName": f"cert-{certificate_id}",
            "CloudName": self.cloud_name,
            "CloudProduct": self.product,
            "CloudRegion": self.region,
            "DefaultResource": 0,
            "Domain": self.domain,
            "EnableHttps": 1,
            "Id": self.resource_id,
            "InstanceId": self.instance_id,
            "ListenerId": self.listener_id,
            "ListenerPort": "443" if self.listener_id else "",
            "RegionId": self.region,
            "Status": "online",
            "UseSsl": 1,
            "UserId": USER_ID,
        }


class Resources:
    """The contacts and the cloud resources of the account."""

    def __init__(self, common: Common) -> None:
        self.contact_pages = Listing("ContactList", size=20, maximum=None)
        self.contacts: list[Contact] = [Contact(FIRST_CONTACT_ID, "Operations", "operations@example.com")]
        """A new account has one."""
        self.show_after: float = 0
        """Seconds until a new resource shows; the real ones take an hour or two."""
        self.bindings_show_after: float = 0
        """Seconds for which ListCloudResources goes on to show the former certificate of a resource."""
        self._common = common
        self._resources: dict[int, Resource] = {}
        self._next_id = FIRST_RESOURCE_ID

    def add_contact(self, name: str, email: str) -> int:
        """Put a contact into the account; return its id."""
        contact_id = max((contact.contact_id for contact in self.contacts), default=FIRST_CONTACT_ID) + 1
        self.contacts.append(Contact(contact_id, name, email))
        return contact_id

    def add(
        self,
        certificate_id: int,
        product: str = "CDN",
        domain: str = "www.example.com",
        region: str = "cn-hangzhou",
        cloud_name: str = "aliyun",
    ) -> int:
        """Bind a certificate to a new resource, which shows after `show_after`; return the resource's id."""
        with self._common.lock:
            number, self._next_id = self._next_id, self._next_id + 1
            with_listener = product in WITH_LISTENERS
            self._resources[number] = Resource(
                resource_id=number,
                certificate_id=certificate_id,
                product=product,
                domain=domain,
                region=region,
                instance_id=f"{product.lower()}-{number:x}" if with_listener else "",
                listener_id=f"lsn-{number:x}" if with_listener else "",
                visible_at=self._common.clock.now() + timedelta(seconds=self.show_after),
                cloud_name=cloud_name,
            )
            return number

    def of(self, resource_id: int) -> Resource:
        """The resource with that id as it is now; KeyError if there is none."""
        self._common.pass_time()
        return self._resources[resource_id]

    def find(self, resource_id: int) -> Resource | None:
        """The resource with that id, if there is one."""
        return self._resources.get(resource_id)

    def all(self) -> list[Resource]:
        """All of them, whether or not they show yet, in the order in which they came into the account."""
        return list(self._resources.values())

    def bind(self, resource_id: int, certificate_id: int) -> None:
        """A person puts another certificate onto a resource."""
        self._common.pass_time()
        self.deploy(resource_id, certificate_id, self._common.clock.now())

    def deploy(self, resource_id: int, certificate_id: int, at: datetime) -> None:
        """A deployment has put another certificate onto a resource."""
        resource = self._resources[resource_id]
        if resource.certificate_id != certificate_id:
            resource.former_certificate_id, resource.certificate_id = resource.certificate_id, certificate_id
            resource.bound_at = at

    def remove(self, resource_id: int) -> None:
        """Somebody deletes the resource in its product."""
        with self._common.lock:
            self._common.pass_time()
            del self._resources[resource_id]

    def shown_certificate(self, resource: Resource) -> int:
        """The certificate that ListCloudResources says is bound to it."""
        if resource.former_certificate_id is None or resource.bound_at is None:
            return resource.certificate_id
        shows_at = resource.bound_at + timedelta(seconds=self.bindings_show_after)
        return resource.certificate_id if self._common.clock.now() >= shows_at else resource.former_certificate_id

    def products(self) -> dict[int, list[str]]:
        """In which products each certificate is in use now, by the certificate's id, sorted."""
        using: dict[int, set[str]] = {}
        for resource in self._resources.values():
            using.setdefault(resource.certificate_id, set()).add(resource.product)
        return {certificate_id: sorted(products) for certificate_id, products in using.items()}

    def list_contact(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ListContact."""
        keyword = params.get("Keyword", "")
        found = [contact for contact in self.contacts if keyword in contact.name or keyword in contact.email]
        page = self.contact_pages.page(params, found, lambda contact: contact.contact_id, Contact.row)
        return page | {"Keyword": keyword}

    operations: ClassVar = {"ListContact": list_contact}

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {
            "show_after": self.show_after,
            "bindings_show_after": self.bindings_show_after,
            "next_id": self._next_id,
            "contact_pages": self.contact_pages.to_json(),
            "contacts": [contact.to_json() for contact in self.contacts],
            "resources": [resource.to_json() for resource in self._resources.values()],
        }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the state by what `to_json` gave."""
        self.show_after, self.bindings_show_after = state["show_after"], state["bindings_show_after"]
        self._next_id = state["next_id"]
        self.contact_pages.from_json(state["contact_pages"])
        self.contacts = [Contact.from_json(contact) for contact in state["contacts"]]
        resources = map(Resource.from_json, state["resources"])
        self._resources = {resource.resource_id: resource for resource in resources}
