"""Rehearsals: each shows what its text says, and the commands that it prints, typed as they stand, end it well."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests import invoke, rehearsals
from tests.project.documents import EDITIONS, ROOT, Edition
from tests.rehearsed import INSTANCE, REHEARSALS
from tests.stubs.clock import FakeClock
from tests.stubs.cloud import local_cloud

Shown = pytest.CaptureFixture[str]
ORDER = "123451222"
GOOD_ENDS = {
    "lost-answer": (ORDER, "renewed", "cas.order.renewed 123451222-98987582437920968"),
    "held": (ORDER, "already-renewed", "cas.order.renewed 123451222-98987582437920968"),
    "refused": (ORDER, "renewed", "cas.order.renewed 123451222-98987582437920968"),
    "expired": (ORDER, None, ""),
    "validation": (INSTANCE, "applied", "cas.instance.issued cas_dv-cn-record01-20000001-issued"),
    "deploy-failed": (ORDER, "already-renewed", ""),
}
"""By rehearsal: whose line the last run shows and with which outcome, and what was sent by then."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes by but what `--later` lets go by."""
    clock = FakeClock()
    monkeypatch.setattr(invoke, "SystemClock", lambda: clock)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".local"


def typed(command: str, state: Path) -> int:
    """What `make run`, typed like this, ends with."""
    words = shlex.split(command, comments=True)
    assert words[:2] == ["make", "run"]
    given = dict(word.split("=", 1) for word in words[2:])
    assert given.keys() <= {"EVENT", "ARGS"}
    event = str(ROOT / given.get("EVENT", "events/timer.json"))
    return invoke.main([event, *shlex.split(given.get("ARGS", "")), "--state", str(state)])


def outcomes(printed: str) -> dict[str, str]:
    """By id, the outcome of each line of the table."""
    rows = [re.split(r" {2,}", line) for line in printed.splitlines()]
    return {row[1]: row[4] for row in rows if row[0] in {"order", "instance", "certificate"}}


def sent(printed: str) -> list[str]:
    """The type and the id of each message on the queue."""
    return [" ".join(found) for found in re.findall(r"^[+ ] \S+Z  (cas\.\S+) +(\S+)", printed, re.MULTILINE)]


def commands_of(printed: str) -> list[str]:
    """The commands that a rehearsal says to type next."""
    return [line.strip() for line in printed.splitlines() if line.startswith("  make ")]


@pytest.mark.parametrize("name", REHEARSALS)
def test_a_rehearsal_shows_its_state_and_the_commands_that_it_prints_end_it_well(name: str, state: Path, capsys: Shown):
    assert typed(f"make run ARGS='--rehearse {name}'", state) == 0
    begun = capsys.readouterr().out
    assert begun.index("Prepared: ") < begun.index("On the queue") < begun.index("Next: ")
    rehearsal = REHEARSALS[name]
    assert outcomes(begun)[rehearsal.about] == rehearsal.shows[0]
    commands = commands_of(begun)
    assert commands
    for command in commands:
        assert typed(command, state) == 0, command
        printed = capsys.readouterr().out
    about, outcome, message = GOOD_ENDS[name]
    assert outcomes(printed).get(about) == outcome
    assert "FAILED" not in printed
    assert not message or message in sent(printed)


@pytest.mark.parametrize("name", REHEARSALS)
def test_without_what_the_operator_does_the_state_stays(name: str, state: Path, capsys: Shown):
    """Nothing of it ends well by itself but what needs nobody: the answer that was lost."""
    typed(f"make run ARGS='--rehearse {name}'", state)
    capsys.readouterr()
    typed("make run ARGS='--later 2h'", state)
    left = outcomes(capsys.readouterr().out).get(REHEARSALS[name].about)
    assert left == ("renewed" if name == "lost-answer" else REHEARSALS[name].shows[0])


def test_the_candidates_between_which_a_person_decides_are_shown(state: Path, capsys: Shown):
    typed("make run ARGS='--rehearse held'", state)
    assert "\n    candidates: 98987582437920968, 98987582437920970\n" in capsys.readouterr().out


def test_a_deployment_that_failed_is_told_with_what_still_has_the_old_certificate(state: Path, capsys: Shown):
    typed("make run ARGS='--rehearse deploy-failed'", state)
    assert "cas.certificate.deploy-failed 438920968-deploy-failed" in sent(capsys.readouterr().out)
    with local_cloud(FakeClock(), state=state) as cloud:
        (message,) = [one for one in cloud.smq.messages() if one["type"] == "cas.certificate.deploy-failed"]
        found = {resource["Product"]: resource["Outcome"] for resource in message["data"]["Resources"]}
        assert found == {"CDN": "deployed", "ALB": "failed"}


def test_what_is_released_by_mistake_is_bought_a_second_time_as_the_documents_warn(state: Path, capsys: Shown):
    typed("make run ARGS='--rehearse held'", state)
    assert typed("make run EVENT=events/release.json", state) == 0
    typed("make run", state)
    with local_cloud(FakeClock(), state=state) as cloud:
        assert len(cloud.cas.bought(ORDER)) == 2


def test_a_rehearsal_begins_anew_and_is_over_with_a_fresh_account(state: Path, capsys: Shown):
    typed("make run ARGS='--rehearse validation'", state)
    typed("make run ARGS='--rehearse refused'", state)
    assert INSTANCE not in outcomes(capsys.readouterr().out.rpartition("Rehearsal")[2])
    assert typed("make run ARGS=--fresh", state) == 0
    assert rehearsals.settings(state) == {}
    assert "cas_dv-cn-due00001" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--done", "--rehearse NAME begins one"),
        ("--rehearse held --later 1d", "--rehearse starts anew"),
        ("--rehearse held --done", "--rehearse starts anew"),
        ("--rehearse nonsense", "lost-answer"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_happens(
    options: str, said: str, state: Path, capsys: Shown
):
    with pytest.raises(SystemExit) as ended:
        typed(f"make run ARGS='{options}'", state)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not state.exists()


def test_there_is_nothing_to_be_done_elsewhere_where_only_an_event_decides(state: Path, capsys: Shown):
    typed("make run ARGS='--rehearse held'", state)
    with pytest.raises(SystemExit):
        typed("make run ARGS=--done", state)
    assert "there is nothing to do in a console" in capsys.readouterr().err


def test_a_rehearsal_that_does_not_show_its_state_fails(state: Path):
    assert typed("make run ARGS='--rehearse refused --set DRY_RUN=true'", state) == 1


def test_a_job_for_the_resources_of_deploy_failed_fails_for_one_of_them_until_a_person_has_deployed(state: Path):
    typed("make run ARGS='--rehearse deploy-failed'", state)
    assert rehearsals.settings(state) == {"DEPLOY_TO": "*", "PROBE": "off"}
    clock = FakeClock()
    clock.advance(days=1)
    with local_cloud(clock, state=state) as cloud:
        cas = cloud.cas
        new = cas.order(cas.bought(ORDER)[0].new_order_id).certificate_id
        assert new
        resources = cas.resources.all()
        job = cas.deployments.create_in_console("by hand", new, [one.resource_id for one in resources])
        clock.advance(seconds=60)
        assert cas.deployments.job(job).status == "error"
        assert {one.product: one.status for one in cas.deployments.workers(job)} == {"CDN": "success", "ALB": "error"}
    rehearsals.do(state, clock)
    with local_cloud(clock, state=state) as cloud:
        assert {one.certificate_id for one in cloud.cas.resources.all()} == {new}


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_the_documents_walk_through_each_rehearsal_with_the_commands_that_it_prints(edition: Edition):
    lines = [line for _, line in edition.named("docs/operating").commands if line.startswith("make run")]
    for name, rehearsal in REHEARSALS.items():
        start = next(number for number, line in enumerate(lines) if f"--rehearse {name}'" in line)
        printed = [shlex.split(line, comments=True) for line in commands_of(rehearsal.next)]
        shown = [shlex.split(line, comments=True) for line in lines[start + 1 : start + 1 + len(printed)]]
        assert shown == printed


@pytest.mark.parametrize("name", REHEARSALS)
def test_every_later_run_says_that_a_rehearsal_is_under_way_and_how_to_end_it(name: str, state: Path, capsys: Shown):
    typed(f"make run ARGS='--rehearse {name}'", state)
    assert "is under way" not in capsys.readouterr().out
    typed("make run EVENT=events/check.json", state)
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"The rehearsal {name} is under way here")
    assert "ARGS=--fresh ends it." in first
    assert ("ARGS=--done does what" in first) is (REHEARSALS[name].done is not None)
    for setting, value in REHEARSALS[name].settings.items():
        assert f"{setting}={value}" in first
    typed("make run ARGS=--fresh", state)
    typed("make run EVENT=events/check.json", state)
    assert "is under way" not in capsys.readouterr().out
