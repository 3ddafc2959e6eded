"""What is written into a journal today looks as it did in the versions whose journals are kept in tests/journals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deployed import Function
from tests.function.applied_situations import SITUATIONS
from tests.function.old_situations import folder_of
from tests.function.taken_over import SAMPLES, Contents, in_folder, moment
from tests.stubs.cloud import local_cloud

KINDS = {
    *("claimed", "refused", "unknown", "held", "released", "renewed", "published", "observed", "told"),
    *("followed", "issued", "applied"),
    *("reserved", "returned", "alarmed", "successor"),
}

every = pytest.mark.parametrize("name", SITUATIONS)


def test_there_is_a_journal_of_every_situation_and_every_kind_of_entry_is_in_them() -> None:
    assert {path.name for path in SAMPLES.iterdir() if path.is_dir()} == set(SITUATIONS)
    lines = [line for name in SITUATIONS for log in in_folder(SAMPLES / name).logs.values() for line in log]
    assert {json.loads(line)["entry"] for line in lines} == KINDS | {"eaten"}
    notes = {key.split("/")[0] for name in SITUATIONS for key in in_folder(SAMPLES / name).notes}
    assert notes == {"open", "alerts"}


@every
def test_every_line_of_an_old_journal_can_be_read(name: str) -> None:
    contents = in_folder(SAMPLES / name)
    assert contents.logs
    for line in [line for lines in contents.logs.values() for line in lines]:
        entry = json.loads(line)
        assert list(entry)[:4] == ["entry", "at", "run", "id"]
        assert moment(entry["at"]).tzinfo is not None
    for note in contents.notes.values():
        assert json.loads(note)


def shape(said: bytes) -> list[Any]:
    """The keys in their order, the type of each value, and what is said where the code chooses the word."""
    found: dict[str, Any] = json.loads(said)
    words = {"entry", "code", "reason", "how", "stage", "message_id", "new_order_id", "count", "failure", "lost"}
    words |= {"certificate_id", "alarmed"}
    newer = {"cert_identifier"}  # which the versions before did not write
    return [
        [key, type(value).__name__, value if key in words else None] for key, value in found.items() if key not in newer
    ]


def place(key: str) -> str:
    """The key of a note without what is different in each run; of a log, all of it."""
    return re.sub(r"Z-[0-9a-f-]{36}-[0-9a-f]{8}$", "Z", key)


def is_newer(said: bytes) -> bool:
    """Whether only later versions write it: since when an application is in review that somebody else has made."""
    found = json.loads(said)
    return (found.get("entry"), found.get("stage")) == ("observed", "in-review")


def form(contents: Contents) -> Mapping[str, Any]:
    logs = {key: [shape(line) for line in lines if not is_newer(line)] for key, lines in contents.logs.items()}
    return logs | {place(key): shape(body) for key, body in contents.notes.items()}


@every
def test_what_is_written_today_looks_as_it_did(name: str, tmp_path: Path) -> None:
    with local_cloud() as cloud:
        function = Function(cloud, JOURNAL_URL=(tmp_path / "journal").as_uri())
        SITUATIONS[name](cloud, function)
        assert form(in_folder(folder_of(function))) == form(in_folder(SAMPLES / name))
