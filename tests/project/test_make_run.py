"""`make run`: an account as people have it in 2026, what a run makes of it, and what changes as days go by."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from deploy.table import show, show_what_failed
from handler.cloud.cas_instances import CasInstances
from handler.errors import CasMisconfigured
from tests import invoke
from tests.project.documents import ROOT
from tests.stubs.clock import FakeClock

TIMER = str(ROOT / "events/timer.json")
Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes by but what `--later` lets go by."""
    clock = FakeClock()
    monkeypatch.setattr(invoke, "SystemClock", lambda: clock)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".local"


def run(state: Path, capsys: Shown, *options: str, status: int = 0) -> str:
    """What `make run` prints."""
    assert invoke.main([TIMER, *options, "--state", str(state)]) == status
    return capsys.readouterr().out


def sent(printed: str) -> list[str]:
    """The type and the id of each message that the run itself has sent."""
    return [" ".join(line.split()[2:4]) for line in printed.splitlines() if line.startswith("+ ")]


def outcomes(printed: str) -> dict[str, str]:
    """By id, the outcome of each line of the table."""
    rows = [re.split(r" {2,}", line) for line in printed.splitlines()]
    return {row[1]: row[4] for row in rows if row[0] in {"order", "instance", "certificate"}}


def days_left(printed: str) -> dict[str, str]:
    """By domain, the days left in the table."""
    rows = [re.split(r" {2,}", line) for line in printed.splitlines()]
    return {row[2]: row[3] for row in rows if row[0] in {"order", "instance", "certificate"}}


def test_the_first_run_shows_every_kind_by_its_id(state: Path, capsys: Shown):
    printed = run(state, capsys)
    found = outcomes(printed)
    assert found["123451222"] == "renewed"
    assert found["cas_dv-cn-hosted01"] == "skipped"
    assert found["cas_dv-cn-ending01"] == "expiring"
    assert found["cas_dv-cn-test0001"] == "expiring"
    assert found["9000000"] == "expiring"
    assert "cas.certificate.expiring 9000000-expiring-14" in sent(printed)


def test_a_second_run_renews_nothing_and_tells_nothing_twice(state: Path, capsys: Shown):
    first = run(state, capsys)
    second = run(state, capsys)
    assert outcomes(second)["123451222"] == "already-renewed"
    assert not {*sent(first)} & {*sent(second)}
    assert f"{len(sent(first)) + len(sent(second))} messages, {len(sent(second))} new (+)" in second


def test_days_go_by_on_the_stand_in_and_stay_gone(state: Path, capsys: Shown):
    run(state, capsys)
    later = run(state, capsys, "--later", "3d", status=1)
    assert {
        "cas.instance.issued cas_dv-cn-hosted01-20000006-issued",
        "cas.certificate.expiring 123451263-expiring-7",
    } <= {*sent(later)}
    assert days_left(later)["legacy.example.com"] == "3"
    assert days_left(run(state, capsys))["legacy.example.com"] == "3"
    assert days_left(run(state, capsys, "--fresh", "--later", "12h"))["legacy.example.com"] == "6"


def test_with_instances_to_apply_for_they_are_issued_or_ask_for_records_as_time_goes_by(state: Path, capsys: Shown):
    applies = ("--set", "INSTANCES=apply")
    first = run(state, capsys, *applies)
    assert {outcomes(first)[id_] for id_ in ("cas_dv-cn-due00001", "cas_dv-cn-record01")} == {"applied"}
    assert outcomes(first)["cas_dv-cn-hosted01"] == "skipped"
    assert "cas_dv-cn-ending01 legacy.example.com" in re.sub(" +", " ", first).partition("subscription-ends")[0]
    assert "cas.instance.applied cas_dv-cn-due00001-20000000-applied" in sent(first)
    second = run(state, capsys, *applies, "--later", "1h")
    assert "cas.instance.issued cas_dv-cn-due00001-20000007-issued" in sent(second)
    assert "needs-records" in next(line for line in second.splitlines() if "cas_dv-cn-record01" in line)
    assert [said for said in sent(second) if said.startswith("cas.instance.validation cas_dv-cn-record01-")]
    third = run(state, capsys, *applies, "--later", "26h")
    assert "needs-records" in next(line for line in third.splitlines() if "cas_dv-cn-record01" in line)
    assert not [said for said in sent(third) if said.startswith(("cas.instance.validation", "cas.instance.applied"))]


def test_a_dry_run_says_for_which_instances_would_be_applied(state: Path, capsys: Shown):
    dry = run(state, capsys, "--set", "INSTANCES=apply", "--set", "DRY_RUN=true")
    assert outcomes(dry)["cas_dv-cn-due00001"] == "would-apply"
    assert outcomes(dry)["cas_dv-cn-ending01"] == "expiring"
    assert not sent(dry)


def test_what_is_about_to_end_fails_a_run_once_and_is_named(state: Path, capsys: Shown):
    run(state, capsys)
    near = run(state, capsys, "--later", "4d", status=1)
    _, _, failed = near.partition("The run FAILED (RunFailed): somebody must look at\n")
    assert "  instance cas_dv-cn-ending01 (legacy.example.com): expiring, subscription-ends, 2 days left" in failed
    assert "FAILED" not in run(state, capsys)


def test_what_was_applied_for_and_is_about_to_end_is_named_and_what_is_issued_is_not(state: Path, capsys: Shown):
    run(state, capsys, "--set", "INSTANCES=apply")
    near = run(state, capsys, "--set", "INSTANCES=apply", "--later", "6d", status=1)
    assert re.search(r"^instance +cas_dv-cn-due00001 .* applied +20000007 ", near, re.MULTILINE)
    _, _, failed = near.partition("The run FAILED (RunFailed): somebody must look at\n")
    assert "  instance cas_dv-cn-record01 (pay.example.com): applied, needs-records, 2 days left" in failed
    assert "cas_dv-cn-due00001" not in failed.partition("On the queue")[0]


APPLY = ("--set", "INSTANCES=apply")
DUE, ASKS, BASE = "cas_dv-cn-due00001", "cas_dv-cn-record01", "20000000"


def test_without_the_setting_instances_are_only_watched(state: Path, capsys: Shown):
    found = outcomes(run(state, capsys))
    assert {found[DUE], found[ASKS]} == {"expiring"}


def test_one_run_applies_the_next_ones_show_the_certificate_and_who_must_add_records(state: Path, capsys: Shown):
    first = run(state, capsys, *APPLY)
    found = outcomes(first)
    assert (found[DUE], found[ASKS]) == ("applied", "applied")
    assert (found["cas_dv-cn-hosted01"], found["cas_dv-cn-ending01"]) == ("skipped", "expiring")
    assert f"cas.instance.applied {DUE}-{BASE}-applied" in sent(first)
    second = run(state, capsys, *APPLY, "--later", "1h")
    assert f"cas.instance.issued {DUE}-20000007-issued" in sent(second)
    assert [id_ for id_ in sent(second) if id_.startswith(f"cas.instance.validation {ASKS}-")]
    assert re.search(
        r"^To add for pay.example.com: _dnsauth.pay in the zone example.com, TXT, \w+$", second, re.MULTILINE
    )
    third = run(state, capsys, *APPLY, "--later", "1h", "--add-records")
    assert [id_ for id_ in sent(third) if id_.startswith(f"cas.instance.issued {ASKS}-")]
    assert "To add for" not in run(state, capsys, *APPLY)


@pytest.mark.parametrize("anew", [["--fresh"], ["--rehearse", "held"]])
def test_a_folder_that_is_not_the_stand_ins_is_not_emptied(tmp_path: Path, capsys: Shown, anew: list[str]):
    mine = tmp_path / "mine.txt"
    mine.write_text("kept", encoding="utf-8")
    with pytest.raises(SystemExit):
        invoke.main([TIMER, *anew, "--state", str(tmp_path)])
    assert (mine.read_text(encoding="utf-8"), [*tmp_path.iterdir()]) == ("kept", [mine])
    assert str(tmp_path) in capsys.readouterr().err


def test_four_runs_show_a_whole_chain_from_the_application_to_the_deployment(state: Path, capsys: Shown):
    chain = ("--set", "INSTANCES=apply", "--set", "DEPLOY_TO=*")
    printed = [run(state, capsys, *chain, *later) for later in ((), *[("--later", "1h")] * 3)]
    told = list(map(sent, printed))
    order = [
        f"cas.instance.applied {DUE}-{BASE}-applied",
        f"cas.instance.issued {DUE}-20000007-issued",
        "cas.certificate.deployed 20000007-deployed",
    ]
    places = [next(number for number, ids in enumerate(told) if id_ in ids) for id_ in order]
    assert places == sorted(places)
    assert places[0] == 0
    stages = ("deploying", "deployed 2 of 2")
    shown = [stage for text in printed for stage in stages if re.search(rf"{DUE} .* {stage}\b", text)]
    assert shown == ["deploying", "deployed 2 of 2", "deployed 2 of 2"]
    assert "Still bound to the old certificate of app.example.com: ALB " in printed[1]
    assert not any("Still bound" in text for text in printed[2:])


def test_the_authority_can_be_told_to_refuse(state: Path, capsys: Shown):
    run(state, capsys, *APPLY, "--refuse", DUE)
    refused = run(state, capsys, *APPLY, "--later", "1d")
    assert [line for line in refused.splitlines() if DUE in line and "authority-says" in line]
    assert f"cas.instance.issued {DUE}" not in refused
    ended = run(state, capsys, *APPLY, "--later", "9d", status=1)
    _, _, failed = ended.partition("The run FAILED (RunFailed): somebody must look at\n")
    assert f"  instance {DUE} (app.example.com): applied, authority-says, 1 days left" in failed


def test_an_instance_that_there_is_not_cannot_be_refused(state: Path, capsys: Shown):
    with pytest.raises(SystemExit):
        invoke.main([TIMER, "--refuse", "cas_dv-cn-nowhere1", "--state", str(state)])
    assert DUE in capsys.readouterr().err


@pytest.mark.parametrize("span", ["3", "-3d", "3 days", "d", ""])
def test_a_time_that_is_none_is_refused(state: Path, capsys: Shown, span: str):
    with pytest.raises(SystemExit):
        invoke.main([TIMER, "--later", span, "--state", str(state)])
    assert "3d" in capsys.readouterr().err
    assert not state.exists()


def test_a_self_check_that_finds_something_wrong_does_not_end_as_if_all_were_well(state: Path, capsys: Shown):
    check = str(ROOT / "events/check.json")
    assert invoke.main([check, "--state", str(state)]) == 0
    assert "FAIL" not in capsys.readouterr().out
    assert invoke.main([check, "--state", str(state), "--set", "SMQ_QUEUE=no-such-queue"]) == 1
    assert "FAIL  smq" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ((), "ok    instances     instances can be listed; they are only watched (INSTANCES=watch)"),
        (("INSTANCES=apply",), "armed: their next certificates are applied for (INSTANCES=apply)"),
        (("INSTANCES=apply", "DRY_RUN=true"), "dry run, their next certificates are not applied for"),
        (("INSTANCES=apply", "WATCH=orders"), "FAIL  settings      INSTANCES is 'apply'"),
    ],
)
def test_the_self_check_says_whether_instances_are_applied_for(
    state: Path, capsys: Shown, given: tuple[str, ...], line: str
):
    settings = [part for setting in given for part in ("--set", setting)]
    invoke.main([str(ROOT / "events/check.json"), *settings, "--state", str(state)])
    assert line in capsys.readouterr().out


def test_a_self_check_that_may_not_list_instances_names_every_permission(state: Path, capsys: Shown):
    with patch.object(CasInstances, "probe_instances", side_effect=CasMisconfigured("NoPermission", "no")):
        assert invoke.main([str(ROOT / "events/check.json"), "--state", str(state)]) == 1
    printed = capsys.readouterr().out
    for permission in ("ListInstances", "GetInstanceDetail", "ApplyCertificate", "GetTaskAttribute"):
        assert permission in printed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("FOO", "'FOO' is no setting with its value"),
        ("DRY_RUN", "did you mean DRY_RUN=...?"),
        ("DRYRUN=true", "did you mean DRY_RUN=true?"),
        ("dry_run=true", "did you mean DRY_RUN=true?"),
        ("DRY=true", "NAME is one of CAS_ENDPOINT, "),
        ("=true", "'=true' is no setting"),
    ],
)
def test_a_setting_that_is_none_is_refused_before_anything_is_bought(state: Path, capsys: Shown, given: str, said: str):
    with pytest.raises(SystemExit) as ended:
        invoke.main([TIMER, "--set", given, "--state", str(state)])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not state.exists()


def test_an_event_that_is_empty_is_a_sentence_with_an_example(state: Path, capsys: Shown):
    with pytest.raises(SystemExit, match="2"):
        invoke.main(["", "--state", str(state)])
    assert "For example: make run EVENT=events/timer.json" in capsys.readouterr().err
    assert not state.exists()


def test_half_of_an_option_is_none(state: Path, capsys: Shown):
    with pytest.raises(SystemExit, match="2"):
        invoke.main([TIMER, "--fres", "--state", str(state)])
    assert "make run: error: unrecognized arguments: --fres" in capsys.readouterr().err


def test_a_setting_that_make_is_given_is_one_of_the_function(
    state: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
):
    """Make puts into the environment what stands on its command line."""
    monkeypatch.setenv("DRY_RUN", "true")
    assert "DRY RUN" in run(state, capsys)
    assert "DRY RUN" not in run(state, capsys, "--set", "DRY_RUN=false")


@pytest.mark.parametrize("seconds", ["-20", "0", "1.5", "86401", "5m", ""])
def test_a_timeout_that_no_function_can_have_is_refused(state: Path, capsys: Shown, seconds: str):
    with pytest.raises(SystemExit) as ended:
        invoke.main([TIMER, f"--timeout={seconds}", "--state", str(state)])
    assert ended.value.code == 2
    assert "whole seconds from 1 to 86400" in capsys.readouterr().err
    assert not state.exists()


def test_an_event_that_is_refused_says_what_is_wrong_with_it_and_that_the_run_failed(
    state: Path, tmp_path: Path, capsys: Shown
):
    event = tmp_path / "my event.json"
    event.write_text('{"order_ids": []}', encoding="utf-8")
    assert invoke.main([str(event), "--state", str(state)]) == 1
    assert re.search(r"^FAILED: EventRefused: .*order_ids", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        ({"RENEW_WITHIN_DAYS": "none"}, "FAILED: SettingsError: RENEW_WITHIN_DAYS"),
        ({"SMQ_QUEUE": "no-such-queue"}, "order 123451230 (shop.example.com): renewed, "),
        ({"OSS_ENDPOINT": "no host", "CAS_ENDPOINT": "x y"}, "CAS_ENDPOINT"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_run_that_fails_says_why(state: Path, capsys: Shown, fails: dict[str, str], why: str):
    settings = [word for name, value in fails.items() for word in ("--set", f"{name}={value}")]
    printed = run(state, capsys, *settings, status=1)
    assert why in printed[printed.index("FAILED") :]


def test_a_reader_that_has_seen_enough_is_no_failure(state: Path):
    command = [sys.executable, "-m", "tests.invoke", TIMER, "--state", str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")
    assert (state / "cas.json").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_that_lacks_a_character_is_no_failure(state: Path, tmp_path: Path, encoding: str):
    event = tmp_path / "event.json"
    event.write_text('{"domains": ["\N{GRINNING FACE}.example.com", "\N{SNOWMAN}.example.com"]}', "utf-8")
    environ = {"LC_ALL": "C", "PYTHONIOENCODING": encoding, "HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "tests.invoke", str(event), "--state", str(state)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)
    assert b"UnicodeEncodeError" not in done.stderr
    assert b"\\U0001f600.example.com" in done.stdout
    assert b"The report: " in done.stdout


# --- the table --------------------------------------------------------------------------------------------------------


def table_of(capsys: Shown, *lines: dict[str, Any]) -> list[str]:
    result = {"request_id": "request", "trigger": "manual", "dry_run": False, "counts": {}, "orders": lines}
    show(json.dumps(result))
    return capsys.readouterr().out.splitlines()


def line(**fields: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("order_id", "domain", "reason", "new_order_id", "message_id", "days_left"))
    return {"kind": "order", "outcome": "would-renew", **nothing, **fields}


def test_of_a_deployment_it_is_shown_how_far_it_is_and_why_no_further(capsys: Shown):
    failed = {"stage": "deploy-failed", "deployed": 1, "of": 2, "reason": "resources-left"}
    waits = {"stage": "deploying", "deployed": 0, "of": 0, "reason": "deploying"}
    lines = [line(order_id=str(number), deployment=placing) for number, placing in enumerate((failed, waits, None), 7)]
    head, _, *rows = table_of(capsys, *lines)[:5]
    assert head.endswith("deployment")
    assert [row[head.index("deployment") :] for row in rows] == [
        "deploy-failed 1 of 2, resources-left",
        "deploying",
        "",
    ]


def test_what_no_line_has_is_no_column(capsys: Shown):
    head, _, row, *_ = table_of(capsys, line(order_id="123451222", domain="www.example.com", days_left=20, in_run=3))
    assert re.split(r" {2,}", head) == ["kind", "id", "domain", "days left", "outcome", "in run"]
    assert row.split() == ["order", "123451222", "www.example.com", "20", "would-renew", "3"]


def test_a_line_without_an_id_shows_what_was_asked_for_and_one_of_an_older_version_is_an_order(capsys: Shown):
    old = line(order_id="123451222")
    del old["kind"]
    _, _, *rows = table_of(capsys, line(asked_for="domain a.example.com", outcome="skipped"), old)
    assert rows[0].split("  ")[1] == "domain a.example.com"
    assert rows[1].split()[:2] == ["order", "123451222"]


@pytest.mark.parametrize(
    ("fields", "is_named"),
    [
        ({"reason": "QueueNotExist"}, True),
        ({"reason": "journal-unavailable"}, True),
        ({"reason": "needs-records"}, False),
        ({"reason": "not-issued", "days_left": 2}, True),
        ({"days_left": 2, "new_certificate_id": "20000007"}, False),
    ],
)
def test_an_application_is_named_after_a_failed_run_if_that_is_why(
    capsys: Shown, fields: dict[str, Any], is_named: bool
):
    shown = line(kind="instance", instance_id="cas_dv-cn-due00001", outcome="applied", **{"days_left": 11, **fields})
    show_what_failed(json.dumps({"orders": [shown]}), "RunFailed")
    assert ("cas_dv-cn-due00001" in capsys.readouterr().out) == is_named
