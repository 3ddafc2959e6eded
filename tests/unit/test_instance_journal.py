"""The journal of an instance: one application for each base, and what is remembered from one to the next."""

from __future__ import annotations

from datetime import datetime

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
    Released,
    Renewed,
    Unknown,
)
from handler.journal.journal import Journal
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.outbox.instance_messages import applied_id, instance_issued_id
from handler.run.unfinished import is_unfinished
from tests.examples import DAY, MINUTE, NOW, PROPERTY, SECOND
from tests.memory_store import MemoryStore
from tests.unit.journal_steps import REFUSAL

ID = "cas_dv-cn-example01"
FIRST, SECOND_ONE, THIRD = "20000001", "20000002", "20000003"
NOTHING = REFUSAL._replace(is_failure=False, is_lost=True)


def of(certificate_id: str = FIRST) -> Renewable:
    ends = NOW + 20 * DAY + (int(certificate_id) - int(FIRST)) * 199 * DAY
    return Renewable(Kind.INSTANCE, ID, "www.example.com", "digicert-dv", ID, ends)


def claim(certificate_id: str = FIRST) -> Claimed:
    return Claimed(of(certificate_id), NOW + 5 * MINUTE, NOW, frozenset(), certificate_id=certificate_id)


def followed(certificate_id: str = FIRST) -> Followed:
    return Followed(of(certificate_id), certificate_id)


def issued(certificate_id: str = SECOND_ONE) -> Issued:
    return Issued(certificate_id, NOW + 219 * DAY)


APPLIED = Applied("answer", "request-of-cas")
UNKNOWN = Unknown("no-answer", "ReadTimeout")
HELD = Held("answers-lost")


def written(journal: Journal, *entries: Entry, now: datetime = NOW) -> Renewal:
    renewal = journal.read(ID)
    for entry in entries:
        renewal = journal.record(renewal, entry, now)
    assert journal.read(ID) == renewal
    return renewal


def refuses(journal: Journal, store: MemoryStore, entry: Entry) -> None:
    """Nothing is written that makes no sense."""
    before = store.read_log(f"instances/{ID}")
    with pytest.raises(JournalUnavailable, match=ID):
        journal.record(journal.read(ID), entry, NOW)
    assert store.read_log(f"instances/{ID}") == before


# --- one application for each base ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "since",
    [
        (),
        (Notified("a-message"),),
        (Observed("authority-says"),),
        (Observed("ABANDONED"),),
        (followed(SECOND_ONE),),
        (issued(),),
        (issued(), claim(SECOND_ONE), REFUSAL),
        (issued(), claim(SECOND_ONE), APPLIED),
        (issued(), claim(SECOND_ONE), APPLIED, issued(THIRD)),
        (issued(), followed(SECOND_ONE)),
        (followed(FIRST),),
    ],
)
def test_a_base_for_which_an_application_is_in_is_never_claimed_again_whatever_follows(since, journal, store):
    applied = written(journal, claim(), APPLIED, *since)
    assert FIRST in applied.applied_for
    refuses(journal, store, claim())


@pytest.mark.parametrize("how", [("answer",), ("settled",)])
@pytest.mark.parametrize("before", [(), (UNKNOWN,), (UNKNOWN, HELD)])
def test_an_application_is_known_by_its_answer_or_found_by_reading_and_counts_the_same(before, how, journal):
    applied = written(journal, claim(), *before, Applied(*how), now=NOW + SECOND)
    assert (applied.state, applied.applied_for, applied.applied_at) == (State.APPLIED, frozenset({FIRST}), NOW + SECOND)
    assert (applied.hold, applied.refusal, applied.is_open) == (None, None, False)


@pytest.mark.parametrize("open_", [(claim(),), (claim(), UNKNOWN), (claim(), UNKNOWN, HELD)])
@pytest.mark.parametrize("next_", [FIRST, SECOND_ONE])
def test_what_is_open_is_not_claimed_for_any_base(open_, next_, journal, store):
    written(journal, *open_)
    refuses(journal, store, claim(next_))


@pytest.mark.parametrize(
    "before",
    [
        (),
        (followed(),),
        (claim(), REFUSAL),
        (claim(), UNKNOWN, NOTHING),
        (claim(), REFUSAL, followed()),
        (claim("20000000"), APPLIED),
        (claim("20000000"), APPLIED, issued(FIRST)),
        (followed("20000000"), issued(FIRST)),
        (claim("20000000"), APPLIED, followed()),
    ],
)
def test_a_base_for_which_no_application_went_in_may_be_claimed(before, journal):
    claimed = written(journal, *before, claim())
    assert (claimed.state, claimed.claim, claimed.base) == (State.CLAIMED, claim(), followed())
    assert (claimed.successor, claimed.applied_at, claimed.progress) == (None, None, "")
    assert claimed.applied_for == ({"20000000"} if APPLIED in before else frozenset())


@pytest.mark.parametrize("until", [(), (Observed("authority-says"),), (Notified("a-message"),)])
def test_a_release_makes_the_base_free_and_no_other(until, journal, store):
    written(journal, claim(), APPLIED, issued(), claim(SECOND_ONE), APPLIED, *until)
    released = written(journal, Released())
    assert (released.state, released.applied_for, released.applied_at) == (State.REFUSED, frozenset({FIRST}), None)
    assert not is_unfinished(released)
    refuses(journal, store, claim(FIRST))
    again = written(journal, claim(SECOND_ONE), APPLIED)
    assert again.applied_for == {FIRST, SECOND_ONE}


@pytest.mark.parametrize("open_", [(), (UNKNOWN,), (UNKNOWN, HELD)])
def test_what_a_person_releases_is_held_no_more_and_may_be_claimed_at_once(open_, journal):
    written(journal, claim(), UNKNOWN, NOTHING, claim(), *open_)
    released = written(journal, Released())
    assert (released.hold, released.lost, released.successor) == (None, 0, None)
    assert released.refusal is not None
    assert released.refusal.retry_at == NOW
    assert written(journal, claim()).state is State.CLAIMED


@pytest.mark.parametrize("over", [(followed(),), (followed(), issued()), (claim(), APPLIED, issued())])
def test_there_is_nothing_to_release_where_nothing_was_applied_for_or_all_is_done(over, journal, store):
    written(journal, *over)
    refuses(journal, store, Released())


@pytest.mark.parametrize("entry", [Applied("settled"), UNKNOWN, REFUSAL, HELD, Renewed("5"), Published("m", "s")])
def test_an_application_is_in_once(entry, journal, store):
    written(journal, claim(), APPLIED)
    refuses(journal, store, entry)


@pytest.mark.parametrize("entry", [APPLIED, issued(), Renewed("5", "answer")])
@pytest.mark.parametrize("before", [(), (claim(), REFUSAL)])
def test_without_a_claim_nothing_is_in(before, entry, journal, store):
    written(journal, *before)
    refuses(journal, store, entry)


# --- what is remembered -----------------------------------------------------------------------------------------------


def test_lost_answers_are_counted_for_each_base(journal):
    assert written(journal, claim(), UNKNOWN, NOTHING).lost == 1
    assert written(journal, claim(), UNKNOWN, NOTHING).lost == 2
    assert written(journal, claim()).lost == 2
    assert written(journal, REFUSAL).lost == 2
    assert written(journal, claim(SECOND_ONE)).lost == 0
    assert written(journal, UNKNOWN, NOTHING).lost == 1


@pytest.mark.parametrize(("between", "lost"), [(FIRST, 2), (SECOND_ONE, 0)])
def test_that_somebody_else_applies_meanwhile_hides_no_lost_answer_of_the_same_base(between, lost, journal):
    written(journal, claim(), UNKNOWN, NOTHING, claim(), UNKNOWN, NOTHING)
    assert written(journal, followed(between)).lost == lost
    assert written(journal, claim(between)).lost == lost


def test_the_next_certificate_is_kept_with_its_end(journal):
    done = written(journal, claim(), APPLIED, issued(), now=NOW + SECOND)
    assert done.successor == Successor(SECOND_ONE, NOW + SECOND, ends=NOW + 219 * DAY)
    assert (done.state, done.base, done.applied_at) == (State.DONE, followed(), NOW + SECOND)


def test_an_application_is_unfinished_until_people_know_and_the_certificate_is_there_and_known_or_given_up(journal):
    applied = written(journal, claim(), APPLIED)
    assert is_unfinished(applied)
    assert is_unfinished(written(journal, Observed("ABANDONED"))), "nobody was notified"
    told = written(journal, Notified(applied_id(applied)))
    assert not is_unfinished(told)
    assert is_unfinished(written(journal, Observed("")))
    done = written(journal, issued())
    assert is_unfinished(done)
    assert not is_unfinished(written(journal, Notified(instance_issued_id(done))))


def test_a_deadline_that_passes_makes_a_claim_lost_as_with_orders(journal):
    claimed = written(journal, claim())
    assert not claimed.is_lost(NOW + 6 * MINUTE)
    assert claimed.is_lost(NOW + 6 * MINUTE + SECOND)
    assert claimed.last_effect() == NOW + 5 * MINUTE


BASES = st.sampled_from([FIRST, SECOND_ONE, THIRD])
STEPS = st.lists(
    st.one_of(
        BASES.map(claim),
        BASES.map(followed),
        BASES.map(issued),
        st.sampled_from(
            [APPLIED, Applied("settled"), UNKNOWN, HELD, REFUSAL, NOTHING, Released(), Observed("x"), Notified("m")]
        ),
    ),
    max_size=25,
)


@PROPERTY
@given(STEPS)
def test_whatever_is_written_each_base_is_applied_for_once_unless_a_person_released_it(steps: list[Entry]):
    journal = Journal(MemoryStore(), "request-1")
    renewal = journal.read(ID)
    in_for: set[str] = set()
    for entry in steps:
        try:
            renewal = journal.record(renewal, entry, NOW)
        except JournalUnavailable:
            continue
        base = renewal.base.certificate_id if renewal.base else ""
        if isinstance(entry, Applied):
            assert base not in in_for, "one application for each base"
            in_for.add(base)
        if isinstance(entry, Claimed):
            assert base == entry.certificate_id not in in_for
        if isinstance(entry, Released):
            in_for.discard(base)
        assert renewal.applied_for == in_for
        assert (renewal.state is State.APPLIED) <= (base in in_for)
        assert (renewal.hold is not None) <= (renewal.state is State.HELD)
    assert journal.read(ID) == renewal
