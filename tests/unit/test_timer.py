"""What a timer asks for: a scan, or what its payload narrows it to."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind
from handler.command import Check, Command, Release, Renew, Selection
from handler.errors import EventRefused
from handler.triggers.manual import _KEYS
from tests.examples import DOMAIN, NEW, OLD, OTHER, PROPERTY
from tests.unit.sample_events import SCAN, V2_INSTANCE, asked, refusal, timer


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
        ({"instance_ids": [V2_INSTANCE], "dry_run": True}, Renew(Selection(instance_ids=(V2_INSTANCE,)), dry_run=True)),
        ({"check": True}, Check()),
        ({"release": {"instance_id": V2_INSTANCE}}, Release(V2_INSTANCE, Kind.INSTANCE)),
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
        ('{"instance_ids": ["7"]}', "refused at payload.instance_ids[0]: expected an instance id"),
        ('{"instanceIds": ["cas_dv-cn-1"]}', "refused at payload: unknown key 'instanceIds'"),
        ("renew {all} of it", "refused at payload: it is no JSON object, and the character '{' makes it look like an"),
        ({"dry_run": True}, "refused at payload: the platform sends a string, this is an object"),
        ([], "refused at payload: the platform sends a string, this is a list"),
        (False, "refused at payload: the platform sends a string, this is a boolean"),
        (0, "refused at payload: the platform sends a string, this is a number"),
    ],
)
def test_a_payload_that_means_to_narrow_and_cannot_never_becomes_a_scan(payload, said):
    assert said in refusal(timer(payload=payload))


@pytest.mark.parametrize("key", _KEYS)
def test_no_key_of_a_manual_event_is_overlooked_beside_the_payload_or_in_a_note(key):
    assert f"{key!r} belongs into the payload of a timer event" in refusal(timer(**{key: True}))
    assert "makes it look like an instruction" in refusal(timer(payload=f"please {key} today"))


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
            "instanceIds",
            "instance_id cas_dv-cn-1",
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
    st.sampled_from(
        [{"dry_run": True}, {"order_ids": [OLD]}, {"domains": [DOMAIN]}, {"instance_ids": ["a-1"]}, {"release": {}}]
    ),
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
    "key", ["dryRun", "DRY_RUN", "dry-run", "orderIds", "order_id", "domain", "CSR", "domainNames", "instanceIds"]
)
def test_what_belongs_into_the_payload_of_a_timer_is_not_ignored_in_another_spelling(key):
    assert f"refused at event: {key!r} belongs into the payload" in refusal(timer(**{key: True}))


@pytest.mark.parametrize(
    "key", ["dry_run", "order_ids", "instance_ids", "domains", "scan", "OrderId", "csr", "Csr", "resolve"]
)
def test_what_belongs_into_the_payload_of_a_timer_is_not_ignored_beside_it(key):
    assert f"refused at event: {key!r} belongs into the payload" in refusal(timer(payload="", **{key: True}))
