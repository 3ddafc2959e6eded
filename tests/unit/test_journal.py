"""The journals: two writers, and reading what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.entries import Held, Renewed
from handler.journal.journal import Journal
from handler.journal.renewal import Renewal, successors
from handler.journal.states import State
from tests.examples import HOUR, MILLISECOND, NEW, NOW, OLD, OTHER, PROPERTY
from tests.memory_store import MemoryStore
from tests.unit.journal_steps import ALLOWED, SKEW, STEPS, THIRD, allowed_after, brought_to


def test_an_order_of_which_nothing_is_recorded_is_at_the_beginning(journal):
    assert journal.read(OLD) == Renewal(OLD)


@pytest.mark.parametrize(
    ("state", "step"), [(state, step) for state, steps in ALLOWED.items() for step in STEPS if step not in steps]
)
def test_every_other_step_is_refused_and_leaves_no_trace(state, step, journal, store):
    before = brought_to(state, journal)
    entries = store.read_log(f"orders/{OLD}")
    with pytest.raises(JournalUnavailable, match=OLD):
        STEPS[step](journal, before, NOW)
    assert store.read_log(f"orders/{OLD}") == entries
    assert journal.read(OLD) == before


def test_of_two_writers_at_the_same_place_the_second_learns_of_the_conflict(journal, store):
    first = brought_to(State.CLAIMED, journal)
    second = Journal(store, "request-2")
    renewed = STEPS["renewed"](journal, first, NOW)
    with pytest.raises(JournalConflict):
        STEPS["unknown"](second, first, NOW)
    assert second.read(OLD) == renewed


def test_two_runs_that_claim_the_same_order_at_the_same_moment_do_not_both_get_it(journal, store):
    fresh = journal.read(OLD)
    claimed = STEPS["claimed"](journal, fresh, NOW)
    with pytest.raises(JournalConflict):
        STEPS["claimed"](Journal(store, "request-1"), fresh, NOW)
    assert journal.read(OLD) == claimed


def test_no_two_entries_are_the_same_bytes(journal, store):
    renewal = brought_to(State.REFUSED, journal)
    STEPS["refused"](journal, STEPS["claimed"](journal, renewal, NOW), NOW)
    entries = store.read_log(f"orders/{OLD}").entries
    assert len(set(entries)) == len(entries) == 4


@PROPERTY
@given(st.data())
def test_whatever_happens_to_an_order_reading_its_journal_gives_what_the_writers_knew(data):
    store = MemoryStore()
    renewal, now, last, bought = Renewal(OLD), NOW, "", 0
    written: list[bytes] = []
    of_instances = {"followed", "issued"}
    steps = data.draw(st.sampled_from([of_instances, STEPS.keys() - of_instances]))
    for run in range(data.draw(st.integers(0, 12))):
        allowed = sorted(allowed_after(renewal, last) & steps)
        if not allowed:
            break
        journal = Journal(store, f"request-{run}")
        step = data.draw(st.sampled_from(allowed))
        stale, now, before = renewal, now + data.draw(st.integers(0, 10**6)) * MILLISECOND, last
        renewal, last = STEPS[step](journal, renewal, now), step
        bought += step == "renewed"
        assert journal.read(OLD) == renewal
        assert store.logs[f"orders/{OLD}"][:-1] == written
        written = list(store.logs[f"orders/{OLD}"])
        for other in allowed_after(stale, before):
            with pytest.raises(JournalConflict):
                STEPS[other](Journal(store, "late"), stale, now)
    assert bought <= 1
    if bought:
        assert renewal.successor is not None
    assert (renewal.successor is not None) == (renewal.state in {State.RENEWED, State.DONE})


# ------------------------------------------------------------------------------------ journals that were touched lately


def test_successors_are_found_by_the_order_that_they_replace(journal):
    claimed = brought_to(State.CLAIMED, journal)
    journal.record(claimed, Renewed("7", "answer"), NOW)
    done = journal.record(brought_to(State.CLAIMED, journal, OTHER), Renewed("8", "answer"), NOW)
    STEPS["published"](journal, done, NOW)
    brought_to(State.HELD, journal, THIRD)
    touched = journal.touched_since(NOW)
    assert successors(touched) == {"7": OLD, "8": OTHER}
    assert [renewal.id for renewal in touched if renewal.is_open] == [OLD, THIRD]


def test_successors_of_journals_that_rested_are_left_out_but_for_the_skew_of_a_clock(journal, store):
    brought_to(State.RENEWED, journal)
    assert successors(journal.touched_since(NOW + SKEW)) == {NEW: OLD}
    assert successors(journal.touched_since(NOW + SKEW + MILLISECOND)) == {}
    store.now = NOW + HOUR
    STEPS["published"](journal, journal.read(OLD), NOW)
    assert successors(journal.touched_since(NOW + HOUR)) == {NEW: OLD}


def test_journals_that_rested_are_not_read(journal, store):
    store.append(f"orders/{OTHER}", 0, b"this would not be readable")
    store.now = NOW + HOUR
    brought_to(State.RENEWED, journal)
    assert successors(journal.touched_since(NOW + HOUR)) == {NEW: OLD}


def test_what_lies_beside_the_journals_is_not_taken_for_one(journal, store):
    brought_to(State.RENEWED, journal)
    store.put("orders/", b"")
    store.logs["orders/123.bak"] = [b"a copy"]
    store._modified["orders/123.bak"] = NOW
    assert [renewal.id for renewal in journal.touched_since(NOW)] == [OLD]


def test_a_journal_that_makes_no_sense_is_as_good_as_held_among_those_that_were_touched(journal, store):
    store.append(f"orders/{OTHER}", 0, b"this is not readable")
    held = Renewal(OTHER, state=State.HELD, hold=Held("journal-unreadable", ()))
    assert journal.touched_since(NOW) == [held]
