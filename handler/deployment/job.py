"""A deployment job of CAS (API 2020-04-07) and its workers, one for each resource. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from handler.certificates.ids import id_in
from handler.certificates.rows import SHOWN, Row
from handler.outcomes import Word

NAME_BEGINS = "renewer-"
LONGEST_NAME = 63
_ENDED = frozenset({"success", "error"})
_MOST = 10**9


class Put(Word):
    """What became of one resource."""

    DEPLOYED = "deployed"
    """It has got the new certificate."""
    FAILED = "failed"
    """The product did not take it."""
    REVERTED = "reverted"
    """Somebody brings, or has brought, the old one back."""
    UNFINISHED = "unfinished"
    """The job is not through with it, or says what nobody knows."""
    MISSED = "missed"
    """It is bound to the old one, and the job has nothing to do with it."""


_PUTS = {
    "success": Put.DEPLOYED,
    "error": Put.FAILED,
    "rollback": Put.REVERTED,
    "rollback_success": Put.REVERTED,
    "rollback_error": Put.DEPLOYED,
}


class Job(NamedTuple):
    """One job."""

    id: str
    name: str
    state: str
    """editing, pending, scheduling, processing, success or error, in lower case; any other counts as going on."""
    created: datetime | None
    certificate_type: str
    """upload, buy or free."""

    @property
    def is_waiting(self) -> bool:
        """Whether it does nothing until somebody starts it."""
        return self.state == "editing"

    @property
    def has_ended(self) -> bool:
        """Whether it says so itself."""
        return self.state in _ENDED


class Worker(NamedTuple):
    """The part of a job that puts the certificate onto one resource."""

    id: str
    certificate_id: str
    """What the resource gets."""
    former_certificate_id: str
    """What it had; empty if CAS does not say."""
    resource_id: str
    product: str
    region: str
    domain: str
    instance: str
    listener: str
    state: str

    @property
    def put(self) -> Put:
        """What became of its resource."""
        return _PUTS.get(self.state, Put.UNFINISHED)

    @property
    def name(self) -> str:
        """By what a person finds the resource, see `Resource.name`; of one that says nothing the worker's own id."""
        named = "/".join(filter(None, (self.instance, self.listener))) or self.domain or self.resource_id
        return named or f"worker {self.id}"


class Counts(NamedTuple):
    """How many workers a job has, and how many have ended; None where CAS says no such thing."""

    workers: int | None
    succeeded: int | None
    failed: int | None
    cost: int | None
    """How many units the job uses up; what they are is not documented."""

    @property
    def all_ended(self) -> bool:
        """Whether there are workers, and every one has ended."""
        if self.workers is None or self.succeeded is None or self.failed is None:
            return False
        return 0 < self.workers == self.succeeded + self.failed


def job_name(new_id: str) -> str:
    """Return the name of the one job for a new certificate, by which it is found again."""
    return f"{NAME_BEGINS}{new_id}"


def job_in(row: object) -> Job | str:
    """Return the job of a row or of a description, or what can be shown of one without an id."""
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    job_id = id_in(row.get("Id"))
    if job_id is None:
        return f"Name {row.get('Name')!r}, Id {row.get('Id')!r}"[:SHOWN]
    fields = Row(row)
    return Job(
        id=job_id,
        name=fields.text("Name").strip(),
        state=fields.text("Status").strip().lower(),
        created=fields.moment("GmtCreate"),
        certificate_type=fields.text("CertType").strip().lower(),
    )


def worker_in(row: object) -> Worker | str:
    """Return the worker of a row, or what can be shown of a row without an id."""
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    worker_id = id_in(row.get("Id"))
    if worker_id is None:
        return f"Id {row.get('Id')!r}"[:SHOWN]
    fields = Row(row)
    return Worker(
        id=worker_id,
        certificate_id=fields.id("CertId"),
        former_certificate_id=fields.id("ResourceCertId"),
        resource_id=fields.id("ResourceId"),
        product=fields.text("CloudProduct").strip(),
        region=fields.text("RegionId") or fields.text("CloudRegion"),
        domain=fields.text("ResourceDomain"),
        instance=fields.text("InstanceId"),
        listener=fields.text("ListenerId"),
        state=fields.text("Status").strip().lower(),
    )


def counts_in(answer: Mapping[str, Any]) -> Counts:
    """Read what `DescribeDeploymentJobStatus` answers."""
    names = ("WorkerCount", "SuccessCount", "FailedCount", "CostCount")
    return Counts(*(_count(answer.get(name)) for name in names))


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(_MOST)):
        value = int(value)
    return value if type(value) is int and 0 <= value < _MOST else None
