"""No secret leaves the function: not in what it returns, raises, logs, sends or writes, whatever is quoted to it."""

from __future__ import annotations

import http.client
import io
import json
import logging
from typing import Any
from urllib.parse import quote

import pytest

from handler.cloud.redacted_store import RedactedStore
from handler.errors import EventRefused, SettingsError
from handler.runtime.clock import rfc3339
from handler.runtime.log import Log, printable
from tests.deployed import Function
from tests.examples import csr
from tests.memory_store import MemoryStore
from tests.stubs import faults
from tests.stubs.clock import FakeClock
from tests.stubs.cloud import Cloud
from tests.stubs.credentials import Credentials
from tests.traces import LIST, RENEWALS

LONG = Credentials("STS.FAKEkeyid0123456789ab", "FAKEsecret+0123456789/abcdefgh", "CAISfake" + "Ab+9/x=" * 150)
"""As long as real ones are: the token is longer than any cut."""
SPLITTERS = "\u0085\u2028\u2029\x0b\x0c\x1c\x1d\x1e"


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    cloud.credentials = LONG
    for backend in cloud.backends.values():
        backend.accept(LONG)
    return cloud


def quoting(filler: int = 0) -> str:
    """What a server says of a wrong signature; a cut at 300 characters leaves too little of the token to be known."""
    plain = " ".join(vars(LONG).values())
    return f"{'x' * filler} signed: {quote(LONG.security_token, safe='')} {plain} {LONG.security_token[:20]}..."


def everything(cloud: Cloud, function: Function, *texts: str) -> str:
    stored = [stored.data.decode() for stored in cloud.oss.objects.values()]
    return "\n".join([*texts, function.log, json.dumps(cloud.smq.messages()), *stored])


def assert_clean(text: str) -> None:
    for secret in vars(LONG).values():
        for spelled in (secret, quote(secret, safe="")):
            assert spelled[:8] not in text


@pytest.mark.parametrize("filler", [0, 250, 280])
@pytest.mark.parametrize("code", ["InternalError", "QueueNotExist"])
def test_the_report_and_the_result_quote_no_secret_of_the_queue(
    cloud: Cloud, function: Function, filler: int, code: str
) -> None:
    cloud.cas.add_order()
    function.tick()
    new = cloud.cas.purchases[0].new_order_id
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    cloud.smq.fail("SendMessage", *[faults.error(code, 500, quoting(filler))] * 3)
    answer = function.tick()
    assert answer.failed
    assert "report.html" in " ".join(key for _, key in cloud.oss.objects)
    text = everything(cloud, function, answer.text)
    assert f"SMQ: {code}" in text
    assert_clean(text)


@pytest.mark.parametrize("filler", [0, 250, 280])
def test_nothing_quotes_a_secret_of_the_journals_storage(cloud: Cloud, function: Function, filler: int) -> None:
    cloud.cas.add_order()
    cloud.oss.fail("AppendObject", faults.error("AccessDenied", 403, quoting(filler)))
    answer = function.tick()
    assert answer.failed
    assert "AccessDenied" in function.log
    assert_clean(everything(cloud, function, answer.text))


@pytest.mark.parametrize("code", ["NotFound", "InternalError", "SignatureDoesNotMatch", LONG.security_token])
def test_nothing_quotes_a_secret_of_cas(cloud: Cloud, function: Function, code: str) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error(code, 400, quoting(290)))
    text = function.tick().text
    cloud.cas.fail(LIST, faults.error("SignatureDoesNotMatch", 403, quoting(290)))
    assert_clean(everything(cloud, function, text, function.tick().text))


def test_a_broken_connection_does_not_bring_the_csr_into_the_journal(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    pem = csr()
    answer = function.invoke({"order_ids": [str(old)], "csr": pem})
    assert answer.of(old)["reason"] == "no-answer"
    text = everything(cloud, function, answer.text)
    assert "Read timed out" in text
    for spelled in (pem, quote(pem), json.dumps(pem)):
        body = spelled[spelled.index("REQUEST-----") + 12 :]
        assert body[:30] not in text
    assert "Csr=" not in text


def test_a_self_check_quotes_no_secret(cloud: Cloud, function: Function) -> None:
    cloud.cas.fail(LIST, faults.error("NoPermission", 403, quoting(280)))
    cloud.smq.fail("GetQueueAttributes", faults.error("AccessDenied", 403, quoting(280)))
    cloud.oss.fail("AppendObject", *[faults.error("AccessDenied", 403, quoting(280))] * 3)
    answer = function.invoke({"check": True})
    assert [line["check"] for line in answer.result["check"] if not line["ok"]] == ["cas", "smq", "journal"]
    assert_clean(answer.text + function.log)


def test_a_setting_with_a_secret_in_it_is_named_without_it(cloud: Cloud, function: Function) -> None:
    answer = function.invoke({"check": True}, DRY_RUN=LONG.security_token)
    assert "DRY_RUN" in answer.text
    assert_clean(answer.text + function.log)
    with pytest.raises(SettingsError) as wrong:
        function.invoke({"scan": True}, DRY_RUN=LONG.security_token)
    assert "DRY_RUN" in str(wrong.value)
    assert_clean(str(wrong.value) + function.log)


def test_an_event_with_a_secret_in_it_is_refused_without_it(cloud: Cloud, function: Function) -> None:
    with pytest.raises(EventRefused) as refused:
        function.invoke({LONG.access_key_secret: True})
    assert "***" in str(refused.value)
    assert_clean(str(refused.value) + function.log)
    assert refused.value.__suppress_context__


def test_the_exits_redact_by_themselves_what_nobody_redacted_before(
    cloud: Cloud, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = cloud.cas.add_order(instance_id=f"cas-{LONG.access_key_secret}")
    answer = function.tick()
    assert answer.of(old)["outcome"] == "renewed"
    assert cloud.smq.messages()
    assert_clean(everything(cloud, function, answer.text))

    def broken(*_: object) -> None:
        raise ValueError(quoting())

    monkeypatch.setattr("handler.index.run", broken)
    assert_clean(function.tick().text + function.log)


def test_a_store_is_given_nothing_but_redacted_bytes() -> None:
    inner = MemoryStore()
    store = RedactedStore(inner, lambda text: text.replace("secret", "***"))
    assert store.append("orders/1", 0, b'{"said":"a secret"}') == 1
    store.put("report.json", "é secret".encode() + b"\xff")
    assert store.read_log("orders/1").entries == (b'{"said":"a ***"}',)
    assert store.get("report.json") == "é ***".encode() + b"\xff"


# --- what the libraries would log -------------------------------------------------------------------------------------


@pytest.mark.parametrize("debug", ["sdk", "SDK"])
def test_the_libraries_log_nothing_whatever_the_environment_says(
    cloud: Cloud,
    function: Function,
    debug: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DEBUG", debug)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    old = cloud.cas.add_order()
    cloud.cas.fail(LIST, faults.timeout_before())
    assert function.tick().of(old)["outcome"] == "renewed"
    assert caplog.records == []
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""
    assert all(line["event"] for line in function.log_lines)


# --- one line is one line ---------------------------------------------------------------------------------------------


def test_no_reader_finds_two_lines_in_one(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(domain=f"a{SPLITTERS}b.example.com")
    answer = function.tick()
    lines = function.log.splitlines()
    assert lines == function.log.split("\n")[:-1]
    assert any(json.loads(line).get("domain") == f"a{SPLITTERS}b.example.com" for line in lines)
    assert answer.text.splitlines() == [answer.text]


def test_a_line_that_is_cut_is_one_line_too() -> None:
    stream, clock = io.StringIO(), FakeClock()
    Log(stream, clock, f"request{SPLITTERS}", str).info("long", fact=f"{SPLITTERS}é" * 4000)
    (line,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    assert (found["time"], found["request_id"]) == (rfc3339(clock.now()), f"request{SPLITTERS}")
    assert len(line) <= 10_000


def test_what_is_printable_stays() -> None:
    assert printable("证书 é 👍 a\u00a0b") == "证书 é 👍 a\u00a0b"
