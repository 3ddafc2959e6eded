"""How much is applied for, what a dry run says, and what happens without a permission, the queue or the journal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.errors import SettingsError
from tests.deployed import TIMER, platform
from tests.function.applying import (
    APPLIED,
    APPLY,
    DETAIL,
    FAILED,
    ISSUED,
    TASK,
    applicant,
    applications,
    base_of,
    due,
    kinds,
    line_of,
    lines,
    said,
    told,
)
from tests.promise.interleaving import PausedInvocation
from tests.situations import expiring
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud

BROKEN = faults.error("InternalError", 500)


def several(cloud: Cloud, count: int) -> list[str]:
    """So many instances that are to be applied for, the first to expire first."""
    return [due(cloud, f"app{n}.example.com", 15 + n) for n in range(count)]


def counted(cloud: Cloud) -> int:
    """What the journal says of this day."""
    stored = cloud.oss.objects.get((BUCKET, f"renewals/days/{cloud.clock.now():%Y-%m-%d}"))
    return sum(json.loads(line)["count"] for line in stored.data.splitlines()) if stored else 0


# --- the fuse and the limit of the day --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "reason"), [("MAX_RENEWALS_PER_RUN", "run-limit"), ("MAX_RENEWALS_PER_DAY", "day-limit")]
)
def test_a_limit_counts_orders_and_applications_together_and_the_orders_go_first(
    cloud: Cloud, setting: str, reason: str
) -> None:
    orders, instances = expiring(cloud, 2), several(cloud, 3)
    function = applicant(cloud, **{setting: "3"})
    answer = function.tick()
    assert [answer.of(order)["outcome"] for order in orders] == ["renewed", "renewed"]
    assert [said(answer, instance) for instance in instances] == [("applied", None), *[("deferred", reason)] * 2]
    assert counted(cloud) == 3
    cloud.clock.advance(days=1)
    assert {outcome for outcome, _ in lines(function.tick()).values()} == {"applied"}
    assert applications(cloud) == 3


@pytest.mark.parametrize(
    ("setting", "reason"), [("MAX_RENEWALS_PER_RUN", "run-limit"), ("MAX_RENEWALS_PER_DAY", "day-limit")]
)
def test_a_limit_of_nothing_applies_for_nothing(cloud: Cloud, setting: str, reason: str) -> None:
    (instance,) = several(cloud, 1)
    assert said(applicant(cloud, **{setting: "0"}).tick(), instance) == ("deferred", reason)
    assert (cloud.cas.calls_of(APPLY), counted(cloud)) == ([], 0)


def test_what_is_not_applied_for_after_all_is_given_back(cloud: Cloud) -> None:
    instances = several(cloud, 4)
    for instance in instances[:2]:
        cloud.cas.instances.details.odd_row(instance, ContactIdList=[])
    answer = applicant(cloud, MAX_RENEWALS_PER_RUN="2").tick()
    assert [said(answer, instance) for instance in instances] == [
        *[("skipped", "needs-data")] * 2,
        *[("applied", None)] * 2,
    ]
    assert counted(cloud) == 2


def test_what_is_reserved_and_not_used_is_left_for_others(cloud: Cloud) -> None:
    first, second = several(cloud, 2)
    cloud.cas.instances.details.odd_row(first, ContactIdList=[])
    function = applicant(cloud, MAX_RENEWALS_PER_DAY="2")
    assert said(function.tick(), second) == ("applied", None)
    assert counted(cloud) == 1
    third = due(cloud, "shop.example.com")
    assert said(function.tick(), third) == ("applied", None)


def test_a_lost_answer_counts_and_a_refusal_does_not(cloud: Cloud) -> None:
    instances = several(cloud, 3)
    cloud.cas.fail(APPLY, faults.error("MissingParameter"), faults.timeout_before())
    answer = applicant(cloud, MAX_RENEWALS_PER_DAY="2").tick()
    assert [said(answer, instance)[0] for instance in instances] == ["refused", "unknown", "applied"]
    assert counted(cloud) == 2


@pytest.mark.parametrize("step", [1, 3])
def test_runs_at_once_keep_to_the_limit_of_the_day(cloud: Cloud, step: int) -> None:
    several(cloud, 6)
    settings: dict[str, Any] = {"MAX_RENEWALS_PER_DAY": "4", "MAX_RENEWALS_PER_RUN": "3", "INSTANCES": "apply"}
    runs = [PausedInvocation(cloud, TIMER, f"run-{n}", 300, **settings) for n in range(2)]
    while not all(run.finished for run in runs):
        for run in runs:
            run.step(step)
    assert not [run.bug for run in runs if run.bug]
    assert 0 < applications(cloud) <= 4
    assert counted(cloud) == applications(cloud)


def test_the_retries_of_a_failing_event_keep_to_the_limit_of_the_day(cloud: Cloud) -> None:
    several(cloud, 8)
    cloud.cas.fail(APPLY, faults.error("MissingParameter"))
    answers = platform(applicant(cloud, MAX_RENEWALS_PER_DAY="5", MAX_RENEWALS_PER_RUN="2"), TIMER)
    assert [answer.failed for answer in answers] == [True] * 4
    assert applications(cloud) == 5


def test_what_is_deferred_so_long_that_it_is_missed_is_foreseen(cloud: Cloud) -> None:
    for n in range(8):
        due(cloud, f"app{n}.example.com", 5.5)
    answer = applicant(cloud, MAX_RENEWALS_PER_RUN="1").tick()
    assert answer.failed
    assert "MAX_RENEWALS_PER_RUN must be at least 2 (it is 1)" in answer.result["errors"][0]
    assert applications(cloud) == 1


def test_a_run_without_time_applies_for_nothing(cloud: Cloud) -> None:
    (instance,) = several(cloud, 1)
    assert said(applicant(cloud).tick(timeout=8), instance) == ("deferred", "no-time-left")
    assert cloud.cas.calls_of(APPLY) == []


def test_of_very_many_instances_only_those_that_are_due_cost_a_call(cloud: Cloud) -> None:
    for n in range(150):
        due(cloud, f"later{n}.example.com", 100)
    several(cloud, 5)
    applicant(cloud).tick()
    made = [call.action for call in cloud.cas.calls]
    assert (made.count(DETAIL), made.count(APPLY), made.count("ListInstances")) == (5, 5, 2)


# --- a dry run --------------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_it_would_apply_for_and_in_which_run_and_does_nothing(cloud: Cloud) -> None:
    orders, instances = expiring(cloud, 1), several(cloud, 3)
    function = applicant(cloud, MAX_RENEWALS_PER_RUN="2")
    answer = function.tick(DRY_RUN="true")
    assert [answer.of(order)["outcome"] for order in orders] == ["would-renew"]
    assert [(said(answer, one), line_of(answer, one)["in_run"]) for one in instances] == [
        (("would-apply", None), 1),
        (("would-apply", None), 2),
        (("would-apply", None), 2),
    ]
    assert (cloud.cas.calls_of(APPLY), cloud.smq.messages()) == ([], [])
    assert [kinds(cloud, instance) for instance in instances] == [[], [], []]
    assert counted(cloud) == 0
    assert "would be renewed or applied for" in answer.result["note"]


@pytest.mark.parametrize("odd", [{"ContactIdList": []}, {"UpgradeStatus": "payed"}, {"GenerateCsrMethod": "upload"}])
def test_a_dry_run_looks_as_closely_as_any_other(cloud: Cloud, odd: dict[str, Any]) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.instances.details.odd_row(instance, **odd)
    dry = said(function.tick(DRY_RUN="true"), instance)
    assert dry == said(function.tick(), instance)
    assert dry[0] == "skipped"


def test_a_dry_run_by_hand_says_the_same(cloud: Cloud) -> None:
    instance = due(cloud)
    answer = applicant(cloud).invoke({"instance_ids": [instance], "dry_run": True})
    assert said(answer, instance) == ("would-apply", None)
    assert cloud.cas.calls_of(APPLY) == []


def test_a_dry_run_says_of_what_is_in_that_it_is(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    before = kinds(cloud, instance)
    assert said(function.tick(DRY_RUN="true"), instance) == ("applied", None)
    assert kinds(cloud, instance) == before


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operation", "outcome"), [(DETAIL, "deferred"), (APPLY, "refused")])
def test_a_permission_that_is_missing_is_named_costs_one_call_and_stops_no_order(
    cloud: Cloud, operation: str, outcome: str
) -> None:
    order, (first, second) = cloud.cas.add_order(domain="www.example.com", days_left=10), several(cloud, 2)
    function = applicant(cloud)
    cloud.cas.forbid(operation)
    answer = function.tick()
    assert answer.failed
    assert answer.of(order)["outcome"] == "renewed"
    assert (said(answer, first), said(answer, second)) == ((outcome, "NoPermission"), ("deferred", "run-stopped"))
    assert len(cloud.cas.calls_of(operation)) == 1
    assert applications(cloud) == 0
    cloud.cas.permit(operation)
    assert {said(function.tick(), one) for one in (first, second)} == {("applied", None)}


def test_without_the_permission_to_ask_for_the_task_the_rest_goes_on(cloud: Cloud) -> None:
    instance, function = due(cloud, days_left=25), applicant(cloud)
    cloud.cas.forbid(TASK)
    function.tick()
    cloud.cas.instances.refuse(instance, "no", traces=["status"], after=60)
    cloud.clock.advance(days=1)
    assert said(function.tick(), instance) == ("applied", "not-issued")


def test_without_the_permission_to_list_instances_the_orders_are_renewed(cloud: Cloud) -> None:
    order, instance = cloud.cas.add_order(domain="www.example.com", days_left=10), due(cloud)
    cloud.cas.forbid("ListInstances")
    answer = applicant(cloud).tick()
    assert (answer.failed, answer.of(order)["outcome"]) == (True, "renewed")
    assert "yundun-cert:ListInstances" in answer.result["errors"][0]
    assert kinds(cloud, instance) == []


def test_a_detail_that_cannot_be_read_defers_that_one_alone(cloud: Cloud) -> None:
    first, second = several(cloud, 2)
    cloud.cas.fail(DETAIL, *[BROKEN] * 4)
    answer = applicant(cloud).tick()
    assert answer.failed
    assert first in answer.result["errors"][0]
    assert said(answer, first) == ("deferred", "InternalError")
    assert said(answer, second) == ("applied", None)


def test_an_instance_that_is_gone_by_then_defers_itself_alone(cloud: Cloud) -> None:
    first, second = several(cloud, 2)
    cloud.cas.once_after_page("ListInstances", 1, lambda: cloud.cas.instances.remove(first))
    answer = applicant(cloud).tick()
    assert said(answer, second) == ("applied", None)
    assert (answer.failed, said(answer, first)) == (True, ("deferred", "NotFound"))


# --- what is watched --------------------------------------------------------------------------------------------------


def test_without_instances_in_watch_nothing_is_applied_for(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud, WATCH="orders,certificates")
    with pytest.raises(SettingsError, match="WATCH"):
        function.tick()
    assert cloud.cas.calls_of("ListInstances") == cloud.cas.calls_of(APPLY) == []
    assert kinds(cloud, instance) == []


def test_a_lost_answer_is_settled_although_instances_are_watched_no_more(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.fail(APPLY, faults.timeout_after())
    function.tick()
    for watched in ("orders,instances", "orders"):
        assert said(function.tick(INSTANCES="watch", WATCH=watched), instance) == ("applied", None)
    assert len(told(cloud, APPLIED)) == 1


def test_what_is_in_is_followed_after_it_is_switched_off_and_nothing_more_is_applied_for(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    other = due(cloud, "shop.example.com")
    cloud.cas.instances.issue(instance)
    function.tick(INSTANCES="watch")
    assert len(told(cloud, ISSUED)) == 1
    assert kinds(cloud, other) == []


def test_what_is_in_is_told_to_be_in_the_way_after_it_is_switched_off(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    cloud.cas.instances.withdraw(instance)
    cloud.clock.advance(days=1)
    assert said(function.tick(INSTANCES="watch"), instance) == ("applied", "not-issued")


# --- the queue is away ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [BROKEN, faults.timeout_before(), faults.refused()])
def test_what_the_queue_does_not_take_is_told_by_the_next_run(cloud: Cloud, fault: faults.Fault) -> None:
    first, second = several(cloud, 2)
    function = applicant(cloud)
    cloud.smq.fail("SendMessage", *[fault] * 3)
    answer = function.tick()
    assert (answer.failed, said(answer, first)[0], line_of(answer, first)["message_id"]) == (True, "applied", None)
    function.tick()
    assert set(told(cloud, APPLIED)) == {f"{one}-{base_of(cloud, one)}-applied" for one in (first, second)}
    assert applications(cloud) == 2


def test_a_queue_that_is_not_there_lets_one_be_applied_for_and_stops(cloud: Cloud) -> None:
    several(cloud, 4)
    function = applicant(cloud, SMQ_QUEUE="nowhere")
    answer = function.tick()
    assert (answer.failed, applications(cloud)) == (True, 1)
    assert sorted(lines(answer).values(), key=str)[-3:] == [("deferred", "run-stopped")] * 3
    function.tick()
    assert applications(cloud) == 1
    function.tick(SMQ_QUEUE="renewed-certificates")
    function.tick(SMQ_QUEUE="renewed-certificates")
    assert (applications(cloud), len(told(cloud, APPLIED))) == (4, 4)


def test_an_application_of_an_earlier_run_is_told_even_if_cas_is_away(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.smq.fail("SendMessage", *[BROKEN] * 3)
    function.tick()
    cloud.cas.fail("ListUserCertificateOrder", *[BROKEN] * 8)
    answer = function.tick()
    assert answer.failed
    assert told(cloud, APPLIED) == [f"{instance}-{base_of(cloud, instance)}-applied"]


# --- the journal is away ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["AppendObject", "PutObject"])
def test_without_a_claim_or_its_note_nothing_is_applied_for(cloud: Cloud, operation: str) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.oss.fail(operation, *[BROKEN] * 12)
    answer = function.tick()
    assert answer.failed
    assert said(answer, instance) == ("deferred", "journal-unavailable")
    assert cloud.cas.calls_of(APPLY) == []
    cloud.oss._faults.clear()
    assert said(function.tick(), instance) == ("applied", None)


def test_what_cannot_be_recorded_is_told_all_the_same_and_settled_by_reading(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    base = base_of(cloud, instance)
    cloud.oss.fail("AppendObject", None, None, *[BROKEN] * 6)
    answer = function.tick()
    assert (answer.failed, said(answer, instance)) == (True, ("applied", "journal-unavailable"))
    cloud.oss._faults.clear()
    cloud.clock.advance(961)
    assert said(function.tick(), instance) == ("applied", None)
    assert told(cloud, APPLIED) == [f"{instance}-{base}-applied"] * 2
    assert applications(cloud) == 1


def test_what_was_told_and_not_recorded_is_told_again_with_the_same_id(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.oss.fail("AppendObject", None, None, None, *[BROKEN] * 3)
    function.tick()
    cloud.oss._faults.clear()
    for _ in range(2):
        function.tick()
    first, second = told(cloud, APPLIED)
    assert first == second
    assert kinds(cloud, instance) == ["claimed", "applied", "told"]


def test_a_journal_that_takes_no_more_entries_fails_the_runs_until_it_does_again(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    new = cloud.cas.instances.issue(instance)
    stored = cloud.oss.objects[BUCKET, f"renewals/instances/{instance}"]
    stored.appendable = False
    for _ in range(2):
        cloud.clock.advance(days=1)
        answer = function.tick()
        assert answer.failed
        assert "make it appendable" in answer.result["errors"][0]
    stored.appendable = True
    function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]
    assert applications(cloud) == 1


def test_an_instance_whose_journal_takes_no_claim_is_not_applied_for_and_told_once_a_day(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    cloud.cas.instances.issue(instance)
    function.tick()
    cloud.oss.objects[BUCKET, f"renewals/instances/{instance}"].appendable = False
    cloud.clock.advance(days=180)
    for _ in range(2):
        answer = function.tick()
        assert (answer.failed, said(answer, instance)) == (True, ("held", "journal-not-appendable"))
    assert (applications(cloud), len(told(cloud, FAILED))) == (1, 1)
