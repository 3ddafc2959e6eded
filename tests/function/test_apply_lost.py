"""Applications whose answer is lost, or whose run dies or has company: settled by reading, and never made twice."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pytest

from handler.errors import EventRefused
from tests.deployed import TIMER, Function, assert_no_internal_error
from tests.function.applying import (
    APPLIED,
    APPLY,
    DETAIL,
    FAILED,
    ISSUED,
    SETTLED,
    STALLED,
    applicant,
    applications,
    base_of,
    due,
    entries,
    kinds,
    line_of,
    lines,
    said,
    told,
)
from tests.points import once_at
from tests.promise.interleaving import PausedInvocation
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud, local_cloud
from tests.stubs.lost import fault_name
from tests.traces import messages

NOT_SUPPORTED = "OperationDenied.StatusNotSupport"
HAPPENED = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.html_after(502),
    faults.empty_after(),
    faults.answer_after({}),
    faults.error_after("InternalError", status=400),
    faults.error_after("ServiceUnavailable", status=503),
    faults.error_after(NOT_SUPPORTED, status=500),
]
"""After these an application is in, and this function does not know."""
DID_NOT = [
    faults.timeout_before(),
    faults.reset_before(),
    faults.html(),
    faults.empty(),
    faults.answer({"ok": True}),
    faults.answer([]),
    faults.error("InternalError", status=500),
    faults.error(NOT_SUPPORTED, status=500),
]
"""After these there is none, and it does not know either."""


# --- the answer is lost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", HAPPENED, ids=fault_name)
def test_an_application_that_went_in_without_an_answer_is_found_by_reading(cloud: Cloud, fault: faults.Fault) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, fault)
    answer = function.tick()
    assert (answer.failed, said(answer, instance)[0]) == (True, "unknown")
    assert told(cloud, APPLIED) == []
    base = base_of(cloud, instance)
    for _ in range(3):
        answer = function.tick()
        assert (answer.failed, said(answer, instance)) == (False, ("applied", None))
    assert told(cloud, APPLIED) == [f"{instance}-{base}-applied"]
    assert (applications(cloud), len(cloud.cas.calls_of(APPLY))) == (1, 1)
    assert kinds(cloud, instance) == ["claimed", "unknown", "applied", "told"]


@pytest.mark.parametrize("fault", DID_NOT, ids=fault_name)
def test_an_application_that_did_not_go_in_is_made_again_once_that_is_certain(
    cloud: Cloud, fault: faults.Fault
) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, fault)
    assert said(function.tick(), instance)[0] == "unknown"
    cloud.clock.advance(SETTLED - 2)
    answer = function.tick()
    assert (answer.failed, said(answer, instance)) == (False, ("deferred", "settling"))
    assert len(cloud.cas.calls_of(APPLY)) == 1
    cloud.clock.advance(2)
    assert said(function.tick(), instance) == ("applied", None)
    assert applications(cloud) == 1
    assert kinds(cloud, instance) == ["claimed", "unknown", "refused", "claimed", "applied", "told"]


def test_an_application_that_takes_effect_late_is_waited_for(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.authority.shows_after = 900
    cloud.cas.fail(APPLY, faults.timeout_after())
    function.tick()
    cloud.clock.advance(600)
    assert said(function.tick(), instance) == ("deferred", "settling")
    cloud.clock.advance(300)
    assert said(function.tick(), instance) == ("applied", None)
    assert applications(cloud) == 1


def test_an_answer_that_takes_long_is_an_answer(cloud: Cloud) -> None:
    instance = due(cloud)
    cloud.cas.instances.application_takes = 25
    assert said(applicant(cloud).tick(), instance) == ("applied", None)


def test_the_certificate_that_came_before_anybody_looked_settles_it_too(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    base = base_of(cloud, instance)
    cloud.cas.fail(APPLY, faults.timeout_after())
    function.tick()
    new = cloud.cas.instances.issue(instance)
    cloud.clock.advance(days=1)
    assert said(function.tick(), instance)[0] == "applied"
    assert told(cloud, APPLIED) == [f"{instance}-{base}-applied"]
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]


def test_an_instance_that_shows_no_certificate_while_in_review_settles_it(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    base = base_of(cloud, instance)
    cloud.cas.instances.pending_has_certificate = False
    cloud.cas.fail(APPLY, faults.timeout_after())
    function.tick()
    assert said(function.tick(), instance) == ("applied", None)
    cloud.cas.instances.issue(instance)
    function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{int(base) + 1}-issued"]
    assert applications(cloud) == 1


def test_a_detail_that_cannot_be_read_settles_nothing_and_after_a_day_that_is_told(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.timeout_after())
    function.tick()
    cloud.cas.forbid(DETAIL)
    for _ in range(3):
        cloud.clock.advance(days=1)
        assert said(function.tick(), instance) == ("deferred", "settling")
    assert len(told(cloud, FAILED)) == 1
    cloud.cas.permit(DETAIL)
    assert said(function.tick(), instance) == ("applied", None)
    assert applications(cloud) == 1


@pytest.mark.parametrize("odd", [{"Status": "thinking"}, {"Status": ""}, {"InstanceId": "cas_dv-cn-another1"}])
def test_a_detail_that_makes_no_sense_settles_nothing(cloud: Cloud, odd: dict[str, Any]) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.timeout_before())
    function.tick()
    cloud.cas.instances.details.odd_row(instance, **odd)
    cloud.clock.advance(SETTLED)
    assert said(function.tick(), instance) == ("deferred", "settling")
    assert len(cloud.cas.calls_of(APPLY)) == 1


def test_a_dry_run_settles_nothing(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.timeout_after())
    function.tick()
    before = entries(cloud, instance)
    assert said(function.tick(DRY_RUN="true"), instance) == ("deferred", "settling")
    assert (entries(cloud, instance), cloud.smq.messages()) == (before, [])


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shows_after", [0, 600])
def test_that_the_state_allows_no_application_is_read_again(cloud: Cloud, shows_after: float) -> None:
    """Somebody applies in the console after the detail was read."""
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.authority.shows_after = shows_after
    once_at(cloud, ("before", "cas", APPLY), lambda: cloud.cas.instances.apply(instance))
    answer = function.tick()
    assert said(answer, instance) == (("refused", NOT_SUPPORTED) if shows_after else ("applied", None))
    assert len(cloud.cas.authority.applications) == 1
    cloud.clock.advance(601)
    new = cloud.cas.instances.issue(instance)
    cloud.clock.advance(days=1)
    function.tick()
    assert len(cloud.cas.calls_of(APPLY)) == 1
    assert told(cloud, ISSUED) == ([] if shows_after else [f"{instance}-{new}-issued"])


def test_that_the_state_allows_no_application_and_nothing_is_in_review_is_a_refusal(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.error(NOT_SUPPORTED))
    answer = function.tick()
    assert (answer.failed, said(answer, instance)) == (True, ("refused", NOT_SUPPORTED))
    (failed,) = messages(cloud, FAILED)
    assert (failed["data"]["Kind"], failed["data"]["InstanceId"]) == ("instance", instance)
    assert (failed["data"]["OrderId"], failed["data"]["Reason"]) == (None, NOT_SUPPORTED)


def test_a_second_reading_that_fails_leaves_it_to_a_later_one(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.error(NOT_SUPPORTED))
    cloud.cas.fail(DETAIL, None, *[faults.error("InternalError", 500)] * 4)
    assert said(function.tick(), instance) == ("unknown", NOT_SUPPORTED)
    cloud.clock.advance(SETTLED)
    assert said(function.tick(), instance) == ("applied", None)


def test_a_useless_refusal_is_tried_again_the_next_day_and_told_each_time_alone(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, *[faults.error("MissingParameter")] * 2)
    for day in range(2):
        assert said(function.tick(), instance) == ("refused", "MissingParameter")
        cloud.clock.advance(3600)
        assert said(function.tick(), instance) == ("refused", "MissingParameter")
        assert len(cloud.cas.calls_of(APPLY)) == len(told(cloud, FAILED)) == day + 1
        cloud.clock.advance(days=1)
    assert said(function.tick(), instance) == ("applied", None)


@pytest.mark.parametrize("fault", [faults.throttle(), faults.refused()], ids=fault_name)
def test_what_certainly_did_not_reach_cas_is_tried_again_in_the_same_run(cloud: Cloud, fault: faults.Fault) -> None:
    instance = due(cloud)
    cloud.cas.fail(APPLY, fault)
    assert said(applicant(cloud).tick(), instance) == ("applied", None)
    assert applications(cloud) == 1


@pytest.mark.parametrize("fault", [*HAPPENED, *DID_NOT], ids=fault_name)
def test_the_client_itself_never_repeats_the_call(cloud: Cloud, fault: faults.Fault) -> None:
    due(cloud)
    cloud.cas.fail(APPLY, *[fault] * 5)
    applicant(cloud).tick()
    assert len(cloud.cas.calls_of(APPLY)) == 1


# --- three in a row ---------------------------------------------------------------------------------------------------


def lose_three(cloud: Cloud, function: Function, instance: str) -> None:
    cloud.cas.fail(APPLY, *[faults.timeout_before()] * 3)
    for _ in range(3):
        assert said(function.tick(), instance)[0] == "unknown"
        cloud.clock.advance(SETTLED)
    assert said(function.tick(), instance) == ("held", "answers-lost")


def release(instance: str) -> dict[str, Any]:
    return {"release": {"instance_id": instance}}


def test_after_three_lost_answers_it_is_held_and_told_once_until_a_person_releases_it(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    lose_three(cloud, function, instance)
    for _ in range(3):
        cloud.clock.advance(days=1)
        answer = function.tick()
        assert (answer.failed, said(answer, instance)) == (True, ("held", "answers-lost"))
    (failed,) = messages(cloud, FAILED)
    assert (failed["data"]["Outcome"], failed["data"]["InstanceId"]) == ("held", instance)
    assert len(cloud.cas.calls_of(APPLY)) == 3

    assert said(function.invoke(release(instance)), instance) == ("skipped", "released")
    assert said(function.tick(), instance) == ("applied", None)
    assert applications(cloud) == 1


def test_three_lost_answers_are_counted_anew_after_a_release(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    lose_three(cloud, function, instance)
    function.invoke(release(instance))
    lose_three(cloud, function, instance)
    assert len(told(cloud, FAILED)) == 2


def test_what_is_held_is_applied_for_once_somebody_sees_that_an_application_is_in(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    lose_three(cloud, function, instance)
    cloud.cas.instances.apply(instance)
    assert said(function.tick(), instance) == ("applied", None)
    assert len(cloud.cas.calls_of(APPLY)) == 3


def test_another_instance_goes_on_meanwhile(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    lose_three(cloud, function, instance)
    other = due(cloud, "shop.example.com")
    assert lines(function.tick()) == {instance: ("held", "answers-lost"), other: ("applied", None)}


@pytest.mark.parametrize("state", ["none", "issued", "refused"])
def test_a_release_of_what_waits_for_nobody_is_refused(cloud: Cloud, state: str) -> None:
    instance, function = due(cloud), applicant(cloud)
    if state == "refused":
        cloud.cas.fail(APPLY, faults.error("MissingParameter"))
    if state != "none":
        function.tick()
    if state == "issued":
        cloud.cas.instances.issue(instance)
        function.tick()
    before = entries(cloud, instance)
    with pytest.raises(EventRefused, match=rf"release\.instance_id.*{instance}"):
        function.invoke(release(instance))
    assert entries(cloud, instance) == before


def test_an_application_that_does_not_get_on_is_released_and_made_once_more(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    cloud.cas.instances.refuse(instance, "CAA forbids it", after=60)
    cloud.clock.advance(days=1)
    assert said(function.tick(), instance) == ("applied", "authority-says")
    assert said(function.invoke(release(instance)), instance) == ("skipped", "released")
    for _ in range(3):
        assert said(function.tick(), instance) == ("applied", None)
    assert applications(cloud) == 2


def test_a_release_while_it_is_in_review_makes_no_second_application(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    function.invoke(release(instance))
    for _ in range(3):
        assert said(function.tick(), instance) == ("skipped", "in-review")
    assert applications(cloud) == 1
    new = cloud.cas.instances.issue(instance)
    function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]


# --- runs that die, and runs side by side -----------------------------------------------------------------------------


@contextlib.contextmanager
def one_due() -> Iterator[tuple[Cloud, str]]:
    with contextlib.redirect_stdout(io.StringIO()), local_cloud() as cloud:
        yield cloud, due(cloud)


def points() -> int:
    with one_due() as (cloud, _):
        run = PausedInvocation(cloud, TIMER, "run", 300, 0, INSTANCES="apply")
        count = 0
        while not run.finished:
            run.step()
            count += 1
        return count


def test_wherever_a_run_dies_one_application_is_made_and_told() -> None:
    count = points()
    assert count > 20
    for point in range(count):
        with one_due() as (cloud, instance):
            base = base_of(cloud, instance)
            run = PausedInvocation(cloud, TIMER, "run", 300, 0, INSTANCES="apply")
            run.step(point)
            run.kill()
            for _ in range(3):
                cloud.clock.advance(SETTLED)
                answer = applicant(cloud).tick()
                assert_no_internal_error(answer)
            assert said(answer, instance)[0] == "applied", f"killed at {run.at}, point {point}"
            assert applications(cloud) == 1, f"killed at {run.at}, point {point}"
            assert set(told(cloud, APPLIED)) == {f"{instance}-{base}-applied"}
            assert len(told(cloud, APPLIED)) <= 2, "at most what was on its way is sent again"


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8])
def test_of_two_runs_at_once_one_applies(step: int) -> None:
    with one_due() as (cloud, instance):
        runs = [PausedInvocation(cloud, TIMER, f"run-{n}", 300, 0, INSTANCES="apply") for n in range(2)]
        while not all(run.finished for run in runs):
            for run in runs:
                run.step(step)
        assert not [run.bug for run in runs if run.bug]
        assert len(cloud.cas.calls_of(APPLY)) == applications(cloud) == 1
        assert len(set(told(cloud, APPLIED))) == 1
        assert said(applicant(cloud).tick(), instance) == ("applied", None)


def test_the_other_run_says_that_it_is_in_progress(cloud: Cloud) -> None:
    instance = due(cloud)
    run = PausedInvocation(cloud, TIMER, "run", 300, 0, INSTANCES="apply")
    while run.at != ("before", "cas", APPLY):
        run.step()
    for event in (TIMER, {"instance_ids": [instance]}):
        answer = applicant(cloud).invoke(event)
        assert (answer.failed, said(answer, instance)) == (False, ("deferred", "in-progress"))
    run.finish()
    assert applications(cloud) == 1


def test_a_run_that_loses_the_race_for_the_claim_says_so(cloud: Cloud) -> None:
    instance = due(cloud)
    run = PausedInvocation(cloud, TIMER, "run", 300, 0, INSTANCES="apply")
    while not (run.at and run.at[1:] == ("cas", DETAIL) and run.at[0] == "after"):
        run.step()
    assert said(applicant(cloud).tick(), instance) == ("applied", None)
    run.finish()
    assert not run.failed
    assert '"in-progress"' in (run.text or "")
    assert applications(cloud) == 1


def test_a_claim_of_a_clock_far_ahead_is_held(cloud: Cloud) -> None:
    instance = due(cloud)
    run = PausedInvocation(cloud, TIMER, "run", 300, 3 * 86400, INSTANCES="apply")
    while run.at != ("before", "cas", APPLY):
        run.step()
    run.kill()
    function = applicant(cloud)
    for _ in range(2):
        assert said(function.tick(), instance) == ("held", "claim-from-the-future")
    assert len(told(cloud, FAILED)) == 1
    assert said(function.invoke(release(instance)), instance) == ("skipped", "released")
    assert said(function.tick(), instance) == ("applied", None)


def test_open_work_without_its_note_is_found_when_the_instance_is_looked_at(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.timeout_before())
    function.tick()
    for key in [key for key in cloud.oss.objects if "/open/" in key[1]]:
        del cloud.oss.objects[key]
    cloud.clock.advance(SETTLED)
    function.tick()
    assert said(function.tick(), instance) == ("applied", None)
    assert applications(cloud) == 1


def test_an_application_without_its_note_is_not_made_again(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    cloud.cas.instances.withdraw(instance)
    for key in [key for key in cloud.oss.objects if "/open/" in key[1]]:
        del cloud.oss.objects[key]
    cloud.clock.advance(days=1)
    for _ in range(2):
        assert said(function.tick(), instance) == ("applied", "not-issued")
    assert len(cloud.cas.calls_of(APPLY)) == len(told(cloud, STALLED)) == 1


def test_of_a_certificate_is_told_before_the_one_after_it_is_applied_for(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    new = cloud.cas.instances.issue(instance)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    assert function.tick().failed
    cloud.clock.advance(days=180)
    function.tick()
    function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]
    assert told(cloud, APPLIED)[1:] == [f"{instance}-{new}-applied"]


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", b'{"entry": "claimed"}'])
def test_a_journal_that_makes_no_sense_holds_that_instance_alone(cloud: Cloud, spoilt: bytes) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    other = due(cloud, "shop.example.com")
    cloud.oss.objects[BUCKET, f"renewals/instances/{instance}"].data = spoilt + b"\n"
    answer = function.tick()
    assert (answer.failed, said(answer, instance)) == (True, ("held", "journal-unreadable"))
    assert said(answer, other) == ("applied", None)
    assert len(cloud.cas.calls_of(APPLY)) == 2
    assert "records" not in line_of(answer, other)
