"""An expiring order is renewed, once, and its new OrderId is on the queue."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from handler import index
from handler.cloud.cas_client import A_SECOND, READS_A_SECOND, CasClient
from handler.cloud.cas_orders import CasOrders
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.errors import CasThrottled, EventRefused, RunFailed, SettingsError
from handler.journal.attempts import MAX_PAUSE_SECONDS, _pause
from handler.orders.order import Order
from handler.orders.purchase import Purchase
from tests import sample_account
from tests.deployed import TIMER, Function, Runtime
from tests.examples import csr
from tests.points import once_at
from tests.situations import expiring
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import LIST, RENEWALS, messages

EVENTS = Path(__file__).parents[2] / "events"


def ids(cloud: Cloud) -> list[str]:
    return [message["id"] for message in cloud.smq.messages()]


def test_a_tick_renews_what_expires_and_puts_each_new_order_on_the_queue(cloud: Cloud, function: Function) -> None:
    soon = cloud.cas.add_order(domain="www.example.com", days_left=20, source="CPACK")
    sooner = cloud.cas.add_order(domain="shop.example.com", days_left=5, source="BUY")
    cloud.cas.add_order(domain="docs.example.com", days_left=100)
    answer = function.tick()
    assert not answer.failed
    assert answer.outcomes == {str(sooner): ("renewed", None), str(soon): ("renewed", None)}
    assert answer.result["counts"] == {"renewed": 2}
    new = [str(purchase.new_order_id) for purchase in cloud.cas.purchases]
    assert [message["subject"] for message in cloud.smq.messages()] == new
    assert [purchase.old_order_id for purchase in cloud.cas.purchases] == [sooner, soon]


def test_the_message_says_what_was_renewed_for_what(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(domain="www.example.com", instance_id="cas-cn-example01", product_code="digicert-dv-1")
    line = function.tick().of(old)
    (message,) = cloud.smq.messages()
    new = str(cloud.cas.purchases[0].new_order_id)
    request_id = message["data"].pop("RequestId")
    assert re.fullmatch(r"[0-9A-F-]{36}", request_id)
    assert message == {
        "specversion": "1.0",
        "id": f"{old}-{new}",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.order.renewed",
        "subject": new,
        "time": "2026-11-21T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "OrderId": new,
            "RenewedOrderId": str(old),
            "Domain": "www.example.com",
            "ProductCode": "digicert-dv-1",
            "InstanceId": "cas-cn-example01",
            "CertEndTime": "2026-12-11T03:00:00Z",
        },
    }
    assert (line["new_order_id"], line["message_id"]) == (new, message["id"])


def test_a_second_tick_renews_nothing(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    first = function.tick().of(old)
    second = function.tick().of(old)
    assert second["outcome"] == "already-renewed"
    assert (second["new_order_id"], second["message_id"]) == (first["new_order_id"], first["message_id"])
    assert len(cloud.cas.purchases) == len(cloud.smq.messages()) == 1


def test_an_order_that_looks_expiring_for_thirty_days_is_bought_once(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(days_left=30)
    outcomes = []
    for _ in range(30):
        outcomes.append(function.tick().of(old)["outcome"])
        cloud.clock.advance(days=1)
    assert outcomes == ["renewed"] + ["already-renewed"] * 29
    assert len(cloud.cas.purchases) == 1
    assert len(messages(cloud, "cas.order.renewed")) == 1


WATCHED = {"123451263": "expiring"}
"""A free certificate that nothing will replace; a scan says so."""
SAMPLES = {
    "timer.json": {"123451222": "renewed", "123451230": "renewed", "123451241": "renewed", **WATCHED},
    "timer-narrowed.json": {"123451222": "would-renew"},
    "manual.json": {"123451222": "renewed"},
    "manual-api.json": {"123451222": "renewed"},
    "manual-domains.json": {"123451222": "renewed"},
    "manual-instances.json": {},
    "manual-scan-dry-run.json": {
        "123451222": "would-renew",
        "123451230": "would-renew",
        "123451241": "would-renew",
        **WATCHED,
    },
    "cloudmonitor-system-event.json": {"123451222": "renewed"},
    "cloudmonitor-system-event-text.json": {"123451222": "renewed"},
    "cloudmonitor-system-event-instance.json": {},
    "cloudmonitor-subscription.json": {"123451222": "renewed"},
    "cloudmonitor-subscription.form": {"123451222": "renewed"},
    "eventbridge.json": {"123451222": "renewed", "123451230": "renewed", "123451241": "renewed", **WATCHED},
    "threshold-alarm.json": {"123451222": "renewed"},
    "check.json": {},
}
REFUSED_SAMPLES = {
    "resolve.json": "order 123451222",
    "release.json": "order 123451222",
    "release-instance.json": "cas_dv-cn-due00001",
}
"""They settle what is held, and in the sample account nothing is."""


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_sample_event_means_the_orders_that_it_should(cloud: Cloud, function: Function, sample: str) -> None:
    sample_account.furnish(cloud)
    answer = function.invoke((EVENTS / sample).read_bytes())
    assert not answer.failed
    done = {order["order_id"]: order["outcome"] for order in answer.orders if order["outcome"] != "skipped"}
    assert done == SAMPLES[sample]
    bought = sorted(str(purchase.old_order_id) for purchase in cloud.cas.purchases)
    assert bought == sorted(old for old, outcome in done.items() if outcome == "renewed")
    assert sorted(message["data"]["RenewedOrderId"] for message in messages(cloud, "cas.order.renewed")) == bought
    warned = [message["subject"] for message in messages(cloud, "cas.certificate.expiring")]
    is_told = "expiring" in done.values() and not answer.result["dry_run"]
    assert warned == (list(WATCHED) if is_told else [])
    assert len(cloud.smq.messages()) == len(bought) + len(warned)


@pytest.mark.parametrize("sample", sorted(REFUSED_SAMPLES))
def test_settling_what_is_not_held_is_refused(cloud: Cloud, function: Function, sample: str) -> None:
    sample_account.furnish(cloud)
    with pytest.raises(EventRefused, match=f"{REFUSED_SAMPLES[sample]} does not wait for a person"):
        function.invoke((EVENTS / sample).read_bytes())
    assert not cloud.cas.purchases


def test_every_sample_event_is_used_by_a_test() -> None:
    assert {path.name for path in EVENTS.iterdir()} == set(SAMPLES) | set(REFUSED_SAMPLES)


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"\xff\xfe{}",
        b"[]",
        b"{",
        b'{"order_ids": ["-5"]}',
        b'{"order_ids": [1.5]}',
        b'{"ids": [1]}',
        b'{"scan": 1}',
    ],
)
def test_an_event_that_cannot_be_understood_is_refused_before_any_call(
    cloud: Cloud, function: Function, event: bytes
) -> None:
    cloud.cas.add_order()
    with pytest.raises(EventRefused):
        function.invoke(event)
    assert not cloud.cas.calls
    assert not cloud.oss.calls
    assert not cloud.smq.calls


def test_a_timer_with_a_note_scans_and_says_that_it_took_the_payload_for_one(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    answer = function.invoke({**TIMER, "payload": "daily run of the team"})
    assert answer.result["note"] == "the payload of the timer was taken for a note: it narrowed nothing"
    assert answer.result["counts"] == {"renewed": 1}
    assert "note" not in function.invoke(TIMER).result


@pytest.mark.parametrize("payload", ["dry_run", '["123451222"]', '\ufeff{"dry_run": true}', "www.example.com"])
def test_a_timer_whose_payload_looks_like_an_instruction_is_refused_before_any_call(
    cloud: Cloud, function: Function, payload: str
) -> None:
    cloud.cas.add_order()
    with pytest.raises(EventRefused):
        function.invoke({**TIMER, "payload": payload})
    assert not cloud.cas.calls


def test_the_skipped_orders_of_an_account_come_with_their_reasons(cloud: Cloud, function: Function) -> None:
    sample_account.furnish(cloud)
    wanted = ["123451256", "123451263", "123451270", "123451288", "123451299", "123451305", "123451311", "999"]
    answer = function.invoke({"order_ids": wanted}, RENEW_DOMAINS_EXCEPT="docs.*")
    reasons = {order["order_id"] or order["asked_for"]: order["reason"] for order in answer.orders}
    assert reasons == {
        "123451256": "hosted",
        "123451263": "free-certificate",
        "123451270": "multi-domain",
        "123451288": "superseded",
        "123451299": "not-expiring",
        "123451305": "domain-not-allowed",
        "123451311": "expired",
        "999": "not-found",
    }
    assert not answer.failed
    assert not cloud.cas.purchases


def test_an_order_outside_the_window_is_skipped_even_when_it_is_asked_for(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(days_left=20)
    answer = function.invoke({"order_ids": [old]}, RENEW_WITHIN_DAYS="14")
    assert answer.outcomes == {str(old): ("skipped", "outside-window")}


def test_the_older_contract_of_the_call_is_a_setting(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(days_left=45)
    cloud.cas.renewable_statuses.add("ISSUED")
    assert function.tick(RENEW_WITHIN_DAYS="60").outcomes == {str(old): ("skipped", "not-expiring")}
    assert function.tick(RENEW_WITHIN_DAYS="60", RENEW_STATUSES="WILLEXPIRED,ISSUED").of(old)["outcome"] == "renewed"


def test_an_uploaded_certificate_is_skipped_and_no_private_key_is_ever_asked_for(
    cloud: Cloud, function: Function
) -> None:
    certificate = cloud.cas.add_upload("www.example.com")
    event = json.loads((EVENTS / "cloudmonitor-system-event.json").read_text())
    event["content"] = {"certificateId": certificate}
    del event["resourceId"]
    answer = function.invoke(event)
    assert [(order["outcome"], order["reason"]) for order in answer.orders] == [("skipped", "uploaded")]
    (call,) = cloud.cas.calls_of("GetUserCertificateDetail")
    assert call.params["CertFilter"].lower() == "true"
    assert "PRIVATE KEY" not in answer.text + function.log


@pytest.mark.parametrize("fault", faults.NO_ANSWERS, ids=lambda fault: fault.body)
def test_a_certificate_whose_answer_says_nothing_is_not_taken_for_an_uploaded_one(
    cloud: Cloud, function: Function, fault: faults.Fault
) -> None:
    cloud.cas.add_order(certificate_id=7654321)
    event = json.loads((EVENTS / "cloudmonitor-system-event.json").read_text())
    cloud.cas.fail("GetUserCertificateDetail", fault)
    answer = function.invoke(event)
    assert answer.failed
    assert "empty-answer: CAS answered without a body" in answer.text
    assert not cloud.cas.purchases


@pytest.mark.parametrize("fault", [faults.order_id_as_string(), faults.order_id_as_number()])
def test_a_new_order_id_above_2_53_arrives_whole(cloud: Cloud, function: Function, fault: faults.Fault) -> None:
    cloud.cas.next_renewal_id = 2**53 + 1
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, fault)
    function.tick()
    (message,) = cloud.smq.messages()
    assert message["subject"] == message["data"]["OrderId"] == str(2**53 + 1)


def test_ten_thousand_orders_are_read_once_if_there_is_nothing_to_buy(cloud: Cloud, function: Function) -> None:
    for number in range(9_990):
        cloud.cas.add_order(domain=f"host{number}.example.com", days_left=100)
    expiring = [
        cloud.cas.add_order(domain=f"soon{number}.example.com", days_left=10 + number, trustee="trustee")
        for number in range(10)
    ]
    answer = function.tick()
    assert list(answer.outcomes) == [str(order_id) for order_id in expiring]
    pages = [(call.params["OrderType"], call.params["CurrentPage"]) for call in cloud.cas.calls_of(LIST)]
    # 200 full pages of CPACK, one that says that these were all, and one that says that there is no BUY order.
    assert len(pages) == len(set(pages)) == 202


def test_orders_are_read_twice_before_anything_is_bought(cloud: Cloud, function: Function) -> None:
    for number in range(120):
        cloud.cas.add_order(domain=f"host{number}.example.com", days_left=100)
    expiring = [cloud.cas.add_order(domain=f"soon{number}.example.com", days_left=10 + number) for number in range(3)]
    answer = function.tick()
    assert list(answer.outcomes.values()) == [("renewed", None)] * 3
    assert list(answer.outcomes) == [str(order_id) for order_id in expiring]
    assert len(cloud.cas.calls_of(LIST)) == 2 * (3 + 1)


def test_orders_are_listed_no_faster_than_ten_calls_a_second(cloud: Cloud, function: Function) -> None:
    for number in range(1_000):
        cloud.cas.add_order(domain=f"host{number}.example.com", days_left=100)
    function.tick()
    at = [call.at for call in cloud.cas.calls_of(LIST)]
    assert len(at) == 22
    assert all(eleventh - first >= timedelta(seconds=1) for first, eleventh in zip(at, at[10:], strict=False))


def test_a_list_that_shifts_while_it_is_read_is_read_again(cloud: Cloud, function: Function) -> None:
    orders = [cloud.cas.add_order(domain=f"host{n}.example.com", days_left=100 if n else 9) for n in range(60)]
    once_at(cloud, ("after", "cas", LIST), lambda: cloud.cas.remove(orders[-1]))
    answer = function.tick()
    assert answer.of(orders[0])["outcome"] == "renewed"


def test_the_spending_fuse_counts_renewals_and_defers_the_rest(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 5)
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403))
    answer = function.tick(MAX_RENEWALS_PER_RUN="2")
    assert [answer.of(order)["outcome"] for order in orders] == [
        "refused",
        "renewed",
        "renewed",
        "deferred",
        "deferred",
    ]
    assert {answer.of(order)["reason"] for order in orders[3:]} == {"run-limit"}
    again = function.tick(MAX_RENEWALS_PER_RUN="2")
    assert [again.of(order)["outcome"] for order in orders[3:]] == ["renewed", "renewed"]


def test_a_dry_run_decides_and_reports_and_does_nothing(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 3)
    answer = function.tick(DRY_RUN="true", MAX_RENEWALS_PER_RUN="2")
    assert [(answer.of(order)["outcome"], answer.of(order)["in_run"]) for order in orders] == [
        ("would-renew", 1),
        ("would-renew", 1),
        ("would-renew", 2),
    ]
    assert answer.result["dry_run"] is True
    assert "DRY RUN" in function.log
    assert not cloud.cas.purchases
    assert not cloud.smq.calls
    assert {key.rpartition("/")[2] for key, _, _ in cloud.oss.history} == {"report.json", "report.html"}


def test_one_orders_failure_never_stops_the_others(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 3)
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403), faults.html_after(502), None)
    answer = function.tick()
    assert answer.failed
    assert [answer.of(order)["outcome"] for order in orders] == ["refused", "unknown", "renewed"]
    assert answer.of(orders[0])["reason"] == "OrderStateError"


@pytest.mark.parametrize("code", ["NoPermission", "InvalidAccessKeyId.Inactive", "Forbidden.RAM"])
def test_wrong_permissions_to_renew_stop_the_run_at_once(cloud: Cloud, function: Function, code: str) -> None:
    orders = expiring(cloud, 3)
    cloud.cas.fail(RENEWALS, faults.error(code))
    answer = function.tick()
    assert answer.failed
    assert answer.of(orders[0])["reason"] == code
    assert {answer.of(order)["reason"] for order in orders[1:]} == {"run-stopped"}
    assert len(cloud.cas.calls_of(RENEWALS)) == 1
    assert {line["outcome"] for line in function.tick().orders} == {"renewed"}


def test_wrong_credentials_stop_the_run_at_the_first_call(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.expire_credentials()
    answer = function.tick()
    assert answer.failed
    assert "InvalidSecurityToken.Expired" in answer.result["errors"][0]
    assert len(cloud.cas.calls) == 1


@pytest.mark.parametrize("fault", [faults.throttle(), faults.html(502), faults.timeout_before(), faults.empty(200)])
def test_reading_is_tried_again_with_patience(cloud: Cloud, function: Function, fault: faults.Fault) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(LIST, fault, fault)
    assert function.tick().of(old)["outcome"] == "renewed"


def test_a_throttled_renewal_is_tried_again_within_the_run(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.throttle(), faults.throttle("Throttling"), faults.throttle(retry_after_ms=4000))
    assert function.tick().of(old)["outcome"] == "renewed"
    at = [call.at for call in cloud.cas.calls_of(RENEWALS)]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(at)]
    assert all(wait >= 1 for wait in waits)
    assert waits[2] >= 4


def test_throttling_that_goes_on_is_waited_for_as_long_as_there_is_time(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.throttle()] * 20)
    start = cloud.clock.now()
    answer = function.tick(timeout=120)
    assert answer.of(old)["reason"] == "Throttling.User"
    assert answer.failed
    assert cloud.clock.now() - start <= timedelta(seconds=120)
    assert 5 <= len(cloud.cas.calls_of(RENEWALS)) < 20
    assert function.tick(timeout=600).of(old)["outcome"] == "renewed"


def test_a_clock_that_is_set_back_holds_up_reading_no_longer_than_the_rate_limit(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(600):
        cloud.cas.add_order(domain=f"host{n}.example.com", days_left=200)
    slept: list[float] = []
    credentials = Credentials(**vars(cloud.credentials))
    cas = CasOrders(CasClient("https://cas.aliyuncs.com", credentials, cloud.clock, Meter(cloud.clock)), cloud.clock)
    monkeypatch.setattr(cloud.clock, "sleep", slept.append)
    for _ in range(READS_A_SECOND):
        cas.probe()
    cloud.clock.advance(days=-1)
    cas.order_book()
    assert slept
    assert max(slept) <= A_SECOND.total_seconds()


@pytest.mark.parametrize("attempt", [1, 5, 1023, 1024, 100_000])
def test_a_pause_is_bounded_however_often_it_was_throttled(attempt: int) -> None:
    pause = _pause(CasThrottled("Throttling", "too many"), attempt)
    assert min(MAX_PAUSE_SECONDS, 2**attempt) / 2 <= pause <= MAX_PAUSE_SECONDS


def test_a_useless_refusal_is_not_repeated_by_the_platforms_retry_but_tomorrow(
    cloud: Cloud, function: Function
) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("NotRemainCount"))
    for _ in range(3):
        answer = function.tick()
        assert answer.failed
        assert answer.outcomes == {str(old): ("refused", "NotRemainCount")}
        cloud.clock.advance(120)
    assert len(cloud.cas.calls_of(RENEWALS)) == 1
    cloud.clock.advance(days=1)
    assert function.tick().of(old)["outcome"] == "renewed"


@pytest.mark.parametrize("kind", ["3.10", "3.12"])
def test_the_context_of_each_runtime_is_understood(cloud: Cloud, function: Function, kind: Runtime) -> None:
    old = cloud.cas.add_order()
    settings = {} if kind == "3.12" else {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
    assert function.invoke({"scan": True}, kind, 300, 0, None, **settings).of(old)["outcome"] == "renewed"


def test_a_function_without_a_role_says_so(cloud: Cloud, function: Function) -> None:
    with pytest.raises(SettingsError, match="give the function a role"):
        function.invoke({"scan": True}, kind="3.12", ALIBABA_CLOUD_ACCESS_KEY_ID="")


def test_the_platforms_entry_point_takes_its_settings_from_the_environment(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.cas.add_order(days_left=20)
    for name, value in cloud.environ(DRY_RUN="true").items():
        monkeypatch.setenv(name, value)
    context = cloud.context()
    index.initialize(context)
    result = json.loads(index.handler(b'{"scan": true}', context))
    assert result["request_id"] == context.request_id
    assert all(json.loads(line)["request_id"] == context.request_id for line in capsys.readouterr().out.splitlines())


def test_each_log_line_is_an_object_with_the_request_the_order_and_the_reason(cloud: Cloud, function: Function) -> None:
    sample_account.furnish(cloud)
    function.tick()
    orders = [line for line in function.log_lines if line["event"] == "order"]
    assert {"renewed", "skipped", "expiring"} == {line["outcome"] for line in orders}
    assert all({"time", "level", "request_id", "order_id", "outcome", "reason"} <= set(line) for line in orders)


def test_a_check_that_finds_faults_says_what_to_do_and_buys_nothing(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.deny("NoPermission")
    checks = {line["check"]: line for line in function.invoke({"check": True}, SMQ_QUEUE="nowhere").result["check"]}
    assert {name: line["ok"] for name, line in checks.items()} == {
        "settings": True,
        "credentials": True,
        "cas": False,
        "instances": False,
        "certificates": False,
        "smq": False,
        "journal": True,
        "alone": True,
    }
    assert "yundun-cert:ListUserCertificateOrder" in checks["cas"]["do"]
    for name, permission in (("instances", "ListInstances"), ("certificates", "ListCertificates")):
        assert f"yundun-cert:{permission}" in checks[name]["do"]
        assert f"leave {name} out of WATCH" in checks[name]["do"]
    assert "QueueNotExist" in checks["smq"]["found"]
    assert not cloud.cas.purchases
    assert not cloud.smq.messages()
    assert not cloud.oss.objects


def test_a_check_asks_for_one_row_of_each_list_that_is_watched(cloud: Cloud, function: Function) -> None:
    asked = ("ListInstances", "ListCertificates")
    checks = [line["check"] for line in function.invoke({"check": True}, WATCH="orders").result["check"]]
    assert not {"instances", "certificates"} & {*checks}
    assert not [call for action in asked for call in cloud.cas.calls_of(action)]

    checks = [line["check"] for line in function.invoke({"check": True}).result["check"] if line["ok"]]
    assert checks[2:5] == ["cas", "instances", "certificates"]
    assert [[call.params["ShowSize"] for call in cloud.cas.calls_of(action)] for action in asked] == [["1"], ["1"]]


def test_a_check_tells_of_wrong_settings_instead_of_failing_on_them(cloud: Cloud, function: Function) -> None:
    checks = function.invoke({"check": True}, DRY_RUN="maybe", RENEW_WITHIN_DAYS="0").result["check"]
    (line,) = checks
    assert (line["check"], line["ok"]) == ("settings", False)
    assert "DRY_RUN is 'maybe'" in line["found"]
    assert "RENEW_WITHIN_DAYS is '0'" in line["found"]


def test_a_fault_of_the_program_itself_fails_the_run_without_a_secret(
    cloud: Cloud, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError(cloud.credentials.access_key_secret)

    monkeypatch.setattr("handler.index.run", broken)
    answer = function.tick()
    assert answer.failed
    assert "internal error: KeyError" in answer.result["errors"][0]
    assert cloud.credentials.access_key_secret not in answer.text + function.log


def test_no_secret_is_in_any_output(cloud: Cloud, function: Function) -> None:
    secrets = vars(cloud.credentials).values()
    quoting = f"string to sign: {' '.join(secrets)}"
    for order in range(8):
        cloud.cas.add_order(domain=f"host{order}.example.com")
    kinds = ("SignatureDoesNotMatch", "InternalError", "NotFound")
    cloud.cas.fail(RENEWALS, *[faults.error(code, 400, quoting) for code in ("NotFound", "InternalError", kinds[0])])
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500, quoting)] * 9)
    cloud.oss.fail("AppendObject", None, None, faults.error("AccessDenied", 403, quoting))
    texts = [function.tick().text for _ in range(3)]
    cloud.cas.fail(LIST, faults.error("SignatureDoesNotMatch", 403, quoting))
    texts.append(function.tick().text)
    cloud.oss.deny("AccessDenied")
    texts.append(function.tick().text)
    texts += [function.log, *(stored.data.decode() for stored in cloud.oss.objects.values())]
    texts += [json.dumps(cloud.smq.messages())]
    for secret in secrets:
        assert all(secret not in text for text in texts)


def test_the_result_of_a_failed_run_is_the_exceptions_text(cloud: Cloud) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("NotFound"))
    event = b'{"scan": true}'
    with pytest.raises(RunFailed) as failed:
        index.invoke(event, cloud.context(), cloud.environ(), cloud.clock)
    assert json.loads(str(failed.value))["counts"] == {"refused": 1}
    assert failed.value.__cause__ is None


def test_the_function_knows_nothing_of_tests_or_of_a_local_cloud() -> None:
    for module in (EVENTS.parent / "handler").rglob("*.py"):
        text = module.read_text("utf-8")
        assert not re.search(r"^\s*(from|import)\s+tests", text, re.MULTILINE), module.name
        assert "stub" not in text.lower(), module.name


def test_a_csr_reaches_cas_with_its_order(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(domain="www.example.com")
    pem = csr("www.example.com")
    assert function.invoke({"OrderId": old, "Csr": pem}).of(old)["outcome"] == "renewed"
    assert cloud.cas.purchases[0].csr == pem
    assert "CERTIFICATE REQUEST" not in function.log


def test_a_csr_for_another_domain_is_refused_and_buys_nothing(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(domain="www.example.com")
    with pytest.raises(EventRefused, match=r"CN is 'shop\.example\.com'; the order's domain is 'www\.example\.com'"):
        function.invoke({"order_ids": [old], "csr": csr("shop.example.com")})
    assert not cloud.cas.purchases


def test_a_csr_for_a_domain_with_two_orders_is_refused(cloud: Cloud, function: Function) -> None:
    for product in ("digicert-dv-1", "geotrust-dv-1"):
        cloud.cas.add_order(domain="www.example.com", product_code=product)
    with pytest.raises(EventRefused, match="exactly one order"):
        function.invoke({"domains": ["www.example.com"], "csr": csr("www.example.com")})
    assert not cloud.cas.purchases


def test_a_timeout_in_which_nothing_can_be_renewed_is_told(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    assert function.tick(timeout=3).outcomes == {str(old): ("deferred", "no-time-left")}
    assert [line["level"] for line in function.log_lines if line["event"] == "timeout-too-short"] == ["error"]
    line = function.invoke({"check": True}, timeout=3).result["check"][0]
    assert (line["check"], line["ok"]) == ("settings", False)
    assert "3 s" in line["found"]


def test_an_order_that_stands_in_both_lists_is_one_order(cloud: Cloud, function: Function) -> None:
    """Whether a renewed order is of type CPACK or BUY is not documented; it might be both."""
    old = cloud.cas.add_order()
    cloud.cas._newest_first["BUY"].append(cloud.cas.order(old))
    answer = function.tick()
    assert answer.outcomes == {str(old): ("renewed", None)}
    assert len(cloud.cas.purchases) == 1


@pytest.mark.parametrize("host", ["oss-cn-hangzhou.aliyuncs.com", "oss-cn-hangzhou-internal.aliyuncs.com"])
def test_the_journal_may_be_in_another_region_than_the_function(cloud: Cloud, host: str) -> None:
    cloud.region = "eu-central-1"
    function = Function(cloud, OSS_ENDPOINT=f"https://{host}", SMQ_ENDPOINT=cloud.endpoints["SMQ_ENDPOINT"])
    old = cloud.cas.add_order()
    assert function.tick().of(old)["outcome"] == "renewed"


def test_a_fault_of_the_program_does_not_hide_what_was_bought_before(
    cloud: Cloud, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = expiring(cloud, 2)
    make = Purchase.make

    def broken(purchase: Purchase, order: Order, *rest: Any) -> Any:
        if order.id == str(second):
            raise ZeroDivisionError
        return make(purchase, order, *rest)

    monkeypatch.setattr(Purchase, "make", broken)
    answer = function.tick()
    assert answer.failed
    assert answer.outcomes == {str(first): ("renewed", None)}
    assert "ZeroDivisionError" in answer.result["errors"][0]
