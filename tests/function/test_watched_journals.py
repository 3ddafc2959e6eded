"""What earlier versions have written of what is watched is understood: see test_old_journals.py."""

from __future__ import annotations

import pytest

from tests.deployed import TIMER
from tests.function.old_situations import NEW, OLD, SECOND_OLD
from tests.function.taken_over import TakeOver
from tests.function.watched_situations import BASE, INSTANCE, NEXT, UPLOAD
from tests.stubs.cloud import Cloud


@pytest.mark.parametrize("name", ["instance-followed", "instance-stalled"])
def test_a_followed_instance_is_followed_on_until_it_is_issued(cloud: Cloud, take_over: TakeOver, name: str) -> None:
    old = take_over(name)
    cloud.cas.authority.records_after = 5
    old.tick(days=8)
    told = old.sent
    assert told[0].startswith(f"{INSTANCE}-{BASE}-validation-")
    assert told[1:] == [f"{INSTANCE}-{BASE}-stalled-{cloud.clock.now():%Y-%m-%d}"]
    cloud.cas.instances.issue(INSTANCE)
    for _ in range(2):
        old.tick()
    assert old.sent[2:] == [f"{INSTANCE}-{NEXT}-issued"]
    assert old.messages[2]["data"]["ReplacedCertificateId"] == BASE
    assert old.added_to(INSTANCE) == ["told", "told", "issued", "told"]


def test_of_an_instance_that_does_not_get_on_people_were_notified_today(take_over: TakeOver) -> None:
    old = take_over("instance-stalled")
    old.tick(3600)
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])


def test_an_issued_certificate_of_which_nobody_was_notified_is_sent_once(take_over: TakeOver) -> None:
    old = take_over("instance-issued-and-not-notified")
    for _ in range(3):
        old.tick(days=1)
    assert (old.sent, old.added_to(INSTANCE)) == ([f"{INSTANCE}-{NEXT}-issued"], ["told"])
    assert old.read().notes == {}


@pytest.mark.parametrize("name", ["instance-issued", "instance-given-up"])
def test_what_is_finished_is_touched_no_more(take_over: TakeOver, name: str) -> None:
    old = take_over(name)
    for _ in range(2):
        assert not old.tick(days=1).failed
    assert (old.sent, old.added_to(INSTANCE), old.read().notes) == ([], [], {})


def test_an_instance_that_was_issued_is_followed_anew_before_its_next_end(cloud: Cloud, take_over: TakeOver) -> None:
    old = take_over("instance-issued")
    cloud.cas.instances.extend_subscription(INSTANCE, 36)
    old.tick(days=170)
    assert old.added_to(INSTANCE) == ["followed"]
    newer = cloud.cas.instances.issue(INSTANCE)
    old.tick()
    assert old.sent == [f"{INSTANCE}-{newer}-issued"]


def test_an_instance_whose_names_have_changed_is_followed_with_its_new_certificate(
    cloud: Cloud, take_over: TakeOver
) -> None:
    old = take_over("instance-followed-for-other-names")
    old.tick(days=1)
    assert (old.sent, old.added_to(INSTANCE)) == ([], [])
    newer = cloud.cas.instances.issue(INSTANCE)
    old.tick()
    assert old.messages[0]["data"]["ReplacedCertificateId"] == NEXT
    assert old.sent == [f"{INSTANCE}-{newer}-issued"]


def test_a_late_certificate_of_an_instance_that_was_given_up_is_told_all_the_same(
    cloud: Cloud, take_over: TakeOver
) -> None:
    old = take_over("instance-given-up")
    cloud.cas.instances.extend_subscription(INSTANCE, 36)
    cloud.cas.instances.issue(INSTANCE)
    old.tick(days=165)
    assert old.sent == [f"{INSTANCE}-{NEXT}-issued"]
    assert old.added_to(INSTANCE) == ["issued", "told"]


def test_the_alarm_of_a_day_is_remembered_and_so_is_what_was_told(cloud: Cloud, take_over: TakeOver) -> None:
    old = take_over("alarmed-on-a-day-with-a-renewal")
    assert not old.say(TIMER).failed, "the platform repeats the event"
    assert (old.calls, old.sent) == (0, [])
    assert not old.tick(3600).failed
    assert old.sent == [f"{SECOND_OLD}-{int(NEW) + 1}"]
    assert old.tick(days=1).failed
    assert [id_ for id_ in old.sent if UPLOAD in id_] == []
    assert old.added[-1:] == ["observed"]
    assert old.read().of(OLD)[-1]["stage"] == "PAYED"
