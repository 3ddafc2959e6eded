"""What would only show when somebody deploys: s.yaml, the settings in it, and the RAM policy."""

import ast
import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import policy
from handler.runtime.variables import VARIABLES
from tests.project.chosen import ACCOUNT, BUCKET, choose

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "s.yaml").read_text(encoding="utf-8")
DEPLOYMENT = yaml.safe_load(TEXT)
PROPS = DEPLOYMENT["resources"]["renewer"]["props"]
TRIGGERS = {trigger["triggerName"]: trigger for trigger in PROPS["triggers"]}
OPERATOR_CHOICES = {"DRY_RUN": "true"}
"""Where s.yaml means to differ from the function's own default."""

CRON_FIELDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def test_the_deployment_is_for_serverless_devs_3_and_its_fc3_component():
    assert DEPLOYMENT["edition"] == "3.0.0"
    assert DEPLOYMENT["resources"]["renewer"]["component"] == "fc3"


def test_the_deployment_has_every_key_that_the_component_cannot_do_without():
    assert {"region", "functionName", "runtime", "code", "handler", "timeout", "role"} <= PROPS.keys()


def test_the_deployment_runs_what_make_package_builds():
    assert PROPS["code"] == "./dist/code"
    assert PROPS["runtime"] == "python3.10"


@pytest.mark.parametrize(
    "entry",
    [PROPS["handler"], PROPS["instanceLifecycleConfig"]["initializer"]["handler"]],
    ids=["handler", "initializer"],
)
def test_the_entry_points_are_functions_of_the_file_that_the_package_puts_in_its_root(entry: str):
    file, function = entry.split(".")
    assert file == "index", "deploy.package moves handler/index.py to the root, nothing else"
    tree = ast.parse((ROOT / "handler" / "index.py").read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_variable_under_vars_is_used():
    for name, value in DEPLOYMENT["vars"].items():
        assert f"${{vars.{name}}}" in TEXT or f": *{name}\n" in TEXT
        assert isinstance(value, str), f"{name} must be quoted"


def test_every_placeholder_names_a_variable_under_vars():
    used = set(re.findall(r"\$\{vars\.([^}]+)\}", TEXT))
    assert used <= DEPLOYMENT["vars"].keys()
    assert TEXT.count("${") == len(re.findall(r"\$\{vars\.\w+\}", TEXT))


def test_the_first_deployment_is_a_dry_run():
    assert PROPS["environmentVariables"]["DRY_RUN"] == "true"


def test_runs_are_serial_and_failed_ones_are_tried_again():
    assert PROPS["concurrencyConfig"] == {"reservedConcurrency": 1}
    assert 1 <= PROPS["asyncInvokeConfig"]["maxAsyncRetryAttempts"] <= 8


# --- what the operator chooses ----------------------------------------------------------------------------------------


def test_git_leaves_the_operators_file_alone():
    assert "s.mine.yaml" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (["NAME=f", "EVENT=my events/a b.json"], ["--", "f", "my events/a b.json"]),
        (["NAME=f", "EVENT=e", "ARGS=--async"], ["--async", "--", "f", "e"]),
        ([], ["--", "", ""]),
        (["NAME=", "EVENT=e"], ["--", "", "e"]),
    ],
)
def test_make_invoke_takes_name_and_event_from_the_command_line_alone(given: list[str], sent: list[str]):
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ARGS"))}
    environ = {**outside, "NAME": "another-function", "EVENT": "events/timer.json"}
    command = ["make", "--dry-run", "--assume-old=.venv/.installed", "VENV=.venv", "invoke", *given]
    printed = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout
    assert shlex.split(printed.replace("\\\n", " "))[3:] == sent


# --- what the platform allows -----------------------------------------------------------------------------------------


def test_the_timeout_is_one_that_the_platform_allows():
    assert 1 <= PROPS["timeout"] <= 86400


def test_memory_and_processor_are_a_pair_that_the_platform_allows():
    memory, cpu = PROPS["memorySize"], PROPS["cpu"]
    assert 128 <= memory <= 32768
    assert memory % 64 == 0
    assert (cpu / 0.05) == pytest.approx(round(cpu / 0.05))
    assert 1 <= (memory / 1024) / cpu <= 4, "GB of memory for each vCPU"
    assert PROPS["diskSize"] in {512, 10240}


def test_environment_variables_are_strings_within_the_platforms_limits():
    variables = PROPS["environmentVariables"]
    assert all(isinstance(value, str) for value in variables.values()), (
        "YAML makes numbers and booleans of unquoted ones"
    )
    assert not [name for name in variables if name.startswith("FC_")], "FC_ is reserved"
    assert sum(len(f"{name}{value}".encode()) for name, value in variables.items()) <= 4096


# --- settings ---------------------------------------------------------------------------------------------------------


def test_every_environment_variable_is_a_setting_and_every_setting_is_there():
    assert list(PROPS["environmentVariables"]) == [variable.name for variable in VARIABLES]


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_a_setting_is_deployed_with_the_default_that_the_function_has(variable: Any):
    deployed = PROPS["environmentVariables"][variable.name]
    if variable.default is None:
        assert deployed
    else:
        default = re.sub(r"<(\w+)>", r"${vars.\1}", variable.default)
        assert deployed == OPERATOR_CHOICES.get(variable.name, default)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_a_deployed_setting_is_one_that_the_function_accepts(variable: Any):
    deployed = PROPS["environmentVariables"][variable.name]
    variable.parse(re.sub(r"\$\{vars\.(\w+)\}", lambda name: DEPLOYMENT["vars"][name[1]], deployed))


# --- triggers ---------------------------------------------------------------------------------------------------------


def cron_problem(expression: str) -> str | None:
    """What the platform would not understand, or would silently never fire."""
    if re.fullmatch(r"@every [1-9]\d*[smh]", expression):
        return None
    fields = re.sub(r"^CRON_TZ=[A-Za-z_]+(/[A-Za-z_+\-0-9]+)* ", "", expression).split()
    if len(fields) != len(CRON_FIELDS):
        return f"{len(fields)} fields"
    for field, (low, high) in zip(fields, CRON_FIELDS, strict=True):
        if not re.fullmatch(r"[\d*?/,\-LW#A-Z]+", field):
            return f"{field!r} is no field"
        if not all(low <= int(number) <= high for number in re.findall(r"(?<![/\d])\d+", field)):
            return f"{field!r} is outside {low}-{high}"
    return None


def test_the_schedule_is_one_that_fires():
    assert cron_problem(TRIGGERS["daily"]["triggerConfig"]["cronExpression"]) is None


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 0 9 * * *", None),
        ("CRON_TZ=Asia/Shanghai 0 */5 9-17 * * MON-FRI", None),
        ("@every 5m", None),
        ("0 9 * * *", "5 fields"),
        ("0 0 24 * * *", "'24' is outside 0-23"),
        ("0 61/5 9 * * *", "'61/5' is outside 0-59"),
        ("0 0 9 0 * *", "'0' is outside 1-31"),
        ("CRON_TZ=Asia/Shanghai", "1 fields"),
    ],
)
def test_a_schedule_that_would_never_fire_is_noticed(expression: str, problem: str | None):
    assert cron_problem(expression) == problem


def test_the_schedule_says_its_time_zone():
    assert DEPLOYMENT["vars"]["schedule"].startswith("CRON_TZ="), "without one it is UTC"


@pytest.mark.parametrize("trigger", TRIGGERS.values(), ids=TRIGGERS.keys())
def test_a_trigger_has_the_keys_of_its_type_and_no_misspelt_ones(trigger: dict[str, Any]):
    keys = {
        "timer": ({"cronExpression", "enable"}, {"payload"}),
        "eventbridge": (
            {"triggerEnable", "asyncInvocationType", "eventRuleFilterPattern", "eventSourceConfig"},
            {"eventSinkConfig", "runOptions"},
        ),
    }
    required, optional = keys[trigger["triggerType"]]
    assert required <= trigger["triggerConfig"].keys() <= required | optional
    assert trigger.keys() <= {"triggerName", "triggerType", "triggerConfig", "description", "qualifier"}


def test_event_triggers_come_last():
    types = [trigger["triggerType"] for trigger in PROPS["triggers"]]
    assert types == sorted(types, key="eventbridge".__eq__), "the component stops at an unchanged event trigger"


def test_the_event_pattern_is_json_whose_leaves_are_lists():
    pattern = json.loads(TRIGGERS["certificate-expiry"]["triggerConfig"]["eventRuleFilterPattern"])
    assert pattern.keys() == {"source", "type"}
    assert all(isinstance(values, list) for values in pattern.values())


# --- the RAM policy ---------------------------------------------------------------------------------------------------


def printed_policy(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert policy.main(list(arguments)) == 0
    return capsys.readouterr().out


def test_the_policy_is_filled_in_from_the_deployment(capsys: pytest.CaptureFixture[str]):
    text = printed_policy(capsys)
    assert "$" not in text
    granted: dict[str, list[str]] = {}
    for statement in json.loads(text)["Statement"]:
        for action in statement["Action"] if statement["Effect"] == "Allow" else ():
            granted.setdefault(action, []).extend(statement["Resource"])
    assert granted["mns:SendMessage"] == ["acs:mns:cn-hangzhou:123456789012:/queues/renewed-certificates/messages"]
    assert granted["oss:PutObject"] == [
        "acs:oss:*:123456789012:example-renewal-journal/renewals/*",
        "acs:oss:*:123456789012:example-renewal-journal/.renewers/123456789012/*",
    ]


def test_the_policy_covers_the_queue_and_the_journal_that_the_function_is_deployed_with(
    capsys: pytest.CaptureFixture[str],
):
    variables = PROPS["environmentVariables"]
    text = printed_policy(capsys)
    assert f"/queues/{variables['SMQ_QUEUE']}/messages" in text
    place = re.sub(r"\$\{vars\.(\w+)\}", lambda name: DEPLOYMENT["vars"][name[1]], variables["JOURNAL_URL"])
    assert f":{place.removeprefix('oss://')}/*" in text


def test_an_argument_takes_precedence_over_the_deployment(capsys: pytest.CaptureFixture[str]):
    text = printed_policy(capsys, "queue=another-queue", "prefix=a/b/")
    assert "/queues/another-queue" in text
    assert "example-renewal-journal/a/b/*" in text


@pytest.mark.parametrize("argument", ["queue=*", "account=", "prefix=", "bucket=a/*", "queues=x", "prefix=../x*"])
def test_a_value_that_would_grant_more_than_was_meant_is_refused(argument: str, capsys: pytest.CaptureFixture[str]):
    assert policy.main([argument]) == 1
    assert argument.partition("=")[0] in capsys.readouterr().err


def test_a_policy_of_the_example_warns_and_one_of_the_operator_does_not(
    checkout: Path, capsys: pytest.CaptureFixture[str]
):
    assert policy.main([]) == 0
    shown = capsys.readouterr()
    (warning,) = shown.err.splitlines()
    assert "still the example's: account 123456789012 and journal_bucket example-renewal-journal" in warning
    assert json.loads(shown.out)["Version"] == "1"
    assert policy.main(["account=1", "bucket=mine-journal"]) == 0
    choose(checkout)
    assert policy.main([]) == 0
    shown = capsys.readouterr()
    assert not shown.err
    assert f"acs:oss:*:{ACCOUNT}:{BUCKET}/renewals/*" in shown.out


def test_a_deployment_that_cannot_be_read_is_one_line(checkout: Path, capsys: pytest.CaptureFixture[str]):
    (checkout / "s.mine.yaml").write_text("extend: [", encoding="utf-8")
    assert policy.main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("policy: s.mine.yaml is no YAML: ")


def test_only_the_certificate_service_is_granted_on_everything():
    statements = json.loads(policy.POLICY.read_text(encoding="utf-8"))["Statement"]
    for statement in (statement for statement in statements if statement["Effect"] == "Allow"):
        everything = "*" in statement["Resource"]
        assert everything == all(action.startswith("yundun-cert:") for action in statement["Action"])
        assert not [action for action in statement["Action"] if "*" in action]


def test_only_function_compute_may_take_the_role():
    trust = json.loads((ROOT / "deploy" / "trust-policy.json").read_text(encoding="utf-8"))
    assert [statement["Principal"] for statement in trust["Statement"]] == [{"Service": ["fc.aliyuncs.com"]}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('vars:\n  region: "cn-hangzhou\n  account: "1"\n', "policy: s.yaml is no YAML: line 3"),
        ("vars:\n  region: cn-hangzhou\n account: 1\n", "policy: s.yaml is no YAML: line 3"),
        ("vars:\n\tregion: cn-hangzhou\n", "policy: s.yaml is no YAML: line 2"),
        ("vars: \x00\n", "policy: s.yaml is no YAML: "),
        ("vars: &region cn-hangzhou\n", "policy: vars in s.yaml is no object"),
        ("- vars\n", "policy: s.yaml holds no object"),
        ("", "policy: s.yaml holds no object"),
    ],
)
def test_a_deployment_that_cannot_be_read_is_told_with_the_place(
    checkout: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
):
    (checkout / "s.yaml").write_text(text, encoding="utf-8")
    assert policy.main([]) == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert "Traceback" not in told
