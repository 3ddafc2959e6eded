"""Instances that are applied for, as the tests of applications begin with and look at them."""

from __future__ import annotations

import json
from typing import Any

from tests.deployed import Answer, Function
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import messages

APPLY, DETAIL, TASK, CERTIFICATES = "ApplyCertificate", "GetInstanceDetail", "GetTaskAttribute", "ListCertificates"
APPLIED, VALIDATION, ISSUED = "cas.instance.applied", "cas.instance.validation", "cas.instance.issued"
STALLED, FAILED = "cas.instance.stalled", "cas.renewal.failed"
SETTLED = 961
"""Seconds after which a lost answer can be settled."""


def applicant(cloud: Cloud, **settings: str | None) -> Function:
    """The function that may apply."""
    return Function(cloud, **{"INSTANCES": "apply", **settings})


def due(cloud: Cloud, domain: str = "app.example.com", days_left: float | None = 20, **fields: Any) -> str:
    """An instance that is to be applied for; nobody adds the records that its authority asks for."""
    return cloud.cas.instances.add(domain, days_left, **{"own_dns": False, "months": 36, **fields})


def base_of(cloud: Cloud, instance: str) -> str:
    return str(cloud.cas.instances.of(instance).certificate_id)


def said(answer: Answer, instance: str) -> tuple[str, str | None]:
    """Outcome and reason of its line."""
    line = line_of(answer, instance)
    return line["outcome"], line["reason"]


def line_of(answer: Answer, instance: str) -> dict[str, Any]:
    (line,) = [line for line in answer.orders if line.get("instance_id") == instance]
    return line


def lines(answer: Answer) -> dict[str, tuple[str, str | None]]:
    """Outcome and reason by instance."""
    return {
        line["instance_id"]: (line["outcome"], line["reason"]) for line in answer.orders if line["kind"] == "instance"
    }


def applications(cloud: Cloud) -> int:
    """How many went in."""
    return sum(application.by == "api" for application in cloud.cas.authority.applications)


def told(cloud: Cloud, type_: str, queue: str | None = None) -> list[str]:
    """The ids of the messages of a type."""
    return [message["id"] for message in messages(cloud, type_, queue)]


def entries(cloud: Cloud, instance: str) -> list[dict[str, Any]]:
    stored = cloud.oss.objects.get((BUCKET, f"renewals/instances/{instance}"))
    return [json.loads(line) for line in stored.data.splitlines()] if stored else []


def kinds(cloud: Cloud, instance: str) -> list[str]:
    """The kinds of the entries of its journal."""
    return [entry["entry"] for entry in entries(cloud, instance)]


def add_records(cloud: Cloud, records: list[dict[str, str]]) -> None:
    """Somebody adds what a message or a line asks for."""
    for record in records:
        cloud.cas.authority.add_record(*(record[name] for name in ("Zone", "Host", "Type", "Value")))
