"""The tables of the documents say what the code does: nothing is missing in them, and nothing is made up."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from deploy import policy
from handler.runtime.variables import VARIABLES
from tests.project.documents import EDITIONS, ROOT, Edition, keys_of, spans
from tests.project.said_by_code import (
    CAS_CODES,
    ENTRIES,
    FAILED,
    LIST_FAULTS,
    LOGGED,
    MESSAGE_TYPES,
    OUTCOMES,
    REASONS,
    buys,
    given,
    hyphenated,
)

both = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)

TARGETS = set(re.findall(r"^([a-z][a-z-]*):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
OF_INSTANCES = ("ListInstances", "GetInstanceDetail", "ApplyCertificate", "GetTaskAttribute", "ListCertificates")
ROOMS = {f"handler/{path.parent.name}/" for path in (ROOT / "handler").glob("*/__init__.py")}


def test_no_module_says_a_word_that_these_tests_do_not_know():
    known = OUTCOMES | REASONS | LIST_FAULTS | LOGGED
    assert {name: words for name, words in hyphenated().items() if words - known} == {}


def test_every_word_that_the_code_knows_is_one_that_it_says():
    assert (OUTCOMES | REASONS | LIST_FAULTS) - given() == set()


@both
def test_the_settings_are_those_of_the_code_in_its_order_with_their_defaults(edition: Edition):
    table = edition.table_with("CAS_ENDPOINT")
    assert keys_of(table) == [variable.name for variable in VARIABLES]
    for row, variable in zip(table, VARIABLES, strict=True):
        assert spans(row[1]) == ([variable.default] if variable.default else [])


@both
def test_the_rooms_are_the_folders_of_the_code(edition: Edition):
    rooms = keys_of(edition.table_with("handler/orders/"))
    assert Counter(rooms) == Counter({"handler/index.py", *ROOMS})
    (picture,) = edition.named("README").blocks_in("text")
    drawn = set(re.findall(r"\b(\w+)/", picture))
    assert drawn | {"certificates"} == {room.split("/")[1] for room in ROOMS}


@both
def test_the_outcomes_are_those_of_the_code_and_say_which_fail_a_run(edition: Edition):
    table = edition.table_with("would-renew")
    assert Counter(keys_of(table)) == Counter(OUTCOMES)
    assert {key for row in table if row[2] in {"yes", "是"} for key in spans(row[0])} == FAILED


@both
def test_the_reasons_are_those_that_the_code_gives(edition: Edition):
    table = edition.table_with("several-candidates")
    assert Counter(keys_of(table)) == Counter(REASONS)
    assert {outcome for row in table for outcome in spans(row[1])} <= OUTCOMES
    assert set(edition.spans) >= LIST_FAULTS


@both
def test_the_codes_of_cas_are_those_of_the_code_and_have_its_outcome(edition: Edition):
    rows = {frozenset(spans(row[0])): spans(row[1]) for row in edition.table_with("Forbidden.RAM")}
    for codes, outcome in CAS_CODES.items():
        assert rows[codes] == [outcome]
    assert len(rows) == len(CAS_CODES) + 1, "and one row for all the others"


@both
def test_the_log_lines_are_those_that_the_code_writes(edition: Edition):
    assert Counter(keys_of(edition.table_with("settings-wrong"))) == Counter(LOGGED)


@both
def test_the_entries_of_the_journal_are_those_that_the_code_writes(edition: Edition):
    assert Counter(keys_of(edition.table_with("claimed"))) == Counter(ENTRIES)


@both
def test_the_message_types_are_those_of_the_code_each_with_its_schema_and_its_fields(edition: Edition):
    table = edition.table_with("cas.order.renewed")
    assert Counter(keys_of(table)) == Counter(MESSAGE_TYPES)
    for row in table:
        (type_,) = spans(row[0])
        assert f"(schemas/{type_}.json)" in row[4]
        schema = json.loads((ROOT / f"docs/schemas/{type_}.json").read_text(encoding="utf-8"))
        assert set(spans(row[3])) == set(schema["properties"]["data"]["properties"])


@both
def test_the_permissions_of_applying_and_what_is_denied_are_those_of_the_policy(edition: Edition):
    statements = json.loads(policy.POLICY.read_text(encoding="utf-8"))["Statement"]
    denied = {action for statement in statements if statement["Effect"] == "Deny" for action in statement["Action"]}
    allowed = {action for statement in statements if statement["Effect"] == "Allow" for action in statement["Action"]}
    document = edition.named("docs/instances")
    (listed,) = [table for table in document.tables if "yundun-cert:ApplyCertificate" in keys_of(table)]
    assert set(keys_of(listed)) == {f"yundun-cert:{name}" for name in OF_INSTANCES}
    assert set(keys_of(listed)) <= allowed
    named = {span for span in spans(document.prose) if re.match(r"(yundun-cert|bss|bssapi|efc):", span)}
    assert named - set(keys_of(listed)) == denied


@both
def test_the_targets_are_those_of_the_makefile(edition: Edition):
    assert Counter(keys_of(edition.table_with("make soak"))) == Counter(f"make {target}" for target in TARGETS)
    assert set(re.findall(r"\bmake (?:-s )?([a-z-]+)\b", " ".join(edition.spans))) <= TARGETS
    given = [words for words, _ in edition.commands if words[0] == "make"]
    assert {next(word for word in words[1:] if word != "-s") for words in given} <= TARGETS


@both
def test_every_sample_is_named(edition: Edition):
    samples = {f"events/{path.name}" for path in (ROOT / "events").iterdir()}
    rows = [spans("|".join(row)) for table in edition.tables for row in table]
    assert {name for row in rows for name in row if name.startswith("events/")} - {"events/"} == samples


@both
def test_an_event_that_is_written_out_is_the_sample_beside_it(edition: Edition):
    rows = [spans("|".join(row)) for table in edition.tables for row in table]
    pairs = [
        (row[0], sample)
        for row in rows
        if row and row[0].startswith('{"')
        for sample in row
        if sample.startswith("events/")
    ]
    assert len(pairs) >= 7
    for written, sample in pairs:
        buys(written.encode())  # raises if the function does not take it
        assert json.loads(written) == json.loads((ROOT / sample).read_text(encoding="utf-8"))
