"""The certificates of the account, whatever they came from: uploads, V2 instances and V1 orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from tests.stubs.backend import ApiError
from tests.stubs.cas_api import positive
from tests.stubs.certificate import Certificate
from tests.stubs.listing import Listing
from tests.stubs.orders import Order
from tests.stubs.shapes import Common

LIFETIME = timedelta(days=200)
FIRST_UPLOAD_ID = 9_000_000
FIRST_CERTIFICATE_ID = 20_000_000


class Certificates:
    """What the certificate operations of V2 know. Those of V1 orders are taken from the orders."""

    def __init__(
        self,
        common: Common,
        issued_orders: Callable[[], Iterable[Order]],
        products: Callable[[], Mapping[int, Sequence[str]]],
    ) -> None:
        """`issued_orders`: the V1 orders that have a certificate; `products`: in use where, by certificate id."""
        self.pages = Listing("CertificateList")
        self.details = Listing("")
        """Of GetCertificateDetail only `odd_row`."""
        self.user_list_has_instances = True
        """Whether ListUserCertificateOrder shows the certificates of V2 instances under CERT, which is disputed."""
        self.lists_after: float = 0
        """Seconds until ListCertificates has what an instance has issued."""
        self.serials: dict[int, str] = {}
        """Serial numbers other than the usual one, by certificate id: lower-case hexadecimal digits."""
        self._common = common
        self._issued_orders = issued_orders
        self._products = products
        self._kept: dict[int, Certificate] = {}
        self._next_id = FIRST_CERTIFICATE_ID
        self._next_upload_id = FIRST_UPLOAD_ID

    def upload(
        self,
        *names: str,
        days_left: float = 20,
        certificate_id: int | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> int:
        """Put an uploaded certificate into the account, the common name first; return its id."""
        with self._common.lock:
            if certificate_id is None:
                certificate_id, self._next_upload_id = self._next_upload_id, self._next_upload_id + 1
            end = self._common.clock.now() + timedelta(days=days_left)
            instance_id = f"cas-upload-{certificate_id:x}"
            return self.keep(
                Certificate(certificate_id, list(names), end - lifetime, end, "UPLOAD", instance_id)
            ).certificate_id

    def new_id(self) -> int:
        """An id that no certificate has had."""
        self._next_id += 1
        return self._next_id - 1

    def keep(self, certificate: Certificate) -> Certificate:
        """Put a certificate into the account as it is."""
        with self._common.lock:
            if certificate.certificate_id in self._kept:
                raise ValueError(f"there is a certificate {certificate.certificate_id} already")
            self._kept[certificate.certificate_id] = certificate
            return certificate

    def of(self, certificate_id: int | str) -> Certificate:
        """The certificate with that id; KeyError if there is none. Of a V1 order it is a copy."""
        self._common.pass_time()
        found = self.find(int(certificate_id))
        if found is None:
            raise KeyError(certificate_id)
        return found

    def find(self, certificate_id: int) -> Certificate | None:
        """The certificate with that id; of a V1 order it is a copy."""
        if certificate_id in self._kept:
            return self._kept[certificate_id]
        orders = (order for order in self._issued_orders() if order.certificate_id == certificate_id)
        order = next(orders, None)
        return order.certificate() if order else None

    def of_instance(self, instance_id: str) -> list[Certificate]:
        """All certificates that were issued for an instance, oldest first."""
        self._common.pass_time()
        return [certificate for certificate in self._kept.values() if certificate.instance_id == instance_id]

    def kept(self) -> list[Certificate]:
        """The certificates behind which no V1 order stands, oldest first."""
        return list(self._kept.values())

    def revoke(self, certificate_id: int | str) -> None:
        """The authority, or somebody in the console, revokes an uploaded certificate or one of a V2 instance."""
        self._kept[int(certificate_id)].revoked_at = self._common.clock.now()

    def remove(self, certificate_id: int | str) -> None:
        """Somebody deletes the certificate in the console."""
        with self._common.lock:
            self._common.pass_time()
            del self._kept[int(certificate_id)]

    def serial(self, certificate_id: int) -> str:
        """Its serial number, as every operation shows it."""
        return self.serials.get(certificate_id, f"{certificate_id:032x}")

    def list_certificates(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ListCertificates: newest first, those of V1 orders behind all others."""
        now, products = self._common.clock.now(), self._products()

        def row(line: Certificate | Order) -> dict[str, Any]:
            certificate = line if isinstance(line, Certificate) else line.certificate()
            using = products.get(certificate.certificate_id, ())
            return certificate.row(now, self.serial(certificate.certificate_id), using, self._common.shapes)

        shown = now - timedelta(seconds=self.lists_after)
        kept = [line for line in self._kept.values() if line.source == "UPLOAD" or line.not_before <= shown]
        listed: list[Certificate | Order] = [*self._issued_orders(), *kept]
        listed.reverse()
        return self.pages.page(params, self._matching(listed, params, now), lambda line: line.certificate_id, row)

    def get_certificate_detail(self, params: Mapping[str, str]) -> dict[str, Any]:
        """GetCertificateDetail: the same fields, the id as a number; never a private key."""
        certificate = self.find(positive(params, "CertificateId"))
        if certificate is None:
            raise ApiError("NotFound", 404, "The certificate does not exist.")
        number = certificate.certificate_id
        using = self._products().get(number, ())
        row = certificate.row(self._common.clock.now(), self.serial(number), using, self._common.shapes)
        return self.details.altered(number, row | {"CertificateId": number, "CertificateChainList": [], "Tags": []})

    operations: ClassVar = {"ListCertificates": list_certificates, "GetCertificateDetail": get_certificate_detail}

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {
            "pages": self.pages.to_json(),
            "details": self.details.to_json(),
            "user_list_has_instances": self.user_list_has_instances,
            "lists_after": self.lists_after,
            "serials": [list(serial) for serial in self.serials.items()],
            "next_ids": [self._next_id, self._next_upload_id],
            "kept": [certificate.to_json() for certificate in self._kept.values()],
        }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the state by what `to_json` gave."""
        self.pages.from_json(state["pages"])
        self.details.from_json(state["details"])
        self.user_list_has_instances = state["user_list_has_instances"]
        self.lists_after = state.get("lists_after", 0)
        self.serials = dict(state["serials"])
        self._next_id, self._next_upload_id = state["next_ids"]
        self._kept = {}
        for certificate in state["kept"]:
            self.keep(Certificate.from_json(certificate))

    def _matching(
        self, listed: Sequence[Certificate | Order], params: Mapping[str, str], now: datetime
    ) -> Sequence[Certificate | Order]:
        instance_id, status, source, keyword = (
            params.get(name, "") for name in ("InstanceId", "CertificateStatus", "CertificateSource", "Keyword")
        )
        days = self._common.shapes.certificate_expiring_days
        if instance_id:
            listed = [line for line in listed if line.instance_id == instance_id]
        if not status and not source and not keyword:
            return listed
        certificates = (line if isinstance(line, Certificate) else line.certificate() for line in listed)
        return [
            certificate
            for certificate in certificates
            if (not status or certificate.status(now, days) == status)
            and (not source or certificate.source == source)
            and certificate.matches(keyword)
        ]
