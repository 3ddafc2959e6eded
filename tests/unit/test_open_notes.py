"""How open work is found again: the notes of what a run was about to claim."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.errors import JournalUnavailable
from handler.journal.entries import Held, Observed
from handler.journal.open_notes import OpenNotes, OpenWork
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal
from handler.journal.states import OPEN, State
from tests.examples import DAY, MILLISECOND, NOW, OLD, OTHER, PROPERTY, SECOND
from tests.memory_store import MemoryStore
from tests.unit.journal_steps import DEADLINE, EXISTED, SKEW, STEPS, THIRD, brought_to, finished, notes_of


def note(notes: OpenNotes, *order_ids: str, deadline: datetime = DEADLINE, picture: Picture | None = None) -> str:
    return notes.write(order_ids, deadline, picture)


def left(notes: OpenNotes, now: datetime, *, tidy: bool = True) -> dict[str, Renewal]:
    """What is unfinished, where all of it could be read."""
    found = notes.open_work(now, tidy=tidy)
    assert found.problems == ()
    return found.renewals


def noted(store: MemoryStore) -> list[list[str]]:
    return [json.loads(body)["orders"] for body in store.notes.values()]


def test_a_run_that_noted_and_claimed_nothing_leaves_no_open_work(notes):
    note(notes, OLD)
    assert left(notes, NOW) == {}


@pytest.mark.parametrize("state", [state for state in State if state in OPEN])
def test_open_work_is_found_by_any_later_run(state, notes, journal, store):
    note(notes, OLD, OTHER)
    renewal = brought_to(state, journal)
    for later in (NOW, DEADLINE + SKEW + SECOND, NOW + 365 * DAY):
        assert left(notes_of(store, "request-2"), later) == {OLD: renewal}


@pytest.mark.parametrize("state", [state for state in State if state not in OPEN])
def test_work_that_is_closed_and_notified_of_is_finished(state, notes, journal):
    note(notes, OLD)
    finished(state, journal)
    assert left(notes, NOW + DAY) == {}


def test_open_work_is_found_without_reading_the_journals_that_are_closed(notes, journal, store):
    note(notes, OLD)
    renewal = brought_to(State.CLAIMED, journal)
    store.logs[f"orders/{OTHER}"] = [b"this would not be readable"]
    assert left(notes, NOW) == {OLD: renewal}


def test_an_order_noted_twice_is_found_once(notes, journal, store):
    note(notes, OLD, deadline=DEADLINE - DAY)
    note(notes_of(store, "request-2"), OLD, OTHER)
    renewal = brought_to(State.CLAIMED, journal)
    assert left(notes, NOW) == {OLD: renewal}


def test_two_notes_of_the_same_run_do_not_overwrite_each_other(notes, store):
    note(notes, OLD)
    note(notes, OTHER)
    assert sorted(noted(store)) == [[OLD], [OTHER]]


def test_a_note_stays_while_its_run_may_still_claim(notes, journal, store):
    note(notes, OLD, OTHER)
    finished(State.DONE, journal, OTHER)
    for moment in (NOW, DEADLINE, DEADLINE + SKEW):
        notes.open_work(moment, tidy=True)
        assert noted(store) == [[OLD, OTHER]]
    renewal = brought_to(State.CLAIMED, journal)
    assert left(notes, NOW) == {OLD: renewal}


def test_a_note_goes_when_its_run_is_over_and_its_work_is_closed(notes, journal, store):
    note(notes, OLD, OTHER)
    finished(State.DONE, journal)
    finished(State.REFUSED, journal, OTHER)
    notes.open_work(DEADLINE + SKEW + MILLISECOND, tidy=True)
    assert store.notes == {}


def test_a_note_shrinks_to_what_is_still_open(notes, journal, store):
    note(notes, OLD, OTHER, THIRD)
    finished(State.DONE, journal)
    renewal = brought_to(State.RENEWED, journal, OTHER)
    finished(State.REFUSED, journal, THIRD)
    assert left(notes, DEADLINE + DAY) == {OTHER: renewal}
    assert noted(store) == [[OTHER]]
    assert left(notes, DEADLINE + DAY) == {OTHER: renewal}
    done = STEPS["published"](journal, renewal, NOW)
    assert left(notes, DEADLINE + DAY) == {OTHER: done}
    journal.record(done, Observed("ABANDONED"), NOW)
    assert left(notes, DEADLINE + DAY) == {}
    assert store.notes == {}


def test_a_run_that_may_not_tidy_finds_the_same_and_changes_nothing(notes, journal, store):
    note(notes, OLD, OTHER)
    note(notes, THIRD)
    finished(State.DONE, journal)
    renewal = brought_to(State.RENEWED, journal, OTHER)
    before = dict(store.notes)
    assert left(notes, DEADLINE + DAY, tidy=False) == {OTHER: renewal}
    assert store.notes == before


def test_a_note_of_which_all_is_open_is_not_written_again(notes, journal, store):
    note(notes, OLD)
    brought_to(State.HELD, journal)
    before = dict(store.notes)
    store.now = DEADLINE + DAY
    notes.open_work(DEADLINE + DAY, tidy=True)
    assert store.notes == before
    assert [listed.modified for listed in store.find("open/")] == [NOW]


def test_a_note_that_another_run_tidies_away_meanwhile_is_not_missed(notes, journal, store):
    note(notes, OLD)
    note(notes, OTHER, deadline=DEADLINE + SECOND)
    renewal = brought_to(State.CLAIMED, journal, OTHER)
    get = store.get

    def another_run_is_faster(key):
        store.get = get
        notes_of(store, "request-2").open_work(DEADLINE + DAY, tidy=True)
        assert key not in store.notes
        return get(key)

    store.get = another_run_is_faster
    assert left(notes, DEADLINE + DAY) == {OTHER: renewal}
    assert noted(store) == [[OTHER]]


SPOILT_NOTES = [
    b"",
    b"half a no",
    b"[]",
    b"{}",
    b"\xff",
    b'{"orders": ["1"]}',
    b'{"orders": 5, "deadline": "2026-11-21T03:00:00Z"}',
    b'{"orders": ["1"], "deadline": "yesterday"}',
    b'{"orders": ["1"], "deadline": null}',
    b'{"orders": ["1"], "deadline": 5}',
    b'{"orders": "12", "deadline": "2026-11-21T03:00:00Z"}',
    b'{"orders": ["1"], "deadline": "2026-11-21T03:00:00Z", "picture": ["1"]}',
    b'{"orders": ["1"], "deadline": "2026-11-21T03:00:00Z", "picture": 5, "empty_lists": []}',
    b'{"orders": ["1"], "deadline": "2026-11-21T03:00:00Z", "picture": [], "empty_lists": null}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", SPOILT_NOTES)
def test_a_note_that_makes_no_sense_is_reported_with_its_name_and_stops_nothing(body, notes, journal, store):
    store.put("open/spoilt", body)
    note(notes, OLD, picture=EXISTED)
    renewal = brought_to(State.CLAIMED, journal)
    for tidy in (False, True):
        found = notes.open_work(DEADLINE + DAY, tidy=tidy)
        assert found.renewals == {OLD: renewal}
        assert list(found.pictures.values()) == [EXISTED]
        assert found.problems == ("open/spoilt is not a note of this program",)
    assert store.get("open/spoilt") == body


def test_a_note_that_cannot_be_fetched_is_reported_and_stops_nothing(notes, journal, store):
    lost = note(notes, OTHER)
    note(notes, OLD, deadline=DEADLINE + SECOND)
    renewal = brought_to(State.CLAIMED, journal)
    get = store.get

    def out_of_reach(key):
        if key == lost:
            msg = f"OSS: {key}: InternalError"
            raise JournalUnavailable(msg)
        return get(key)

    store.get = out_of_reach
    found = notes.open_work(DEADLINE + DAY, tidy=True)
    assert found == OpenWork({OLD: renewal}, {}, (f"OSS: {lost}: InternalError",))
    assert lost in store.notes


@pytest.mark.parametrize("folder", ["open/", "open/sub/"])
def test_what_a_console_makes_of_a_folder_is_no_note(folder, notes, store):
    store.put(folder, b"")
    assert notes.open_work(NOW, tidy=True) == OpenWork({}, {}, ())
    assert store.notes == {folder: b""}


def test_a_journal_that_makes_no_sense_is_as_good_as_held_and_the_others_are_found(notes, journal, store):
    note(notes, OLD, OTHER)
    renewal = brought_to(State.CLAIMED, journal)
    store.logs[f"orders/{OTHER}"] = [b"this is not readable"]
    assert left(notes, DEADLINE + DAY) == {
        OLD: renewal,
        OTHER: Renewal(OTHER, state=State.HELD, hold=Held("journal-unreadable", ())),
    }
    assert noted(store) == [[OLD, OTHER]], "it must be found again"


def test_a_journal_that_cannot_be_fetched_is_as_good_as_held_and_the_others_are_found(notes, journal, store):
    note(notes, OLD, OTHER)
    renewal = brought_to(State.CLAIMED, journal)
    read_log = store.read_log

    def out_of_reach(key):
        if key.endswith(OTHER):
            msg = f"OSS: {key}: InternalError"
            raise JournalUnavailable(msg)
        return read_log(key)

    store.read_log = out_of_reach
    trouble = f"OSS: orders/{OTHER}: InternalError"
    assert left(notes, DEADLINE + DAY) == {
        OLD: renewal,
        OTHER: Renewal(OTHER, state=State.HELD, hold=Held("journal-unavailable", ()), trouble=trouble),
    }
    assert noted(store) == [[OLD, OTHER]]
    assert journal.touched_since(NOW) == [renewal]


# ------------------------------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("state", [State.CLAIMED, State.UNKNOWN, State.HELD])
def test_the_picture_of_what_existed_is_found_as_long_as_a_lost_answer_may_need_it(state, notes, journal):
    key = note(notes, OLD, OTHER, picture=EXISTED)
    brought_to(state, journal)
    for later in (NOW, DEADLINE + DAY, DEADLINE + 2 * DAY):
        assert notes.open_work(later, tidy=True).pictures == {key: EXISTED}


@pytest.mark.parametrize("state", [State.RENEWED, State.DONE, State.REFUSED])
def test_a_picture_that_nothing_needs_any_more_goes_before_its_note(state, notes, journal, store):
    key = note(notes, OLD, OTHER, picture=EXISTED)
    renewal = brought_to(state, journal)
    assert notes.open_work(DEADLINE, tidy=True).pictures == {key: EXISTED}
    assert notes.open_work(DEADLINE + DAY, tidy=False).pictures == {key: EXISTED}
    notes.open_work(DEADLINE + DAY, tidy=True)
    assert notes.open_work(DEADLINE + DAY, tidy=True) == OpenWork({OLD: renewal}, {}, ())
    assert json.loads(store.notes[key]).keys() == {"deadline", "orders"}


def test_a_note_of_an_older_version_has_no_picture(notes, journal, store):
    store.put("open/old", json.dumps({"orders": [OLD], "deadline": "2026-11-21T03:05:00Z"}).encode())
    renewal = brought_to(State.CLAIMED, journal)
    assert notes.open_work(NOW, tidy=True) == OpenWork({OLD: renewal}, {}, ())


@PROPERTY
@given(st.sets(st.integers(1, 2**63 - 1).map(str)), st.sets(st.sampled_from(["CPACK", "BUY"])))
def test_whatever_existed_comes_back_as_it_was_noted(ids, empty_lists):
    notes = notes_of(MemoryStore())
    existed = Picture(frozenset(ids), frozenset(empty_lists))
    key = note(notes, OLD, picture=existed)
    assert notes.open_work(NOW, tidy=True).pictures == {key: existed}
