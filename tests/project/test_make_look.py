"""`make look`: a real account from this machine. It shows what the function would do, and can do nothing itself."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import pytest
from alibabacloud_credentials.utils import auth_util
from hypothesis import given
from hypothesis import strategies as st

from handler import index
from handler.cloud.cas_client import CasClient
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.cloud.smq import Smq
from handler.errors import RunFailed
from look.read_only import NoQueue, ReadOnly, ReadOnlyCas, ReadsOnly
from tests import published
from tests.deployed import TIMER, raw
from tests.examples import PROPERTY
from tests.project.chosen import ACCOUNT, choose
from tests.project.documents import ROOT
from tests.project.looking import READS, Look, default_chain, looking
from tests.sample_account import furnish, sample_account_2026
from tests.situations import expiring
from tests.stubs import faults
from tests.stubs.account_api import AccountStub
from tests.stubs.cas import CasStub
from tests.stubs.clock import FakeClock, SystemClock
from tests.stubs.cloud import Cloud, serve

ARMED: dict[str, Any] = {"DRY_RUN": "false", "INSTANCES": "apply", "DEPLOY_TO": "*", "MAX_RENEWALS_PER_RUN": "1000"}
"""What somebody may have in his environment who has just deployed the function."""
ORDERS, INSTANCES, CERTIFICATES = "ListUserCertificateOrder", "ListInstances", "ListCertificates"


@pytest.fixture
def look(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Look]:
    default_chain(monkeypatch, tmp_path, **vars(cloud.credentials))
    with looking(cloud, tmp_path / "look", capsys) as look:
        yield look


def rows_of(printed: str) -> dict[str, str]:
    """Id and outcome of the table's rows."""
    rows = [re.split(r" {2,}", line) for line in printed.splitlines()]
    return {row[1]: row[4] for row in rows if row[0] in {"order", "instance", "certificate"}}


def write_profiles(home: Path, cloud: Cloud, *names: str) -> None:
    """Profiles of the command line tool, of which the first is in use."""
    key = cloud.credentials
    profiles = [
        {
            "name": name,
            "mode": "StsToken",
            "access_key_id": key.access_key_id,
            "access_key_secret": key.access_key_secret,
            "sts_token": key.security_token,
        }
        for name in names
    ]
    (home / ".aliyun").mkdir()
    (home / ".aliyun" / "config.json").write_text(json.dumps({"current": names[0], "profiles": profiles}))


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_the_table_has_every_kind_and_what_would_be_bought(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    found = rows_of(look())
    assert {id_ for id_, outcome in found.items() if outcome == "would-renew"} == {
        "123451222",
        "123451230",
        "123451241",
    }
    assert found["cas_dv-cn-hosted01"] == "skipped"
    assert found["9000000"] == "expiring"


def test_the_table_has_what_would_be_applied_for_if_that_is_asked(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    found = rows_of(look(INSTANCES="apply"))
    applied_for = {id_ for id_, outcome in found.items() if outcome == "would-apply"}
    assert applied_for == {"cas_dv-cn-due00001", "cas_dv-cn-record01"}
    assert "would-apply" not in rows_of(look()).values()


def test_the_foresight_says_how_many_in_which_run_and_under_which_limits(cloud: Cloud, look: Look):
    expiring(cloud, 25, apart=0.5)
    printed = look(RENEW_WITHIN_DAYS="30")
    assert "25 would be renewed, the last of them in run 3, at a run a day" in printed
    assert "10 in run 1, 10 in run 2, 5 in run 3" in printed
    assert "RENEW_WITHIN_DAYS=30 " in printed
    assert "MAX_RENEWALS_PER_RUN=10 MAX_RENEWALS_PER_DAY=50" in printed


def test_limits_that_are_too_low_are_named(cloud: Cloud, look: Look):
    expiring(cloud, 25, apart=0)
    printed = look(MAX_RENEWALS_PER_RUN="2")
    assert "MAX_RENEWALS_PER_RUN must be at least 5 (it is 2)" in printed
    assert "MAX_RENEWALS_PER_RUN=2 " in printed


def test_the_report_is_written_and_the_look_says_where_to_open_it(cloud: Cloud, look: Look):
    furnish(cloud)
    printed = look()
    assert f"to be opened in a browser: {look.report.as_uri()}" in printed
    assert "shop.example.com" in look.report.read_text("utf-8")
    published.check_report((look.folder / "report.json").read_bytes())
    assert json.loads((look.folder / "report.json").read_text("utf-8"))["dry_run"] is True


def test_the_settings_are_those_of_the_environment(cloud: Cloud, look: Look):
    furnish(cloud)
    assert "would-renew" not in rows_of(look(RENEW_DOMAINS="nothing.example.com")).values()


@pytest.mark.parametrize("name", ["SMQ_QUEUE", "ALERT_QUEUE", "SMQ_ENDPOINT", "JOURNAL_URL", "OSS_ENDPOINT"])
def test_what_only_the_deployed_function_needs_is_not_looked_at(cloud: Cloud, look: Look, name: str):
    furnish(cloud)
    assert "would-renew" in look(**dict[str, Any]({name: "!! no such thing"}))


def test_a_second_look_begins_anew(cloud: Cloud, look: Look):
    furnish(cloud)
    assert rows_of(look()) == rows_of(look())


def test_an_account_that_shows_nothing_may_be_one_of_the_other_site(look: Look):
    printed = look()
    assert "make look CAS_ENDPOINT=cas.ap-southeast-1.aliyuncs.com" in printed
    assert "CAS_ENDPOINT" not in look(CAS_ENDPOINT="cas.vpc.aliyuncs.com").rpartition("Under these settings")[0]


# --- it could not look ------------------------------------------------------------------------------------------------


def test_without_credentials_one_sentence_says_what_to_do(look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    default_chain(monkeypatch, tmp_path)
    for options in ((), ("--facts",)):
        assert look(*options, status=2) == ""
        assert look.err.startswith("Cannot look: no credentials were found")
        assert "aliyun configure" in look.err
        assert look.err.count("\n") == 1


def test_a_profile_that_is_broken_is_no_traceback_either(look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    default_chain(monkeypatch, tmp_path)
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun" / "config.json").write_text('{"current": "x", "profiles": 3')
    assert look(status=2) == ""
    assert look.err.startswith("Cannot look: no credentials were found")


def test_the_profile_of_the_command_line_tool_will_do(
    cloud: Cloud, look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    default_chain(monkeypatch, tmp_path)
    furnish(cloud)
    write_profiles(tmp_path, cloud, "mine")
    assert "would-renew" in look()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"RENEW_WITHIN_DAYS": "soon"}, "RENEW_WITHIN_DAYS is 'soon'"),
        ({"RENEW_DOMAIN": "a.example.com"}, "RENEW_DOMAINS"),
        ({"CAS_ENDPOINT": "http://cas.example.com"}, "without TLS"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_sent(cloud: Cloud, look: Look, setting: dict[str, Any], said: str):
    assert look(status=2, **setting) == ""
    assert look.err.startswith("Cannot look: ")
    assert said in look.err
    assert cloud.cas.calls == []


@pytest.mark.parametrize("options", [(), ("--facts",)])
def test_credentials_that_are_no_good_are_no_look(cloud: Cloud, look: Look, options: tuple[str, ...]):
    furnish(cloud)
    look(*options)
    cloud.cas.expire_credentials()
    printed = look(*options, status=2)
    assert "InvalidSecurityToken.Expired" in printed + look.err
    assert "To do: check credentials" in look.err
    assert "Traceback" not in printed + look.err
    assert cloud.credentials.security_token not in printed + look.err


@pytest.mark.parametrize("why", [CasStub.expire_credentials, CasStub.deny, lambda cas: cas.forbid(ORDERS)])
def test_a_look_that_reached_nothing_says_so_and_nothing_that_could_pass_for_a_result(
    cloud: Cloud, look: Look, why: Callable[[CasStub], object]
):
    furnish(cloud)
    why(cloud.cas)
    printed = look(status=2)
    assert re.search("^Could not look at anything: CAS: .+", printed, re.MULTILINE)
    for word in ("nothing was bought", "DRY RUN", "no orders", "event, request", "Under these settings"):
        assert word not in printed


def test_an_account_without_any_order_was_looked_at_nevertheless(cloud: Cloud, look: Look):
    cloud.cas.forbid(INSTANCES)
    printed = look(status=2)
    assert "Could not look at anything" not in printed
    assert "Could not look at everything" in look.err


# --- what the operator chose, and whose account it is -----------------------------------------------------------------


def choose_here(checkout: Path, sts: AccountStub, **choices: str) -> Path:
    """An operator's file for the account of the credentials, which is not the example's."""
    sts.account_id = ACCOUNT
    return choose(checkout, **choices)


def test_what_the_operator_chose_is_what_would_be_deployed_and_looked_at(cloud: Cloud, look: Look, checkout: Path):
    sample_account_2026(cloud)
    own = choose_here(checkout, look.sts, domains="app.example.com,shop.example.com")
    own.write_text(
        own.read_text("utf-8").replace(
            "      environmentVariables:\n",
            '      environmentVariables:\n        INSTANCES: apply\n        MAX_RENEWALS_PER_RUN: "1"\n'
            '        DEPLOY_TO: "CDN"\n        RENEW_DOMAINS_EXCEPT: "shop.example.com"\n',
        ),
        "utf-8",
    )
    printed = look()
    found = rows_of(printed)
    assert {id_ for id_, outcome in found.items() if outcome.startswith("would")} == {"cas_dv-cn-due00001"}
    assert "The settings are those of s.mine.yaml." in printed
    assert f"Account {ACCOUNT}, as acs:ram::{ACCOUNT}:user/operator, which s.mine.yaml says, too." in printed
    assert "RENEW_DOMAINS_EXCEPT=shop.example.com MAX_RENEWALS_PER_RUN=1 " in printed
    assert "INSTANCES=apply DEPLOY_TO=CDN" in printed


def test_the_command_line_goes_before_what_the_operator_chose(cloud: Cloud, look: Look, checkout: Path):
    furnish(cloud)
    choose_here(checkout, look.sts, domains="nothing.example.com")
    assert "would-renew" not in rows_of(look()).values()
    printed = look(RENEW_DOMAINS="*", MAX_RENEWALS_PER_RUN="1")
    assert "would-renew" in rows_of(printed).values()
    assert "Under these settings (RENEW_DOMAINS, MAX_RENEWALS_PER_RUN from the environment)" in printed
    assert "would-renew" in rows_of(look("--defaults")).values()


def test_without_a_file_it_says_that_the_settings_are_the_defaults(cloud: Cloud, look: Look):
    furnish(cloud)
    assert "There is no s.mine.yaml, so the settings are the defaults of the function." in look()
    look.facts()
    assert "There is no s.mine.yaml" in look.err


def test_a_file_that_is_no_deployment_is_not_left_aside_quietly(cloud: Cloud, look: Look, checkout: Path):
    furnish(cloud)
    own = choose_here(checkout, look.sts)
    own.write_text(own.read_text("utf-8").replace("        DRY_RUN:", '        MAX_PER_RUN: "1"\n        DRY_RUN:'))
    assert look(status=2) == ""
    assert look.err.startswith("Cannot look: MAX_PER_RUN is no setting of the function")
    assert "ARGS=--defaults" in look.err
    assert cloud.cas.calls == []
    assert "s.mine.yaml was left aside (--defaults)" in look("--defaults")


@pytest.mark.parametrize("options", [(), ("--facts",)])
def test_another_account_than_the_chosen_one_is_not_looked_at(
    cloud: Cloud, look: Look, checkout: Path, options: tuple[str, ...]
):
    furnish(cloud)
    choose(checkout)
    assert look(*options, status=2) == ""
    assert f"the credentials are of account {cloud.account_id}, and s.mine.yaml says {ACCOUNT}" in look.err
    assert cloud.cas.calls == []
    look(*options, "--defaults")


def test_an_account_that_nobody_has_chosen_yet_is_the_one_of_the_credentials(cloud: Cloud, look: Look, checkout: Path):
    choose(checkout, account="123456789012")
    look.sts.account_id = "98765432109"
    assert "Account 98765432109, as acs:ram::98765432109:user/operator." in look()


def test_whose_account_it_is_may_be_hidden_and_is_then_said_to_be_unknown(cloud: Cloud, look: Look, checkout: Path):
    furnish(cloud)
    choose(checkout)
    look.sts.deny()
    printed = look()
    assert "Whose account it is could not be found out (sts:GetCallerIdentity: NoPermission" in printed
    assert f"s.mine.yaml says {ACCOUNT}, which nobody has verified" in printed
    assert "would-renew" in rows_of(printed).values()


def test_it_says_where_the_credentials_are_from(
    cloud: Cloud, look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    key = cloud.credentials
    assert "Credentials: the environment (ALIBABA_CLOUD_ACCESS_KEY_ID)." in look()
    default_chain(monkeypatch, tmp_path)
    (tmp_path / ".alibabacloud").mkdir()
    monkeypatch.setattr(auth_util, "client_type", "default")
    (tmp_path / ".alibabacloud" / "credentials.ini").write_text(
        f"[default]\ntype = access_key\naccess_key_id = {key.access_key_id}\n"
        f"access_key_secret = {key.access_key_secret}\n"
    )
    assert "Credentials: the section default of the credentials file ~/.alibabacloud/credentials.ini." in look(status=2)


@pytest.mark.parametrize("name", ["mine", "other"])
def test_the_profile_that_was_used_is_named(
    cloud: Cloud, look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
):
    default_chain(monkeypatch, tmp_path)
    write_profiles(tmp_path, cloud, "mine", "other")
    monkeypatch.setattr(auth_util, "environment_profile_name", None if name == "mine" else name)
    assert f"Credentials: the profile {name} of the aliyun command line tool (~/.aliyun/config.json)." in look()


def test_a_key_that_is_none_is_refused_before_anything_is_sent(
    cloud: Cloud, look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """So short a secret would be found, and hidden, in every other word."""
    default_chain(monkeypatch, tmp_path, access_key_id="id", access_key_secret="y")
    assert look(status=2) == ""
    assert "the access key in the environment (ALIBABA_CLOUD_ACCESS_KEY_ID) is none" in look.err
    assert look.sts.calls == cloud.cas.calls == []


def test_the_report_of_an_earlier_look_is_not_left_where_this_one_failed(cloud: Cloud, look: Look):
    furnish(cloud)
    look()
    cloud.cas.deny()
    assert str(look.report) not in look(status=2)
    assert not look.report.exists()


def test_a_list_that_may_not_be_read_is_named_and_what_could_be_read_is_shown(cloud: Cloud, look: Look):
    furnish(cloud)
    cloud.cas.forbid(INSTANCES)
    printed = look(status=2)
    assert rows_of(printed)["123451230"] == "would-renew"
    assert "allow yundun-cert:ListInstances" in look.err
    assert rows_of(look(WATCH="orders,certificates"))["123451230"] == "would-renew"


@pytest.mark.parametrize("options", [(), ("--facts",)])
@pytest.mark.parametrize("fault", [faults.refused(), faults.timeout_before(), faults.html()])
def test_a_network_that_is_away_is_no_look_and_for_a_moment_it_is_borne(
    cloud: Cloud, look: Look, options: tuple[str, ...], fault: faults.Fault
):
    furnish(cloud)
    cloud.cas.fail(ORDERS, fault, fault)
    look(*options)
    cloud.cas.fault_sources.append(lambda _: fault)
    look(*options, status=2)
    assert "To do: check credentials and network" in look.err


# --- nothing can be bought, applied for or sent -----------------------------------------------------------------------


def test_nothing_is_bought_or_sent_whatever_the_environment_says(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    assert "DRY RUN" in look(**ARMED)  # asserts that it only read
    look.facts(**ARMED)
    assert cloud.cas.purchases == []


def test_what_buys_and_what_sends_is_not_even_made(cloud: Cloud, look: Look, monkeypatch: pytest.MonkeyPatch):
    def made(*_: object, **__: object) -> NoReturn:
        raise AssertionError("it was made")

    monkeypatch.setattr(CasClient, "__init__", made)
    monkeypatch.setattr(CasClient, "call_once", made)
    monkeypatch.setattr(Smq, "__init__", made)
    furnish(cloud)
    assert rows_of(look(**ARMED))["123451230"] == "would-renew"


def armed_run(cloud: Cloud, folder: Path, event: bytes = raw(TIMER)) -> str:
    """What comes of a run that is no dry run, and that nothing but the guard keeps from anything."""
    environ = cloud.environ(JOURNAL_URL=folder.absolute().as_uri(), **ARMED)
    with redirect_stdout(io.StringIO()):
        try:
            return index.invoke(event, cloud.context(), environ, cloud.clock, ReadOnly())
        except RunFailed as failed:
            return str(failed)


def test_the_guard_alone_keeps_a_run_from_buying(cloud: Cloud, look: Look, tmp_path: Path):
    sample_account_2026(cloud)
    assert "ReadsOnly: RenewCertificateOrderForPackageRequest" in armed_run(cloud, tmp_path / "journal")
    look.assert_it_only_read()


def test_the_guard_alone_keeps_a_run_from_sending(tmp_path: Path):
    cloud = Cloud(FakeClock())
    with serve(cloud):
        journal = tmp_path / "journal"
        shutil.copytree(ROOT / "tests/journals/renewed-and-not-published", journal)
        assert "ReadsOnly: a message" in armed_run(cloud, journal)
        assert "ReadsOnly: a look at a queue" in armed_run(cloud, tmp_path / "check", b'{"check": true}')
    assert cloud.smq.calls == []


@pytest.fixture
def read_only(cloud: Cloud) -> ReadOnlyCas:
    credentials = Credentials(**vars(cloud.credentials))
    return ReadOnlyCas("https://cas.aliyuncs.com", credentials, cloud.clock, Meter(cloud.clock))


WRITES = sorted(action for action in CasStub.actions if not action.startswith(READS))


@pytest.mark.parametrize(
    "action",
    [
        *WRITES,
        "RevokeCertificate",
        "CancelOrderRequest",
        "ListenToMe",
        "listInstances",
        "Gets",
        "Get",
        "xListInstances",
    ],
)
def test_an_operation_that_is_not_called_reading_is_refused_however_it_is_called(
    cloud: Cloud, read_only: ReadOnlyCas, action: str
):
    assert {"ApplyCertificate", "CreateDeploymentJob", "RenewCertificateOrderForPackageRequest"} <= {*WRITES}
    with pytest.raises(ReadsOnly):
        read_only.call_once(action, {}, 10)
    if not re.match("(List|Get|Describe)[A-Z]", action):
        with pytest.raises(ReadsOnly):
            read_only.read(action, {})
    assert cloud.cas.calls == []


@PROPERTY
@given(action=st.text())
def test_no_name_is_taken_for_reading_that_does_not_begin_with_a_word_for_it(action: str):
    cas = ReadOnlyCas("https://cas.example.com", Credentials("id", "secret", ""), FakeClock(), Meter(FakeClock()))
    if not action.startswith(READS):
        with pytest.raises(ReadsOnly):
            cas.read(action, {})
    with pytest.raises(ReadsOnly):
        cas.call_once(action, {}, 10)


def test_whatever_has_an_effect_on_cas_is_refused_by_every_service_of_the_door(cloud: Cloud, tmp_path: Path):
    """A service that is added is put together from the same client."""
    seen: list[Any] = []

    class Watched(ReadOnly):
        def cas(self, *given: Any) -> Any:
            seen.append(super().cas(*given))
            return seen[-1]

    cloud.cas.add_order()
    environ = cloud.environ(JOURNAL_URL=tmp_path.as_uri(), DRY_RUN="true")
    with redirect_stdout(io.StringIO()):
        index.invoke(raw(TIMER), cloud.context(), environ, cloud.clock, Watched())
    assert [type(cas) for cas in seen] == [ReadOnlyCas]
    assert {name for name in dir(ReadOnlyCas) if not name.startswith("_")} == {"read", "call_once"}
    assert {name for name in dir(NoQueue) if not name.startswith("_")} == {"send", "probe"}


# --- as it is called --------------------------------------------------------------------------------------------------


def test_it_works_as_make_calls_it_over_http_and_leaves_nothing_but_its_folder(tmp_path: Path, checkout: Path):
    (recipe,) = re.findall(
        r"^look: .*\n\t\$\(call .*\n\t@\$\(RUN\) (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    words = recipe.replace(" $(ARGS)", "").split()
    for package in ("deploy", "handler", "look"):  # in a checkout in which nobody has chosen anything
        shutil.copytree(ROOT / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
    cloud = Cloud(SystemClock())
    furnish(cloud)
    home = tmp_path / "home"
    home.mkdir()
    with serve(cloud):
        credentials = {name: value for name, value in cloud.environ().items() if name.startswith("ALIBABA_CLOUD")}
        environ = {
            "CAS_ENDPOINT": cloud.endpoints["CAS_ENDPOINT"],
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(checkout),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            **credentials,
            **ARMED,
        }
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        nobody = f"{shlex.join(command)} | true; exit ${{PIPESTATUS[0]}}"
        left = subprocess.run(["/bin/bash", "-c", nobody], cwd=tmp_path, env=environ, capture_output=True, check=False)
    assert (left.returncode, left.stderr) == (0, b""), "whoever reads it may leave before the end"
    assert rows_of(done.stdout)["123451230"] == "would-renew"
    assert "Whose account it is was not asked, since CAS_ENDPOINT is on this machine." in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"home", ".local"}
    assert (tmp_path / ".local/look/report.html").exists()
    assert not [call for call in cloud.cas.calls if not call.action.startswith(READS)]
