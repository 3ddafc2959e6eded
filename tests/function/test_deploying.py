"""At most one job for a new certificate, started once, and nothing changed that was not to be."""

from __future__ import annotations

from typing import Any

import pytest

from handler.deployment.job import Put, job_name
from handler.deployment.step import Done, Failed, Wait
from handler.outcomes import Reason
from tests.function.deploying import Deploying
from tests.points import once_at
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.stubs.faults import Fault
from tests.stubs.lost import DID_NOT, HAPPENED, fault_name
from tests.stubs.misbehaviour import MovingLists, RandomFaults

CREATE, START = "CreateDeploymentJob", "UpdateDeploymentJobStatus"
READS = ("ListDeploymentJob", "ListCloudResources", "ListContact", "ListWorkerResource", "DescribeDeploymentJob")
REFUSED = faults.error("InvalidResourceId.NotFound", 404)


def puts(step: object) -> list[Put]:
    assert isinstance(step, Done | Failed)
    return [one.put for one in step.resources]


def test_one_job_puts_the_new_certificate_on_every_product_that_was_chosen(cloud: Cloud) -> None:
    deploying = Deploying(cloud, "cdn", "Oss", bound_to=("CDN", "ALB", "OSS"))
    waits = deploying.run()
    assert isinstance(waits, Wait)
    assert waits.reason == Reason.DEPLOYING
    assert isinstance(deploying.until_over(), Done)
    assert deploying.bound == [deploying.new, deploying.old, deploying.new]
    assert [(job.status, job.products) for job in deploying.jobs] == [("success", ["CDN", "OSS"])]
    assert deploying.started == 1


def test_where_nothing_is_bound_nothing_is_made(cloud: Cloud) -> None:
    deploying = Deploying(cloud, "CDN", bound_to=("ALB",))
    assert deploying.run() == Done()
    assert (deploying.jobs, deploying.bound) == ([], [deploying.old])


@pytest.mark.parametrize("fault", HAPPENED, ids=fault_name)
def test_a_job_whose_answer_is_lost_is_found_by_its_name(cloud: Cloud, fault: Fault) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(CREATE, fault)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1
    assert deploying.bound == [deploying.new] * 2


@pytest.mark.parametrize("fault", DID_NOT, ids=fault_name)
def test_a_job_that_was_not_made_is_made_once_that_is_certain(cloud: Cloud, fault: Fault) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(CREATE, fault)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


@pytest.mark.parametrize("shows_after", [60, 600, 890])
def test_a_job_that_is_listed_late_is_waited_for(cloud: Cloud, shows_after: float) -> None:
    deploying = Deploying(cloud)
    cloud.cas.deployments.show_after = shows_after
    cloud.cas.fail(CREATE, faults.timeout_after())
    for _ in range(30):
        deploying.run()
        cloud.clock.advance(seconds=60)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


def test_a_job_that_is_known_need_not_be_listed(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.deployments.show_after = 24 * 3600
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


def test_after_three_answers_that_were_lost_without_a_trace_a_person_is_told(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(CREATE, *[faults.timeout_before()] * 3)
    step = deploying.until_over()
    assert isinstance(step, Failed)
    assert (step.reason, step.is_final) == (Reason.ANSWERS_LOST, False)
    assert puts(step) == [Put.MISSED] * 2
    assert len(cloud.cas.calls_of(CREATE)) == 3


@pytest.mark.parametrize("fault", [*HAPPENED, *DID_NOT], ids=fault_name)
def test_a_start_whose_answer_is_lost_is_looked_after(cloud: Cloud, fault: Fault) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(START, fault)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == 1
    happened = fault in HAPPENED
    assert deploying.started == (1 if happened else 2)


@pytest.mark.parametrize("action", READS)
@pytest.mark.parametrize("fault", [*HAPPENED[:-1], *DID_NOT, *faults.NO_ANSWERS], ids=fault_name)
def test_a_reading_that_goes_wrong_costs_a_run_at_most(cloud: Cloud, action: str, fault: Fault) -> None:
    deploying = Deploying(cloud)
    for _ in range(3):
        cloud.cas.fail(action, fault)
        deploying.run()
        cloud.clock.advance(seconds=1800)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1
    assert deploying.bound == [deploying.new] * 2


@pytest.mark.parametrize("fault", faults.NO_LISTS, ids=fault_name)
@pytest.mark.parametrize("action", ["ListDeploymentJob", "ListCloudResources", "ListWorkerResource"])
def test_a_list_that_was_cut_short_makes_no_second_job_and_leaves_nothing_out(
    cloud: Cloud, action: str, fault: Fault
) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(CREATE, faults.timeout_after())
    for _ in range(4):
        cloud.cas.fail(action, fault)
        deploying.run()
        cloud.clock.advance(seconds=1800)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1
    assert deploying.bound == [deploying.new] * 2


def test_a_list_that_moves_all_the_time_decides_nothing(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.between_pages = lambda name, _: name == "ListCloudResources" and cloud.cas.resources.add(deploying.old)
    assert deploying.run() == Wait("list-changing")
    assert deploying.jobs == []


def test_of_two_runs_at_once_one_makes_the_job(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    conflicts = []

    def other_run() -> None:
        assert deploying.run() == Wait(Reason.IN_PROGRESS)
        conflicts.append(True)

    once_at(cloud, ("before", "cas", CREATE), other_run)
    deploying.run()
    assert conflicts
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


@pytest.mark.parametrize("action", [CREATE, START])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_run_that_dies_is_gone_on_with(cloud: Cloud, phase: str, action: str) -> None:
    deploying = Deploying(cloud)
    deploying.dies(phase, action)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


@pytest.mark.parametrize("action", [CREATE, START])
def test_what_was_refused_is_told_and_tried_again_a_day_later_and_no_sooner(cloud: Cloud, action: str) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(action, REFUSED)
    for hours in (0, 19):
        cloud.clock.advance(seconds=3600 * hours)
        step = deploying.run()
        assert isinstance(step, Failed)
        assert (step.reason, step.is_final, puts(step)) == ("InvalidResourceId.NotFound", False, [Put.MISSED] * 2)
    assert len(cloud.cas.calls_of(action)) == 1
    cloud.clock.advance(seconds=2 * 3600)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == 1


# --- what was started -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen_by", ["its answer", "a look"])
def test_a_job_that_was_started_and_that_a_person_puts_back_is_not_started_again(cloud: Cloud, seen_by: str) -> None:
    deploying = Deploying(cloud)
    if seen_by == "a look":
        cloud.cas.fail(START, faults.timeout_after())
    deploying.run()
    cloud.cas.deployments.put_back(deploying.jobs[0].job_id)
    waits = deploying.run()
    assert isinstance(waits, Wait)
    assert waits.reason == Reason.DEPLOYING, "it may be an old reading"
    cloud.clock.advance(seconds=1800)
    told = deploying.run()
    assert isinstance(told, Failed)
    assert (told.reason, told.is_final, puts(told)) == (Reason.JOB_STOPPED, False, [Put.MISSED] * 2)
    assert deploying.started == 1
    cloud.cas.deployments.start(deploying.jobs[0])
    cloud.clock.advance(seconds=600)
    assert isinstance(deploying.run(), Done)


def test_a_start_that_shows_late_is_not_repeated(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.deployments.starts_show_after = 800
    cloud.cas.fail(START, faults.timeout_after())
    for _ in range(15):
        deploying.run()
        cloud.clock.advance(seconds=60)
    assert isinstance(deploying.until_over(), Done)
    assert deploying.started == 1


def test_after_three_starts_without_a_trace_a_person_is_told_and_may_start_it(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.fail(START, *[faults.timeout_before()] * 3)
    step = deploying.until_over()
    assert isinstance(step, Failed)
    assert (step.reason, step.is_final, deploying.started) == (Reason.ANSWERS_LOST, False, 3)
    cloud.cas.deployments.start(deploying.jobs[0])
    cloud.clock.advance(seconds=600)
    assert isinstance(deploying.run(), Done)


@pytest.mark.parametrize("late", [60, 800])
def test_a_job_that_its_id_finds_late_is_waited_for(cloud: Cloud, late: float) -> None:
    deploying = Deploying(cloud)
    cloud.cas.deployments.show_after = cloud.cas.deployments.found_after = late
    for _ in range(20):
        deploying.run()
        cloud.clock.advance(seconds=60)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


def test_a_job_that_is_listed_and_that_its_id_does_not_find_is_neither_started_nor_made_again(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    deploying.dies("after", CREATE)
    cloud.cas.deployments.found_after = 24 * 3600
    cloud.clock.advance(seconds=1800)
    waits = deploying.run()
    assert isinstance(waits, Wait)
    assert waits.reason == Reason.SETTLING
    cloud.clock.advance(days=1)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


def test_a_job_that_is_described_as_another_is_not_believed(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    other = Deploying(cloud)
    other.dies("before", START)
    described = {**other.jobs[0].row(), "RequestId": "1"}
    deploying.dies("before", START)
    cloud.cas.fail("DescribeDeploymentJob", faults.answer(described))
    assert deploying.run() == Wait("empty-answer")
    assert deploying.started == 0


# --- what ends badly --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", ["error", "success"])
def test_a_resource_that_fails_is_told_whatever_the_job_says_of_itself(cloud: Cloud, says: Any) -> None:
    deploying = Deploying(cloud)
    cloud.cas.deployments.partly_failed = says
    cloud.cas.resources.of(deploying.resources[1]).fails = True
    step = deploying.until_over()
    assert isinstance(step, Failed)
    assert step.reason == Reason.RESOURCES_LEFT
    assert {one.product: one.put for one in step.resources} == {"CDN": Put.DEPLOYED, "ALB": Put.FAILED}
    assert deploying.bound == [deploying.new, deploying.old]


def test_a_job_that_does_not_end_within_a_day_is_told_and_still_followed(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.deployments.stalls = True
    deploying.run()
    cloud.clock.advance(days=0.9)
    assert isinstance(deploying.run(), Wait)
    cloud.clock.advance(days=0.2)
    step = deploying.run()
    assert isinstance(step, Failed)
    assert (step.reason, step.is_final) == (Reason.JOB_TOO_SLOW, False)
    assert puts(step) == [Put.DEPLOYED, Put.UNFINISHED]
    deploying.jobs[0].stalls = False
    assert isinstance(deploying.run(), Done)
    assert len(deploying.jobs) == deploying.started == 1


def test_what_a_person_has_rolled_back_is_told(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    deploying.run()
    cloud.clock.advance(seconds=600)
    job = deploying.jobs[0]
    cloud.cas.deployments.roll_back(cloud.cas.deployments.workers(job.job_id)[0])
    cloud.clock.advance(seconds=600)
    step = deploying.run()
    assert puts(step) == [Put.REVERTED, Put.DEPLOYED]
    assert len(deploying.jobs) == 1


def test_what_shows_only_after_the_job_was_made_is_told_as_missed(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    deploying.run()
    cloud.cas.resources.add(deploying.old, "OSS", domain="late.example.com")
    step = deploying.until_over()
    assert isinstance(step, Failed)
    assert [(one.product, one.put) for one in step.resources][-1] == ("OSS", Put.MISSED)
    assert len(deploying.jobs) == 1


@pytest.mark.parametrize("lag", [0, 3600])
def test_bindings_that_show_late_are_no_failure(cloud: Cloud, lag: float) -> None:
    deploying = Deploying(cloud)
    cloud.cas.resources.bindings_show_after = lag
    assert isinstance(deploying.until_over(), Done)


def test_an_account_without_a_contact_is_told_and_goes_on_once_it_has_one(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    cloud.cas.resources.contacts.clear()
    step = deploying.run()
    assert isinstance(step, Failed)
    assert (step.reason, step.is_final) == (Reason.NO_CONTACT, False)
    somebody = cloud.cas.resources.add_contact("Somebody", "somebody@example.com")
    assert isinstance(deploying.until_over(), Done)
    assert deploying.jobs[0].contact_ids == [somebody]


def test_a_contact_that_was_chosen_is_taken_and_nobody_is_listed(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    somebody = cloud.cas.resources.add_contact("Somebody", "somebody@example.com")
    deploying.settings = deploying.settings._replace(deploy_contact=str(somebody))
    assert isinstance(deploying.until_over(), Done)
    assert deploying.jobs[0].contact_ids == [somebody]
    assert cloud.cas.calls_of("ListContact") == []


# --- people -----------------------------------------------------------------------------------------------------------


def by_a_person(deploying: Deploying, certificate: int, *resources: int, start: bool) -> int:
    name = job_name(str(deploying.new))
    return deploying.cloud.cas.deployments.create_in_console(name, certificate, resources, start=start)


def test_a_resource_that_a_person_has_bound_elsewhere_is_left_alone(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    other = cloud.cas.certificates.upload("www.example.com")
    cloud.cas.resources.bind(deploying.resources[0], other)
    assert isinstance(deploying.until_over(), Done)
    assert deploying.bound == [other, deploying.new]


@pytest.mark.parametrize("recorded", [True, False])
def test_a_job_that_waits_is_not_started_once_a_person_has_bound_a_resource_of_it_elsewhere(
    cloud: Cloud, recorded: bool
) -> None:
    deploying = Deploying(cloud)
    deploying.dies(*(("before", START) if recorded else ("after", CREATE)))
    other = cloud.cas.certificates.upload("www.example.com")
    cloud.cas.resources.bind(deploying.resources[0], other)
    told = deploying.until_over()
    assert isinstance(told, Failed)
    assert told.reason == Reason.RESOURCE_REBOUND
    assert [one.product for one in told.resources] == ["ALB"]
    assert deploying.bound == [other, deploying.old]
    assert all(job.scheduled_at is None for job in deploying.jobs)


def test_a_job_of_a_person_that_does_the_same_is_taken_for_ours(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    by_a_person(deploying, deploying.new, *deploying.resources, start=False)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1


def test_a_job_of_a_person_that_runs_or_has_run_is_followed_and_never_started(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    by_a_person(deploying, deploying.new, deploying.resources[0], start=True)
    step = deploying.until_over()
    assert puts(step) == [Put.DEPLOYED, Put.MISSED]
    assert (len(deploying.jobs), deploying.started) == (1, 0)


@pytest.mark.parametrize("what", ["another certificate", "another product", "what had another certificate"])
def test_a_job_of_a_person_that_would_do_something_else_is_not_started(cloud: Cloud, what: str) -> None:
    deploying = Deploying(cloud, "CDN")
    certificate, resource = deploying.new, deploying.resources[0]
    if what == "another certificate":
        certificate = cloud.cas.certificates.upload("www.example.com")
    elif what == "another product":
        resource = deploying.resources[1]
    else:
        resource = cloud.cas.resources.add(cloud.cas.certificates.upload("other.example.com"), "CDN")
    by_a_person(deploying, certificate, resource, start=False)
    step = deploying.until_over()
    assert isinstance(step, Failed)
    assert step.reason == (Reason.UPLOADED if what == "another certificate" else Reason.FOREIGN_JOB)
    assert (deploying.bound, deploying.started) == ([deploying.old] * 2, 0)
    assert cloud.cas.calls_of(CREATE) == []


def test_of_two_jobs_of_the_name_the_one_that_runs_counts_and_no_other_is_started(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    by_a_person(deploying, deploying.new, *deploying.resources, start=False)
    running = by_a_person(deploying, deploying.new, *deploying.resources, start=True)
    step = deploying.until_over()
    assert isinstance(step, Done)
    assert step.job is not None
    assert (step.job.id, deploying.started) == (str(running), 0)


def test_a_job_that_a_person_starts_at_the_same_time_is_not_started_twice(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    once_at(cloud, ("before", "cas", START), lambda: cloud.cas.deployments.start(deploying.jobs[0]))
    assert isinstance(deploying.until_over(), Done)
    assert deploying.started == 1, "and that one was refused"


def test_a_job_that_is_started_between_the_list_and_the_look_is_not_started_again(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    by_a_person(deploying, deploying.new, *deploying.resources, start=False)
    cloud.cas.once_after_page("ListDeploymentJob", 1, lambda: cloud.cas.deployments.start(deploying.jobs[0]))
    deploying.run()
    assert deploying.started == 0


def test_a_job_that_a_person_deletes_before_it_is_started_is_told(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    deploying.dies("before", START)
    cloud.cas.deployments.delete(deploying.jobs[0].job_id)
    told = deploying.until_over()
    assert isinstance(told, Failed)
    assert told.reason == Reason.JOB_GONE
    assert len(cloud.cas.calls_of(CREATE)) == 1


@pytest.mark.parametrize("fault", [None, *HAPPENED], ids=lambda fault: fault_name(fault) if fault else "none")
def test_where_workers_show_only_once_a_job_has_started_ours_is_started_and_no_other(
    cloud: Cloud, fault: Fault | None
) -> None:
    cloud.cas.deployments.workers_wait = True
    deploying = Deploying(cloud)
    cloud.cas.fail(CREATE, fault)
    assert isinstance(deploying.until_over(), Done)
    assert len(deploying.jobs) == deploying.started == 1
    another = Deploying(cloud)
    by_a_person(another, another.new, *another.resources, start=False)
    told = another.until_over()
    assert isinstance(told, Failed)
    assert told.reason == Reason.FOREIGN_JOB
    assert another.bound == [another.old] * 2


def test_a_job_that_is_over_and_that_nobody_keeps_is_no_failure(cloud: Cloud) -> None:
    deploying = Deploying(cloud)
    deploying.run()
    cloud.clock.advance(days=0.5)
    (job,) = deploying.jobs
    cloud.cas.deployments.delete(job.job_id)
    assert deploying.run() == Done()
    assert deploying.bound == [deploying.new] * 2


@pytest.mark.parametrize("seed", range(12))
def test_on_bad_days_there_is_one_job_and_nothing_else_is_changed(cloud: Cloud, seed: int) -> None:
    deploying = Deploying(cloud, "CDN", "OSS", bound_to=("CDN", "OSS", "ALB"))
    cloud.cas.fault_sources.append(RandomFaults(seed))
    cloud.cas.between_pages = MovingLists(cloud.cas, seed)
    deploying.until_over(80)
    assert len(deploying.jobs) <= 1
    assert set(deploying.bound[:2]) <= {deploying.old, deploying.new}
    assert deploying.bound[2] == deploying.old
    cloud.cas.fault_sources.clear()
    cloud.cas.between_pages = None
    ended = deploying.until_over(80)
    assert isinstance(ended, Done | Failed)
    assert len(deploying.jobs) <= 1
    if isinstance(ended, Done):
        assert deploying.bound == [deploying.new, deploying.new, deploying.old]
