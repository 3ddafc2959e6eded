"""The entries of a journal: what stands in the line of each, and what is no line of this program."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnavailable
from handler.journal.entries import (
    Applied,
    Claimed,
    Entry,
    Followed,
    Held,
    Issued,
    Notified,
    Observed,
    Published,
    Refused,
    Released,
    Renewed,
    Unknown,
)
from handler.journal.entry_kinds import ENTRIES, KIND_OF, Written, entry_in
from handler.journal.journal import journal_line
from handler.journal.renewal import Renewal
from handler.journal.states import State
from tests.examples import DAY, DOMAIN, HOUR, MILLISECOND, NEW, NOW, OLD, OTHER, PROPERTY, SECOND, renewable
from tests.unit.journal_steps import DEADLINE, REFUSAL, brought_to, claimed_line

LINES: list[tuple[Entry, Mapping[str, Any]]] = [
    (
        Claimed(renewable(), DEADLINE, NOW - SECOND, frozenset({OLD, NEW}), "open/note"),
        {
            "entry": "claimed",
            "deadline": "2026-11-21T03:05:00Z",
            "domain": DOMAIN,
            "product_code": "dv-single",
            "instance_id": "cas-cn-example01",
            "cert_end": "2026-12-11T03:00:00Z",
            "snapshot_at": "2026-11-21T02:59:59Z",
            "snapshot": [OLD, NEW],
            "picture": "open/note",
        },
    ),
    (
        Refused("OrderStateError", "订单状态错误", NOW + 20 * HOUR, is_failure=True, is_lost=False),
        {
            "entry": "refused",
            "code": "OrderStateError",
            "message": "订单状态错误",
            "retry_at": "2026-11-21T23:00:00Z",
            "failure": True,
            "lost": False,
        },
    ),
    (Unknown("no-answer", "ReadTimeout"), {"entry": "unknown", "code": "no-answer", "message": "ReadTimeout"}),
    (
        Held("several-candidates", ("10", "9")),
        {"entry": "held", "reason": "several-candidates", "candidates": ["10", "9"]},
    ),
    (Released(), {"entry": "released"}),
    (
        Renewed(NEW, "answer", "request-of-cas"),
        {"entry": "renewed", "new_order_id": NEW, "how": "answer", "request_id": "request-of-cas"},
    ),
    (
        Applied("answer", "request-of-cas"),
        {"entry": "applied", "how": "answer", "request_id": "request-of-cas"},
    ),
    (
        Published(f"{OLD}-{NEW}", "smq-1"),
        {"entry": "published", "message_id": f"{OLD}-{NEW}", "smq_message_id": "smq-1"},
    ),
    (
        Followed(renewable(instance=OLD), "20000000"),
        {
            "entry": "followed",
            "certificate_id": "20000000",
            "domain": DOMAIN,
            "product_code": "dv-single",
            "cert_end": "2026-12-11T03:00:00Z",
        },
    ),
    (
        Issued("20000001", NOW + 200 * DAY),
        {"entry": "issued", "certificate_id": "20000001", "cert_end": "2027-06-09T03:00:00Z"},
    ),
    (Observed("CHECKING"), {"entry": "observed", "stage": "CHECKING"}),
    (Notified("a-message"), {"entry": "told", "message_id": "a-message"}),
]
"""Each kind of entry, and the fields of its line: journals are kept for ever, so these stay as they are."""
OLDER: list[tuple[Mapping[str, Any], Entry]] = [
    ({"entry": "unknown"}, Unknown("", "")),
    ({"entry": "renewed", "new_order_id": NEW, "request_id": None}, Renewed(NEW, "answer", None)),
    ({"entry": "published"}, Published("", "")),
]
"""Lines that lack what later versions added, and how they are read."""


def written(entry: Entry) -> bytes:
    kind = KIND_OF[type(entry)]
    return journal_line(kind.name, kind.write(entry), "request-1", NOW)


def read(fields: Mapping[str, Any]) -> Written:
    line = {"at": "2026-11-21T03:00:00Z", "run": "request-1", "id": "0a1b", **fields}
    return entry_in(json.dumps(line).encode(), Kind.ORDER, OLD)


@pytest.mark.parametrize(("entry", "fields"), LINES, ids=[str(fields["entry"]) for _, fields in LINES])
def test_the_line_of_each_kind_of_entry_is_what_it_always_was(entry, fields):
    line = json.loads(written(entry))
    assert isinstance(line.pop("id"), str)
    assert line == {"at": "2026-11-21T03:00:00Z", "run": "request-1", **fields}
    assert read(fields) == Written(entry, NOW)


def test_every_kind_of_entry_is_there_once_and_has_an_example_here():
    assert [kind.type for kind in ENTRIES] == [type(entry) for entry, _ in LINES]
    assert [kind.name for kind in ENTRIES] == [fields["entry"] for _, fields in LINES]
    assert len({kind.name for kind in ENTRIES}) == len(KIND_OF) == len(ENTRIES)


@pytest.mark.parametrize(("fields", "entry"), OLDER, ids=[str(fields["entry"]) for fields, _ in OLDER])
def test_a_line_of_an_older_version_is_read_with_what_it_lacks_at_its_default(fields, entry):
    assert read(fields) == Written(entry, NOW)


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        (fields, key)
        for _, fields in LINES
        for key in fields
        if (fields["entry"], key)
        not in {
            ("claimed", "picture"),
            ("unknown", "code"),
            ("unknown", "message"),
            ("renewed", "how"),
            ("published", "message_id"),
            ("published", "smq_message_id"),
        }
    ],
)
def test_a_line_that_lacks_anything_else_is_none(fields, lacks):
    with pytest.raises(JournalUnavailable, match=OLD):
        read({key: value for key, value in fields.items() if key != lacks})


@pytest.mark.parametrize(
    ("kind", "key", "wrong"),
    [
        ("claimed", "run", 5),
        ("claimed", "domain", None),
        ("claimed", "product_code", 5),
        ("claimed", "instance_id", ["x"]),
        ("claimed", "snapshot", "98"),
        ("claimed", "snapshot", [5]),
        ("refused", "code", 5),
        ("refused", "message", None),
        ("refused", "retry_at", "soon"),
        ("held", "reason", ["x"]),
        ("held", "candidates", "98"),
        ("held", "candidates", [5]),
        ("renewed", "new_order_id", 5),
        ("renewed", "request_id", 5),
        ("applied", "how", 5),
        ("applied", "how", None),
        ("applied", "request_id", 5),
        ("followed", "certificate_id", 5),
        ("followed", "certificate_id", None),
        ("followed", "domain", None),
        ("followed", "product_code", 5),
        ("followed", "cert_end", "soon"),
        ("issued", "certificate_id", 5),
        ("issued", "cert_end", None),
    ],
)
def test_what_a_decision_rests_on_is_not_guessed_at(kind, key, wrong):
    (fields,) = (fields for _, fields in LINES if fields["entry"] == kind)
    with pytest.raises(JournalUnavailable, match=OLD):
        read({**fields, key: wrong})


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(timezone.utc))  # noqa: DTZ001
TEXTS = st.text(max_size=10)
THINGS = st.builds(
    Renewable, st.just(Kind.ORDER), st.just(OLD), TEXTS, TEXTS, TEXTS, ends=st.none() | MOMENTS, is_known=st.just(True)
)
FOLLOWED_THINGS = THINGS.map(lambda thing: thing._replace(instance=OLD))
"""The journal of an instance is under its id."""
ENTRIES_OF_ANY_KIND = st.one_of(
    st.builds(Claimed, THINGS, MOMENTS, MOMENTS, st.frozensets(TEXTS), TEXTS, st.just("")),
    st.builds(Refused, TEXTS, TEXTS, MOMENTS, is_failure=st.booleans(), is_lost=st.booleans()),
    st.builds(Unknown, TEXTS, TEXTS),
    st.builds(Held, TEXTS, st.lists(TEXTS).map(sorted).map(tuple)),
    st.just(Released()),
    st.builds(Renewed, TEXTS, st.sampled_from(["answer", "settled", "person"]), st.none() | TEXTS),
    st.builds(Applied, st.sampled_from(["answer", "settled"]), st.none() | TEXTS),
    st.builds(Published, TEXTS, TEXTS),
    st.builds(Followed, FOLLOWED_THINGS, TEXTS),
    st.builds(Issued, TEXTS, MOMENTS),
    st.builds(Observed, TEXTS),
    st.builds(Notified, TEXTS),
)


@PROPERTY
@given(ENTRIES_OF_ANY_KIND, MOMENTS)
def test_whatever_stands_in_an_entry_it_is_read_as_it_was_written(entry, at):
    kind = KIND_OF[type(entry)]
    line = journal_line(kind.name, kind.write(entry), "request-1", at)
    assert entry_in(line, Kind.ORDER, OLD) == Written(entry, at)


# ------------------------------------------------------------------------------------------ the claim of an instance

INSTANCE = "cas_dv-cn-example01"
OF_INSTANCE = Claimed(
    Renewable(Kind.INSTANCE, INSTANCE, DOMAIN, "digicert-dv", INSTANCE, NOW + 20 * DAY),
    DEADLINE,
    NOW,
    frozenset(),
    certificate_id="20000001",
)
CLAIM_OF_INSTANCE: dict[str, Any] = {
    "entry": "claimed",
    "at": "2026-11-21T03:00:00Z",
    "run": "request-1",
    "deadline": "2026-11-21T03:05:00Z",
    "domain": DOMAIN,
    "product_code": "digicert-dv",
    "instance_id": INSTANCE,
    "cert_end": "2026-12-11T03:00:00Z",
    "snapshot_at": "2026-11-21T03:00:00Z",
    "snapshot": [],
    "picture": "",
    "certificate_id": "20000001",
}


def read_of_instance(fields: Mapping[str, Any]) -> Written:
    return entry_in(json.dumps(fields).encode(), Kind.INSTANCE, INSTANCE)


def test_the_claim_of_an_instance_names_the_certificate_that_is_to_be_replaced():
    line = json.loads(written(OF_INSTANCE))
    assert isinstance(line.pop("id"), str)
    assert line == CLAIM_OF_INSTANCE
    assert read_of_instance(CLAIM_OF_INSTANCE) == Written(OF_INSTANCE, NOW)


@pytest.mark.parametrize("wrong", ["(left out)", None, 20000001, ["20000001"], ""])
def test_a_claim_of_an_instance_that_names_no_certificate_is_unreadable(wrong):
    fields = {**CLAIM_OF_INSTANCE, "certificate_id": wrong}
    fields = {key: value for key, value in fields.items() if value != "(left out)"}
    with pytest.raises(JournalUnavailable, match=INSTANCE):
        read_of_instance(fields)


def test_a_claim_of_an_instance_that_names_no_certificate_is_not_even_written(journal, store):
    with pytest.raises(JournalUnavailable, match=INSTANCE):
        journal.record(journal.read(INSTANCE), OF_INSTANCE._replace(certificate_id=""), NOW)
    assert store.logs == {}


OF_INSTANCES = st.builds(
    Claimed,
    st.builds(
        Renewable,
        st.just(Kind.INSTANCE),
        st.just(INSTANCE),
        TEXTS,
        TEXTS,
        TEXTS,
        ends=st.none() | MOMENTS,
        is_known=st.just(True),
    ),
    MOMENTS,
    MOMENTS,
    st.just(frozenset()),
    st.just(""),
    st.text(min_size=1, max_size=10),
)


@PROPERTY
@given(OF_INSTANCES, MOMENTS)
def test_whatever_stands_in_the_claim_of_an_instance_it_is_read_as_it_was_written(claim, at):
    line = journal_line("claimed", KIND_OF[Claimed].write(claim), "request-1", at)
    assert entry_in(line, Kind.INSTANCE, INSTANCE) == Written(claim, at)


# ---------------------------------------------------------------------------------------------------------------- lines


def test_an_entry_is_one_line_of_ascii_that_says_who_wrote_it_and_when(journal, store):
    journal.record(brought_to(State.CLAIMED, journal), REFUSAL, NOW + SECOND)
    for at, line in zip(("2026-11-21T03:00:00Z", "2026-11-21T03:00:01Z"), store.logs[f"orders/{OLD}"], strict=True):
        assert line.isascii()
        assert b"\n" not in line
        entry = json.loads(line)
        assert (entry["run"], entry["at"]) == ("request-1", at)


def test_a_claim_keeps_all_that_settling_and_the_message_need(journal):
    claim = Claimed(renewable(), DEADLINE, NOW - SECOND, frozenset({OLD, NEW}), "open/note")
    claimed = journal.record(journal.read(OLD), claim, NOW)
    assert claimed.claim == Claimed(
        renewable=Renewable(
            kind=Kind.ORDER,
            id=OLD,
            domain=DOMAIN,
            product="dv-single",
            instance="cas-cn-example01",
            ends=NOW + 20 * DAY,
        ),
        deadline=DEADLINE,
        snapshot_at=NOW - SECOND,
        snapshot=frozenset({OLD, NEW}),
        picture="open/note",
    )
    assert journal.read(OLD) == claimed


def test_a_claim_of_an_older_version_has_no_picture(store, journal):
    store.logs[f"orders/{OLD}"] = [claimed_line(picture="(left out)")]
    assert journal.read(OLD).claimed().picture == ""


def test_the_end_of_a_certificate_is_kept_to_the_millisecond_or_as_unknown(journal):
    for order_id, end in ((OLD, NOW + 20 * DAY + MILLISECOND), (OTHER, None)):
        claim = Claimed(renewable(order_id, ends=end), DEADLINE, NOW, frozenset())
        journal.record(Renewal(order_id), claim, NOW)
        assert journal.read(order_id).claimed().renewable.ends == end


# --------------------------------------------------------------------------------------------------------- spoilt lines


def test_the_entry_that_the_next_tests_spoil_is_good(store, journal):
    store.logs[f"orders/{OLD}"] = [claimed_line()]
    assert journal.read(OLD).state is State.CLAIMED


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b"half an ent"],
        [claimed_line()[:-1]],
        [b"[]"],
        [b"null"],
        [b"\xff\xfe"],
        [b"{}"],
        [b'{"entry": "claimed"}'],
        [b'{"entry": "sold", "at": "2026-11-21T03:00:00Z"}'],
        [b'{"entry": null, "at": "2026-11-21T03:00:00Z"}'],
        [b'{"entry": ["claimed"], "at": "2026-11-21T03:00:00Z"}'],
        [b'{"entry": "published", "at": "2026-11-21T03:00:00Z"}'],
        [claimed_line(), claimed_line()],
        [claimed_line(), b""],
        [claimed_line(), b'{"entry": "refused", "at": "2026-11-21T03:00:00Z"}'],
        [claimed_line(), b'{"entry": "held", "at": "2026-11-21T03:00:00Z", "reason": "x", "candidates": 5}'],
        *(
            [claimed_line(**{key: wrong})]
            for key in ("at", "deadline", "snapshot_at", "cert_end")
            for wrong in (
                "yesterday",
                "2026-11-21T03:00:00",
                "2026-11-21T11:00:00+08:00",
                "2026-99-21T03:00:00Z",
                5,
                ["Z"],
            )
        ),
        *([claimed_line(**{key: None})] for key in ("at", "deadline", "snapshot_at", "snapshot")),
        *(
            [claimed_line(**{key: "(left out)"})]
            for key in (
                "at",
                "run",
                "deadline",
                "domain",
                "product_code",
                "instance_id",
                "cert_end",
                "snapshot_at",
                "snapshot",
            )
        ),
    ],
)
def test_a_journal_that_makes_no_sense_is_reported_with_its_order_and_not_guessed_at(lines, store, journal):
    store.logs[f"orders/{OLD}"] = lines
    with pytest.raises(JournalUnavailable, match=OLD):
        journal.read(OLD)
