"""Keys of the operator's file that nobody would read: nobody may believe in a limit that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import deploy, deployment, policy
from deploy.deployment import read_deployment
from deploy.problem import Problem
from tests.project.chosen import choose

Shown = pytest.CaptureFixture[str]

TOP, RESOURCE, PROPS, ENVIRONMENT = "", "    ", "      ", "        "
"""How far what stands there is indented."""
AFTER = {
    TOP: "extend: s.yaml\n",
    RESOURCE: "  renewer:\n",
    PROPS: "    props:\n",
    ENVIRONMENT: "      environmentVariables:\n",
    "vars": "vars:\n",
    "resources": "resources:\n",
}


def refusal(own: Path, change: Callable[[str], str]) -> str:
    """What is said of the operator's file once it is changed."""
    before = own.read_text("utf-8")
    own.write_text(change(before), "utf-8")
    assert own.read_text("utf-8") != before
    with pytest.raises(Problem) as refused:
        read_deployment()
    return refused.value.line


def put(where: str, lines: str) -> Callable[[str], str]:
    """Put lines into an object of the file, at its beginning."""
    return lambda text: text.replace(AFTER[where], AFTER[where] + lines, 1)


@pytest.fixture
def own(checkout: Path) -> Path:
    return choose(checkout)


@pytest.mark.parametrize(
    ("where", "lines", "said"),
    [
        # at the top
        (TOP, "acess: mine\n", "acess in s.mine.yaml is read by nobody. To do: rename it if access is meant"),
        (TOP, "timeout: 600\n", "timeout in s.mine.yaml is read by nobody. To do: move it to resources.renewer.props"),
        (TOP, 'DRY_RUN: "true"\n', "DRY_RUN in s.mine.yaml is not where DRY_RUN is read"),
        (TOP, 'variables:\n  dry_run: "true"\n', "variables in s.mine.yaml is not where dry_run is read"),
        (TOP, 'env:\n  MAX_RENEWALS_PER_RUN: "1"\n', "env in s.mine.yaml is not where MAX_RENEWALS_PER_RUN is read"),
        (TOP, "services:\n  a:\n    - DRYRUN: 1\n", "services in s.mine.yaml is not where DRYRUN is read"),
        # in vars
        ("vars", '  dryrun: "true"\n', "dryrun in vars in s.mine.yaml is no variable of this project"),
        ("vars", '  limit: "1"\n', "limit in vars in s.mine.yaml is no variable of this project, and nothing uses it"),
        ("vars", '  DRY_RUN: "true"\n', "rename it if dry_run is meant"),
        # in the resource, and beside it
        (RESOURCE, "    prop:\n      timeout: 600\n", "prop in resources.renewer in s.mine.yaml is read by nobody"),
        (
            RESOURCE,
            '    environmentVariables:\n      MAX_RENEWALS_PER_DAY: "1"\n',
            "environmentVariables in resources.renewer in s.mine.yaml is read by nobody. To do: move it to resources",
        ),
        (RESOURCE, "    timeout: 600\n", "To do: move it to resources.renewer.props"),
        (
            "resources",
            "  renewr:\n    props:\n      timeout: 60\n",
            "renewr in resources in s.mine.yaml is not the funct",
        ),
        (
            "resources",
            "  second:\n    component: fc3\n    x: {DRY_RUN: a}\n",
            "second in resources in s.mine.yaml is not",
        ),
        # in props
        (PROPS, "      timeOut: 600\n", "timeOut in resources.renewer.props in s.mine.yaml is read by nobody"),
        (PROPS, "      memory: 600\n", "rename it if memorySize is meant"),
        (
            PROPS,
            '      enviromentVariables:\n        DRY_RUN: "true"\n',
            "enviromentVariables in resources.renewer.props",
        ),
        (PROPS, '      DRY_RUN: "true"\n', "DRY_RUN in resources.renewer.props in s.mine.yaml is not where"),
        (PROPS, "      concurrencyConfig:\n        reservedConcurency: 1\n", "if reservedConcurrency is meant"),
        (PROPS, "      asyncInvokeConfig:\n        maxAsyncRetryAttempt: 1\n", "if maxAsyncRetryAttempts is meant"),
        (PROPS, "      instanceLifecycleConfig:\n        initialiser: {}\n", "if initializer is meant"),
        (PROPS, "      triggers:\n        - triggerNam: x\n", "triggerNam in resources.renewer.props.triggers"),
        (
            PROPS,
            "      triggers:\n        - triggerType: timer\n          triggerConfig:\n            cronExpresion: x\n",
            "if cronExpression is meant",
        ),
        # among the settings
        (ENVIRONMENT, '        MAX_PER_RUN: "1"\n', "MAX_PER_RUN is no setting of the function"),
        (ENVIRONMENT, '        MAX_PER_RUN: "1"\n', "rename it if MAX_RENEWALS_PER_RUN"),
        (
            ENVIRONMENT,
            '        LIMIT: "1"\n',
            "LIMIT is no setting of the function (environmentVariables in s.mine.yaml); ",
        ),
        (ENVIRONMENT, '        LIMIT: "1"\n', "settings are CAS_ENDPOINT, SMQ_QUEUE, "),
        (ENVIRONMENT, '        dry_run: "true"\n', "rename it if DRY_RUN"),
        # without a value, or twice
        (
            ENVIRONMENT,
            "        MAX_RENEWALS_PER_RUN:\n",
            "MAX_RENEWALS_PER_RUN in environmentVariables in s.mine.yaml has no",
        ),
        (PROPS, "      triggers:\n", "triggers in resources.renewer.props in s.mine.yaml has no value"),
        (ENVIRONMENT, '        DRY_RUN: "true"\n', "s.mine.yaml is no YAML: line 36: DRY_RUN stands there twice"),
        ("vars", '  domains: "a.example.com"\n', "domains stands there twice"),
    ],
)
def test_a_key_that_can_only_be_a_mistake_is_refused_with_what_to_do(own: Path, where: str, lines: str, said: str):
    line = refusal(own, put(where, lines))
    assert re.sub(r"line \d+", "line N", said) in re.sub(r"line \d+", "line N", line)
    assert " To do: " in line


@pytest.mark.parametrize("level", ["vars", "resources", "renewer", "props", "environmentVariables"])
def test_a_level_whose_name_is_misspelt_is_refused(own: Path, level: str):
    """Everything below it would be left at what s.yaml has."""
    for slip in (level[:-1], f"{level}s", level.upper() + "_"):
        text = own.read_text("utf-8")
        line = refusal(own, lambda text, slip=slip: re.sub(rf"(?m)^( *){level}:$", rf"\1{slip}:", text))  # type: ignore[misc]
        assert slip in line
        own.write_text(text, "utf-8")


@pytest.mark.parametrize("variable", ["domains", "dry_run"])
def test_a_choice_without_a_value_does_not_quietly_stand_for_everything(own: Path, variable: str):
    line = refusal(own, lambda text: re.sub(rf'(?m)^(  {variable}: &{variable}) "[^"]*"', r"\1", text))
    assert f"{variable} in vars in s.mine.yaml has no value" in line


@pytest.mark.parametrize(
    ("where", "lines", "said"),
    [
        (TOP, "x-more: 1\n", "x-more in s.mine.yaml is nothing that this program knows; Serverless Devs may"),
        (
            PROPS,
            "      brandNew: 1\n",
            "brandNew in resources.renewer.props in s.mine.yaml is nothing that this program",
        ),
        (ENVIRONMENT, '        TZ: "Asia/Shanghai"\n', "TZ in environmentVariables in s.mine.yaml is no setting"),
        (ENVIRONMENT, '        https_proxy: "http://p"\n', "https_proxy in environmentVariables in s.mine.yaml"),
        ("resources", "  gate:\n    component: fc3-domain\n", "gate in resources in s.mine.yaml is not looked at here"),
    ],
)
def test_what_somebody_else_may_read_is_warned_of_and_deployed(
    own: Path, where: str, lines: str, said: str, capsys: Shown
):
    own.write_text(put(where, lines)(own.read_text("utf-8")), "utf-8")
    (warning,) = read_deployment().warnings
    assert warning.startswith(said)
    assert policy.main([]) == 0
    assert f"policy: WARNING: {said}" in capsys.readouterr().err
    deploy.main([])
    assert f"deploy: WARNING: {said}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("where", "lines"),
    [
        (TOP, "actions:\n  pre-deploy:\n    - run: make package\n"),
        (PROPS, "      vpcConfig:\n        vpcId: vpc-1\n        vSwitchIds: [vsw-1]\n        securityGroupId: sg-1\n"),
        (PROPS, "      logConfig:\n        project: p\n        logstore: l\n"),
        (PROPS, "      timeout: 600\n      memorySize: 512\n"),
        (PROPS, "      tags:\n        - key: owner\n          value: me\n"),
        ("vars", "  mine: &mine 600\n"),
        ("vars", '  mine: "600"\n'),
    ],
)
def test_what_serverless_devs_documents_needs_no_warning(own: Path, where: str, lines: str):
    text = put(where, lines)(own.read_text("utf-8"))
    if "mine:" in lines:
        value = "*mine" if "&" in lines else "${vars.mine}"
        text = text.replace("    props:\n", f"    props:\n      timeout: {value}\n")
    own.write_text(text, "utf-8")
    assert read_deployment().warnings == ()


@pytest.mark.parametrize("example", [True, False])
def test_the_tracked_files_have_only_keys_that_are_known(checkout: Path, example: bool):
    if example:
        (checkout / deployment.CHOICES).write_bytes((checkout / deployment.EXAMPLE).read_bytes())
    assert read_deployment().warnings == ()


def test_the_schedule_of_the_example_arrives_once_its_comments_are_taken_away(own: Path):
    text = own.read_text("utf-8")
    assert "# schedule: &schedule " in text
    begun = text.index("      # triggers:")
    own.write_text(
        text[:begun].replace(
            "# schedule: &schedule CRON_TZ=Asia/Shanghai 0 0 9", "schedule: &schedule CRON_TZ=UTC 0 0 4"
        )
        + re.sub(r"(?m)^( +)# ", r"\1", text[begun:]),
        "utf-8",
    )
    assert read_deployment().timers == ("CRON_TZ=UTC 0 0 4 * * *",)


def test_a_schedule_whose_triggers_are_still_a_comment_is_refused(own: Path):
    line = refusal(
        own, lambda text: text.replace("  # schedule: &schedule CRON_TZ=Asia/Shanghai 0 0 9", "  schedule: x")
    )
    assert "cronExpression of the function is" in line
