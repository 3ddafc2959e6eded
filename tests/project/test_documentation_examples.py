"""What the documents show is what one gets: commands that work, and messages and results that the code writes."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import deployment, policy
from deploy.invoke import command_line
from handler.journal.renewal import Successor
from handler.journal.states import State
from handler.outbox.cloud_event import MessageType
from handler.outbox.messages import renewed_message
from handler.outcomes import Outcome
from handler.result import Line, RunResult
from handler.runtime.variables import VARIABLES
from tests import examples, invoke
from tests.project.documents import DOCUMENTS, EDITIONS, ROOT, Document, Edition
from tests.project.said_by_code import OUTCOMES, buys
from tests.stubs.account_api import AccountStub
from tests.stubs.buckets import BucketsStub

both = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)

DEPLOYMENT = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
MONEY = re.compile(r"MAY COST MONEY|可能花钱")
WARNING = re.compile(r"may cost money|可能花钱", re.IGNORECASE)
NOT_RUN_HERE = {"make test", "make package", "make package RUNTIME=python3.12"}
"""The first is what runs this test, the others install what is shipped; `.ci/run` runs all of them."""


# --- commands ---------------------------------------------------------------------------------------------------------


def invokes_deployed(words: list[str]) -> bool:
    return words[:2] == ["make", "invoke"]


def invocation(words: list[str]) -> argparse.Namespace:
    """What the command behind `make invoke` makes of the words of a line."""
    given = dict(word.split("=", 1) for word in words[2:])
    assert given.keys() <= {"NAME", "EVENT", "ARGS"}
    return command_line().parse_args([*shlex.split(given.get("ARGS", "")), "--", given["NAME"], given["EVENT"]])


def needs_an_account(words: list[str]) -> bool:
    """Whether a command reaches for the cloud, or installs a tool that does."""
    targets = {"look", "setup", "deploy", "invoke"}
    return words[0] in {"aliyun", "s", "npm"} or (words[0] == "make" and words[1] in targets)


def run_locally(words: list[str], folder: Path) -> int:
    """Do what `make run` does, in another folder."""
    given = dict(word.split("=", 1) for word in words[2:])
    assert given.keys() <= {"EVENT", "ARGS"}
    event = given.get("EVENT", "events/timer.json")
    return invoke.main([str(ROOT / event), *shlex.split(given.get("ARGS", "")), "--state", str(folder / ".local")])


@both
def test_every_command_that_needs_no_account_is_run_here_or_known(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    local = [words for words, _ in edition.commands if not needs_an_account(words)]
    assert [words for words in local if words == ["make", "run"]]
    for words in local:
        if words[:2] == ["make", "run"]:
            assert run_locally(words, tmp_path) == 0, words
        elif words == ["make", "policy"]:
            assert policy.main([]) == 0
        elif words[0] == "cp":
            assert words[1:] == [deployment.EXAMPLE, deployment.CHOICES]
            assert (ROOT / deployment.EXAMPLE).is_file()
        else:
            assert " ".join(words) in NOT_RUN_HERE
    assert "DRY RUN" in capsys.readouterr().out, "the dry run is shown"


@both
def test_every_command_that_looks_takes_options_and_settings_that_there_are(edition: Edition):
    looks = [words[2:] for words, _ in edition.commands if words[:2] == ["make", "look"]]
    known = {variable.name for variable in VARIABLES}
    assert [] in looks
    for words in looks:
        given = dict(word.split("=", 1) for word in words if "=" in word)
        assert given.pop("ARGS", "--facts") == "--facts"
        assert given.keys() <= known


@both
def test_the_first_screen_names_the_two_commands_of_a_first_look(edition: Edition):
    before, _, _ = edition.named("README").text.partition("\n## ")
    assert before.index("`aliyun configure`") < before.index("`make look`")
    assert len(before.splitlines()) <= 25


@both
def test_the_two_commands_stand_in_the_readme_and_come_first(edition: Edition):
    assert [words for words, _ in edition.named("README").commands[:2]] == [["make", "run"], ["make", "test"]]


@both
def test_the_output_that_is_shown_is_that_of_make_run(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def comparable(line: str) -> str:
        line = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "REQUEST", line)
        return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)

    monkeypatch.chdir(tmp_path)
    assert run_locally(["make", "run"], tmp_path) == 0
    printed = [comparable(line) for line in capsys.readouterr().out.splitlines()]
    (shown,) = edition.blocks_in("console")
    assert not [line for line in map(comparable, shown.splitlines()) if line not in printed]


@both
def test_every_command_for_the_deployed_function_is_one_that_it_takes(edition: Edition):
    deployed = [words for words, _ in edition.commands if invokes_deployed(words)]
    assert len(deployed) > 5
    for words in deployed:
        buys((ROOT / invocation(words).event).read_bytes())  # raises if it is refused


@both
def test_every_command_for_the_account_is_one_that_it_takes(edition: Edition):
    commands = {
        " ".join(words) for words, _ in edition.commands if words[:2] in (["make", "setup"], ["make", "deploy"])
    }
    assert commands == {"make setup", "make setup ARGS=--plan", "make deploy"}


@both
def test_the_permissions_of_setting_up_are_those_that_it_calls(edition: Edition):
    calls = (AccountStub.actions | BucketsStub.actions) - {"GetCallerIdentity"}  # this one needs none
    named = {name for name in edition.spans if re.fullmatch(r"(ram|mns|oss):\w+", name)}
    assert {name.partition(":")[2] for name in named} >= calls


@both
def test_the_names_in_the_commands_are_those_of_the_deployment(edition: Edition):
    chosen, lines = DEPLOYMENT["vars"], "\n".join(line for words, line in edition.commands if words[0] == "aliyun")
    assert set(re.findall(r"--RoleName (\S+)", lines)) == {chosen["role"]}
    assert set(re.findall(r"--QueueName (\S+)", lines)) == {chosen["queue"]}
    assert set(re.findall(r"--region (\S+)", lines)) == {chosen["region"]}
    assert set(re.findall(r"oss://([\w-]+)", lines)) == {chosen["journal_bucket"]}
    assert set(re.findall(r"oss://[\w-]+/(\w+)/orders", lines)) == {chosen["journal_prefix"]}
    functions = {invocation(words).name for words, _ in edition.commands if invokes_deployed(words)}
    assert functions == {DEPLOYMENT["resources"]["renewer"]["props"]["functionName"], "SERVICE/FUNCTION"}


@both
def test_a_command_that_may_cost_money_says_so(edition: Edition):
    costly = []
    for words, line in edition.commands:
        if invokes_deployed(words):
            costs = buys((ROOT / invocation(words).event).read_bytes())
            assert bool(MONEY.search(line)) == costs, line
            costly += [line] * costs
    assert costly


@both
def test_only_the_last_deployment_turns_the_dry_run_off_and_says_what_it_may_cost(edition: Edition):
    costs = {
        document.subject: [bool(MONEY.search(line)) for words, line in document.commands if words == ["make", "deploy"]]
        for document in edition.documents
    }
    assert {subject: marks for subject, marks in costs.items() if marks} == {
        "README": [False],
        "docs/deploying": [False, True],
    }


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=repr)
def test_the_readme_and_whatever_may_cost_money_warn_before_the_first_command(document: Document):
    if document.subject == "README" or any(MONEY.search(line) for _, line in document.commands):
        warning = WARNING.search(document.text)
        assert warning
        assert warning.start() < document.text.index("```sh")


# --- what comes out ---------------------------------------------------------------------------------------------------


def shape(value: Any) -> Any:
    """The keys of an object, and those of the objects in it."""
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


@both
def test_every_json_example_is_json(edition: Edition):
    assert len([json.loads(block) for block in edition.blocks_in("json")]) >= 2


@both
def test_the_message_is_one_that_the_code_writes(edition: Edition):
    (shown,) = [found for block in edition.blocks_in("json") if "specversion" in (found := json.loads(block))]
    assert shown["type"] == MessageType.RENEWED
    successor = Successor(examples.NEW, examples.NOW, "request")
    renewed = examples.renewal(state=State.RENEWED, successor=successor)
    assert shape(shown) == shape(json.loads(renewed_message(renewed, examples.ACCOUNT)))
    assert shown["id"] == f"{shown['data']['RenewedOrderId']}-{shown['data']['OrderId']}"
    assert shown["subject"] == shown["data"]["OrderId"]


@both
def test_the_result_is_one_that_the_code_writes(edition: Edition):
    (shown,) = [found for block in edition.blocks_in("json") if "orders" in (found := json.loads(block))]
    assert shown.keys() == json.loads(RunResult("request", "timer").to_json(examples.NOW)).keys()
    assert shown["counts"] == Counter(order["outcome"] for order in shown["orders"])
    for order in shown["orders"]:
        assert order.keys() == Line(Outcome.SKIPPED).to_dict(examples.NOW).keys()
        assert order["outcome"] in OUTCOMES
