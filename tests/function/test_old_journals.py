"""What earlier versions have written is understood.

Each test takes over a journal of tests/journals, in a folder or in a bucket, on the account in which it was written.
Nothing in it may be changed, and no order that it knows as bought may be bought again.
"""

from __future__ import annotations

import json

import pytest

from handler.errors import EventRefused
from tests.function.old_situations import NEW, OLD, RELEASE, SECOND_NEW, SECOND_OLD, SETTLED, resolve
from tests.function.taken_over import TakeOver
from tests.stubs.cloud import Cloud

RUN_ENDED = 361
"""Seconds after which a run that began with the situation has ended, by any clock."""
MOMENT = 60


# --- an answer is missing ---------------------------------------------------------------------------------------------


def test_a_claim_is_in_progress_until_its_run_has_ended_and_then_settled(cloud: Cloud, take_over: TakeOver) -> None:
    old = take_over("claimed-and-bought")
    assert old.tick().outcomes == {OLD: ("deferred", "in-progress")}
    line = old.tick(RUN_ENDED).of(OLD)
    assert (line["outcome"], line["new_order_id"], line["message_id"]) == ("renewed", NEW, f"{OLD}-{NEW}")
    assert old.sent == [f"{OLD}-{NEW}"]
    assert old.messages[0]["data"]["RequestId"] is None
    assert old.tick().of(OLD)["outcome"] == "already-renewed"
    assert old.added == ["renewed", "published", "observed"]
    assert old.calls == 0


def test_a_claim_without_a_purchase_is_settled_as_one_and_bought_again(take_over: TakeOver) -> None:
    old = take_over("claimed-in-vain")
    assert old.tick(RUN_ENDED).outcomes == {OLD: ("deferred", "settling")}
    assert old.tick(SETTLED).of(OLD)["outcome"] == "renewed"
    assert old.sent == [f"{OLD}-{NEW}"]
    assert old.added == ["refused", "claimed", "renewed", "published"]


def test_a_claim_of_a_version_without_pictures_is_settled_if_there_is_a_successor(take_over: TakeOver) -> None:
    old = take_over("claimed-without-a-picture-and-bought")
    assert old.tick(RUN_ENDED).outcomes == {OLD: ("renewed", None)}
    assert old.sent == [f"{OLD}-{NEW}"]


def test_a_claim_of_a_version_without_pictures_is_held_if_there_is_none(take_over: TakeOver) -> None:
    old = take_over("claimed-without-a-picture-in-vain")
    assert old.tick(RUN_ENDED + SETTLED).outcomes == {OLD: ("held", "picture-lost")}
    assert old.sent == [f"{OLD}-failed-2"]
    assert old.added == ["held", "told"]
    assert old.calls == 0


def test_a_claim_of_a_clock_far_ahead_is_held_and_can_be_resolved(take_over: TakeOver) -> None:
    old = take_over("claimed-by-a-clock-far-ahead")
    for _ in range(2):
        assert old.tick().outcomes == {OLD: ("held", "claim-from-the-future")}
    assert old.say(resolve(NEW)).of(OLD)["outcome"] == "renewed"
    assert old.sent == [f"{OLD}-failed-1", f"{OLD}-{NEW}"]


def test_an_unknown_outcome_is_settled_by_reading(take_over: TakeOver) -> None:
    old = take_over("unknown-and-bought")
    assert old.tick().outcomes == {OLD: ("renewed", None)}
    assert old.sent == [f"{OLD}-{NEW}"]
    assert old.added == ["renewed", "published"]
    assert old.calls == 0


def test_an_unknown_outcome_without_a_trace_waits_and_is_bought_again(take_over: TakeOver) -> None:
    old = take_over("unknown-in-vain")
    assert old.tick().outcomes == {OLD: ("deferred", "settling")}
    assert old.tick(SETTLED).outcomes == {OLD: ("renewed", None)}
    assert old.calls == 1


# --- nothing was bought -----------------------------------------------------------------------------------------------


def test_an_answer_that_was_settled_as_no_purchase_lets_the_order_be_bought(take_over: TakeOver) -> None:
    old = take_over("nothing-bought")
    assert old.tick().outcomes == {OLD: ("renewed", None)}
    assert old.added == ["claimed", "renewed", "published"]


def test_a_refusal_is_not_repeated_for_a_day_and_people_are_not_notified_again(take_over: TakeOver) -> None:
    old = take_over("refused")
    assert old.tick(19 * 3600).outcomes == {OLD: ("refused", "OrderStateError")}
    assert (old.calls, old.sent, old.added) == (0, [], [])
    assert old.tick(3600).outcomes == {OLD: ("renewed", None)}
    assert old.sent == [f"{OLD}-{NEW}"]


def test_a_refusal_that_holds_only_for_the_moment_is_tried_again_at_once(take_over: TakeOver) -> None:
    old = take_over("refused-for-now")
    assert old.tick(MOMENT).outcomes == {OLD: ("renewed", None)}
    assert old.calls == 1


def test_a_refusal_of_which_nobody_was_notified_is_still_sent_with_its_id(take_over: TakeOver) -> None:
    old = take_over("refused-and-not-notified")
    for _ in range(2):
        assert old.tick().outcomes == {OLD: ("refused", "OrderStateError")}
    assert (old.sent, old.added, old.calls) == ([f"{OLD}-failed-2"], ["told"], 0)


def test_a_second_claim_is_settled_as_the_first_would_be(take_over: TakeOver) -> None:
    old = take_over("claimed-again-after-a-refusal")
    assert old.tick(RUN_ENDED).outcomes == {OLD: ("renewed", None)}
    assert old.sent == [f"{OLD}-{NEW}"]
    assert old.calls == 0


def test_what_was_bought_and_given_back_on_a_day_counts(cloud: Cloud, take_over: TakeOver) -> None:
    old = take_over("a-day-with-one-renewal-left")
    soon = cloud.cas.add_order(domain="soon.example.com", days_left=7)
    later = cloud.cas.add_order(domain="later.example.com", days_left=8)
    outcomes = old.tick(most_per_day=2).outcomes
    assert outcomes == {
        OLD: ("refused", "OrderStateError"),
        SECOND_OLD: ("already-renewed", None),
        str(soon): ("renewed", None),
        str(later): ("deferred", "day-limit"),
    }


# --- a person must decide, or has -------------------------------------------------------------------------------------

HELD = {
    "held-with-several-candidates": ("several-candidates", [NEW, SECOND_NEW]),
    "held-for-unexplained-orders": ("unexplained-orders", [SECOND_OLD]),
    "held-since-the-answer-names-the-old-order": ("answer-names-old-order", None),
    "held-after-three-lost-answers": ("answers-lost", None),
    "held-since-the-picture-is-lost": ("picture-lost", None),
}


@pytest.mark.parametrize("name", HELD)
def test_a_held_order_stays_held_and_nobody_is_notified_again(take_over: TakeOver, name: str) -> None:
    old = take_over(name)
    reason, candidates = HELD[name]
    for _ in range(2):
        line = old.tick(days=1).of(OLD)
        assert (line["outcome"], line["reason"], line.get("candidates")) == ("held", reason, candidates)
    assert (old.sent, old.added, old.calls) == ([], [], 0)


@pytest.mark.parametrize("name", [name for name in HELD if name != "held-with-several-candidates"])
def test_a_held_order_is_bought_after_a_release(take_over: TakeOver, name: str) -> None:
    old = take_over(name)
    assert old.say(RELEASE).outcomes == {OLD: ("skipped", "released")}
    assert old.tick().outcomes == {OLD: ("renewed", None)}
    assert old.added == ["released", "claimed", "renewed", "published"]


def test_a_held_order_can_be_resolved(take_over: TakeOver) -> None:
    old = take_over("held-with-several-candidates")
    assert old.say(resolve(SECOND_NEW)).of(OLD)["new_order_id"] == SECOND_NEW
    assert old.sent == [f"{OLD}-{SECOND_NEW}"]
    assert old.added == ["renewed", "published"]
    assert json.loads(old.read().logs[f"successors/{SECOND_NEW}"][0])["order_id"] == OLD


def test_two_orders_that_are_held_for_each_other_are_resolved_one_by_one(take_over: TakeOver) -> None:
    old = take_over("held-with-shared-candidates")
    assert old.tick().outcomes == dict.fromkeys((OLD, SECOND_OLD), ("held", "shared-candidates"))
    old.say(resolve(NEW))
    with pytest.raises(EventRefused, match="already the successor"):
        old.say({"resolve": {"order_id": SECOND_OLD, "new_order_id": NEW}})
    old.say({"resolve": {"order_id": SECOND_OLD, "new_order_id": SECOND_NEW}})
    assert old.sent == [f"{OLD}-{NEW}", f"{SECOND_OLD}-{SECOND_NEW}"]


def test_a_released_order_is_bought(take_over: TakeOver) -> None:
    old = take_over("released")
    assert old.tick().outcomes == {OLD: ("renewed", None)}
    assert old.sent == [f"{OLD}-{NEW}"]


def test_a_resolved_order_is_done(take_over: TakeOver) -> None:
    old = take_over("resolved")
    line = old.tick().of(OLD)
    assert (line["outcome"], line["message_id"]) == ("already-renewed", f"{OLD}-{SECOND_NEW}")
    for event in (resolve(NEW), RELEASE):
        with pytest.raises(EventRefused, match="does not wait"):
            old.say(event)
    assert (old.sent, old.calls) == ([], 0)


def test_a_resolved_order_that_is_not_published_is_published(take_over: TakeOver) -> None:
    old = take_over("resolved-and-not-published")
    assert old.tick().outcomes == {OLD: ("renewed", None)}
    assert old.sent == [f"{OLD}-{SECOND_NEW}"]


def test_a_resolve_that_is_not_published_can_be_taken_back(take_over: TakeOver) -> None:
    old = take_over("resolved-and-not-published")
    assert old.say(resolve(NEW)).of(OLD)["new_order_id"] == NEW
    assert old.sent == [f"{OLD}-{NEW}"]
    assert json.loads(old.read().logs[f"successors/{SECOND_NEW}"][-1])["order_id"] == ""


@pytest.mark.parametrize("new", [NEW, SECOND_NEW])
def test_a_release_can_be_taken_back(take_over: TakeOver, new: str) -> None:
    old = take_over("resolved-and-taken-back")
    assert old.say(resolve(new)).of(OLD)["outcome"] == "renewed"
    assert old.sent == [f"{OLD}-{new}"]
    assert json.loads(old.read().logs[f"successors/{new}"][-1])["order_id"] == OLD


def test_of_a_journal_that_nobody_understands_people_are_notified_once_a_day(take_over: TakeOver) -> None:
    old = take_over("unreadable-and-notified")
    assert old.tick().outcomes == {OLD: ("held", "journal-unreadable")}
    assert old.sent == []
    assert old.tick(days=1).outcomes == {OLD: ("held", "journal-unreadable")}
    assert old.sent == [f"{OLD}-failed-20261122"]
    assert (old.added, old.calls) == ([], 0)


# --- what comes after the purchase ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["renewed-and-not-published", "settled-and-not-published"])
def test_a_renewal_is_published_as_its_journal_has_it(take_over: TakeOver, name: str) -> None:
    old = take_over(name)
    assert old.tick(days=1).outcomes == {OLD: ("renewed", None)}
    (message,) = old.messages
    recorded = old.sample.of(OLD)[-1]
    assert (message["id"], message["subject"], message["time"]) == (f"{OLD}-{NEW}", NEW, recorded["at"])
    assert message["data"]["RequestId"] == recorded["request_id"]
    assert (recorded["request_id"] is None) == (recorded["how"] == "settled")
    assert old.tick().of(OLD)["outcome"] == "already-renewed"
    assert (old.sent, old.calls) == ([f"{OLD}-{NEW}"], 0)


def test_a_published_renewal_is_followed(cloud: Cloud, take_over: TakeOver) -> None:
    old = take_over("published")
    line = old.tick().of(OLD)
    assert (line["outcome"], line["message_id"]) == ("already-renewed", f"{OLD}-{NEW}")
    assert (old.sent, old.added, old.calls) == ([], ["observed"], 0)
    cloud.cas.issue(NEW)
    old.tick()
    assert (old.sent, old.added) == ([f"{OLD}-{NEW}-issued"], ["observed", "observed", "told"])


STUCK = {"in-review": "CHECKING", "turned-down": "CHECKED_FAIL", "gone": "GONE"}


@pytest.mark.parametrize("name", STUCK)
def test_of_a_renewal_that_does_not_get_on_people_are_notified_once_a_day(
    cloud: Cloud, take_over: TakeOver, name: str
) -> None:
    old = take_over(name)
    old.tick()
    assert (old.sent, old.added) == ([], [])
    old.tick(days=1)
    (message,) = old.messages
    assert message["id"] == f"{OLD}-{NEW}-stalled-{cloud.clock.now():%Y-%m-%d}"
    assert message["data"]["Stage"] == STUCK[name]
    assert old.added == ["told"]


def test_a_replaced_renewal_is_left_alone_until_it_is_issued_after_all(cloud: Cloud, take_over: TakeOver) -> None:
    old = take_over("replaced")
    old.tick(days=10)
    assert (old.sent, old.added) == ([], [])
    cloud.cas.issue(NEW)
    for _ in range(2):
        old.tick()
    assert old.sent == [f"{OLD}-{NEW}-issued"]


@pytest.mark.parametrize("name", ["abandoned", "issued"])
def test_what_is_finished_is_touched_no_more(take_over: TakeOver, name: str) -> None:
    old = take_over(name)
    for _ in range(2):
        assert not old.tick(days=1).failed
    assert (old.sent, old.added, old.calls) == ([], [], 0)
    assert old.read().notes == {}


def test_an_issued_certificate_of_which_nobody_was_notified_is_sent_once(take_over: TakeOver) -> None:
    old = take_over("issued-and-not-notified")
    for _ in range(2):
        old.tick()
    assert (old.sent, old.added) == ([f"{OLD}-{NEW}-issued"], ["told"])
