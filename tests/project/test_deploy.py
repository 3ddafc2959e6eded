"""`make deploy`: what is checked before Serverless Devs deploys, and what it is told."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import deploy, deployment
from deploy.deployment import merged
from deploy.problem import Problem
from tests.project.chosen import ACCOUNT, choose

Shown = pytest.CaptureFixture[str]

SERVERLESS_DEVS = """
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "preview":
    print("[2026-11-24 18:21:28][WARN][s_cli] It is not recommended to run the command as root user.")
    if "-o" in sys.argv:
        print((here / "preview.json").read_text())
sys.exit(int((here / "status").read_text()) if (here / "status").exists() else 0)
"""
"""What stands in for `s`: it keeps what it is told and shows what it is given, after a warning as the real one does."""


MAKE = """
import pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "built").open("a") as built:
    built.write(" ".join(sys.argv[1:]) + "\\n")
if not (here / "forgets").exists():
    pathlib.Path("dist").mkdir(exist_ok=True)
    pathlib.Path("dist/runtime").write_text(sys.argv[2].partition("=")[2] + "\\n")
sys.exit((here / "broken").exists())
"""
"""What stands in for `make package`, which takes a minute; all that it leaves is what it has built for."""


class ServerlessDevs:
    """The `s` on PATH, and the `make`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {"s": SERVERLESS_DEVS, "make": MAKE}.items():
            program, source = folder / name, folder / f"{name}.py"
            source.write_text(text, encoding="utf-8")
            # Not Python itself in the first line: no space in its path would be allowed there.
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{source}" "$@"\n', encoding="utf-8")
            program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text("utf-8").splitlines() if calls.exists() else []

    @property
    def built(self) -> list[str]:
        built = self.folder / "built"
        return built.read_text("utf-8").splitlines() if built.exists() else []

    def shows(self, checkout: Path, **environment: str) -> None:
        """Let its preview show the deployment of a checkout, with some settings of its own."""
        read = deployment.read_deployment()
        props = {
            "functionName": read.function,
            "region": read.region,
            "role": f"acs:ram::{read.account}:role/{read.role}",
            "runtime": read.runtime,
            "environmentVariables": {**read.environment, **environment},
        }
        shown = {"resources": {"renewer": {"props": props}}}
        (self.folder / "preview.json").write_text(json.dumps(shown, indent=2), encoding="utf-8")

    def fails(self, status: int) -> None:
        (self.folder / "status").write_text(str(status), encoding="utf-8")


@pytest.fixture
def program(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerlessDevs:
    monkeypatch.setenv("PATH", str(tmp_path))
    choose(checkout)
    program = ServerlessDevs(tmp_path)
    program.shows(checkout)
    return program


def answers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_it_packages_previews_and_deploys_what_the_operator_chose(program: ServerlessDevs, capsys: Shown):
    assert deploy.main([]) == 0
    assert program.built == ["package RUNTIME=python3.10"]
    assert program.calls == ["preview -t s.mine.yaml -o json", "preview -t s.mine.yaml", "deploy -t s.mine.yaml"]
    shown = capsys.readouterr().out
    assert f"cas-certificate-renewer to account {ACCOUNT} in cn-hangzhou, on python3.10:" in shown
    assert "a DRY RUN, which buys, applies for, deploys and sends nothing (DRY_RUN=true)" in shown


def test_whoever_asks_nothing_lets_serverless_devs_ask_nothing(program: ServerlessDevs):
    assert deploy.main(["--yes"]) == 0
    assert program.calls[-1] == "deploy -t s.mine.yaml -y"


def test_what_serverless_devs_fails_at_has_failed(program: ServerlessDevs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deploy, "previewed", lambda command: json.loads((program.folder / "preview.json").read_text()))
    program.fails(101)
    assert deploy.main([]) == 2
    assert program.calls[-1] == "deploy -t s.mine.yaml"


@pytest.mark.parametrize(("said", "status"), [("y\n", 0), ("n\n", 2), ("", 2)])
def test_a_deployment_that_may_spend_money_says_so_and_asks(
    program: ServerlessDevs, checkout: Path, said: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: Shown
):
    choose(checkout, dry_run="false", domains="*.example.com")
    program.shows(checkout)
    answers(monkeypatch, said)
    assert deploy.main([]) == status
    assert ("deploy -t s.mine.yaml" in program.calls) is (status == 0)
    shown = capsys.readouterr()
    assert "from now on they MAY COST MONEY (DRY_RUN=false)" in shown.out
    assert "*.example.com (RENEW_DOMAINS), without exception (RENEW_DOMAINS_EXCEPT)" in shown.out
    assert "10 a run (MAX_RENEWALS_PER_RUN) and 50 a day (MAX_RENEWALS_PER_DAY)" in shown.out
    assert ("Nothing was deployed." in shown.err) is (status == 2)


def test_a_dry_run_in_the_environment_here_deploys_nothing_that_is_none(
    program: ServerlessDevs, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
):
    choose(checkout, dry_run="false")
    program.shows(checkout)
    monkeypatch.setenv("DRY_RUN", "true")
    assert deploy.main(["--yes"]) == 2
    assert "choose dry_run under vars in s.mine.yaml" in capsys.readouterr().err
    assert not program.calls


@pytest.mark.parametrize("own", [True, False])
def test_what_is_still_the_examples_is_not_deployed(program: ServerlessDevs, checkout: Path, own: bool, capsys: Shown):
    if own:
        choose(checkout, account="123456789012")
    else:
        (checkout / deployment.CHOICES).unlink()
    assert deploy.main(["--yes"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("deploy: still the example's: account 123456789012")
    assert not program.calls


def test_the_package_is_for_the_runtime_that_was_chosen(program: ServerlessDevs, checkout: Path):
    own = checkout / deployment.CHOICES
    own.write_text(own.read_text("utf-8").replace("    props:\n", "    props:\n      runtime: python3.12\n"), "utf-8")
    program.shows(checkout)
    assert deploy.main([]) == 0
    assert program.built == ["package RUNTIME=python3.12"]


def test_a_package_that_cannot_be_built_is_not_deployed(program: ServerlessDevs):
    (program.folder / "broken").touch()
    assert deploy.main(["--yes"]) == 2
    assert not [call for call in program.calls if call.startswith("deploy")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('        MAX_RENEWALS_PER_RUN: "many"\n', "MAX_RENEWALS_PER_RUN is 'many'; it must be"),
        ('        RENEW_DOMAIN: "*.example.com"\n', "RENEW_DOMAIN is no setting"),
        ("        MAX_RENEWALS_PER_RUN: 10\n", "MAX_RENEWALS_PER_RUN in s.mine.yaml is 10 and no text"),
    ],
)
def test_a_setting_that_the_function_would_refuse_is_not_deployed(
    program: ServerlessDevs, checkout: Path, text: str, said: str, capsys: Shown
):
    own = checkout / deployment.CHOICES
    own.write_text(own.read_text("utf-8").replace("        DRY_RUN:", f"{text}        DRY_RUN:"), "utf-8")
    assert deploy.main(["--yes"]) == 2
    assert said in capsys.readouterr().err
    assert not program.calls


SETTINGS_THAT_MATTER = {
    "DRY_RUN": "false",
    "RENEW_DOMAINS_EXCEPT": "pay.example.com",
    "RENEW_WITHIN_DAYS": "21",
    "RENEW_STATUSES": "ISSUED",
    "MAX_RENEWALS_PER_RUN": "3",
    "MAX_RENEWALS_PER_DAY": "7",
    "INSTANCES": "apply",
    "DEPLOY_TO": "CDN,ALB",
    "DEPLOY_CONTACT": "4711",
    "PROBE": "off",
    "WATCH": "orders,instances",
    "ALERT_QUEUE": "alerts",
    "EXPIRY_EVENTS": "*ends*",
    "CAS_ENDPOINT": "cas.ap-southeast-1.aliyuncs.com",
}


def set_in(own: Path, **settings: str) -> None:
    """Put settings into the operator's file, in the place of what stands there."""
    text = own.read_text("utf-8")
    for name in settings:
        text = re.sub(rf"(?m)^        {name}: .*\n", "", text)
    lines = "".join(f'        {name}: "{value}"\n' for name, value in settings.items())
    own.write_text(text.replace("      environmentVariables:\n", f"      environmentVariables:\n{lines}"), "utf-8")


def test_the_question_names_every_choice_that_lets_it_spend_or_change_something(
    program: ServerlessDevs, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
):
    own = choose(checkout, dry_run="false", domains="*.example.com", alert_queue="alerts")
    set_in(own, **SETTINGS_THAT_MATTER)
    program.shows(checkout)
    answers(monkeypatch, "n\n")
    assert deploy.main([]) == 2
    before, _, _ = capsys.readouterr().out.partition("Deploy it?")
    for name, value in SETTINGS_THAT_MATTER.items():
        assert name in before
        assert not {part for part in value.split(",") if part not in before} or name in {
            "DRY_RUN",
            "INSTANCES",
            "PROBE",
        }
    assert "APPLIED FOR" in before
    assert "CDN, ALB (DEPLOY_TO): RUNNING SYSTEMS CHANGE" in before
    assert "CRON_TZ=Asia/Shanghai 0 0 9 * * *" in before
    assert "certificate-expiry" in before


def test_what_is_harmless_is_named_too(program: ServerlessDevs, capsys: Shown):
    assert deploy.main([]) == 0
    shown = capsys.readouterr().out
    assert "only watched (INSTANCES=watch)" in shown
    assert "nothing (DEPLOY_TO is empty)" in shown
    assert "without exception (RENEW_DOMAINS_EXCEPT)" in shown
    assert "Once it is none, what follows holds:" in shown


def test_a_timer_that_is_off_is_no_schedule(program: ServerlessDevs, checkout: Path, capsys: Shown):
    off = "      triggers:\n        - triggerName: daily\n          triggerType: timer\n          triggerConfig:\n"
    off += '            cronExpression: "@every 5m"\n            enable: false\n'
    own = checkout / deployment.CHOICES
    own.write_text(own.read_text("utf-8").replace("    props:\n", f"    props:\n{off}"), "utf-8")
    program.shows(checkout)
    assert deploy.main([]) == 0
    assert "never by itself: no timer is on" in capsys.readouterr().out


@pytest.mark.parametrize(("length", "status"), [(3000, 0), (4096, 2)])
def test_settings_that_are_larger_than_the_platform_takes_are_not_deployed(
    program: ServerlessDevs, checkout: Path, length: int, status: int, capsys: Shown
):
    set_in(checkout / deployment.CHOICES, RENEW_DOMAINS_EXCEPT=",".join(["a.example.com"] * (length // 14)))
    program.shows(checkout)
    assert deploy.main(["--yes"]) == status
    said = capsys.readouterr().err
    assert ("the platform takes 4096. To do: shorten RENEW_DOMAINS_EXCEPT" in said) is (status == 2)
    assert bool(program.built) is (status == 0)


def test_a_package_that_was_built_for_another_runtime_is_not_deployed(
    program: ServerlessDevs, checkout: Path, capsys: Shown
):
    (program.folder / "forgets").touch()
    assert deploy.main(["--yes"]) == 2
    assert "the package in dist is for nothing" in capsys.readouterr().err
    (checkout / "dist").mkdir()
    (checkout / "dist" / "runtime").write_text("python3.12\n")
    assert deploy.main(["--yes"]) == 2
    assert "for python3.12, and runtime in s.mine.yaml is python3.10" in capsys.readouterr().err
    assert not [call for call in program.calls if call.startswith("deploy")]


def test_code_that_was_not_built_here_is_not_deployed(program: ServerlessDevs, checkout: Path, capsys: Shown):
    own = checkout / deployment.CHOICES
    own.write_text(own.read_text("utf-8").replace("    props:\n", "    props:\n      code: ./old\n"), "utf-8")
    program.shows(checkout)
    assert deploy.main(["--yes"]) == 2
    assert "code in s.mine.yaml is './old'" in capsys.readouterr().err


def test_a_runtime_that_is_none_is_not_deployed(program: ServerlessDevs, checkout: Path, capsys: Shown):
    own = checkout / deployment.CHOICES
    own.write_text(own.read_text("utf-8").replace("    props:\n", "    props:\n      runtime: python3.9\n"), "utf-8")
    assert deploy.main(["--yes"]) == 2
    assert "the runtime is 'python3.9'; it must be one of" in capsys.readouterr().err
    assert not program.calls


@pytest.mark.parametrize("setting", [{"DRY_RUN": "false"}, {"MORE": "1"}])
def test_what_serverless_devs_reads_otherwise_is_not_deployed(
    program: ServerlessDevs, checkout: Path, setting: dict[str, str], capsys: Shown
):
    program.shows(checkout, **setting)
    assert deploy.main(["--yes"]) == 2
    ((name, value),) = setting.items()
    assert f"{name} is {value!r} for `s preview`" in capsys.readouterr().err
    assert program.calls == ["preview -t s.mine.yaml -o json"]
    assert not program.built


@pytest.mark.parametrize("preview", ["", "Error Message:\nboom\n", "{\n}"])
def test_a_preview_that_shows_nothing_is_not_deployed(program: ServerlessDevs, preview: str, capsys: Shown):
    (program.folder / "preview.json").write_text(preview, encoding="utf-8")
    assert deploy.main(["--yes"]) == 2
    assert "deploy: " in capsys.readouterr().err
    assert program.calls == ["preview -t s.mine.yaml -o json"]


def test_without_serverless_devs_it_says_how_to_install_it(program: ServerlessDevs, capsys: Shown):
    (program.folder / "s").unlink()
    assert deploy.main([]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "npm i -g @serverless-devs/s" in line
    assert not program.built


# --- the two files, as Serverless Devs lays them over each other ------------------------------------------------------

BELOW = """
vars:
  region: &region cn-hangzhou
  account: "1"
  empty: ""
resources:
  renewer:
    component: fc3
    props:
      region: *region
      role: acs:ram::${vars.account}:role/${vars.region}
      timeout: 300
      environmentVariables:
        A: "1"
        B: *region
      triggers:
        - triggerName: one
          triggerConfig: {enable: true, cronExpression: "@every 5m"}
        - triggerName: two
"""
ABOVE = """
vars:
  account: "2"
  region: &region cn-beijing
resources:
  renewer:
    props:
      timeout: %s
      environmentVariables:
        B: *region
        C: ""
      triggers:
        - triggerName: three
"""
SHOWN = {
    "vars": {"region": "cn-beijing", "account": "2", "empty": ""},
    "resources": {
        "renewer": {
            "component": "fc3",
            "props": {
                "region": "cn-hangzhou",
                "role": "acs:ram::2:role/cn-beijing",
                "timeout": 600,
                "environmentVariables": {"A": "1", "B": "cn-beijing", "C": ""},
                "triggers": [{"triggerName": "three"}],
            },
        }
    },
}
"""What `s preview -o json` of Serverless Devs 3.1.10 has shown of these two, the second with `extend` to the first."""


@pytest.mark.parametrize(("above", "timeout"), [("600", 600), ("null", 300)])
def test_two_files_are_laid_over_each_other_as_serverless_devs_does_it(above: str, timeout: int):
    found: Any = merged(yaml.safe_load(BELOW), yaml.safe_load(ABOVE % above))
    props = found["resources"]["renewer"]["props"]
    assert props["timeout"] == timeout
    props["timeout"] = 600
    props["role"] = deployment._text(props, "role", found["vars"], "s.yaml")
    assert found == SHOWN


# --- choices that would not arrive ------------------------------------------------------------------------------------


def test_the_filled_in_example_arrives_where_it_should(checkout: Path):
    choose(
        checkout, region="cn-beijing", queue="q", alert_queue="alerts", role="r", domains="*.example.com", dry_run="x"
    )
    read = deployment.read_deployment()
    assert (read.region, read.queue, read.alert_queue, read.role) == ("cn-beijing", "q", "alerts", "r")
    assert read.environment["SMQ_ENDPOINT"] == f"https://{ACCOUNT}.mns.cn-beijing.aliyuncs.com"
    assert read.environment["RENEW_DOMAINS"] == "*.example.com"
    assert read.environment["DRY_RUN"] == "x"


def test_the_example_chooses_what_the_deployment_has_anyway(checkout: Path):
    """So copying it changes nothing, until something is filled in."""
    before = deployment.read_deployment()
    (checkout / deployment.CHOICES).write_bytes((checkout / deployment.EXAMPLE).read_bytes())
    after = deployment.read_deployment()
    assert (after.template, before.template) == ("s.mine.yaml", "s.yaml")
    assert {**vars(after), "template": ""} == {**vars(before), "template": ""}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("      region: *region\n", "", "region in s.mine.yaml is 'cn-beijing', and region of the function is"),
        ("        DRY_RUN: *dry_run\n", "", "dry_run in s.mine.yaml is 'false', and DRY_RUN of the function is 'true'"),
        ("        DRY_RUN: *dry_run", '        DRY_RUN: "true"', "let DRY_RUN be 'false' there"),
        ("        RENEW_DOMAINS: *domains\n", "", "and RENEW_DOMAINS of the function is '*'"),
        ("  role:", '  schedule: "0 0 5 * * *"\n  role:', "and cronExpression of the function is"),
        ("  role:", '  journal_buckt: "x"\n  role:', "journal_buckt in vars in s.mine.yaml is no variable"),
        ("extend: s.yaml\n", "", "does not say `extend: s.yaml`"),
        ("extend: s.yaml", "extend: other.yaml", "does not say `extend: s.yaml`"),
        ('"renewer"', "${env('ROLE')}", "only Serverless Devs can fill in"),
        ("vars:", "vars: [", "s.mine.yaml is no YAML"),
        ("vars:\n", "vars: 1\nothers:\n", "vars in s.mine.yaml is no object"),
        ("      region: *region\n", "      region: *region\n      triggers: [daily]\n", "no list of objects"),
    ],
)
def test_a_choice_that_would_have_no_effect_is_refused(checkout: Path, old: str, new: str, said: str):
    own = choose(checkout, region="cn-beijing", dry_run="false", domains="*.example.com", role="renewer")
    text = own.read_text("utf-8")
    assert old in text
    own.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Problem) as refused:
        deployment.read_deployment()
    assert said in refused.value.line


def test_what_is_no_text_at_all_is_refused(checkout: Path):
    (checkout / deployment.CHOICES).write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match=r"s\.mine\.yaml cannot be read"):
        deployment.read_deployment()
    (checkout / deployment.CHOICES).write_text("- a list\n")
    with pytest.raises(Problem, match=r"s\.mine\.yaml holds no object"):
        deployment.read_deployment()
