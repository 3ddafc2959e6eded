"""What earlier versions have written of instances that they applied for is understood: see test_old_journals.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed import Answer
from tests.function.applied_situations import APPLICATIONS, BASE, INSTANCE, NEXT, RELEASE
from tests.function.old_situations import SETTLED
from tests.function.taken_over import TakenOver, TakeOver
from tests.stubs.cloud import Cloud

RUN_ENDED = 361
"""Seconds after which a run that began with the situation has ended, by any clock."""


@pytest.fixture
def applying(take_over: TakeOver, cloud: Cloud) -> Iterator[TakeOver]:
    """Take over with `INSTANCES=apply`; in the end there was one application for each base."""
    yield lambda name: _applying(take_over(name))
    bases = [application.base for application in cloud.cas.instances.applied(INSTANCE)]
    assert len(bases) == len(set(bases))


def _applying(old: TakenOver) -> TakenOver:
    old._function.settings["INSTANCES"] = "apply"
    return old


def said(answer: Answer) -> tuple[str, str | None]:
    (line,) = [line for line in answer.orders if line.get("instance_id") == INSTANCE]
    return line["outcome"], line["reason"]


def test_a_claim_is_in_progress_until_its_run_has_ended_and_then_settled(applying: TakeOver) -> None:
    old = applying("instance-claimed-and-applied")
    assert said(old.tick()) == ("deferred", "in-progress")
    assert said(old.tick(RUN_ENDED)) == ("applied", None)
    assert old.sent == [f"{INSTANCE}-{BASE}-applied"]
    assert old.added_to(INSTANCE) == ["applied", "told"]


def test_a_claim_without_an_application_is_settled_as_one_and_applied_for_again(applying: TakeOver) -> None:
    old = applying("instance-claimed-in-vain")
    assert said(old.tick(RUN_ENDED)) == ("deferred", "settling")
    assert said(old.tick(SETTLED)) == ("applied", None)
    assert old.added_to(INSTANCE) == ["refused", "claimed", "applied", "told"]


def test_an_unknown_outcome_is_settled_by_reading(cloud: Cloud, applying: TakeOver) -> None:
    old = applying("instance-unknown-and-applied")
    assert said(old.tick()) == ("applied", None)
    assert old.added_to(INSTANCE) == ["applied", "told"]
    assert len(cloud.cas.calls_of(APPLICATIONS)) == 1


def test_a_useless_refusal_waits_for_the_next_day(applying: TakeOver) -> None:
    old = applying("instance-refused")
    assert said(old.tick(3600)) == ("refused", "MissingParameter")
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])
    assert said(old.tick(days=1)) == ("applied", None)


def test_what_is_held_stays_so_and_people_know(applying: TakeOver) -> None:
    old = applying("instance-held-after-three-lost-answers")
    for _ in range(2):
        assert said(old.tick(days=1)) == ("held", "answers-lost")
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])
    assert said(old.say(RELEASE)) == ("skipped", "released")
    assert said(old.tick()) == ("applied", None)


def test_what_was_released_is_applied_for(applying: TakeOver) -> None:
    assert said(applying("instance-released").tick()) == ("applied", None)


def test_an_application_that_is_in_is_not_made_again_and_followed_until_it_is_issued(
    cloud: Cloud, applying: TakeOver
) -> None:
    old = applying("instance-applied")
    assert said(old.tick()) == ("applied", None)
    cloud.cas.instances.issue(INSTANCE)
    old.tick(days=1)
    assert old.sent == [f"{INSTANCE}-{NEXT}-issued"]
    assert old.added_to(INSTANCE) == ["issued", "told"]


def test_an_application_of_which_nobody_was_notified_is_told_once(applying: TakeOver) -> None:
    old = applying("instance-applied-and-not-notified")
    for _ in range(3):
        assert said(old.tick()) == ("applied", None)
    assert old.sent == [f"{INSTANCE}-{BASE}-applied"]


@pytest.mark.parametrize("name", ["instance-that-asks-for-records", "instance-followed-that-asks-for-records"])
def test_records_that_were_told_are_not_told_again(applying: TakeOver, name: str) -> None:
    old = applying(name)
    old.tick(3600)
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])


def test_what_was_turned_down_is_not_applied_for_again(applying: TakeOver) -> None:
    old = applying("instance-turned-down")
    assert said(old.tick(days=1)) == ("applied", "authority-says")
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])


def test_what_was_issued_is_touched_no_more_until_its_window_opens(applying: TakeOver) -> None:
    old = applying("instance-applied-and-issued")
    assert not old.tick(days=1).failed
    assert (old.sent, old.added_to(INSTANCE), old.read().notes) == ([], [], {})
    assert said(old.tick(days=175)) == ("applied", None)
    assert old.sent == [f"{INSTANCE}-{NEXT}-applied"]


def test_a_second_application_is_known_for_its_own_base(applying: TakeOver) -> None:
    old = applying("instance-applied-for-once-more")
    assert said(old.tick()) == ("applied", None)
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])


def test_what_was_turned_down_and_released_is_applied_for_once_more(cloud: Cloud, take_over: TakeOver) -> None:
    old = _applying(take_over("instance-turned-down-and-released"))
    for _ in range(2):
        assert said(old.tick()) == ("applied", None)
    assert old.added_to(INSTANCE)[:2] == ["claimed", "applied"]
    assert len(cloud.cas.instances.applied(INSTANCE)) == 2
