"""One certificate, and how the lists of CAS show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.stubs.record import Record
from tests.stubs.shapes import Shapes

CertificateSource = Literal["BUY", "TEST", "UPLOAD"]


@dataclass
class Certificate(Record):
    """One certificate: what is in it, and where it came from."""

    certificate_id: int
    names: list[str]
    """The common name and whatever else it is good for."""
    not_before: datetime
    not_after: datetime
    source: CertificateSource
    instance_id: str
    """The V2 instance or V1 order that it was issued for; of an upload, its own."""
    revoked_at: datetime | None = None
    algorithm: str = "RSA_2048"

    def status(self, now: datetime, expiring_days: float = 30) -> str:
        """What the V2 operations say of it: issued, willExpire, expired or revoked."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if self.not_after <= now:
            return "expired"
        return "willExpire" if self.not_after - now <= timedelta(days=expiring_days) else "issued"

    def order_status(self, now: datetime) -> str:
        """The same in the words of ListUserCertificateOrder."""
        return {"willExpire": "WILLEXPIRED"}.get(self.status(now), self.status(now).upper())

    def matches(self, keyword: str) -> bool:
        """The fuzzy search of the lists: part of a name, of the certificate's name or of its instance's id."""
        return any(keyword in text for text in (*self.names, f"cert-{self.certificate_id}", self.instance_id))

    def user_row(self, now: datetime, serial: str) -> dict[str, Any]:
        """Its row in the lists CERT and UPLOAD of ListUserCertificateOrder."""
        return {
            "CertificateId": self.certificate_id,
            "City": "Hangzhou",
            "CommonName": self.names[0],
            "Country": "CN",
            "EndDate": self.not_after.date().isoformat(),
            "Expired": self.not_after < now,
            "Fingerprint": f"{self.certificate_id:040X}",
            "InstanceId": self.instance_id,
            "Issuer": "Example CA",
            "Name": f"cert-{self.certificate_id}",
            "OrgName": "Example",
            "Province": "Zhejiang",
            "Sans": ",".join(self.names),
            "SerialNo": serial,
            "Sha2": f"{self.certificate_id:064X}",
            "StartDate": self.not_before.date().isoformat(),
            "Upload": self.source == "UPLOAD",
        }

    def row(self, now: datetime, serial: str, products: Sequence[str], shapes: Shapes) -> dict[str, Any]:
        """Its row in ListCertificates, where the certificate's id is a text."""
        algorithm, _, size = self.algorithm.partition("_")
        return {
            "Algorithm": algorithm,
            "CertIdentifier": f"{self.certificate_id}-cn-hangzhou",
            "CertificateId": str(self.certificate_id),
            "CertificateName": f"cert-{self.certificate_id}",
            "CertificateSource": self.source,
            "CertificateStatus": self.status(now, shapes.certificate_expiring_days),
            "CommonName": self.names[0],
            "DeploymentDesc": '{"Scope":"all"}',
            "Domain": ",".join(self.names),
            "ExistPrivateKey": True,
            "FingerPrint": f"{self.certificate_id:040X}",
            "InstanceId": self.instance_id,
            "Issuer": "Example CA",
            "KeySize": int(size or 256),
            "NotAfter": shapes.time(self.not_after),
            "NotBefore": shapes.time(self.not_before),
            "Serial": serial,
            "SubjectAlternativeNames": list(self.names),
            "UsingProductList": list(products),
        }
