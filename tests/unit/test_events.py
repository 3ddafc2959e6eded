"""What an event asks for, whoever sent it, and what is said of bytes that cannot be understood."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.ids import instance_id_in
from handler.certificates.renewable import Kind
from handler.command import Check, Command, Release, Renew, Resolve, Selection
from handler.errors import EventRefused
from handler.triggers.events import command_in
from tests.examples import DOMAIN, NEW, OLD, PROPERTY
from tests.unit.sample_events import EVENTS, EXPIRY_EVENTS, INSTANCE, SCAN, V2_INSTANCE, asked, refusal, subscription

ROOT = Path(__file__).resolve().parents[2]

SAMPLES = {
    "timer.json": Command("timer", Renew(SCAN)),
    "timer-narrowed.json": Command("timer", Renew(Selection(domains=(DOMAIN,)), dry_run=True)),
    "cloudmonitor-system-event.json": Command(
        "cloudmonitor", Renew(Selection(certificate_ids=("7654321",), instance_ids=(INSTANCE,)))
    ),
    "cloudmonitor-system-event-text.json": Command(
        "cloudmonitor", Renew(Selection(certificate_ids=("7654321",), instance_ids=(INSTANCE,)))
    ),
    "cloudmonitor-system-event-instance.json": Command("cloudmonitor", Renew(Selection(instance_ids=(V2_INSTANCE,)))),
    "cloudmonitor-subscription.json": Command("cloudmonitor", Renew(Selection(order_ids=(OLD,)))),
    "cloudmonitor-subscription.form": Command("cloudmonitor", Renew(Selection(order_ids=(OLD,)))),
    "eventbridge.json": Command("cloudmonitor", Renew(SCAN)),
    "threshold-alarm.json": Command("cloudmonitor", Renew(Selection(instance_ids=(INSTANCE,)))),
    "manual.json": Command("manual", Renew(Selection(order_ids=(OLD,)))),
    "manual-instances.json": Command("manual", Renew(Selection(instance_ids=(V2_INSTANCE,)))),
    "manual-api.json": Command("manual", Renew(Selection(order_ids=(OLD,)))),
    "manual-domains.json": Command("manual", Renew(Selection(domains=(DOMAIN,)))),
    "manual-scan-dry-run.json": Command("manual", Renew(SCAN, dry_run=True)),
    "check.json": Command("manual", Check()),
    "resolve.json": Command("manual", Resolve(OLD, NEW)),
    "release.json": Command("manual", Release(OLD, Kind.ORDER)),
    "release-instance.json": Command("manual", Release(V2_INSTANCE, Kind.INSTANCE)),
}


# -------------------------------------------------------------------------------------------------------------- samples


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_event_is_understood(name):
    assert asked((EVENTS / name).read_bytes()) == SAMPLES[name]


def test_every_sample_event_is_among_these_tests():
    assert {path.name for path in EVENTS.iterdir()} == set(SAMPLES)


# ---------------------------------------------------------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (b"", "refused at event: it is empty"),
        (b" \r\n\t", "refused at event: it is empty"),
        (b"\xef\xbb\xbf", "refused at event: it is empty"),
        (b"hello", "refused at event, line 1 column 1: it is not JSON"),
        (b'{"scan": true', "refused at event, line 1 column 14: it is not JSON"),
        (b'{\n "scan": True}', "refused at event, line 2 column 10: it is not JSON"),
        (b'{"scan": true}{"scan": true}', "refused at event, line 1 column 15: it is not JSON"),
        (b"[]", "refused at event: expected a JSON object, got a list of 0"),
        (b'[{"scan": true}]', "refused at event: expected a JSON object, got a list of 1"),
        (b"null", "refused at event: expected a JSON object, got null"),
        (b"123451222", "refused at event: expected a JSON object, got a number"),
        (b"true", "refused at event: expected a JSON object, got a boolean"),
        (b'"{}"', "refused at event: expected a JSON object, got a string of 2"),
        (b'{"domains": ["\xff"]}', "refused at byte 14: 0xff is not UTF-8"),
        (b'{"domains": ["caf\xe9.example.com"]}', "refused at byte 17: 0xe9 is not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "refused at byte 0: 0xff is not UTF-8"),
        (b'{"OrderId": NaN}', "refused at event: NaN is not JSON"),
        (b'{"OrderId": -Infinity}', "refused at event: -Infinity is not JSON"),
        (b'{"OrderId": 1e999}', "refused at event.OrderId: expected an id"),
        (b'{"OrderId": 1, "OrderId": 2}', "refused at event: the key 'OrderId' stands twice"),
        (b'{"resolve": {"order_id": 1, "order_id": 2}}', "refused at event: the key 'order_id' stands twice"),
        (b'{"scan": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "refused at event: it is nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "refused at event: it is nested too deeply"),
    ],
)
def test_bytes_that_are_no_event_are_refused_with_the_place(event, said):
    assert said in refusal(event)


def test_a_number_of_any_length_is_refused_like_any_wrong_id():
    assert "event refused at event" in refusal(b'{"OrderId": ' + b"9" * 100_000 + b"}")


def test_a_byte_order_mark_is_no_part_of_the_event():
    assert asked(b"\xef\xbb\xbf" + b'{"scan": true}') == Command("manual", Renew(SCAN))


def test_a_byte_that_is_not_utf_8_is_found_wherever_it_stands():
    assert "refused at byte 20011: 0x80" in refusal(b'{"domains":' + b" " * 20_000 + b"\x80]}")


# --------------------------------------------------------------------------------------------- a webhook sent as a form


def test_a_form_holds_its_fields_in_any_order_and_encoding():
    alert = json.dumps(subscription({"domain": "bücher.example.com"})["alert"], ensure_ascii=False)
    for form in (
        f"batchId=1&{urlencode({'alert': alert})}",
        f"alert={alert}&time=1\n",
        f" alert={alert.replace(' ', '+')}",
    ):
        command = command_in(form.encode(), EXPIRY_EVENTS)
        assert command == Command("cloudmonitor", Renew(Selection(domains=("xn--bcher-kva.example.com",))))


def test_a_form_in_which_a_field_stands_twice_is_refused():
    alert = urlencode({"alert": json.dumps(subscription({"orderId": OLD})["alert"])})
    with pytest.raises(EventRefused, match="refused at event: a field of the form stands twice"):
        command_in(f"{alert}&{alert}".encode(), EXPIRY_EVENTS)


# ----------------------------------------------------------------------------------------------------------- properties

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**53, max_value=2**64)
    | st.floats()
    | st.text()
    | st.sampled_from(
        [
            *(
                OLD,
                DOMAIN,
                V2_INSTANCE,
                "cas-cn-\u0661",
                "cas_dv-cn-" + "1" * 200,
                "{orderId=1, domain=a}",
                "AlertOk",
                "{}",
            ),
            *("acs:cas:cn-hangzhou:123456789012:order/1", "acs:cas:cn-hangzhou:123456789012:instance/cas-cn-1/order/1"),
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["orderId", "certId", "domain", "instanceId", "instances", "order_id", "x"]), inner
        )
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


KEYS = [
    "alert",
    "alertStatus",
    "check",
    "content",
    "Csr",
    "csr",
    "curLevel",
    "data",
    "dimensions",
    "domains",
    "dry_run",
    "eventName",
    "instance_ids",
    "metricName",
    "name",
    "order_ids",
    "OrderId",
    "payload",
    "preLevel",
    "product",
    "release",
    "resolve",
    "resources",
    "ruleName",
    "scan",
    "source",
    "specversion",
    "status",
    "subject",
    "triggerName",
    "triggerTime",
    "type",
]


EXPIRY_TITLES = st.sampled_from(["Certificate:WillExpire", "ssl-certificate-expiry"])


ENVELOPES = st.one_of(
    st.fixed_dictionaries({"product": st.just("CAS"), "name": EXPIRY_TITLES, "content": JSON_VALUES}),
    st.fixed_dictionaries(
        {
            "alert": st.fixed_dictionaries(
                {"eventName": EXPIRY_TITLES}, optional={"eventContentMap": JSON_VALUES, "meta": JSON_VALUES}
            )
        }
    ),
    st.fixed_dictionaries(
        {"specversion": st.just("1.0"), "type": EXPIRY_TITLES, "source": st.just("acs.slb"), "data": JSON_VALUES}
    ),
    st.fixed_dictionaries(
        {"ruleName": EXPIRY_TITLES, "metricName": JSON_VALUES, "dimensions": JSON_VALUES, "resources": JSON_VALUES}
    ),
)


def assert_understood_or_refused(event: bytes) -> None:
    try:
        command = asked(event)
    except EventRefused as refused:
        said = str(refused)
        assert said.startswith("event refused at ")
    else:
        said = repr(command)
        if isinstance(command.what, Renew):
            named = command.what.selection
            ids = (*named.order_ids, *named.certificate_ids)
            assert all(0 < int(name) < 2**63 and name == str(int(name)) for name in ids)
            said += "".join((*named.domains, *named.instance_ids))
            assert all(named.domains)
            assert all(instance_id_in(name) == name for name in named.instance_ids)
    said.encode()  # what is said of an event can be logged


@PROPERTY
@given(st.binary())
def test_whatever_bytes_come_they_are_understood_or_refused(event):
    assert_understood_or_refused(event)


@PROPERTY
@given(JSON_VALUES)
def test_whatever_json_comes_it_is_understood_or_refused(document):
    assert_understood_or_refused(json.dumps(document).encode())


@PROPERTY
@given(st.dictionaries(st.sampled_from(KEYS), JSON_VALUES, min_size=1, max_size=6))
def test_whatever_stands_under_the_known_keys_it_is_understood_or_refused(document):
    assert_understood_or_refused(json.dumps(document).encode())


@PROPERTY
@given(ENVELOPES)
def test_whatever_an_expiry_event_holds_it_is_understood_or_refused(document):
    assert_understood_or_refused(json.dumps(document).encode())


@PROPERTY
@given(st.text())
def test_whatever_follows_alert_in_a_form_it_is_understood_or_refused(text):
    assert_understood_or_refused(f"alert={text}".encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "event",
    [
        b'{"domains": ["\\ud800.example.com"]}',
        b'{"product": "CAS", "name": "expiry", "content": {"domain": "\\udfff"}}',
        b'{"product": "CAS", "name": "expiry", "content": {"\\ud800": {"orderId": "x"}}}',
        b'{"product": "CAS", "name": "expiry", "content": "{\\"\\\\ud800\\": {\\"orderId\\": \\"x\\"}}"}',
        b'{"product": "CAS", "name": "\\ud800", "content": {}}',
        b'{"\\ud800": 1}',
    ],
)
def test_half_a_character_does_not_make_a_text_that_cannot_be_logged(event):
    assert_understood_or_refused(event)


READER = """
import contextlib, resource, sys
from handler.errors import EventRefused
from handler.triggers.events import command_in

resource.setrlimit(resource.RLIMIT_CPU, (5, 5))  # a second try at every character takes minutes
with contextlib.suppress(EventRefused):
    command_in(sys.stdin.buffer.read(), ("*expir*",))
"""


@pytest.mark.parametrize(
    "event",
    [
        b'{"product": "CAS", "name": "expiry", "content": {"text": "{' + b"a" * 300_000 + b'"}}',
        b"{" + b",".join(b'"%d": 1' % i for i in range(60_000)) + b', "59999": 1}',
        b"alert={" + b"a=" * 50_000,
        b'{"product": "CAS", "name": "expiry", "content": {"text": "{' + b"a=[" * 100_000 + b'"}}',
        b'{"product": "CAS", "name": "expiry", "content": {"text": "{' + b"a=1, " * 60_000 + b'}"}}',
        b'{"product": "CAS", "name": "expiry", "content": {"' + b"s" * 300_000 + b'": 1, "orders": {"id": "x"}}}',
        b'{"triggerTime": "", "triggerName": "", "payload": "' + b"a" * 300_000 + b'"}',
        b'{"triggerTime": "", "triggerName": "", "payload": "a' + b" a" * 150_000 + b'"}',
        b'{"triggerTime": "", "triggerName": "", "payload": "' + b"7" * 300_000 + b'"}',
    ],
    ids=[
        *("a text that opens a bracket", "a late duplicate", "a form", "opening lists", "many pairs", "a long key"),
        *("a long word", "many words", "a long number"),
    ],
)
def test_a_large_event_costs_no_more_than_its_length(event):
    reader = subprocess.run([sys.executable, "-c", READER], cwd=ROOT, input=event, capture_output=True, check=False)
    assert (reader.returncode, reader.stderr) == (0, b"")
