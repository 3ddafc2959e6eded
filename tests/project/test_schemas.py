"""The schemas in docs/schemas are schemas, say what the code does, and refuse what it would never write."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from jsonschema import Draft202012Validator

from handler.certificates.renewable import Kind
from handler.deployment.job import Put
from handler.deployment.served import Serves
from handler.orders.order import ISSUED
from handler.outbox.cloud_event import MessageType
from handler.outcomes import FAILURES, Outcome, Reason
from handler.report.data import Need, Stage
from handler.run.self_check import _ADVICE
from handler.run.summary import _STAGES
from handler.run.watch import FORESEEN
from handler.triggers.events import command_in
from handler.watch.standing import THRESHOLDS
from tests import published
from tests.deployed import Function
from tests.stubs.cloud import local_cloud
from tests.stubs.wire import NotStubbed

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = published.SCHEMAS
MESSAGES = [name for name in SCHEMAS if name.startswith("cas.")]
OPTIONAL = {
    *("Deferred", "note", "errors", "check", "candidates", "candidates_in_all", "asked_for", "in_run", "do"),
    *("new_certificate_id", "records"),
    *("deployment", "ReplacedCertificateId", "StillBound"),
}
"""What is left out where there is nothing to say. A report has all of its own."""
OF_ITS_KIND = {"OrderId", "CertificateId", "instance_id", "certificate_id", "Kind"}
"""What only an order, an instance or a certificate has; the schemas demand it of that kind."""
OF_SEVERAL_KINDS = {"cas.certificate.expiring", "cas.order.issued", "cas.renewal.failed", "result"}
AWAITED = {Reason.HOSTED, Reason.IN_REVIEW}
IN_THE_WAY = {Reason.SUBMISSION_FAILED, Reason.AUTHORITY_SAYS, Reason.REVIEW_TOO_LONG, Reason.NOT_ISSUED}
"""How an instance stands whose next certificate does not come."""

every = pytest.mark.parametrize("name", SCHEMAS)


class Words(NamedTuple):
    """The words that the code has, and nobody else may make up."""

    types: set[str]
    outcomes: set[str]
    failures: set[str]
    """The outcomes of which people are notified."""
    stages: set[str]
    """How far a new order is that does not get on, as far as the words are known."""
    ends: set[str]
    """How far a new order is that need not get on."""
    report_stages: set[str]
    needs: set[str]
    kinds: set[str]
    triggers: set[str]
    checks: set[str]


def words_of_the_code() -> Words:
    """The one place that knows where in the code they are."""
    samples = [path.read_bytes() for path in sorted((ROOT / "events").iterdir())]
    return Words(
        types={kind.value for kind in MessageType},
        outcomes={outcome.value for outcome in Outcome},
        failures={outcome.value for outcome in FAILURES},
        stages={str(word) for word, stage in _STAGES.items() if stage is not Stage.ISSUED} | {"GONE", "REVOKED"},
        ends=set(ISSUED) | {"REPLACED", "ABANDONED"},
        report_stages={stage.value for stage in Stage},
        needs={need.value for need in Need},
        kinds={kind.value for kind in Kind},
        triggers={command_in(sample, ()).trigger for sample in samples},
        checks=set(_ADVICE),
    )


WORDS = words_of_the_code()


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object that names its properties, at any depth."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for key, inner in schema.items():
            if key != "examples":
                yield from objects_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects_in(inner)


# --- the schemas themselves -------------------------------------------------------------------------------------------


def test_there_is_one_for_each_type_of_message_and_for_the_result_and_the_report() -> None:
    assert set(SCHEMAS) == WORDS.types | {"result", "report"}


@every
def test_it_is_a_schema_under_its_own_name(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{name}.json"
    assert schema["title"]
    assert schema["description"]


@every
def test_every_property_is_described_and_there_are_no_others(name: str) -> None:
    found = list(objects_in(SCHEMAS[name]))
    assert len(found) >= 2
    for schema in found:
        # Of the counts the names are those of the outcomes.
        assert schema["additionalProperties"] is False or schema["propertyNames"] == {"$ref": "#/$defs/outcome"}
        for place, inner in schema.get("properties", {}).items():
            assert inner["description"], place
            assert {"type", "const", "enum", "$ref", "anyOf"} & inner.keys(), place


@every
def test_what_may_be_missing_is_known(name: str) -> None:
    missing = {key for schema in objects_in(SCHEMAS[name]) for key in schema.get("properties", {})}
    missing -= {key for schema in objects_in(SCHEMAS[name]) for key in schema.get("required", ())}
    assert missing <= OPTIONAL | (OF_ITS_KIND if name in OF_SEVERAL_KINDS else set())
    assert not missing or name != "report"


@every
def test_its_examples_are_what_it_describes(name: str) -> None:
    assert SCHEMAS[name]["examples"]
    for example in SCHEMAS[name]["examples"]:
        published.check(name, example)
        if name in MESSAGES:
            published.check_message(json.dumps(example))


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda page: page.name)
def test_the_examples_in_the_documentation_are_what_the_schemas_describe(page: Path) -> None:
    for block in re.findall(r"^```json\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        if "specversion" in (shown := json.loads(block)):
            published.check_message(block)
        elif "orders" in shown:
            published.check("report" if "written_at" in shown else "result", shown)


# --- the words in them ------------------------------------------------------------------------------------------------


def enum(*path: str) -> set[Any]:
    """The words that a schema allows at a place."""
    at: Any = SCHEMAS
    for step in path:
        at = at[int(step)] if isinstance(at, list) else at[step]
    assert len(set(at)) == len(at)
    return set(at)


def test_the_words_are_those_of_the_code() -> None:
    data = ("properties", "data", "properties")
    line = ("report", "$defs", "line", "properties")
    stage = ("cas.order.stalled", *data, "Stage", "anyOf")
    assert {SCHEMAS[name]["properties"]["type"]["const"] for name in MESSAGES} == WORDS.types
    assert enum("result", "$defs", "outcome", "enum") == WORDS.outcomes
    assert enum("report", "$defs", "outcome", "enum") == WORDS.outcomes
    assert enum("cas.renewal.failed", *data, "Outcome", "enum") == WORDS.failures
    assert enum(*stage, "0", "enum") == WORDS.stages
    assert enum(*stage, "1", "not", "enum") == WORDS.ends
    assert enum("cas.certificate.expiring", *data, "Kind", "enum") == {kind.value for kind in Kind}
    assert enum("result", "$defs", "line", "properties", "kind", "enum") == {kind.value for kind in Kind}
    assert enum("cas.instance.stalled", *data, "Stage", "enum") == {str(stage) for stage in AWAITED | IN_THE_WAY}
    for name in ("cas.certificate.deployed", "cas.certificate.deploy-failed"):
        resource = (name, "$defs", "resource", "properties")
        assert enum(*resource, "Outcome", "enum") == {put.value for put in Put}
        assert enum(*resource, "Serves", "enum") == {serves.value for serves in Serves} | {None}
    assert enum(*line, "stage", "enum") == WORDS.report_stages
    assert enum("report", "properties", "stages", "required") == WORDS.report_stages
    assert enum("report", "properties", "stages", "properties") == WORDS.report_stages
    assert enum(*line, "need", "enum") == WORDS.needs | {None}
    assert enum(*line, "kind", "enum") == WORDS.kinds
    assert enum("report", "properties", "kinds", "required") == WORDS.kinds
    assert enum("report", "properties", "kinds", "properties") == WORDS.kinds
    assert enum("report", "properties", "trigger", "enum") == WORDS.triggers
    assert enum("result", "properties", "trigger", "enum") == WORDS.triggers | {"unknown"}
    assert enum("result", "$defs", "check", "properties", "check", "enum") == WORDS.checks


def test_the_days_before_the_end_are_those_of_the_code() -> None:
    days = "|".join(str(days) for days in (*FORESEEN, *THRESHOLDS))
    assert SCHEMAS["cas.certificate.expiring"]["properties"]["id"]["pattern"].endswith(f"-expiring-({days})$")


@every
def test_every_word_is_explained(name: str) -> None:
    for schema in objects_in(SCHEMAS[name]):
        for inner in schema.get("properties", {}).values():
            listed = set(inner.get("enum") or inner.get("anyOf", [{}])[0].get("enum") or ()) - {None, ""}
            # Each of the report's stages is a property of its own there, and what a trigger is stands for itself.
            if listed != WORDS.report_stages and not listed & WORDS.triggers:
                assert {word for word in listed if word not in inner["description"]} == set()
    for outcome in WORDS.outcomes if name in {"result", "report"} else ():
        assert f"{outcome}: " in SCHEMAS[name]["$defs"]["outcome"]["description"]


# --- what they refuse -------------------------------------------------------------------------------------------------

GONE = object()
"""In the place of a value: the property is not there at all."""

ANY_ENVELOPE: list[tuple[str, Any]] = [
    ("specversion", "0.3"),
    ("id", "123451222"),
    ("id", 123451222),
    ("source", "acs:yundun-cert"),
    ("type", "cas.order.another"),
    ("type", GONE),
    ("subject", ""),
    ("subject", 98987582437920969),
    ("time", "2026-11-21T03:00:07+08:00"),
    ("time", "2026-11-21 03:00:07Z"),
    ("time", "2026-11-21T03:00:07.5Z"),
    ("time", None),
    ("datacontenttype", "text/plain"),
    ("data", None),
    ("data", "e30="),
    ("data.Domain", GONE),
    ("data.ProductCode", 1),
    ("data.InstanceId", GONE),
    ("data.CertEndTime", 1796914800000),
    ("data.CertEndTime", "2026-12-11"),
    ("data.CertEndTime", GONE),
    ("data.More", "of it"),
    ("more", "of it"),
]
ENVELOPE: list[tuple[str, Any]] = [
    *ANY_ENVELOPE,
    ("data.OrderId", GONE),
    ("data.OrderId", 98987582437920969),
    ("data.OrderId", "0123451222"),
    ("data.OrderId", "98987582437920969123"),
]
SUCCESSOR: list[tuple[str, Any]] = [("data.RenewedOrderId", GONE), ("data.RenewedOrderId", None), ("data.Domain", "")]
DEPLOYMENT: list[tuple[str, Any]] = [
    *ANY_ENVELOPE,
    ("data.CertificateId", GONE),
    ("data.CertificateId", 20000006),
    ("data.ReplacedCertificateId", ""),
    ("data.ReplacedCertificateId", GONE),
    ("data.JobId", GONE),
    ("data.JobId", ""),
    ("data.JobId", 61001),
    ("data.Resources", GONE),
    ("data.Resources", None),
    ("data.Resources", ["www.example.com"]),
    ("data.Resources.0.Product", ""),
    ("data.Resources.0.Region", GONE),
    ("data.Resources.0.Outcome", "success"),
    ("data.Resources.0.Outcome", None),
    ("data.Resources.0.Serves", "expired"),
    ("data.Resources.0.Serves", GONE),
    ("data.Resources.0.More", "of it"),
    ("data.ResourcesInAll", -1),
    ("data.ResourcesInAll", GONE),
]
WRONG: dict[str, list[tuple[str, Any]]] = {
    "cas.order.renewed": [
        *ENVELOPE,
        *SUCCESSOR,
        ("id", "1-2-issued"),
        ("data.RequestId", GONE),
        ("data.Stage", "PAYED"),
    ],
    "cas.order.issued": [*ENVELOPE, *SUCCESSOR, ("id", "1-2"), ("data.RequestId", "082FAB35")],
    "cas.order.stalled": [
        *ENVELOPE,
        *SUCCESSOR,
        ("id", "1-2-stalled-20261128"),
        ("data.Stage", GONE),
        ("data.Stage", None),
        ("data.Stage", "ISSUED"),
        ("data.DaysLeft", 1.5),
        ("data.DaysLeft", "13"),
        ("data.DaysLeft", -31),
        ("data.CertEndTime", None),
    ],
    "cas.renewal.failed": [
        *ENVELOPE,
        ("id", "123451222-failed-0"),
        ("data.RenewedOrderId", "123451222"),
        ("data.Outcome", "renewed"),
        ("data.Reason", ""),
        ("data.Reason", None),
        ("data.Candidates", GONE),
        ("data.Candidates", None),
        ("data.Candidates", ["7", "7"]),
        ("data.Candidates", [7]),
        ("data.Candidates", [str(number) for number in range(1, 102)]),
        ("data.CandidatesInAll", -1),
        ("data.Deferred", 0),
        ("data.OrderId", None),
        ("data.Kind", "instance"),  # then there is no OrderId
        ("data.Kind", "order"),
    ],
    "cas.certificate.expiring": [
        *(wrong for wrong in ENVELOPE if wrong[0] not in {"data.OrderId", "data.ProductCode"}),
        ("id", "9000000-expiring-5"),
        ("id", "9000000-expiring"),
        ("data.Kind", "upload"),
        ("data.Kind", GONE),
        ("data.Kind", "order"),
        ("data.Kind", "instance"),
        ("data.OrderId", "9000000"),
        ("data.CertificateId", GONE),
        ("data.CertificateId", 9000000),
        ("data.Reason", ""),
        ("data.Reason", None),
        ("data.DaysLeft", None),
        ("data.DaysLeft", 9.5),
        ("data.Products", None),
        ("data.Products", [1]),
        ("data.CertEndTime", None),
        ("data.Deferred", 0),
    ],
    "cas.instance.issued": [
        *(wrong for wrong in ENVELOPE if wrong[0] != "data.OrderId"),
        ("id", "cas_dv-cn-example01-issued"),
        ("data.CertificateId", 20000006),
        ("data.CertificateId", GONE),
        ("data.ReplacedCertificateId", GONE),
        ("data.ReplacedCertificateId", ""),
        ("data.Stage", "hosted"),
    ],
    "cas.instance.stalled": [
        *(wrong for wrong in ENVELOPE if wrong[0] != "data.OrderId"),
        ("id", "cas_dv-cn-example01-20000001-stalled-20261128"),
        ("data.ReplacedCertificateId", GONE),
        ("data.Stage", "PAYED"),
        ("data.Stage", GONE),
        ("data.DaysLeft", "13"),
        ("data.Detail", None),
        ("data.Records", None),
        ("data.Records", [{"Domain": "www.example.com"}]),
        ("data.Records", ["_dnsauth"]),
    ],
    "cas.certificate.deployed": [
        *DEPLOYMENT,
        ("id", "20000006-deploy-failed"),
        ("id", "cas_dv-cn-example01-deployed"),
        ("data.Reason", "resources-left"),
    ],
    "cas.certificate.deploy-failed": [
        *DEPLOYMENT,
        ("id", "20000006-deployed"),
        ("data.Reason", GONE),
        ("data.Reason", ""),
        ("data.Reason", None),
    ],
    "cas.instance.applied": [
        *(wrong for wrong in ENVELOPE if wrong[0] != "data.OrderId"),
        ("id", "cas_dv-cn-example01-applied"),
        ("data.ReplacedCertificateId", GONE),
        ("data.ReplacedCertificateId", ""),
        ("data.CertificateId", "20000006"),
        ("data.Records", []),
    ],
    "cas.instance.validation": [
        *(wrong for wrong in ENVELOPE if wrong[0] != "data.OrderId"),
        ("id", "cas_dv-cn-example01-20000001-validation"),
        ("id", "cas_dv-cn-example01-20000001-validation-215c0ba6"),
        ("data.ReplacedCertificateId", GONE),
        ("data.Records", GONE),
        ("data.Records", []),
        ("data.Records", ["_dnsauth"]),
        ("data.Records.0.Zone", GONE),
        ("data.Records.0.Value", 1),
        ("data.Records.0.Ttl", "600"),
    ],
    "result": [
        ("request_id", None),
        ("trigger", "alarm"),
        ("dry_run", "false"),
        ("counts", GONE),
        ("counts.eaten", 1),
        ("counts.skipped", 0),
        ("errors", []),
        ("errors", "CAS: no-list"),
        ("note", ""),
        ("check", []),
        ("check", [{"check": "smq", "ok": False, "found": "no queue"}]),
        ("check", [{"check": "smq", "ok": True, "found": "a queue", "do": "something"}]),
        ("check", [{"check": "mail", "ok": True, "found": "an account"}]),
        ("more", "of it"),
        ("orders.0.outcome", "eaten"),
        ("orders.0.reason", None),
        ("orders.0.reason", ""),
        ("orders.0.kind", GONE),
        ("orders.0.kind", "upload"),
        ("orders.0.kind", "instance"),
        ("orders.0.kind", "certificate"),
        ("orders.0.instance_id", "cas-cn-example01"),
        ("orders.0.certificate_id", "9000000"),
        ("orders.0.in_run", 0),
        ("orders.0.order_id", None),
        ("orders.0.order_id", 123451256),
        ("orders.0.asked_for", "domain www.example.com"),
        ("orders.0.more", "of it"),
        ("orders.0.kind", GONE),
        ("orders.0.kind", "upload"),
        ("orders.0.kind", "instance"),  # then it has an instance_id, and no order_id
        ("orders.0.instance_id", "cas_dv-cn-example01"),
        ("orders.0.certificate_id", "9000000"),
        ("orders.0.in_run", 0),
        ("orders.3.instance_id", GONE),
        ("orders.3.order_id", "123451222"),
        ("orders.3.reason", None),
        ("orders.1.new_certificate_id", "20000006"),
        ("orders.1.records", []),
        ("orders.1.outcome", "applied"),
        ("orders.1.outcome", "would-apply"),
        ("orders.4.outcome", "would-apply"),  # then there is no reason
        ("orders.4.new_certificate_id", None),
        ("orders.4.records", []),
        ("orders.4.records.0.Value", GONE),
        ("orders.4.records.0.Ttl", "600"),
        ("orders.1.new_order_id", None),
        ("orders.1.new_order_id", "another"),
        ("orders.1.message_id", "98987582437920969"),
        ("orders.1.cert_end_time", "2026-12-11T15:00:00.5Z"),
        ("orders.1.days_left", 20.5),
        ("orders.1.days_left", GONE),
        ("orders.2.candidates", []),
        ("orders.2.candidates_in_all", 2),
        ("orders", {}),
    ],
    "report": [
        ("written_at", "today"),
        ("written_at", GONE),
        ("account_id", 123456789012),
        ("region", None),
        ("trigger", "unknown"),
        ("window_days", 0),
        ("window_days", 366),
        ("counts.eaten", 1),
        ("errors", GONE),
        ("stages.issued", GONE),
        ("stages.eaten", 1),
        ("stages.issued", -1),
        ("needs_a_person", True),
        ("foresight", ""),
        ("foresight", GONE),
        ("kinds", GONE),
        ("kinds.instance", GONE),
        ("kinds.upload", 1),
        ("orders.0.kind", "upload"),
        ("orders.0.kind", GONE),
        ("orders.0.certificate_id", None),
        ("orders.0.certificate_id", 18000456),
        ("orders.0.order_id", "123451222"),
        ("orders.0.instance_id", "cas_dv-cn-20260605a01"),
        ("orders.0.new_order_id", "123451222"),
        ("orders.0.products", None),
        ("orders.0.products", [""]),
        ("orders.1.order_id", None),
        ("orders.1.new_certificate_id", "18000456"),
        ("orders.2.instance_id", None),
        ("orders.2.instance_id", ""),
        ("orders.2.certificate_id", "18000456"),
        ("orders.2.records", GONE),
        ("orders.2.records.0.Value", GONE),
        ("orders.2.records.0.Ttl", "600"),
        ("more", "of it"),
        ("orders.0.stage", "eaten"),
        ("orders.0.need", "money"),
        ("orders.0.need", GONE),
        ("orders.0.outcome", "eaten"),
        ("orders.0.domain", None),
        ("orders.0.candidates", None),
        ("orders.0.days_left", "4"),
        ("orders.1.new_order_id", 98987582437920969),
        ("orders.1.more", "of it"),
    ],
}


def changed(document: Any, place: str, value: Any) -> Any:
    """The document with another value in one place."""
    document = copy.deepcopy(document)
    *path, last = place.split(".")
    at = document
    for step in path:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return document


@pytest.mark.parametrize(("name", "place", "value"), [(name, *wrong) for name in WRONG for wrong in WRONG[name]])
def test_what_the_code_would_never_write_is_refused(name: str, place: str, value: Any) -> None:
    wrong = changed(SCHEMAS[name]["examples"][0], place, value)
    with pytest.raises(AssertionError, match=re.escape(f"{name}.json: $")):
        published.check(name, wrong)


def test_there_are_wrong_documents_for_each() -> None:
    assert WRONG.keys() == SCHEMAS.keys()


def test_a_message_of_an_unknown_type_or_about_another_order_is_refused() -> None:
    message = SCHEMAS["cas.order.renewed"]["examples"][0]
    for wrong in ({"type": "cas.order.another"}, {"type": "result"}, {"subject": "123451222"}):
        with pytest.raises(AssertionError):
            published.check_message(json.dumps(message | wrong))
    with pytest.raises(CloudEventValidationError, match="specversion"):
        published.check_message(json.dumps(message | {"specversion": "2.0"}))


def test_what_is_not_published_fails_the_test_that_lets_the_function_write_it() -> None:
    def publish() -> None:
        with local_cloud() as cloud:
            cloud.account_id = "somebody"
            cloud.cas.add_order()
            with pytest.raises(AssertionError, match=r"report\.json: \$\.account_id"):
                Function(cloud).tick()

    with pytest.raises(NotStubbed, match=r"cas\.order\.renewed\.json: \$\.source"):
        publish()
