"""What `GetInstanceDetail` and `GetTaskAttribute` (CAS API 2020-04-07) tell of one instance. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from handler.certificates.ids import id_in
from handler.certificates.rows import Row
from handler.instances.instance import Instance
from handler.instances.row import instance_in


class ValidationRecord(NamedTuple):
    """What somebody must add so that the authority believes that a domain is the applicant's."""

    domain: str
    zone: str
    """The registered domain in whose zone the record goes."""
    host: str
    """The record's name, relative to the zone."""
    type: str
    """TXT, CNAME, HTTP or FILE."""
    value: str

    def to_dict(self) -> dict[str, str]:
        """Return the record as messages have it: Domain, Zone, Host, Type and Value."""
        return {name.capitalize(): value for name, value in self._asdict().items()}


class Detail(NamedTuple):
    """One instance as it is now, and what only the detail has."""

    instance: Instance | None
    """As a row of the list would show it, maybe without the domains of its certificate; None if it is no such row."""
    domain: str
    """For which the next certificate would be."""
    contacts: tuple[str, ...]
    validation_method: str
    """DNS or HTTP."""
    csr_method: str
    """online, or upload where somebody keeps the key."""
    upgrade_status: str
    """none, payed or issued."""
    pending_result: str
    """What the authority said of the newest application, free text."""
    records: tuple[ValidationRecord, ...]
    """Only while an application is outstanding; each once, and none that has no value to add."""


def detail_in(answer: Mapping[str, Any]) -> Detail:
    """Read an answer; what makes no sense in it is empty."""
    fields = Row(answer)
    contacts = answer.get("ContactIdList")
    found = answer.get("DomainValidationList")
    records = [_record(entry) for entry in (found if isinstance(found, list) else ()) if isinstance(entry, Mapping)]
    instance = instance_in(answer)
    return Detail(
        instance=instance if isinstance(instance, Instance) else None,
        domain=fields.text("Domain"),
        contacts=tuple(filter(None, map(id_in, contacts if isinstance(contacts, list) else ()))),
        validation_method=fields.text("ValidationMethod"),
        csr_method=fields.text("GenerateCsrMethod"),
        upgrade_status=fields.text("UpgradeStatus"),
        pending_result=fields.text("PendingResult"),
        records=tuple(dict.fromkeys(record for record in records if record.value)),
    )


def _record(entry: Mapping[str, Any]) -> ValidationRecord:
    fields = Row(entry)
    return ValidationRecord(
        domain=fields.text("Domain"),
        zone=fields.text("RootDomain"),
        host=fields.text("ValidationKey"),
        type=fields.text("ValidationType"),
        value=fields.text("ValidationValue"),
    )


class Task(NamedTuple):
    """How the submission of the newest application went; it says nothing of the authority."""

    has_failed: bool
    said: str
    """Free text."""


def task_in(answer: Mapping[str, Any]) -> Task:
    """Read an answer. Whatever is neither `success` nor `failed`, in any case, is still going on."""
    fields = Row(answer)
    return Task(fields.text("TaskStatus").strip().lower() == "failed", fields.text("TaskMessage"))
