"""What an event asks for, and what is said of one that cannot be understood."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.command import Check, Command, Release, Renew, Resolve, Selection
from handler.errors import EventRefused
from handler.triggers.events import understand
from tests import examples
from tests.examples import DOMAIN, NEW, OLD, OTHER, PROPERTY

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
EXPIRY_EVENTS = examples.settings().expiry_events
SCAN = Selection()

SAMPLES = {
    "timer.json": Command("timer", Renew(SCAN)),
    "timer-narrowed.json": Command("timer", Renew(Selection(domains=(DOMAIN,)), dry_run=True)),
    "cloudmonitor-system-event.json": Command("cloudmonitor", Renew(Selection(certificate_ids=("7654321",)))),
    "cloudmonitor-system-event-text.json": Command("cloudmonitor", Renew(Selection(certificate_ids=("7654321",)))),
    "cloudmonitor-subscription.json": Command("cloudmonitor", Renew(Selection(order_ids=(OLD,)))),
    "cloudmonitor-subscription.form": Command("cloudmonitor", Renew(Selection(order_ids=(OLD,)))),
    "eventbridge.json": Command("cloudmonitor", Renew(SCAN)),
    "threshold-alarm.json": Command("cloudmonitor", Renew(Selection(instance_ids=("cas-cn-example01",)))),
    "manual.json": Command("manual", Renew(Selection(order_ids=(OLD,)))),
    "manual-api.json": Command("manual", Renew(Selection(order_ids=(OLD,)))),
    "manual-domains.json": Command("manual", Renew(Selection(domains=(DOMAIN,)))),
    "manual-scan-dry-run.json": Command("manual", Renew(SCAN, dry_run=True)),
    "check.json": Command("manual", Check()),
    "resolve.json": Command("manual", Resolve(OLD, NEW)),
    "release.json": Command("manual", Release(OLD)),
}


def asked(event: object) -> Command:
    raw = event if isinstance(event, bytes) else (event if isinstance(event, str) else json.dumps(event)).encode()
    return understand(raw, EXPIRY_EVENTS)


def refusal(event: object) -> str:
    with pytest.raises(EventRefused) as refused:
        asked(event)
    return str(refused.value)


# -------------------------------------------------------------------------------------------------------------- samples


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_event_is_understood(name):
    assert asked((EVENTS / name).read_bytes()) == SAMPLES[name]


def test_every_sample_event_is_among_these_tests():
    assert {path.name for path in EVENTS.iterdir()} == set(SAMPLES)


# ---------------------------------------------------------------------------------------------------------------- timer


def timer(**more: Any) -> dict[str, Any]:
    return {"triggerTime": "2026-11-21T03:00:00Z", "triggerName": "daily", **more}


@pytest.mark.parametrize("payload", ["", "  ", "\ufeff\n", "{}", ' {"scan": true}'])
def test_a_timer_scans_unless_its_payload_narrows_it(payload):
    assert asked(timer(payload=payload)) == Command("timer", Renew(SCAN))


@pytest.mark.parametrize(
    "payload",
    [
        "awesome-fc",
        "daily run of the team",
        "The team's nightly renewal, every 3 days; since 2026-11-21 (03:00 UTC).",
        "每天运行一次。不要改！",
        "ask team@example.com",
        "v1.2 - e.g. weekly",
        "renew all certificates",
        "🚀",
        "...",
    ],
)
def test_plain_words_are_a_note_and_the_result_will_say_so(payload):
    what = asked(timer(payload=payload)).what
    assert isinstance(what, Renew)
    assert what == Renew(SCAN, note=what.note)
    assert what.note == "the payload of the timer was taken for a note: it narrowed nothing"


@pytest.mark.parametrize("event", [timer(), timer(payload=None)])
def test_a_timer_without_a_payload_scans(event):
    assert asked(event) == Command("timer", Renew(SCAN))


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        ({"dry_run": True}, Renew(SCAN, dry_run=True)),
        ({"order_ids": [OLD], "dry_run": False}, Renew(Selection(order_ids=(OLD,)))),
        ({"check": True}, Check()),
    ],
)
def test_a_timer_can_ask_what_a_person_can_ask(payload, what):
    assert asked(timer(payload=json.dumps(payload))) == Command("timer", what)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("{dry_run: true}", "refused at payload, line 1 column 2: it is not JSON"),
        ('{"dry_run": true} and more', "refused at payload, line 1 column 19: it is not JSON"),
        ('{"dryrun": true}', "refused at payload: unknown key 'dryrun'"),
        ('{"dry_run": "yes"}', "refused at payload.dry_run: expected true or false"),
        ('{"order_ids": [0]}', "refused at payload.order_ids[0]: expected an id"),
        ("renew {all} of it", "refused at payload: it is no JSON object, and the character '{' makes it look like an"),
        ({"dry_run": True}, "refused at payload: the platform sends a string, this is an object"),
        ([], "refused at payload: the platform sends a string, this is a list"),
        (False, "refused at payload: the platform sends a string, this is a boolean"),
        (0, "refused at payload: the platform sends a string, this is a number"),
    ],
)
def test_a_payload_that_means_to_narrow_and_cannot_never_becomes_a_scan(payload, said):
    assert said in refusal(timer(payload=payload))


INSTRUCTIONS = {
    "the character": [
        '["123451222"]',
        '[{"dry_run": true}]',
        '"{\\"dry_run\\": true}"',
        '\ufeff{"dry_run": true}',
        '\u200b{"dry_run": true}',
        ' \u2060\ufeff {"dry_run": true}',
        '\x00{"dry_run": true}',
        "｛dry_run｝",
        '"dry_run": true}',
        "payload {'dry_run': True}",
        "dry_run=true",
        "DRY_RUN = true",
        "foo＝bar",
        "*",
        "*.example.com",
        "eyJkcnlfcnVuIjogdHJ1ZX0=",
    ],
    "a number as long as an id": [OLD, f"  {NEW}\n", f"only {OLD}", f"{OLD},{OTHER}", "renew１２３４５１２２２"],
    "a text of numbers": ["1, 2", "42 43", "1;2"],
    "a text that is a value": [
        "5",
        "-1.5",
        "1e5",
        "true",
        "False",
        "null",
        "None",
        "off",
        "NaN",
        "eyJkcnlfcnVuIjp0cnVlfQ",
    ],
    "'dry_run:' makes": ["dry_run: true", "dry_run:true", "- dry_run: true"],
    "'注意:' makes": ["注意：每天"],
    "an option such as '-": ["--dry-run", "run -n", "-x"],
    "the name of a host": ["www.example.com", "only shop.example.com please", "https://www.example.com", "例子.中国"],
    "the word": [
        *("dry_run", "dry-run", "dry run", "dryRun", "DRYRUN", "dry\u200b_run", "ｄｒｙ run", "scan", "scans", "check"),
        *(
            "resolve",
            "release it",
            "csr",
            "Csr",
            "order_ids",
            "orderIds",
            "OrderId",
            "order 5",
            "domains",
            "domainNames",
        ),
        *("'scan'", "`check`", "new_order_id", "new order"),
    ],
}


@pytest.mark.parametrize(("why", "payload"), [(why, one) for why, payloads in INSTRUCTIONS.items() for one in payloads])
def test_what_looks_like_an_instruction_is_no_note(why, payload):
    said = refusal(timer(payload=payload))
    assert said.startswith("event refused at payload: it is no JSON object, and ")
    assert why in said
    assert 'expected an object such as {"dry_run": true}' in said


@PROPERTY
@given(
    st.text("\ufeff\u200b\u2060 \t\n", max_size=3),
    st.sampled_from([{"dry_run": True}, {"order_ids": [OLD]}, {"domains": [DOMAIN]}, {"check": True}, {"release": {}}]),
    st.integers(0, 4),
    st.sampled_from([json.dumps, str, lambda asked: json.dumps(json.dumps(asked)), lambda asked: json.dumps([asked])]),
)
def test_no_spelling_of_an_instruction_becomes_a_scan_that_buys(before, instruction, cut, written):
    text = before + written(instruction)
    with contextlib.suppress(EventRefused):
        what = asked(timer(payload=text[: len(text) - cut])).what
        assert not isinstance(what, Renew) or what.dry_run or not what.selection.is_scan


@PROPERTY
@given(st.text("abcr ,.-é例", max_size=20).filter(lambda text: "." not in text and "-" not in text))
def test_letters_commas_and_spaces_are_always_a_note(text):
    what = asked(timer(payload=text)).what
    assert isinstance(what, Renew)
    assert bool(what.note) == bool(text.strip())


@pytest.mark.parametrize(
    "key", ["dryRun", "DRY_RUN", "dry-run", "orderIds", "order_id", "domain", "CSR", "domainNames"]
)
def test_what_belongs_into_the_payload_of_a_timer_is_not_ignored_in_another_spelling(key):
    assert f"refused at event: {key!r} belongs into the payload" in refusal(timer(**{key: True}))


@pytest.mark.parametrize("key", ["dry_run", "order_ids", "domains", "scan", "OrderId", "csr", "Csr", "resolve"])
def test_what_belongs_into_the_payload_of_a_timer_is_not_ignored_beside_it(key):
    assert f"refused at event: {key!r} belongs into the payload" in refusal(timer(payload="", **{key: True}))


# --------------------------------------------------------------------------------------------------------------- manual


@pytest.mark.parametrize(
    ("event", "selection"),
    [
        ({"order_ids": [OLD, OTHER]}, Selection(order_ids=(OLD, OTHER))),
        ({"order_ids": [int(OLD)]}, Selection(order_ids=(OLD,))),
        ({"order_ids": [OLD, int(OLD), f"00{OLD}"]}, Selection(order_ids=(OLD,))),
        ({"order_ids": [1, 2**63 - 1]}, Selection(order_ids=("1", "9223372036854775807"))),
        ({"OrderId": int(NEW)}, Selection(order_ids=("98987582437920968",))),
        ({"OrderId": NEW}, Selection(order_ids=("98987582437920968",))),
        (
            {"domains": ["WWW.Example.COM.", " www.example.com ", "*.example.com"]},
            Selection((), (), (), (DOMAIN, "*.example.com")),
        ),
        ({"domains": ["bücher.example.com"]}, Selection(domains=("xn--bcher-kva.example.com",))),
        ({"scan": True}, SCAN),
    ],
)
def test_a_person_names_orders_or_domains_or_asks_for_a_scan(event, selection):
    assert asked(event) == Command("manual", Renew(selection))
    assert asked({**event, "dry_run": True}) == Command("manual", Renew(selection, dry_run=True))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "refused at event: it asks for nothing"),
        ({"dry_run": True}, "refused at event: it asks for nothing"),
        ({"order_id": OLD}, "refused at event: unknown key 'order_id'"),
        ({"order_ids": [OLD], "force": True}, "refused at event: unknown key 'force'"),
        (
            {"order_ids": [OLD], "domains": [DOMAIN]},
            "refused at event: 'order_ids' and 'domains' contradict each other",
        ),
        ({"order_ids": [OLD], "scan": True}, "refused at event: 'order_ids' and 'scan' contradict each other"),
        ({"order_ids": [OLD], "OrderId": 1}, "refused at event: 'order_ids' and 'OrderId' contradict each other"),
        (
            {"check": True, "release": {"order_id": OLD}},
            "refused at event: 'check' and 'release' contradict each other",
        ),
        ({"scan": True, "check": True}, "refused at event: 'scan' and 'check' contradict each other"),
        ({"order_ids": []}, "refused at event.order_ids: expected a list with at least one entry, got a list of 0"),
        ({"order_ids": OLD}, "refused at event.order_ids: expected a list with at least one entry, got a string of 9"),
        ({"order_ids": {OLD: True}}, "refused at event.order_ids: expected a list"),
        ({"order_ids": None}, "refused at event.order_ids: expected a list with at least one entry, got null"),
        ({"domains": DOMAIN}, "refused at event.domains: expected a list"),
        ({"domains": []}, "refused at event.domains: expected a list"),
        ({"scan": False}, "refused at event.scan: only true is allowed"),
        ({"scan": 1}, "refused at event.scan: only true is allowed, got a number"),
        ({"scan": "true"}, "refused at event.scan: only true is allowed"),
        ({"scan": True, "dry_run": "true"}, "refused at event.dry_run: expected true or false, got a string of 4"),
        ({"scan": True, "dry_run": 1}, "refused at event.dry_run: expected true or false, got a number"),
        ({"scan": True, "dry_run": None}, "refused at event.dry_run: expected true or false, got null"),
        ({"check": False}, "refused at event.check: only true is allowed"),
        ({"check": True, "dry_run": True}, "refused at event: 'check' stands alone, but here is 'dry_run' too"),
        ({"resolve": OLD}, "refused at event.resolve: expected an object with order_id and new_order_id"),
        ({"resolve": {"order_id": OLD}}, "refused at event.resolve: expected an object with order_id and new_order_id"),
        ({"resolve": {"order_id": OLD, "new_order_id": "x"}}, "refused at event.resolve.new_order_id: expected an id"),
        (
            {"resolve": {"order_id": OLD, "new_order_id": OLD}},
            "refused at event.resolve.new_order_id: order 123451222 cannot be its own successor",
        ),
        ({"resolve": {"order_id": OLD, "new_order_id": f"0{OLD}"}}, "cannot be its own successor"),
        (
            {"resolve": {"order_id": OLD, "new_order_id": NEW, "why": "x"}},
            "refused at event.resolve: expected an object",
        ),
        ({"release": {"order_id": -1}}, "refused at event.release.order_id: expected an id"),
        ({"release": {}}, "refused at event.release: expected an object with order_id"),
        ({"release": {"order_id": OLD}, "csr": "x"}, "refused at event: 'release' stands alone, but here is 'csr' too"),
    ],
)
def test_what_a_person_cannot_mean_is_refused_naming_the_place(event, said):
    assert said in refusal(event)


@pytest.mark.parametrize(
    "wrong",
    [
        0,
        -1,
        2**63,
        1.5,
        1e300,
        True,
        None,
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "1.0",
        "1e5",
        "0x1",
        "١٢٣",
        "²",
        "9" * 20,
        [],
        {},
    ],
)
def test_an_id_is_a_positive_integer_of_64_bits(wrong):
    assert "refused at event.order_ids[1]: expected an id, a positive integer or its digits" in refusal(
        {"order_ids": [OLD, wrong]}
    )


@pytest.mark.parametrize(
    "wrong", [1, None, True, "", "  ", ".", " . ", "a.example.com,b.example.com", "a" * 254, [], {}]
)
def test_a_domain_is_the_text_of_one_name(wrong):
    assert "refused at event.domains[1]: expected a domain name" in refusal({"domains": [DOMAIN, wrong]})


def test_a_refusal_does_not_repeat_a_long_value():
    assert len(refusal({"order_ids": ["x" * 10_000]})) < 300
    assert len(refusal({"x" * 10_000: 1})) < 600


# ----------------------------------------------------------------------------------------------------------------- CSRs


@pytest.mark.parametrize(
    ("event", "selection"),
    [
        ({"order_ids": [OLD]}, Selection(order_ids=(OLD,))),
        ({"OrderId": int(OLD)}, Selection(order_ids=(OLD,))),
        ({"domains": [DOMAIN]}, Selection(domains=(DOMAIN,))),
    ],
)
@pytest.mark.parametrize("key", ["csr", "Csr"])
def test_a_csr_goes_with_one_order(event, selection, key):
    what = asked({**event, key: examples.csr()}).what
    assert isinstance(what, Renew)
    assert what.selection == selection
    assert what.csr is not None
    assert what.csr.common_name == DOMAIN


@pytest.mark.parametrize("event", [{"scan": True}, {"order_ids": [OLD, OTHER]}, {"domains": [DOMAIN, "b.example.com"]}])
def test_a_csr_does_not_go_with_several_orders(event):
    assert "refused at event.csr: a CSR goes with exactly one order" in refusal({**event, "csr": examples.csr()})


def test_a_csr_for_another_domain_than_the_one_named_is_refused():
    event = {"domains": ["shop.example.com"], "csr": examples.csr(DOMAIN)}
    assert "refused at event.csr: the CSR's CN is 'www.example.com'; the order's domain is 'shop.example.com'" in (
        refusal(event)
    )


def test_two_csrs_contradict_each_other():
    event = {"OrderId": OLD, "csr": examples.csr(), "Csr": examples.csr()}
    assert "'csr' and 'Csr' contradict each other" in refusal(event)


@pytest.mark.parametrize("wrong", [None, "", 5, {}, "not a CSR"])
def test_a_csr_that_is_none_is_refused_and_not_left_out(wrong):
    assert "refused at event.Csr: expected the PEM text of one CSR" in refusal({"OrderId": OLD, "Csr": wrong})


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


# ----------------------------------------------------------------------------------------------------------- properties

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**53, max_value=2**64)
    | st.floats()
    | st.text()
    | st.sampled_from(
        [OLD, DOMAIN, "acs:cas:cn-hangzhou:123456789012:order/1", "{orderId=1, domain=a}", "AlertOk", "{}"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        | st.dictionaries(st.sampled_from(["orderId", "certId", "domain", "instanceId", "order_id", "x"]), inner)
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
        ask = asked(event)
    except EventRefused as refused:
        said = str(refused)
        assert said.startswith("event refused at ")
    else:
        said = repr(ask)
        if isinstance(ask.what, Renew):
            named = ask.what.selection
            ids = (*named.order_ids, *named.certificate_ids)
            assert all(0 < int(name) < 2**63 and name == str(int(name)) for name in ids)
            said += "".join((*named.domains, *named.instance_ids))
            assert all(named.domains)
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
from handler.triggers.events import understand

resource.setrlimit(resource.RLIMIT_CPU, (5, 5))  # a second try at every character takes minutes
with contextlib.suppress(EventRefused):
    understand(sys.stdin.buffer.read(), ("*expir*",))
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
