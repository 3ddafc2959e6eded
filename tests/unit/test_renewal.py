"""Where a renewal stands: every step from every state, and what is remembered of it."""

import pytest

from handler.errors import JournalUnavailable
from handler.journal.entries import Followed, Notified, Observed, Renewed, Unknown
from handler.journal.entry_kinds import KIND_OF
from handler.journal.fold import _AFTER
from handler.journal.renewal import RELEASED, Renewal, Successor
from handler.journal.states import State
from handler.outbox.messages import failed_id
from tests.examples import DAY, MILLISECOND, MINUTE, NEW, NOW, OLD, OTHER, SECOND, renewable
from tests.unit.journal_steps import (
    ALLOWED,
    BASE,
    CORRECTIONS,
    DEADLINE,
    LEADS_TO,
    NEWER,
    NEXT,
    REFUSAL,
    SKEW,
    STEPS,
    brought_to,
)


def test_every_kind_of_entry_does_something_to_a_renewal():
    assert set(_AFTER) == set(KIND_OF)


@pytest.mark.parametrize(
    ("state", "step"), [(state, step) for state, steps in ALLOWED.items() for step in sorted(steps)]
)
def test_every_step_of_the_picture_is_allowed(state, step, journal):
    before = brought_to(state, journal)
    after = STEPS[step](journal, before, NOW)
    assert after.state is LEADS_TO[step]
    assert after.position > before.position
    assert journal.read(OLD) == after


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
    again = journal.record(released, Renewed(NEW, "person"), NOW)
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


@pytest.mark.parametrize("state", State)
def test_work_is_open_while_some_run_must_still_do_something_about_it(state, journal):
    must = {State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED}
    assert brought_to(state, journal).is_open == (state in must)


@pytest.mark.parametrize("state", [state for state in State if state is not State.NONE])
def test_notifying_changes_no_state_and_no_id(state, journal):
    before = brought_to(state, journal)
    after = journal.record(before, Notified("a-message"), NOW)
    assert (after.state, failed_id(after), after.notified) == (state, failed_id(before), {"a-message"})
    assert journal.read(OLD) == after


@pytest.mark.parametrize(
    "state", [state for state in State if state not in {State.DONE, State.FOLLOWED, State.APPLIED}]
)
def test_only_a_successor_is_observed_and_one_that_is_awaited(state, journal):
    with pytest.raises(JournalUnavailable):
        journal.record(brought_to(state, journal), Observed("PAYED"), NOW)


@pytest.mark.parametrize(
    ("state", "step"),
    [(state, step) for state in State for step in ("followed", "issued") if step not in ALLOWED[state]],
)
def test_an_instance_is_followed_from_a_closed_state_and_issued_while_it_is_followed(state, step, journal):
    with pytest.raises(JournalUnavailable, match=OLD):
        STEPS[step](journal, brought_to(state, journal), NOW)


def test_what_is_followed_anew_forgets_the_certificate_before(journal):
    followed = brought_to(State.FOLLOWED, journal)
    assert (followed.base, followed.successor) == (Followed(renewable(OLD, instance=OLD), BASE), None)
    issued = STEPS["issued"](journal, journal.record(followed, Observed("x"), NOW), NOW + SECOND)
    assert (issued.successor, issued.pair) == (
        Successor(NEXT, NOW + SECOND, ends=NOW + SECOND + 200 * DAY),
        f"{OLD}-{NEXT}",
    )
    again = journal.record(issued, Followed(renewable(OLD, domain="b.example.com"), NEXT), NOW + DAY)
    assert (again.state, again.successor, again.progress) == (State.FOLLOWED, None, "")
    assert (again.renewable.domain, again.since_at) == ("b.example.com", NOW + DAY)


# --------------------------------------------------------------------------------------------------- what is remembered


def test_why_an_answer_tells_nothing_is_kept_until_the_next_claim(journal):
    renewal = journal.record(brought_to(State.CLAIMED, journal), Unknown("answer-names-old-order", "CAS named it"), NOW)
    assert renewal.unknown_code == "answer-names-old-order"
    assert STEPS["claimed"](journal, STEPS["refused"](journal, renewal, NOW), NOW).unknown_code == ""


def test_a_refusal_says_why_and_when_to_try_again(journal):
    assert brought_to(State.REFUSED, journal).refusal == REFUSAL
    again = STEPS["claimed"](journal, journal.read(OLD), NOW)
    assert again.refusal is None


def test_a_hold_keeps_its_reason_and_its_candidates(journal):
    assert brought_to(State.HELD, journal).hold == ("several-candidates", ("10", "9"))


def test_a_renewal_is_kept_with_its_time(journal):
    claimed = brought_to(State.CLAIMED, journal)
    journal.record(claimed, Renewed(NEW, "settled"), NOW + SECOND)
    assert journal.read(OLD).successor == Successor(NEW, NOW + SECOND, None, "settled")
    assert brought_to(State.DONE, journal, OTHER).successor == Successor(NEW, NOW, "request-of-cas")


def test_a_released_order_may_be_claimed_at_once_and_its_lost_answers_are_forgotten(journal):
    renewal = STEPS["nothing bought"](journal, brought_to(State.UNKNOWN, journal), NOW)
    assert renewal.lost == 1
    released = STEPS["released"](journal, STEPS["claimed"](journal, renewal, NOW), NOW)
    assert released.lost == 0
    assert released.refusal is not None
    assert released.refusal.retry_at == NOW


def test_only_lost_answers_are_counted_and_a_refusal_between_them_does_not_hide_them(journal):
    renewal = journal.read(OLD)
    for step, lost in [("nothing bought", 1), ("refused", 1), ("nothing bought", 2), ("nothing bought", 3)]:
        renewal = STEPS[step](journal, STEPS["claimed"](journal, renewal, NOW), NOW)
        assert renewal.lost == lost


# ------------------------------------------------------------------------------------------------- lost, or in progress


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
        renewal = brought_to(state, journal, str(i + 1))
        assert renewal.is_lost(NOW) == (state is State.UNKNOWN)
        assert renewal.is_lost(NOW + 365 * DAY) == (state in {State.UNKNOWN, State.CLAIMED})


def test_the_last_effect_of_a_lost_call_is_when_that_was_noticed_or_the_deadline(journal):
    claimed = brought_to(State.CLAIMED, journal)
    assert claimed.last_effect() == DEADLINE
    assert STEPS["unknown"](journal, claimed, NOW + SECOND).last_effect() == NOW + SECOND
    with pytest.raises(JournalUnavailable, match=OTHER):
        Renewal(OTHER).last_effect()


def test_a_new_claim_does_not_inherit_when_the_last_one_was_lost(journal):
    renewal = STEPS["refused"](journal, brought_to(State.UNKNOWN, journal), NOW)
    later = NOW + DAY
    assert STEPS["claimed"](journal, renewal, later).last_effect() == later + 5 * MINUTE
