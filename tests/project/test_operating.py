"""What the documents say about operating: its table of contents, queries for the log, sizes, and how to stop it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from handler.errors import EventRefused
from tests import invoke
from tests.deployed import Function
from tests.project.documents import EDITIONS, ROOT, Edition, spans
from tests.project.said_by_code import LOGGED, buys
from tests.stubs.clock import FakeClock
from tests.stubs.cloud import Cloud, local_cloud
from tests.traces import RENEWALS

both = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
PROPS = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))["resources"]["renewer"]["props"]
ENVIRONMENT_LIMIT = 4 * 1024


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines that the function writes in runs that buy, fail, lose an answer and settle it."""
    state = tmp_path_factory.mktemp("state") / ".local"
    clock = FakeClock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(invoke, "SystemClock", lambda: clock)
        for options in (("--rehearse", "lost-answer"), ("--later", "1h")):
            invoke.main([str(ROOT / "events/timer.json"), *options, "--state", str(state)])
    return (state / "handler.log").read_text(encoding="utf-8").splitlines()


def queries(edition: Edition) -> list[str]:
    """Every query for the log store, without the escapes of its table."""
    cells = [cell for table in edition.tables for row in table for cell in row]
    return [span.replace("\\|", "|") for cell in cells for span in spans(cell) if "__topic__" in span]


def found_by(query: str, lines: list[str]) -> list[dict[str, Any]]:
    """The lines that a query looks at: the words before the bar as the log store finds them, then its WHERE."""
    words = re.findall(r'message: "?([\w.-]+)"?', query.partition("|")[0])
    parsed = [json.loads(line) for line in lines if all(word in re.split(r"[^\w.-]+", line) for word in words)]
    condition = re.search(r"WHERE json_extract_scalar\(message, '\$\.(\w+)'\) = '([^']*)'", query)
    return [line for line in parsed if not condition or str(line.get(condition[1])) == condition[2]]


def at(line: dict[str, Any], path: str) -> Iterator[Any]:
    """What stands at a path such as `services.cas.seconds`, if it is there."""
    value: Any = line
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return
        value = value[key]
    yield value


@both
def test_the_table_of_contents_has_every_section_in_order(edition: Edition):
    document = edition.named("docs/operating")
    entries = re.findall(r"^( *)- \[([^\]]+)\]\(#([^)]+)\)$", document.text.partition("\n## ")[0], re.MULTILINE)
    shown = [(2 + len(indent) // 2, title) for indent, title, _ in entries]
    assert shown == document.headings[1:]
    assert [anchor for *_, anchor in entries] == document.anchors[1:]


@both
def test_every_query_finds_lines_that_the_function_really_writes_and_fields_that_they_really_have(
    edition: Edition, written: list[str]
):
    found = queries(edition)
    assert len(found) >= 8
    for query in found:
        lines = found_by(query, written)
        assert lines, query
        paths = set(re.findall(r"json_extract_scalar\(message, '\$\.([\w.]+)'\)", query))
        assert not [path for path in paths if not [value for line in lines for value in at(line, path)]], query


@both
def test_what_a_query_compares_with_a_number_is_one(edition: Edition, written: list[str]):
    for query in queries(edition):
        for path in re.findall(r"CAST\(json_extract_scalar\(message, '\$\.([\w.]+)'\) AS double\)", query):
            values = [value for line in found_by(query, written) for value in at(line, path) if value is not None]
            assert values, path
            assert all(isinstance(value, int | float) for value in values), path


@both
def test_the_queries_search_the_topic_of_the_deployed_function_and_words_of_its_log(edition: Edition):
    topic = f'__topic__: "FCLogs:{PROPS["functionName"]}"'
    for query in queries(edition):
        assert query.startswith(f"{topic} and message: ")
        words = set(re.findall(r'message: "?([\w.-]+)"?', query.partition("|")[0]))
        assert words <= LOGGED | {"level", "error", "123451222"}
        assert "json_extract_scalar" not in query or " FROM log" in query


def test_the_settings_are_as_small_as_the_documents_say():
    environment = {name: str(value) for name, value in PROPS["environmentVariables"].items()}
    size = sum(len(f"{name}{value}".encode()) for name, value in environment.items())
    assert size < 1024 < ENVIRONMENT_LIMIT
    assert "timeout" in PROPS
    assert PROPS["timeout"] == 300


@both
def test_the_size_of_the_environment_is_in_the_documents(edition: Edition):
    (row,) = [row for table in edition.named("docs/operating").tables for row in table if "4 KB" in row[-1]]
    assert "1 KB" in row[-1]
    assert {"environmentVariables", "RENEW_DOMAINS"} <= set(spans("|".join(row)))


@both
def test_serverless_devs_is_called_with_the_chosen_file_and_commands_that_it_has(edition: Edition):
    calls = [words for words, _ in edition.commands if words[0] == "s"]
    assert {words[1] for words in calls} == {"config", "invoke", "remove"}
    assert not [words for words in calls if words[1] != "config" and words[2:4] != ["-t", "s.mine.yaml"]]


@both
def test_the_event_that_makes_the_alarm_ring_is_refused_and_calls_nothing(edition: Edition):
    assert '{"nonsense":true}' in edition.spans
    with pytest.raises(EventRefused):
        buys(b'{"nonsense":true}')


@local_cloud()
def test_without_permissions_nothing_is_bought_and_the_run_fails_with_the_reason(cloud: Cloud):
    cloud.cas.add_order(123451222, "www.example.com", days_left=5)
    for backend in cloud.backends.values():
        backend.deny()
    answer = Function(cloud).tick()
    assert answer.failed
    assert cloud.cas.bought(123451222) == []


@local_cloud()
def test_permissions_that_are_taken_away_right_after_a_purchase_lose_nothing_and_buy_nothing_twice(cloud: Cloud):
    order = cloud.cas.add_order(123451222, "www.example.com", days_left=5)

    def detach(phase: str, _: str, action: str) -> None:
        if (phase, action) == ("after", RENEWALS):
            for backend in cloud.backends.values():
                backend.forbid(*backend.actions)

    cloud.hooks.append(detach)
    function = Function(cloud)
    assert function.tick().failed
    assert len(cloud.cas.bought(order)) == 1
    cloud.hooks.clear()
    for backend in cloud.backends.values():
        backend.permit(*backend.actions)
    cloud.clock.advance(seconds=3600)
    assert function.tick().outcomes[str(order)][0] == "renewed"
    assert len(cloud.cas.bought(order)) == 1
