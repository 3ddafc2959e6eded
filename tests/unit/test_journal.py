"""What is recorded of each old order, and how open work is found again."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from handler.journal.work import OPEN, RELEASED, Claimed, Refused, Renewal, State, Successor, successors
from hypothesis import given
from hypothesis import strategies as st

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.journal import RESERVE_ATTEMPTS, Journal, OpenWork, Snapshot
from handler.orders.book import Picture
from tests.examples import DAY, DOMAIN, HOUR, MILLISECOND, MINUTE, NEW, NOW, OLD, OTHER, PROPERTY, SECOND, order
from tests.memory_store import MemoryStore

DEADLINE = NOW + 5 * MINUTE
SKEW = MINUTE
THIRD = "123451444"
NEWER = "98987582437920969"
EXISTED = Picture(frozenset({OLD, OTHER, THIRD}), frozenset({"BUY"}))
REFUSAL = Refused("OrderStateError", "the order's state does not allow it: 订单状态错误", NOW + 20 * HOUR)

Step = Callable[[Journal, Renewal, datetime], Renewal]
STEPS: dict[str, Step] = {
    "claimed": lambda j, w, now: j.claim(w, order(w.order_id), now, now + 5 * MINUTE, Snapshot(now, frozenset({OLD}))),
    "refused": lambda j, w, now: j.refused(w, now, REFUSAL),
    "nothing bought": lambda j, w, now: j.refused(w, now, REFUSAL, lost=True),
    "unknown": lambda j, w, now: j.unknown(w, now, "no-answer", "ReadTimeout"),
    "held": lambda j, w, now: j.held(w, now, "several-candidates", ["9", "10"]),
    "released": lambda j, w, now: j.released(w, now),
    "renewed": lambda j, w, now: j.renewed(w, now, NEW, "answer", "request-of-cas"),
    "named": lambda j, w, now: j.renewed(w, now, NEWER, "person"),
    "published": lambda j, w, now: j.published(w, now, f"{w.order_id}-{NEW}", "smq-1"),
}
LEADS_TO = {
    "claimed": State.CLAIMED,
    "refused": State.REFUSED,
    "nothing bought": State.REFUSED,
    "unknown": State.UNKNOWN,
    "held": State.HELD,
    "released": State.REFUSED,
    "renewed": State.RENEWED,
    "named": State.RENEWED,
    "published": State.DONE,
}
ALLOWED = {
    State.NONE: {"claimed"},
    State.CLAIMED: {"refused", "nothing bought", "unknown", "held", "released", "renewed", "named"},
    State.REFUSED: {"claimed"},
    State.UNKNOWN: {"refused", "nothing bought", "held", "released", "renewed", "named"},
    State.HELD: {"released", "renewed", "named"},
    State.RENEWED: {"published"},
    State.DONE: set(),
}
"""What may follow what CAS said, or what was found by reading."""
CORRECTIONS = {"released": {"claimed", "renewed", "named"}, "named": {"released", "renewed", "named", "published"}}
"""What may follow what a person said, while nothing came of it yet."""
PATHS: dict[State, list[str]] = {
    State.NONE: [],
    State.CLAIMED: ["claimed"],
    State.REFUSED: ["claimed", "refused"],
    State.UNKNOWN: ["claimed", "unknown"],
    State.HELD: ["claimed", "unknown", "held"],
    State.RENEWED: ["claimed", "renewed"],
    State.DONE: ["claimed", "renewed", "published"],
}


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def journal(store):
    return Journal(store, "request-1")


def brought_to(state: State, journal: Journal, order_id: str = OLD, now: datetime = NOW) -> Renewal:
    work = journal.read(order_id)
    for step in PATHS[state]:
        work = STEPS[step](journal, work, now)
    assert work.state is state
    return work


def allowed_after(work: Renewal, last: str) -> set[str]:
    return CORRECTIONS.get(last, ALLOWED[work.state])


def finished(state: State, journal: Journal, order_id: str = OLD) -> Renewal:
    """Bring work to a closed state in which there is nothing left to tell either."""
    work = brought_to(state, journal, order_id)
    if state is State.DONE:
        work = journal.observed(work, NOW, "ISSUED")
    if state is not State.NONE:
        work = journal.told(work, NOW, work.issued_id if state is State.DONE else work.failure_id)
    return work


# ---------------------------------------------------------------------------------------------------------- transitions


@pytest.mark.parametrize(
    ("state", "step"), [(state, step) for state, steps in ALLOWED.items() for step in sorted(steps)]
)
def test_every_step_of_the_picture_is_allowed(state, step, journal):
    before = brought_to(state, journal)
    after = STEPS[step](journal, before, NOW)
    assert after.state is LEADS_TO[step]
    assert after.position > before.position
    assert journal.read(OLD) == after


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


@pytest.mark.parametrize("said", list(CORRECTIONS))
@pytest.mark.parametrize("step", list(STEPS))
def test_what_a_person_said_can_be_taken_back_while_nothing_came_of_it(said, step, journal, store):
    before = STEPS[said](journal, brought_to(State.HELD, journal), NOW)
    assert before.may_be_corrected
    if step in CORRECTIONS[said]:
        after = STEPS[step](journal, before, NOW)
        assert after.state is LEADS_TO[step]
        assert journal.read(OLD) == after
        return
    entries = store.read_log(f"orders/{OLD}")
    with pytest.raises(JournalUnavailable, match=OLD):
        STEPS[step](journal, before, NOW)
    assert store.read_log(f"orders/{OLD}") == entries


def test_what_a_person_takes_back_leaves_nothing_behind(journal):
    named = STEPS["named"](journal, brought_to(State.HELD, journal), NOW)
    assert named.successor == Successor(NEWER, NOW, None, "person")
    released = STEPS["released"](journal, named, NOW)
    assert released.successor is None
    assert released.refusal is not None
    assert released.refusal.code == RELEASED
    again = journal.renewed(released, NOW, NEW, "person")
    assert (again.successor, again.refusal) == (Successor(NEW, NOW, None, "person"), None)
    assert journal.read(OLD) == again


@pytest.mark.parametrize("state", State)
def test_only_what_a_person_said_may_be_corrected(state, journal):
    assert not brought_to(state, journal).may_be_corrected


def test_what_a_person_said_may_not_be_corrected_any_more_once_something_came_of_it(journal):
    named = STEPS["named"](journal, brought_to(State.HELD, journal), NOW)
    assert not STEPS["published"](journal, named, NOW).may_be_corrected
    released = STEPS["released"](journal, brought_to(State.HELD, journal, OTHER), NOW)
    claimed = STEPS["claimed"](journal, released, NOW)
    assert not claimed.may_be_corrected
    assert not STEPS["renewed"](journal, claimed, NOW).may_be_corrected


def test_an_order_of_which_nothing_is_recorded_is_at_the_beginning(journal):
    assert journal.read(OLD) == Renewal(OLD)


@pytest.mark.parametrize("state", State)
def test_work_is_open_while_some_run_must_still_do_something_about_it(state, journal):
    must = {State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED}
    assert brought_to(state, journal).is_open == (state in must)


def test_of_two_writers_at_the_same_place_the_second_is_told_of_the_conflict(journal, store):
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
    work = brought_to(State.REFUSED, journal)
    STEPS["refused"](journal, STEPS["claimed"](journal, work, NOW), NOW)
    entries = store.read_log(f"orders/{OLD}").entries
    assert len(set(entries)) == len(entries) == 4


def test_an_entry_is_one_line_of_ascii_that_says_who_wrote_it_and_when(journal, store):
    journal.refused(brought_to(State.CLAIMED, journal), NOW + SECOND, REFUSAL)
    for at, line in zip(("2026-11-21T03:00:00Z", "2026-11-21T03:00:01Z"), store.logs[f"orders/{OLD}"], strict=True):
        assert line.isascii()
        assert b"\n" not in line
        entry = json.loads(line)
        assert (entry["run"], entry["at"]) == ("request-1", at)


# ----------------------------------------------------------------------------------------------------- what is recorded


def test_a_claim_keeps_all_that_settling_and_the_message_need(journal):
    seen = Snapshot(NOW - SECOND, frozenset({OLD, NEW}), "open/note")
    claimed = journal.claim(journal.read(OLD), order(), NOW, DEADLINE, seen)
    assert claimed.claim == Claimed(
        run="request-1",
        deadline=DEADLINE,
        domain=DOMAIN,
        product="dv-single",
        instance="cas-cn-example01",
        ends=NOW + 20 * DAY,
        snapshot_at=NOW - SECOND,
        snapshot=frozenset({OLD, NEW}),
        picture="open/note",
    )
    assert journal.read(OLD) == claimed


def test_a_claim_of_an_older_version_has_no_picture(store, journal):
    store.logs[f"orders/{OLD}"] = [claimed_entry(picture="(left out)")]
    assert journal.read(OLD).claimed().picture == ""


def test_why_an_answer_tells_nothing_is_kept_until_the_next_claim(journal):
    work = journal.unknown(brought_to(State.CLAIMED, journal), NOW, "answer-names-old-order", "CAS named it")
    assert work.unknown_code == "answer-names-old-order"
    assert STEPS["claimed"](journal, STEPS["refused"](journal, work, NOW), NOW).unknown_code == ""


def test_the_end_of_a_certificate_is_kept_to_the_millisecond_or_as_unknown(journal):
    for order_id, end in ((OLD, NOW + 20 * DAY + MILLISECOND), (OTHER, None)):
        journal.claim(Renewal(order_id), order(order_id, ends=end), NOW, DEADLINE, Snapshot(NOW, frozenset()))
        claim = journal.read(order_id).claim
        assert claim is not None
        assert claim.ends == end


def test_a_refusal_says_why_and_when_to_try_again(journal):
    assert brought_to(State.REFUSED, journal).refusal == REFUSAL
    again = STEPS["claimed"](journal, journal.read(OLD), NOW)
    assert again.refusal is None


def test_a_hold_keeps_its_reason_and_its_candidates(journal):
    assert brought_to(State.HELD, journal).hold == ("several-candidates", ("10", "9"))


def test_a_renewal_is_kept_with_its_time(journal):
    claimed = brought_to(State.CLAIMED, journal)
    journal.renewed(claimed, NOW + SECOND, NEW, "settled")
    assert journal.read(OLD).successor == Successor(NEW, NOW + SECOND, None, "settled")
    assert brought_to(State.DONE, journal, OTHER).successor == Successor(NEW, NOW, "request-of-cas")


def test_a_released_order_may_be_claimed_at_once_and_its_lost_answers_are_forgotten(journal):
    work = STEPS["nothing bought"](journal, brought_to(State.UNKNOWN, journal), NOW)
    assert work.lost == 1
    released = STEPS["released"](journal, STEPS["claimed"](journal, work, NOW), NOW)
    assert released.lost == 0
    assert released.refusal is not None
    assert released.refusal.retry_at == NOW


def test_only_lost_answers_are_counted_and_a_refusal_between_them_does_not_hide_them(journal):
    work = journal.read(OLD)
    for step, lost in [("nothing bought", 1), ("refused", 1), ("nothing bought", 2), ("nothing bought", 3)]:
        work = STEPS[step](journal, STEPS["claimed"](journal, work, NOW), NOW)
        assert work.lost == lost


def test_a_claim_whose_deadline_has_passed_is_lost_but_for_the_skew_of_a_clock(journal):
    claimed = brought_to(State.CLAIMED, journal)
    assert not claimed.is_lost(DEADLINE)
    assert not claimed.is_lost(DEADLINE + SKEW)
    assert claimed.is_lost(DEADLINE + SKEW + MILLISECOND)


def test_a_claim_is_in_progress_until_it_is_lost(journal):
    claimed = brought_to(State.CLAIMED, journal)
    assert claimed.is_in_progress(DEADLINE + SKEW)
    assert not claimed.is_in_progress(DEADLINE + SKEW + MILLISECOND)
    assert not STEPS["unknown"](journal, claimed, NOW).is_in_progress(NOW)


def test_a_claim_whose_deadline_is_further_ahead_than_a_run_can_last_is_odd_and_not_in_progress(journal):
    claimed = brought_to(State.CLAIMED, journal)
    longest = DEADLINE - DAY - 2 * SKEW
    assert (claimed.claim_is_odd(longest), claimed.is_in_progress(longest)) == (False, True)
    assert (claimed.claim_is_odd(longest - MILLISECOND), claimed.is_in_progress(longest - MILLISECOND)) == (True, False)
    assert not claimed.is_lost(longest - MILLISECOND)
    assert not STEPS["unknown"](journal, claimed, NOW).claim_is_odd(longest - MILLISECOND)


def test_an_unknown_outcome_is_lost_at_once_and_nothing_else_ever_is(journal):
    for i, state in enumerate(State):
        work = brought_to(state, journal, str(i + 1))
        assert work.is_lost(NOW) == (state is State.UNKNOWN)
        assert work.is_lost(NOW + 365 * DAY) == (state in {State.UNKNOWN, State.CLAIMED})


def test_the_last_effect_of_a_lost_call_is_when_that_was_noticed_or_the_deadline(journal):
    claimed = brought_to(State.CLAIMED, journal)
    assert claimed.last_effect() == DEADLINE
    assert STEPS["unknown"](journal, claimed, NOW + SECOND).last_effect() == NOW + SECOND
    with pytest.raises(JournalUnavailable, match=OTHER):
        Renewal(OTHER).last_effect()


def test_a_new_claim_does_not_inherit_when_the_last_one_was_lost(journal):
    work = STEPS["refused"](journal, brought_to(State.UNKNOWN, journal), NOW)
    later = NOW + DAY
    assert STEPS["claimed"](journal, work, later).last_effect() == later + 5 * MINUTE


@PROPERTY
@given(st.data())
def test_whatever_happens_to_an_order_reading_its_journal_gives_what_the_writers_knew(data):
    store = MemoryStore()
    work, now, last, bought = Renewal(OLD), NOW, "", 0
    written: list[bytes] = []
    for run in range(data.draw(st.integers(0, 12))):
        allowed = sorted(allowed_after(work, last))
        if not allowed:
            break
        journal = Journal(store, f"request-{run}")
        step = data.draw(st.sampled_from(allowed))
        stale, now, before = work, now + data.draw(st.integers(0, 10**6)) * MILLISECOND, last
        work, last = STEPS[step](journal, work, now), step
        bought += step == "renewed"
        assert journal.read(OLD) == work
        assert store.logs[f"orders/{OLD}"][:-1] == written
        written = list(store.logs[f"orders/{OLD}"])
        for other in allowed_after(stale, before):
            with pytest.raises(JournalConflict):
                STEPS[other](Journal(store, "late"), stale, now)
    assert bought <= 1
    if bought:
        assert work.successor is not None
    assert (work.successor is not None) == (work.state in {State.RENEWED, State.DONE})


# --------------------------------------------------------------------------------------------------- corrupted journals


def claimed_entry(**changed: Any) -> bytes:
    store = MemoryStore()
    brought_to(State.CLAIMED, Journal(store, "request-1"))
    entry = json.loads(store.logs[f"orders/{OLD}"][0]) | changed
    return json.dumps({key: value for key, value in entry.items() if value != "(left out)"}).encode()


def test_the_entry_that_the_next_tests_spoil_is_good(store, journal):
    store.logs[f"orders/{OLD}"] = [claimed_entry()]
    assert journal.read(OLD).state is State.CLAIMED


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b"half an ent"],
        [claimed_entry()[:-1]],
        [b"[]"],
        [b"null"],
        [b"\xff\xfe"],
        [b"{}"],
        [b'{"entry": "claimed"}'],
        [b'{"entry": "sold", "at": "2026-11-21T03:00:00Z"}'],
        [b'{"entry": null, "at": "2026-11-21T03:00:00Z"}'],
        [b'{"entry": ["claimed"], "at": "2026-11-21T03:00:00Z"}'],
        [b'{"entry": "published", "at": "2026-11-21T03:00:00Z"}'],
        [claimed_entry(), claimed_entry()],
        [claimed_entry(), b""],
        [claimed_entry(), b'{"entry": "refused", "at": "2026-11-21T03:00:00Z"}'],
        [claimed_entry(), b'{"entry": "held", "at": "2026-11-21T03:00:00Z", "reason": "x", "candidates": 5}'],
        *(
            [claimed_entry(**{key: wrong})]
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
        *([claimed_entry(**{key: None})] for key in ("at", "deadline", "snapshot_at", "snapshot")),
        *(
            [claimed_entry(**{key: "(left out)"})]
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


# ------------------------------------------------------------------------------------------------------------ open work


def note(journal: Journal, *order_ids: str, deadline: datetime = DEADLINE, picture: Picture | None = None) -> str:
    return journal.about_to_claim(order_ids, deadline, picture)


def left(journal: Journal, now: datetime, *, tidy: bool = True) -> dict[str, Renewal]:
    """What is unfinished, where all of it could be read."""
    found = journal.open_work(now, tidy=tidy)
    assert found.problems == ()
    return found.works


def noted(store: MemoryStore) -> list[list[str]]:
    return [json.loads(body)["orders"] for body in store.notes.values()]


def test_a_run_that_noted_and_claimed_nothing_leaves_no_open_work(journal):
    note(journal, OLD)
    assert left(journal, NOW) == {}


@pytest.mark.parametrize("state", [state for state in State if state in OPEN])
def test_open_work_is_found_by_any_later_run(state, journal, store):
    note(journal, OLD, OTHER)
    work = brought_to(state, journal)
    for later in (NOW, DEADLINE + SKEW + SECOND, NOW + 365 * DAY):
        assert left(Journal(store, "request-2"), later) == {OLD: work}


@pytest.mark.parametrize("state", [state for state in State if state not in OPEN])
def test_work_that_is_closed_and_told_is_finished(state, journal):
    note(journal, OLD)
    finished(state, journal)
    assert left(journal, NOW + DAY) == {}


def test_open_work_is_found_without_reading_the_journals_that_are_closed(journal, store):
    note(journal, OLD)
    work = brought_to(State.CLAIMED, journal)
    store.logs[f"orders/{OTHER}"] = [b"this would not be readable"]
    assert left(journal, NOW) == {OLD: work}


def test_an_order_noted_twice_is_found_once(journal, store):
    note(journal, OLD, deadline=DEADLINE - DAY)
    note(Journal(store, "request-2"), OLD, OTHER)
    work = brought_to(State.CLAIMED, journal)
    assert left(journal, NOW) == {OLD: work}


def test_two_notes_of_the_same_run_do_not_overwrite_each_other(journal, store):
    note(journal, OLD)
    note(journal, OTHER)
    assert sorted(noted(store)) == [[OLD], [OTHER]]


def test_a_note_stays_while_its_run_may_still_claim(journal, store):
    note(journal, OLD, OTHER)
    finished(State.DONE, journal, OTHER)
    for moment in (NOW, DEADLINE, DEADLINE + SKEW):
        journal.open_work(moment, tidy=True)
        assert noted(store) == [[OLD, OTHER]]
    work = brought_to(State.CLAIMED, journal)
    assert left(journal, NOW) == {OLD: work}


def test_a_note_goes_when_its_run_is_over_and_its_work_is_closed(journal, store):
    note(journal, OLD, OTHER)
    finished(State.DONE, journal)
    finished(State.REFUSED, journal, OTHER)
    journal.open_work(DEADLINE + SKEW + MILLISECOND, tidy=True)
    assert store.notes == {}


def test_a_note_shrinks_to_what_is_still_open(journal, store):
    note(journal, OLD, OTHER, THIRD)
    finished(State.DONE, journal)
    work = brought_to(State.RENEWED, journal, OTHER)
    finished(State.REFUSED, journal, THIRD)
    assert left(journal, DEADLINE + DAY) == {OTHER: work}
    assert noted(store) == [[OTHER]]
    assert left(journal, DEADLINE + DAY) == {OTHER: work}
    done = STEPS["published"](journal, work, NOW)
    assert left(journal, DEADLINE + DAY) == {OTHER: done}
    journal.observed(done, NOW, "ABANDONED")
    assert left(journal, DEADLINE + DAY) == {}
    assert store.notes == {}


def test_a_run_that_may_not_tidy_finds_the_same_and_changes_nothing(journal, store):
    note(journal, OLD, OTHER)
    note(journal, THIRD)
    finished(State.DONE, journal)
    work = brought_to(State.RENEWED, journal, OTHER)
    before = dict(store.notes)
    assert left(journal, DEADLINE + DAY, tidy=False) == {OTHER: work}
    assert store.notes == before


def test_a_refusal_that_nobody_was_told_of_is_unfinished_but_not_in_the_way(journal):
    note(journal, OLD)
    work = brought_to(State.REFUSED, journal)
    assert not work.is_open
    assert left(journal, NOW) == {OLD: work}


def test_nobody_needs_to_be_told_of_a_renewal_for_which_there_was_no_time(journal):
    no_time = REFUSAL._replace(is_failure=False)
    assert not journal.refused(brought_to(State.CLAIMED, journal), NOW, no_time).is_unfinished


def test_a_released_order_has_nothing_to_tell(journal):
    assert not journal.released(brought_to(State.HELD, journal), NOW).is_unfinished


def test_a_renewed_order_is_unfinished_until_the_certificate_is_told_of_or_given_up(journal):
    work = brought_to(State.DONE, journal)
    assert work.is_unfinished
    issued = journal.observed(journal.observed(work, NOW, "CHECKING"), NOW + DAY, "ISSUED")
    assert (issued.stage, issued.stage_at, issued.is_unfinished) == ("ISSUED", NOW + DAY, True)
    assert not journal.told(issued, NOW + DAY, issued.issued_id).is_unfinished


@pytest.mark.parametrize(
    ("stage", "unfinished"),
    [("PAYED", True), ("CHECKED_FAIL", True), ("GONE", True), ("REPLACED", True), ("ABANDONED", False)],
)
def test_a_renewed_order_is_looked_at_until_nobody_can_expect_its_certificate_any_more(stage, unfinished, journal):
    assert journal.observed(brought_to(State.DONE, journal), NOW, stage).is_unfinished is unfinished


def test_each_refusal_of_an_order_is_a_fact_of_its_own(journal):
    first = finished(State.REFUSED, journal)
    second = journal.refused(STEPS["claimed"](journal, first, NOW), NOW, REFUSAL)
    assert first.failure_id != second.failure_id
    assert second.is_unfinished
    assert journal.read(OLD) == second


@pytest.mark.parametrize("state", [state for state in State if state is not State.NONE])
def test_telling_changes_no_state_and_no_id(state, journal):
    before = brought_to(state, journal)
    after = journal.told(before, NOW, "a-message")
    assert (after.state, after.failure_id, after.told) == (state, before.failure_id, {"a-message"})
    assert journal.read(OLD) == after


@pytest.mark.parametrize("state", [state for state in State if state is not State.DONE])
def test_only_the_successor_of_a_renewed_order_is_observed(state, journal):
    with pytest.raises(JournalUnavailable):
        journal.observed(brought_to(state, journal), NOW, "PAYED")


def test_a_note_of_which_all_is_open_is_not_written_again(journal, store):
    note(journal, OLD)
    brought_to(State.HELD, journal)
    before = dict(store.notes)
    store.now = DEADLINE + DAY
    journal.open_work(DEADLINE + DAY, tidy=True)
    assert store.notes == before
    assert [listed.modified for listed in store.find("open/")] == [NOW]


def test_a_note_that_another_run_tidies_away_meanwhile_is_not_missed(journal, store):
    note(journal, OLD)
    note(journal, OTHER, deadline=DEADLINE + SECOND)
    work = brought_to(State.CLAIMED, journal, OTHER)
    get = store.get

    def another_run_is_faster(key):
        store.get = get
        Journal(store, "request-2").open_work(DEADLINE + DAY, tidy=True)
        assert key not in store.notes
        return get(key)

    store.get = another_run_is_faster
    assert left(journal, DEADLINE + DAY) == {OTHER: work}
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
def test_a_note_that_makes_no_sense_is_reported_with_its_name_and_stops_nothing(body, journal, store):
    store.put("open/spoilt", body)
    note(journal, OLD, picture=EXISTED)
    work = brought_to(State.CLAIMED, journal)
    for tidy in (False, True):
        found = journal.open_work(DEADLINE + DAY, tidy=tidy)
        assert found.works == {OLD: work}
        assert list(found.pictures.values()) == [EXISTED]
        assert found.problems == ("open/spoilt is not a note of this program",)
    assert store.get("open/spoilt") == body


def test_a_note_that_cannot_be_fetched_is_reported_and_stops_nothing(journal, store):
    lost = note(journal, OTHER)
    note(journal, OLD, deadline=DEADLINE + SECOND)
    work = brought_to(State.CLAIMED, journal)
    get = store.get

    def out_of_reach(key):
        if key == lost:
            msg = f"OSS: {key}: InternalError"
            raise JournalUnavailable(msg)
        return get(key)

    store.get = out_of_reach
    found = journal.open_work(DEADLINE + DAY, tidy=True)
    assert found == OpenWork({OLD: work}, {}, (f"OSS: {lost}: InternalError",))
    assert lost in store.notes


@pytest.mark.parametrize("folder", ["open/", "open/sub/"])
def test_what_a_console_makes_of_a_folder_is_no_note(folder, journal, store):
    store.put(folder, b"")
    assert journal.open_work(NOW, tidy=True) == OpenWork({}, {}, ())
    assert store.notes == {folder: b""}


def test_a_journal_that_makes_no_sense_is_as_good_as_held_and_the_others_are_found(journal, store):
    note(journal, OLD, OTHER)
    work = brought_to(State.CLAIMED, journal)
    store.logs[f"orders/{OTHER}"] = [b"this is not readable"]
    assert left(journal, DEADLINE + DAY) == {
        OLD: work,
        OTHER: Renewal(OTHER, state=State.HELD, hold=Held("journal-unreadable", ())),
    }
    assert noted(store) == [[OLD, OTHER]], "it must be found again"


def test_a_journal_that_cannot_be_fetched_is_as_good_as_held_and_the_others_are_found(journal, store):
    note(journal, OLD, OTHER)
    work = brought_to(State.CLAIMED, journal)
    read_log = store.read_log

    def out_of_reach(key):
        if key.endswith(OTHER):
            msg = f"OSS: {key}: InternalError"
            raise JournalUnavailable(msg)
        return read_log(key)

    store.read_log = out_of_reach
    trouble = f"OSS: orders/{OTHER}: InternalError"
    assert left(journal, DEADLINE + DAY) == {
        OLD: work,
        OTHER: Renewal(OTHER, state=State.HELD, hold=Held("journal-unavailable", ()), trouble=trouble),
    }
    assert noted(store) == [[OLD, OTHER]]
    assert journal.touched_since(NOW) == [work]


# ------------------------------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("state", [State.CLAIMED, State.UNKNOWN, State.HELD])
def test_the_picture_of_what_existed_is_found_as_long_as_a_lost_answer_may_need_it(state, journal):
    key = note(journal, OLD, OTHER, picture=EXISTED)
    brought_to(state, journal)
    for later in (NOW, DEADLINE + DAY, DEADLINE + 2 * DAY):
        assert journal.open_work(later, tidy=True).pictures == {key: EXISTED}


@pytest.mark.parametrize("state", [State.RENEWED, State.DONE, State.REFUSED])
def test_a_picture_that_nothing_needs_any_more_goes_before_its_note(state, journal, store):
    key = note(journal, OLD, OTHER, picture=EXISTED)
    work = brought_to(state, journal)
    assert journal.open_work(DEADLINE, tidy=True).pictures == {key: EXISTED}
    assert journal.open_work(DEADLINE + DAY, tidy=False).pictures == {key: EXISTED}
    journal.open_work(DEADLINE + DAY, tidy=True)
    assert journal.open_work(DEADLINE + DAY, tidy=True) == OpenWork({OLD: work}, {}, ())
    assert json.loads(store.notes[key]).keys() == {"deadline", "orders"}


def test_a_note_of_an_older_version_has_no_picture(journal, store):
    store.put("open/old", json.dumps({"orders": [OLD], "deadline": "2026-11-21T03:05:00Z"}).encode())
    work = brought_to(State.CLAIMED, journal)
    assert journal.open_work(NOW, tidy=True) == OpenWork({OLD: work}, {}, ())


@PROPERTY
@given(st.sets(st.integers(1, 2**63 - 1).map(str)), st.sets(st.sampled_from(["CPACK", "BUY"])))
def test_whatever_existed_comes_back_as_it_was_noted(ids, empty_lists):
    journal = Journal(MemoryStore(), "request-1")
    existed = Picture(frozenset(ids), frozenset(empty_lists))
    key = note(journal, OLD, picture=existed)
    assert journal.open_work(NOW, tidy=True).pictures == {key: existed}


# ------------------------------------------------------------------------------------------------------- limit of a day


def counts(store: MemoryStore, day: str = "2026-11-21") -> list[int]:
    return [json.loads(line)["count"] for line in store.logs.get(f"days/{day}", ())]


def test_what_a_run_reserves_is_taken_from_the_day(journal, store):
    assert journal.reserve(NOW, 3, 10) == 3
    assert Journal(store, "request-2").reserve(NOW + HOUR, 5, 10) == 5
    assert journal.reserve(NOW + HOUR, 5, 10) == 2
    assert journal.reserve(NOW + HOUR, 1, 10) == 0
    assert counts(store) == [3, 5, 2]


def test_a_day_is_one_of_utc(journal, store):
    midnight = NOW.replace(hour=0) + DAY
    assert journal.reserve(midnight - MILLISECOND, 1, 1) == 1
    assert journal.reserve(midnight - MILLISECOND, 1, 1) == 0
    assert journal.reserve(midnight, 1, 1) == 1
    assert (counts(store), counts(store, "2026-11-22")) == ([1], [1])


@pytest.mark.parametrize(("wanted", "most"), [(0, 10), (5, 0)])
def test_who_wants_or_may_have_nothing_asks_nobody(wanted, most, journal, store):
    store.read_log = None
    assert journal.reserve(NOW, wanted, most) == 0


def test_a_limit_that_was_lowered_below_what_is_used_leaves_nothing(journal, store):
    assert journal.reserve(NOW, 8, 10) == 8
    assert journal.reserve(NOW, 1, 5) == 0
    assert counts(store) == [8]


def test_what_a_run_gives_back_may_be_taken_again_on_the_day_on_which_it_was_reserved(journal, store):
    assert journal.reserve(NOW, 10, 10) == 10
    journal.give_back(NOW, NOW + DAY, 4)
    assert counts(store) == [10, -4]
    assert journal.reserve(NOW, 10, 10) == 4


def test_what_a_run_that_dies_has_reserved_stays_used(store):
    assert Journal(store, "dies").reserve(NOW, 10, 10) == 10
    assert Journal(store, "later").reserve(NOW + HOUR, 1, 10) == 0


def race(store: MemoryStore, runs: int) -> None:
    """Let so many other runs take one renewal each just before this one writes."""
    append = store.append

    def faster(key: str, position: int, entry: bytes) -> int:
        nonlocal runs
        if runs:
            runs -= 1
            line = json.dumps({"entry": "reserved", "count": 1}).encode()
            append(key, store.read_log(key).position, line)
        return append(key, position, entry)

    store.append = faster  # type: ignore[method-assign]


def test_of_two_runs_that_reserve_at_once_the_second_counts_again(journal, store):
    race(store, 1)
    assert journal.reserve(NOW, 10, 10) == 9
    assert counts(store) == [1, 9]


def test_a_run_that_never_gets_to_write_the_count_buys_nothing(journal, store):
    race(store, RESERVE_ATTEMPTS)
    with pytest.raises(JournalUnavailable, match="days/2026-11-21"):
        journal.reserve(NOW, 10, 100)
    assert sum(counts(store)) == RESERVE_ATTEMPTS


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"count": "5"}', b'{"count": null}', b'{"count": true}'])
def test_a_count_that_makes_no_sense_is_reported_and_nothing_is_bought_on_it(line, journal, store):
    store.logs["days/2026-11-21"] = [line]
    with pytest.raises(JournalUnavailable, match="days/2026-11-21") as raised:
        journal.reserve(NOW, 1, 10)
    assert raised.value.reason == "journal-unavailable", "no order's own journal is to blame"


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=12), st.integers(0, 20))
def test_whatever_is_reserved_and_given_back_the_day_never_exceeds_its_limit(runs, most):
    store, used = MemoryStore(), 0
    for number, (wanted, spent) in enumerate(runs):
        journal = Journal(store, f"request-{number}")
        granted = journal.reserve(NOW, wanted, most)
        assert granted == max(0, min(wanted, most - used))
        used += min(spent, granted)
        if granted > spent:
            journal.give_back(NOW, NOW, granted - spent)
        assert used == sum(counts(store)) <= most


# ----------------------------------------------------------------------------------------- successors named by a person


def test_an_order_is_the_successor_of_the_first_for_which_a_person_names_it(journal, store):
    assert journal.take_successor(OLD, NEW, NOW) == OLD
    assert Journal(store, "request-2").take_successor(OTHER, NEW, NOW) == OLD
    assert journal.take_successor(OLD, NEW, NOW) == OLD
    assert journal.take_successor(OTHER, NEWER, NOW) == OTHER
    assert len(store.logs[f"successors/{NEW}"]) == 1


def test_of_two_people_who_name_it_at_once_one_wins(journal, store):
    append = store.append

    def faster(key, position, entry):
        store.append = append
        assert Journal(store, "request-2").take_successor(OTHER, NEW, NOW) == OTHER
        return append(key, position, entry)

    store.append = faster
    with pytest.raises(JournalConflict):
        journal.take_successor(OLD, NEW, NOW)
    assert journal.take_successor(OLD, NEW, NOW) == OTHER


def test_a_successor_that_is_left_may_be_named_for_another_order(journal):
    journal.take_successor(OLD, NEW, NOW)
    journal.leave_successor(OLD, NEW, NOW)
    assert journal.take_successor(OTHER, NEW, NOW) == OTHER
    assert journal.take_successor(OLD, NEW, NOW) == OTHER


def test_nobody_leaves_the_successor_of_another_order(journal):
    journal.take_successor(OTHER, NEW, NOW)
    journal.leave_successor(OLD, NEW, NOW)
    assert journal.take_successor(OLD, NEW, NOW) == OTHER


def test_a_successor_is_no_journal_and_no_note(journal):
    journal.take_successor(OLD, NEW, NOW)
    journal.alerted("a-message", NOW)
    journal.reserve(NOW, 1, 1)
    assert journal.open_work(NOW, tidy=True) == OpenWork({}, {}, ())
    assert journal.touched_since(NOW) == []


# --------------------------------------------------------------------------------------------------------------- alerts


def test_an_alert_is_remembered_where_the_orders_own_journal_cannot_say_so(journal, store):
    assert not journal.was_alerted("123-failed-20261121")
    journal.alerted("123-failed-20261121", NOW)
    assert Journal(store, "request-2").was_alerted("123-failed-20261121")
    assert not journal.was_alerted("123-failed-20261122")


# ----------------------------------------------------------------------------------------------------------- successors


def test_successors_are_found_by_the_order_that_they_replace(journal):
    claimed = brought_to(State.CLAIMED, journal)
    journal.renewed(claimed, NOW, "7", "answer")
    done = journal.renewed(brought_to(State.CLAIMED, journal, OTHER), NOW, "8", "answer")
    STEPS["published"](journal, done, NOW)
    brought_to(State.HELD, journal, THIRD)
    touched = journal.touched_since(NOW)
    assert successors(touched) == {"7": OLD, "8": OTHER}
    assert [work.order_id for work in touched if work.is_open] == [OLD, THIRD]


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
    assert [work.order_id for work in journal.touched_since(NOW)] == [OLD]


def test_a_journal_that_makes_no_sense_is_as_good_as_held_among_those_that_were_touched(journal, store):
    store.append(f"orders/{OTHER}", 0, b"this is not readable")
    held = Renewal(OTHER, state=State.HELD, hold=Held("journal-unreadable", ()))
    assert journal.touched_since(NOW) == [held]
