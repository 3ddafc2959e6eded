"""The deployed function, invoked from here: what is sent to either Function Compute, and what a person gets to read."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from alibabacloud_credentials.utils import auth_util
from urllib3.util import Retry

from deploy import invoke
from deploy.table import show
from tests import invoke as local
from tests.interpreter import run_alone
from tests.project.chosen import ACCOUNT, choose
from tests.project.documents import ROOT
from tests.stubs.cloud import forget_sessions

FUNCTION_3 = "cas-certificate-renewer"
FUNCTION_2 = "certificates/renewer"
HOST = f"https://{ACCOUNT}.cn-hangzhou.fc.aliyuncs.com"
PATHS = {
    FUNCTION_3: "/2023-03-30/functions/cas-certificate-renewer/invocations",
    FUNCTION_2: "/2016-08-15/services/certificates/functions/renewer/invocations",
}
SIGNATURES = {
    FUNCTION_3: r"ACS3-HMAC-SHA256 Credential=.+Signature=[0-9a-f]{64}",
    FUNCTION_2: r"FC .+:[A-Za-z0-9+/]{43}=",
}
TOKEN_HEADERS = {FUNCTION_3: "x-acs-security-token", FUNCTION_2: "x-fc-security-token"}

KEY_ID, SECRET, TOKEN = "STS.FAKE-KEY-ID", "FAKE-SECRET", "FAKE/SECURITY+TOKEN=="
EVENT = b'{"domains": ["www.example.com"], "dry_run": true}\n'
LINE = {
    "order_id": "123451222",
    "domain": "www.example.com",
    "outcome": "would-renew",
    "reason": None,
    "new_order_id": None,
    "message_id": None,
    "cert_end_time": "2026-12-11T03:00:00Z",
    "days_left": 20,
}
RESULT = {
    "request_id": "request-1",
    "trigger": "manual",
    "dry_run": True,
    "counts": {"would-renew": 1},
    "orders": [LINE],
}
FAILED = RESULT | {
    "dry_run": False,
    "counts": {"renewed": 2, "unknown": 1},
    "orders": [
        LINE | {"outcome": "renewed", "new_order_id": "323451222", "message_id": "123451222-323451222"},
        LINE | {"order_id": "123451230", "outcome": "renewed", "reason": "QueueNotExist", "new_order_id": "323451230"},
        LINE | {"order_id": "123451241", "outcome": "unknown", "reason": "no-answer"},
    ],
    "errors": ["CAS: NoPermission: not allowed"],
}
LOG = '{"level":"info","event":"dry-run"}\n{"level":"info","event":"order","domain":"例子.example.com"}'

both = pytest.mark.parametrize("name", [FUNCTION_3, FUNCTION_2], ids=["3.0", "2.0"])


@pytest.fixture(autouse=True)
def default_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the chain find credentials in the environment, which it reads when it is imported, and nowhere else."""
    for variable, value in {"access_key_id": KEY_ID, "access_key_secret": SECRET, "security_token": TOKEN}.items():
        monkeypatch.setattr(auth_util, f"environment_{variable}", value)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    monkeypatch.setattr(auth_util, "environment_credentials_uri", None)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def own(checkout: Path) -> Path:
    """What the operator has chosen."""
    return choose(checkout)


@pytest.fixture
def platform() -> Any:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def event(tmp_path: Path) -> str:
    path = tmp_path / "event.json"
    path.write_bytes(EVENT)
    return str(path)


def answer(
    platform: responses.RequestsMock,
    name: str,
    document: object = "",
    status: int = 200,
    log: str = "",
    error_type: str | None = None,
) -> None:
    body = document if isinstance(document, (str, Exception)) else json.dumps(document)
    sent = {"X-Fc-Request-Id": "request-1"}
    if error_type:
        sent["X-Fc-Error-Type"] = error_type
    if log:
        sent["X-Fc-Log-Result"] = b64encode(log.encode()).decode()
    platform.post(HOST + PATHS[name], body=body, status=status, headers=sent)


def failed(platform: responses.RequestsMock, name: str, error: object, log: str = "") -> None:
    answer(platform, name, error, log=log, error_type="UnhandledInvocationError")


# --- what is sent -----------------------------------------------------------------------------------------------------


@both
def test_the_events_bytes_are_sent_signed_to_the_function(platform: responses.RequestsMock, name: str, event: str):
    answer(platform, name, RESULT)
    assert invoke.main([name, event]) == 0
    request = platform.calls[0].request
    assert request.method == "POST"
    assert request.url == HOST + PATHS[name]
    assert request.body == EVENT
    headers = {key.lower(): str(value) for key, value in request.headers.items()}
    assert headers["x-fc-invocation-type"] == "Sync"
    assert headers["x-fc-log-type"] == "Tail"
    assert headers[TOKEN_HEADERS[name]] == TOKEN
    assert re.fullmatch(SIGNATURES[name], headers["authorization"])
    assert KEY_ID in headers["authorization"]


@both
def test_without_a_token_none_is_sent(
    platform: responses.RequestsMock, name: str, event: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(auth_util, "environment_security_token", None)
    answer(platform, name, RESULT)
    assert invoke.main([name, event]) == 0
    assert TOKEN_HEADERS[name] not in {key.lower() for key in platform.calls[0].request.headers}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (FUNCTION_3, f"{PATHS[FUNCTION_3]}?qualifier=prod"),
        (FUNCTION_2, "/2016-08-15/services/certificates.prod/functions/renewer/invocations"),
    ],
    ids=["3.0", "2.0"],
)
def test_a_qualifier_chooses_the_version(platform: responses.RequestsMock, name: str, path: str, event: str):
    platform.post(HOST + path, json=RESULT, match=[responses.matchers.query_param_matcher({}, strict_match=False)])
    assert invoke.main([name, "--qualifier", "prod", event]) == 0
    assert platform.calls[0].request.url == HOST + path


@both
def test_an_answer_may_take_as_long_as_the_function(platform: responses.RequestsMock, name: str, event: str):
    answer(platform, name, RESULT)
    assert invoke.main([name, "--timeout", "600", event]) == 0
    assert platform.calls[0].request.req_kwargs["timeout"] == (5, 615)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ([], HOST),
        (["--region", "cn-shanghai"], HOST.replace("hangzhou", "shanghai")),
        (["--account", "123"], HOST.replace(ACCOUNT, "123")),
        (["--endpoint", "https://fc.example.com/"], "https://fc.example.com"),
        (["--endpoint", "fc.example.com"], "https://fc.example.com"),
    ],
)
def test_the_place_comes_from_options_or_the_operators_choices_and_from_nowhere_else(
    platform: responses.RequestsMock, options: list[str], host: str, event: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ALIBABA_CLOUD_REGION_ID", "cn-beijing")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCOUNT_ID", "456")
    platform.post(host + PATHS[FUNCTION_3], json=RESULT)
    assert invoke.main([FUNCTION_3, *options, event]) == 0


# --- what a person reads ----------------------------------------------------------------------------------------------


@both
def test_a_result_is_shown_as_the_table_of_a_local_run(
    platform: responses.RequestsMock, name: str, event: str, capsys: pytest.CaptureFixture[str]
):
    answer(platform, name, RESULT)
    assert invoke.main([name, event]) == 0
    shown = capsys.readouterr().out
    show(json.dumps(RESULT))
    table = capsys.readouterr().out
    assert "123451222  www.example.com  20         would-renew" in table
    assert shown == f"{name} at {HOST}\nThis event buys nothing: it asks for a dry run.\n\n{table}"


@both
def test_the_end_of_the_log_is_shown(
    platform: responses.RequestsMock, name: str, event: str, capsys: pytest.CaptureFixture[str]
):
    answer(platform, name, RESULT, log=LOG)
    assert invoke.main([name, event]) == 0
    assert capsys.readouterr().out.endswith(
        "The end of the function's log:\n"
        '  {"level":"info","event":"dry-run"}\n'
        '  {"level":"info","event":"order","domain":"例子.example.com"}\n'
    )


@both
def test_a_failed_run_is_shown_as_its_table_and_what_somebody_must_look_at(
    platform: responses.RequestsMock, name: str, event: str, capsys: pytest.CaptureFixture[str]
):
    failed(platform, name, {"errorMessage": json.dumps(FAILED), "errorType": "RunFailed", "stackTrace": []}, log=LOG)
    assert invoke.main([name, event]) == 1
    shown = capsys.readouterr()
    assert "123451222  www.example.com  20         renewed                 323451222" in shown.out
    assert (
        "The run FAILED (RunFailed): somebody must look at\n"
        "  CAS: NoPermission: not allowed\n"
        "  order 123451230 (www.example.com): renewed, QueueNotExist\n"
        "  order 123451241 (www.example.com): unknown, no-answer\n"
    ) in shown.out
    assert "The end of the function's log:" in shown.out
    assert not shown.err


@both
@pytest.mark.parametrize(
    "trace",
    [
        [['File "/code/index.py"', "line 42", "in handler", "raise EventRefused(...)"]],
        ['File "/code/index.py", line 42, in handler, raise EventRefused(...)\n'],
    ],
    ids=["lists", "lines"],
)
def test_any_other_error_is_shown_with_its_stack_trace(
    platform: responses.RequestsMock, name: str, trace: object, event: str, capsys: pytest.CaptureFixture[str]
):
    message = "event refused at event.ids: unknown key"
    failed(platform, name, {"errorMessage": message, "errorType": "EventRefused", "stackTrace": trace})
    assert invoke.main([name, event]) == 1
    assert capsys.readouterr().out.endswith(
        f"\n\nFAILED: EventRefused: {message}\n"
        '    File "/code/index.py", line 42, in handler, raise EventRefused(...)\n'
    )


@both
@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"errorMessage": "Function timed out after 300 seconds"}, "Function timed out after 300 seconds"),
        ("not even JSON", "not even JSON"),
        ([1], "[1]"),
    ],
)
def test_an_error_of_the_runtime_itself_is_shown_as_far_as_it_goes(
    platform: responses.RequestsMock,
    name: str,
    error: object,
    said: str,
    event: str,
    capsys: pytest.CaptureFixture[str],
):
    failed(platform, name, error)
    assert invoke.main([name, event]) == 1
    assert capsys.readouterr().out.endswith(f"FAILED: UnhandledInvocationError: {said}\n")


@both
def test_what_another_function_returns_is_shown_as_it_is(
    platform: responses.RequestsMock, name: str, event: str, capsys: pytest.CaptureFixture[str]
):
    answer(platform, name, "hello world")
    assert invoke.main([name, event]) == 0
    assert capsys.readouterr().out.endswith("\n\nhello world\n")


@both
def test_an_asynchronous_invocation_tells_the_request_and_where_its_result_will_be(
    platform: responses.RequestsMock, name: str, event: str, capsys: pytest.CaptureFixture[str]
):
    answer(platform, name, status=202)
    assert invoke.main([name, "--async", event]) == 0
    headers = {key.lower(): value for key, value in platform.calls[0].request.headers.items()}
    assert headers["x-fc-invocation-type"] == "Async"
    assert platform.calls[0].request.body == EVENT
    assert capsys.readouterr().out.endswith(
        "Accepted: request request-1. The result will be in the function's log:\n"
        "  s logs -t s.mine.yaml --request-id request-1\n"
    )


# --- what went wrong on the way ---------------------------------------------------------------------------------------

PLATFORM_ERRORS = [
    (404, "FunctionNotFound", "check the name"),
    (404, "ServiceNotFound", "check the name"),
    (404, "", "check the name"),
    (403, "AccessDenied", "allow fc:InvokeFunction"),
    (403, "Forbidden.RAM", "allow fc:InvokeFunction"),
    (403, "InvalidAccessKeyID", "credentials are wrong or have expired"),
    (403, "SignatureNotMatch", "credentials are wrong or have expired"),
    (400, "InvalidSecurityToken.Expired", "credentials are wrong or have expired"),
    (429, "ResourceExhausted", "--async"),
    (503, "ResourceThrottled", "--async"),
    (500, "InternalServerError", "may have run"),
    (400, "InvalidArgument", "nothing ran"),
]


@both
@pytest.mark.parametrize("spelling", ["Code Message RequestId", "ErrorCode ErrorMessage RequestId"])
@pytest.mark.parametrize(("status", "code", "todo"), PLATFORM_ERRORS)
def test_an_error_of_the_platform_is_one_line_with_what_to_do(
    platform: responses.RequestsMock,
    name: str,
    spelling: str,
    status: int,
    code: str,
    todo: str,
    event: str,
    capsys: pytest.CaptureFixture[str],
):
    answer(platform, name, dict(zip(spelling.split(), [code, "It says why.", "request-1"], strict=True)), status)
    assert invoke.main([name, event]) == 2
    shown = capsys.readouterr()
    assert shown.out == f"{name} at {HOST}\nThis event buys nothing: it asks for a dry run.\n\n"
    (line,) = shown.err.splitlines()
    assert line.startswith(f"{code or 'HTTP 404'} (HTTP {status}, request request-1): It says why. To do: ")
    assert todo in line


@both
@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (requests.ReadTimeout("read timed out"), "in time. To do: the function may have run"),
        (requests.ConnectTimeout("timed out"), "cannot be reached"),
        (requests.exceptions.SSLError("certificate"), "cannot be reached"),
        (requests.ConnectionError("Connection aborted."), "broke off. To do: the function may have run"),
    ],
)
def test_a_lost_answer_says_whether_the_function_may_have_run(
    platform: responses.RequestsMock,
    name: str,
    lost: Exception,
    said: str,
    event: str,
    capsys: pytest.CaptureFixture[str],
):
    answer(platform, name, lost)
    assert invoke.main([name, event]) == 2
    assert len(platform.calls) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@both
@pytest.mark.parametrize("body", ["<html>Bad Gateway</html>", "", "[]"])
def test_a_page_of_some_proxy_is_no_answer(
    platform: responses.RequestsMock, name: str, body: str, event: str, capsys: pytest.CaptureFixture[str]
):
    answer(platform, name, body, status=502)
    assert invoke.main([name, event]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "may have run" in line


@both
def test_a_port_where_nobody_listens_cannot_be_reached_and_is_tried_once(
    name: str, event: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Retry, "sleep", lambda *_: pytest.fail("it waits to try again"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert invoke.main([name, "--endpoint", endpoint, event]) == 2
    forget_sessions(endpoint)
    assert f"{endpoint} cannot be reached" in capsys.readouterr().err


def test_without_credentials_it_says_where_to_put_them_and_nothing_else(
    event: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The chain asks every place that there is, and logs a traceback for each that does not answer."""
    monkeypatch.setattr(auth_util, "environment_access_key_id", None)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(auth_util, "environment_credentials_uri", f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert invoke.main([FUNCTION_3, event]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "aliyun configure" in line
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in line
    assert not caplog.records


# --- what is not sent -------------------------------------------------------------------------------------------------

SCAN = b'{"triggerTime":"2026-11-21T03:00:00Z","triggerName":"daily","payload":""}'
SPENDING = {
    SCAN: "everything that is due",
    b'{"scan": true}': "everything that is due",
    b'{"order_ids": ["123451222"]}': "what it names",
    b'{"release": {"order_id": "123451222"}}': "may buy the same renewal again",
    b'{"order_id": "123451222"}': "this checkout would refuse the event",
    b"no JSON": "this checkout would refuse the event",
}
"""Events that can spend money, or of which nobody knows here whether they can."""


def answers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@both
@pytest.mark.parametrize(("sent", "why"), SPENDING.items())
@pytest.mark.parametrize("said", ["n\n", "\n", "yes please\n", ""])
def test_an_event_that_can_spend_is_sent_only_after_a_yes(
    name: str,
    sent: bytes,
    why: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    (tmp_path / "event").write_bytes(sent)
    answers(monkeypatch, said)
    with responses.RequestsMock() as nothing_is_sent:
        assert invoke.main([name, str(tmp_path / "event")]) == 2
        assert not nothing_is_sent.calls
    shown = capsys.readouterr()
    assert "CAN SPEND MONEY: " in shown.out
    assert why in shown.out
    assert "Nothing was sent." in shown.err
    assert bool(said) != ("--yes answers" in shown.err)


@pytest.mark.parametrize(("said", "options"), [("y\n", []), ("YES\n", []), ("", ["--yes"])])
def test_after_a_yes_it_is_sent(
    platform: responses.RequestsMock, said: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "event").write_bytes(SCAN)
    answers(monkeypatch, said)
    answer(platform, FUNCTION_3, RESULT)
    assert invoke.main([FUNCTION_3, str(tmp_path / "event"), *options]) == 0
    assert platform.calls[0].request.body == SCAN


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b'{"check": true}', "the self-check"),
        (b'{"scan": true, "dry_run": true}', "a dry run"),
        (b'{"resolve": {"order_id": "1", "new_order_id": "2"}}', "bought already"),
    ],
)
def test_an_event_that_buys_nothing_is_sent_unasked(
    platform: responses.RequestsMock, sent: bytes, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "event").write_bytes(sent)
    answer(platform, FUNCTION_3, RESULT)
    assert invoke.main([FUNCTION_3, str(tmp_path / "event")]) == 0
    shown = capsys.readouterr().out
    assert "This event buys nothing: " in shown
    assert why in shown


@pytest.mark.parametrize(("sent", "status"), [(SCAN, 2), (b'{"check": true}', 0)])
def test_a_dry_run_in_the_environment_here_is_none_of_the_deployed_function(
    platform: responses.RequestsMock,
    sent: bytes,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (tmp_path / "event").write_bytes(sent)
    monkeypatch.setenv("DRY_RUN", "true")
    if not status:
        answer(platform, FUNCTION_3, RESULT)
    assert invoke.main([FUNCTION_3, str(tmp_path / "event"), "--yes"]) == status
    assert ("DRY_RUN is 'true' in the environment here" in capsys.readouterr().err) is bool(status)
    assert bool(platform.calls) is not bool(status)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([FUNCTION_3, ""], "EVENT is not given, and none is taken for granted. For example, a self-check"),
        (["", ""], "make invoke NAME=cas-certificate-renewer EVENT=events/check.json"),
        ([FUNCTION_3, "no-such.json"], "those of this project are in events/"),
    ],
)
def test_an_event_that_is_missing_is_a_sentence_with_an_example(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        invoke.main(words)
    assert said in capsys.readouterr().err


def test_a_name_that_is_missing_is_a_sentence_with_an_example(event: str, capsys: pytest.CaptureFixture[str]):
    assert invoke.main(["", event]) == 2
    said = capsys.readouterr().err
    assert said == "NAME is not given. To do: make invoke NAME=cas-certificate-renewer EVENT=events/check.json.\n"


def test_no_event_is_taken_for_granted(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        invoke.main([FUNCTION_3])
    assert "EVENT" in capsys.readouterr().err


def test_an_interrupted_question_is_a_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    def interrupted(question: str) -> str:
        raise KeyboardInterrupt

    (tmp_path / "event").write_bytes(SCAN)
    monkeypatch.setattr("builtins.input", interrupted)
    assert invoke.main([FUNCTION_3, str(tmp_path / "event")]) == 2
    assert "Nothing was sent." in capsys.readouterr().err


def test_the_examples_bucket_is_a_choice_that_is_missing(checkout: Path, event: str, capsys: Any):
    choose(checkout, journal_bucket="example-renewal-journal")
    assert invoke.main([FUNCTION_3, event]) == 2
    assert "still the example's: journal_bucket example-renewal-journal" in capsys.readouterr().err


@pytest.mark.parametrize("own_file", [True, False])
def test_the_examples_account_is_not_invoked(
    own: Path, checkout: Path, own_file: bool, event: str, capsys: pytest.CaptureFixture[str]
):
    if own_file:
        choose(checkout, account="123456789012")
    else:
        own.unlink()
    assert invoke.main([FUNCTION_3, event]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "account 123456789012" in line
    assert ("cp s.mine.example.yaml s.mine.yaml" in line) is not own_file
    assert invoke.main([FUNCTION_3, "--account", "123456789012", event]) == 2
    assert "give --account with your own" in capsys.readouterr().err


def test_an_account_without_quotation_marks_is_one_line(own: Path, event: str, capsys: pytest.CaptureFixture[str]):
    own.write_text(own.read_text("utf-8").replace(f'"{ACCOUNT}"', ACCOUNT), "utf-8")
    assert invoke.main([FUNCTION_3, event]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f'account in s.mine.yaml is {ACCOUNT} and no text. To do: put it into quotation marks: account: "...".'
    )


@both
@pytest.mark.parametrize("ok", [True, False])
def test_a_self_check_that_found_something_is_no_success(
    platform: responses.RequestsMock, name: str, ok: bool, event: str, capsys: pytest.CaptureFixture[str]
):
    checks = [{"check": "settings", "ok": True, "found": "9"}, {"check": "queue", "ok": ok, "found": "QueueNotExist"}]
    answer(platform, name, RESULT | {"counts": {}, "orders": [], "check": checks})
    assert invoke.main([name, event]) == (0 if ok else 1)
    shown = capsys.readouterr().out
    assert ("The self-check FAILED" in shown) is not ok


@both
@pytest.mark.parametrize(
    ("code", "message", "todo"),
    [
        ("RequestTimeTooSkewed", "The difference between the request time and now is too large.", "set the clock"),
        ("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", "set the clock"),
        ("AccessDenied", "the timestamp of the request is 40m0s away", "set the clock"),
        ("AccessDenied", "Your account has overdue payments.", "balance and bills"),
        ("AccessDenied", "please make sure your account is in good standing", "balance and bills"),
        ("AccessDenied", "FC service is not enabled for current user.", "activate Function Compute"),
        ("AccessDenied", "The service or function doesn't belong to you.", "let account in s.mine.yaml"),
        ("Strange", "It says why.", "fix what it says, and if that is a permission, allow fc:InvokeFunction"),
    ],
)
def test_a_403_that_is_no_lack_of_a_permission_gets_advice_of_its_own(
    platform: responses.RequestsMock,
    name: str,
    code: str,
    message: str,
    todo: str,
    event: str,
    capsys: pytest.CaptureFixture[str],
):
    answer(platform, name, {"Code": code, "Message": message, "RequestId": "request-1"}, 403)
    assert invoke.main([name, event]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert todo in line.partition(" To do: ")[2]
    if code != "Strange":
        assert "fc:InvokeFunction" not in line


@pytest.mark.parametrize("name", ["a/b/c", "/b", "a/", "-a", "a b", "../a", "acs:fc:x"])
def test_what_is_no_name_of_a_function_is_refused(name: str, event: str, capsys: pytest.CaptureFixture[str]):
    assert invoke.main(["--", name, event]) == 2
    assert "no name" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--endpoint", "http://fc.example.com"],
        ["--endpoint", "ftp://fc.example.com"],
        ["--endpoint", "https://"],
        ["--account", "my account"],
        ["--region", "example.com/"],
        ["--qualifier", "../x"],
    ],
)
def test_a_place_to_which_no_credentials_should_be_sent_is_refused(
    options: list[str], event: str, capsys: pytest.CaptureFixture[str]
):
    assert invoke.main([FUNCTION_3, *options, event]) == 2
    assert "To do: give --" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--set", "DRY_RUN=true"], ["--fresh"]], ids=lambda options: options[0])
def test_an_option_of_a_local_run_is_refused(options: list[str], event: str, capsys: pytest.CaptureFixture[str]):
    """Above all a DRY_RUN=true that the deployed function would never see."""
    with pytest.raises(SystemExit, match="2"):
        invoke.main([FUNCTION_3, event, *options])
    assert f"unrecognized arguments: {options[0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--remote", FUNCTION_3], ["--remote"], ["--async"], ["--qualifier", "prod"], ["--region=cn-beijing"]],
    ids=lambda options: options[0],
)
def test_a_local_run_that_is_asked_for_the_deployed_function_says_where_that_is_invoked(
    options: list[str], event: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        local.main([*options, event])
    said = capsys.readouterr().err
    assert options[0].partition("=")[0] in said
    assert "make invoke NAME=" in said


def test_an_event_that_cannot_be_read_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        invoke.main([FUNCTION_3, "no-such-file.json"])
    assert "no-such-file.json" in capsys.readouterr().err


def test_the_operators_commands_need_nothing_of_the_tests():
    sources = (path.relative_to(ROOT) for path in (ROOT / "deploy").rglob("[!_]*.py"))
    commands = ", ".join(".".join(path.with_suffix("").parts) for path in sources)
    code = f"import json, sys\nsys.path.insert(0, {str(ROOT)!r})\nimport {commands}\nprint(json.dumps([*sys.modules]))"
    loaded = run_alone(code)
    assert "deploy.invoke" in loaded
    assert not [name for name in loaded if name.partition(".")[0] == "tests"]


# --- secrets ----------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("status", [200, 403])
def test_no_secret_is_shown_even_when_the_server_quotes_it(
    platform: responses.RequestsMock,
    name: str,
    status: int,
    event: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("DEBUG", "sdk")  # one of the libraries logs all headers then
    quoted = f"server string to sign is:[POST\nx-acs-security-token:{TOKEN}\n{KEY_ID}:{SECRET}]" + "x" * 1000
    document = {"Code": "SignatureDoesNotMatch", "Message": quoted, "errorType": "KeyError", "errorMessage": quoted}
    if status == 200:
        failed(platform, name, document, log=quoted)
    else:
        answer(platform, name, document, status, log=quoted)
    with caplog.at_level(logging.DEBUG):
        assert invoke.main([name, event]) == (1 if status == 200 else 2)
    shown = capsys.readouterr()
    assert "string to sign is:[POST" in shown.out + shown.err
    for secret in (KEY_ID, SECRET, TOKEN):
        assert secret not in shown.out + shown.err + caplog.text


@both
def test_the_libraries_may_log_again_afterwards(platform: responses.RequestsMock, name: str, event: str):
    answer(platform, name, {"Code": "AccessDenied"}, status=403)
    assert invoke.main([name, event]) == 2
    assert logging.root.manager.disable == 0
