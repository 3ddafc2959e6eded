"""What the function publishes, read as a stranger would: with the official CloudEvents SDK and docs/schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schemas"
SCHEMAS: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.json"))
}
"""Each schema, by the type of a message, or `result` or `report`."""
_VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
_FORMAT = JSONFormat()


def check_message(body: str) -> None:
    """Raise unless this is the body of a message as published."""
    event = _FORMAT.read(CloudEvent, body)
    if not event.get_type().startswith("cas."):
        raise AssertionError(f"no message has the type {event.get_type()!r}")
    check(event.get_type(), json.loads(body))
    data = event.get_data()
    ids = {data.get(name) for name in ("OrderId", "InstanceId", "CertificateId")} if isinstance(data, dict) else set()
    if event.get_subject() not in ids:
        raise AssertionError(f"the message {event.get_id()} is not about what is in its data")


def check_result(text: str) -> None:
    """Raise unless this is a result as published."""
    check("result", json.loads(text))


def check_report(text: bytes) -> None:
    """Raise unless this is a report.json as published."""
    check("report", json.loads(text))


def check(name: str, document: Any) -> None:
    """Raise unless a document fits the schema of that name, which must be there."""
    if name not in _VALIDATORS:
        raise AssertionError(f"docs/schemas has no {name}.json")
    validator = _VALIDATORS[name]
    if not validator.is_valid(document):
        wrong = best_match(validator.iter_errors(document))
        raise AssertionError(f"{name}.json: {wrong.json_path}: {wrong.message}" if wrong else name)
