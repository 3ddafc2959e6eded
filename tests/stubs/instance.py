"""One V2 instance and the applications for its certificates: what they are at a moment, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.stubs.certificate import Certificate
from tests.stubs.record import Record
from tests.stubs.shapes import Shapes

By = Literal["api", "console", "hosting"]
Trace = Literal["pending-result", "task", "status"]
"""Where a refusal by the authority shows: in PendingResult, in GetTaskAttribute, by the return to another status."""

TRACES: tuple[Trace, ...] = ("pending-result", "status")


@dataclass
class Application(Record):
    """One application for a certificate."""

    number: int
    instance_id: str
    names: list[str]
    at: datetime
    by: By
    base: int | None
    """The newest certificate of the instance when this was submitted."""
    outcome: Literal["", "issued", "refused", "withdrawn", "ended"] = ""
    certificate_id: int | None = None
    """What was issued."""
    failure: str = ""
    """What GetTaskAttribute says if the submission failed."""


@dataclass
class Instance(Record):
    """One V2 instance: a subscription in which one certificate follows another."""

    instance_id: str
    kind: Literal["BUY", "TEST"]
    domain: str
    """Configured; the certificate may have another."""
    ordered_at: datetime
    months: int
    certificate_type: str = "DV"
    brand: str = "DigiCert"
    key_algorithm: str = "RSA_2048"
    version: str = "standard"
    contacts: list[int] = field(default_factory=list)
    validation_method: str = "DNS"
    csr_method: str = "online"
    csr: str = ""
    upgrade: str = "none"
    hosted: bool = False
    hosted_since: datetime | None = None
    hosted_base: int | None = None
    """The certificate for whose successor the platform has applied already."""
    start: datetime | None = None
    """Of the subscription, which begins with its first certificate."""
    end: datetime | None = None
    fixed_status: str | None = None
    """None lets what has happened decide; anything else is what it is, however odd."""
    settled: Literal["inactive", "normal"] = "inactive"
    """What it is without a certificate and without an application."""
    certificate_id: int | None = None
    """The newest."""
    application: int | None = None
    """The number of the outstanding one."""
    pending_from: datetime | None = None
    """When the outstanding application begins to show."""
    pending_result: str = ""
    own_dns: bool | None = None
    """Whether its domains are in the account's own DNS, where the platform adds the records; None: as all others."""
    refusal: str | None = None
    """What the authority will say to the outstanding application, or to the next."""
    refusal_traces: list[str] = field(default_factory=list)
    refusal_after: float | None = None
    past: list[list[Any]] = field(default_factory=list)
    """What it was before each change: until when, its certificate, from when on it was pending, what was said of it."""

    def remember(self, until: datetime) -> None:
        """Something changes: what it was until then can be asked for."""
        pending_from = self.pending_from.isoformat() if self.pending_from else None
        self.past.append([until.isoformat(), self.certificate_id, pending_from, self.pending_result])

    def as_of(self, moment: datetime) -> Instance:
        """What it was at that moment, as far as its certificate and its application go."""
        for until, certificate_id, pending_from, said in self.past:
            if moment < datetime.fromisoformat(until):
                since = datetime.fromisoformat(pending_from) if pending_from else None
                return replace(self, certificate_id=certificate_id, pending_from=since, pending_result=said)
        return self

    @property
    def names(self) -> list[str]:
        """The names that are configured."""
        return [name for name in self.domain.split(",") if name]

    def status(self, now: datetime, expiring_days: float) -> str:
        """The state of the subscription at that time, as ListInstances has it."""
        if self.fixed_status is not None:
            return self.fixed_status
        if self.end is not None and self.end <= now:
            return "expired"
        if self.pending_from is not None and self.pending_from <= now:
            return "pending"
        if self.end is not None and self.end - now <= timedelta(days=expiring_days):
            return "willExpire"
        return "normal" if self.certificate_id else self.settled

    def row(
        self, now: datetime, certificate: Certificate | None, products: list[str], shapes: Shapes
    ) -> dict[str, Any]:
        """Its row in ListInstances, with its newest certificate."""
        named = {"CertificateDomain": ",".join(certificate.names)} if certificate else {}
        return self._common(now, certificate, shapes) | named | {"UsingProductList": products}

    def detail(
        self, now: datetime, certificate: Certificate | None, records: list[dict[str, Any]], shapes: Shapes
    ) -> dict[str, Any]:
        """What GetInstanceDetail says, without the domain of its certificate; `records`: its DomainValidationList."""
        return self._common(now, certificate, shapes) | {
            "AutoReissueFlag": int(self.kind == "BUY"),
            "AverageWaitingTime": "600",
            "City": "Hangzhou",
            "CompanyId": 31_001,
            "ContactIdList": list(self.contacts),
            "CountryCode": "CN",
            "Csr": self.csr,
            "DeploymentResourceCount": 0,
            "DeploymentUseCount": 0,
            "DingGroupList": [],
            "DomainValidationList": records,
            "GenerateCsrMethod": self.csr_method,
            "MonitorExpandFlag": 0,
            "MonitorUseCount": 0,
            "OrderProgress": "checking" if self.application else "",
            "Province": "Zhejiang",
            "Tags": [],
            "TotalDeploymentCount": 0,
            "TotalMonitorCount": 0,
            "UpgradeStatus": self.upgrade,
            "ValidationMethod": self.validation_method,
        }

    def _common(self, now: datetime, certificate: Certificate | None, shapes: Shapes) -> dict[str, Any]:
        wildcards = sum(name.startswith("*.") for name in self.names)
        row = {
            "AutoReissue": "enable" if self.hosted else "disable",
            "Brand": self.brand,
            "CertificateName": f"name-{self.instance_id}",
            "CertificateType": self.certificate_type,
            "Domain": self.domain,
            "FullDomainCount": len(self.names) - wildcards,
            "InstanceId": self.instance_id,
            "InstanceType": self.kind,
            "KeyAlgorithm": self.key_algorithm,
            "OrderEndTime": shapes.time(self.ordered_at + timedelta(days=30 * self.months)),
            "OrderStartTime": shapes.time(self.ordered_at),
            "PendingResult": self.pending_result,
            "ResourceGroupId": "rg-example",
            "Spec": f"{self.brand.lower()}-{self.certificate_type.lower()}",
            "Status": self.status(now, shapes.instance_expiring_days),
            "VersionType": self.version,
            "WildcardDomainCount": wildcards,
        }
        if certificate:
            row["CertIdentifier"] = f"{certificate.certificate_id}-cn-hangzhou"
            row["CertificateStatus"] = certificate.status(now, shapes.certificate_expiring_days)
            if certificate.revoked_at:
                row["CertificateRevokeTime"] = shapes.time(certificate.revoked_at)
        return row | shapes.given(
            CertificateId=self.certificate_id,
            CertificateNotAfter=certificate.not_after if certificate else None,
            CertificateNotBefore=certificate.not_before if certificate else None,
            InstanceEndTime=self.end,
            InstanceStartTime=self.start,
        )
