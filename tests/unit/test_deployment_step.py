"""What comes next for a new certificate, from what was read and what is written down."""

import pytest

from handler.deployment.job import Counts, Job, Put, Worker
from handler.deployment.plan import Plan
from handler.deployment.resource import Resource
from handler.deployment.step import Attempt, Done, Failed, Make, Picture, Schedule, Wait, chosen, next_step
from handler.outcomes import Reason
from tests.examples import DAY, MINUTE, NOW, SECOND

SETTLE = 15 * MINUTE
ONE = Resource("11", "1", "CDN", "cn-hangzhou", "www.example.com", "", "")
TWO = Resource("12", "1", "ALB", "cn-hangzhou", "", "alb-1", "lsn-1")
PLAN = Plan((ONE, TWO))
BEGAN = NOW - MINUTE
JOB = Job("61001", "renewer-2", "processing", NOW - MINUTE, "buy")
EDITING = JOB._replace(state="editing")
BEGUN = Attempt(NOW - MINUTE, frozenset({"11", "12"}), job_id="61001")
LOST = BEGUN._replace(job_id="", until=NOW - MINUTE, lost=1)


def worker(of=ONE, state="success", **more):
    made = Worker(f"6{of.id}", "2", "1", of.id, of.product, of.region, of.domain, of.instance, of.listener, state)
    return made._replace(**more)


BOTH = (worker(ONE), worker(TWO))


def step(attempt=BEGUN, now=NOW, **picture):
    shown = {"plan": PLAN, "jobs": (JOB,), "workers": (), "contact": "21001"}
    return next_step(Picture("1", "2", ("CDN", "ALB"), **(shown | picture)), attempt, now, SETTLE)


# --- no job -----------------------------------------------------------------------------------------------------------


def test_at_first_a_job_is_made_for_all_that_is_bound():
    assert step(Attempt(), jobs=()) == Make((ONE, TWO), "21001")


def test_where_nothing_is_bound_it_is_done_unless_that_cannot_be_read():
    assert step(Attempt(), jobs=(), plan=Plan()) == Done()
    assert step(Attempt(), jobs=(), plan=Plan(elsewhere=(TWO,))) == Done()
    assert step(Attempt(), jobs=(), plan=Plan(unreadable=("Id None",))) == Failed(Reason.ROW_UNREADABLE)
    assert step(Attempt(), jobs=(), plan=Plan((ONE,), unreadable=("Id None",))) == Make((ONE,), "21001")


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (-5 * MINUTE, Reason.IN_PROGRESS),
        (MINUTE, Reason.IN_PROGRESS),
        (MINUTE + SECOND, Reason.SETTLING),
        (MINUTE + SETTLE, Reason.SETTLING),
    ],
)
def test_while_an_attempt_may_still_take_effect_or_show_nothing_is_made(after, reason):
    assert step(LOST, BEGAN + after, jobs=()) == Wait(reason)


def test_afterwards_it_is_made_again():
    assert step(LOST, BEGAN + MINUTE + SETTLE + SECOND, jobs=()) == Make((ONE, TWO), "21001")


def test_a_job_that_was_recorded_and_is_gone_is_not_replaced_by_another():
    for others in ((), (JOB._replace(id="61002"),), (EDITING._replace(id="61000"),)):
        told = step(jobs=others)
        assert (told.reason, told.is_final, [one.put for one in told.resources]) == (
            Reason.JOB_GONE,
            True,
            [Put.MISSED] * 2,
        )


# --- which job --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jobs", "known", "expected"),
    [
        ([], "", None),
        ([EDITING], "", "61001"),
        ([EDITING, JOB._replace(id="61002")], "", "61002"),
        ([EDITING._replace(id="61010"), EDITING._replace(id="61009"), EDITING._replace(id="9999")], "", "9999"),
        ([JOB._replace(id="61002"), EDITING], "61001", "61001"),
        ([JOB._replace(id="61002"), JOB], "", "61001"),
    ],
)
def test_the_job_that_is_recorded_counts_else_one_that_runs_else_the_first(jobs, known, expected):
    found = chosen(jobs, known)
    assert (found and found.id) == expected


# --- to be started ----------------------------------------------------------------------------------------------------


def test_a_job_of_ours_is_started():
    ready = (worker(ONE, "editing"), worker(TWO, "editing"))
    assert step(jobs=(EDITING,), workers=ready) == Schedule(EDITING)
    assert step(jobs=(EDITING,), workers=()) == Schedule(EDITING), "nobody says whether there are workers before it"


def test_a_state_that_nobody_knows_is_not_started():
    for state in ("pending", "scheduling", "paused", ""):
        assert step(jobs=(JOB._replace(state=state),)).reason == Reason.DEPLOYING


@pytest.mark.parametrize(
    "other",
    [
        {"certificate_id": "7"},
        {"certificate_id": ""},
        {"former_certificate_id": "7"},
        {"product": "OSS"},
    ],
)
def test_a_job_with_a_worker_that_would_do_something_else_is_not_started(other):
    workers = (worker(ONE, "editing"), worker(TWO, "editing", **other))
    for attempt in (BEGUN, LOST, Attempt()):
        assert step(attempt, jobs=(EDITING,), workers=workers).reason == Reason.FOREIGN_JOB


def test_a_worker_that_does_not_say_what_its_resource_had_is_told_by_the_resource():
    workers = (worker(ONE, "editing", former_certificate_id=""),)
    assert step(jobs=(EDITING,), workers=workers) == Schedule(EDITING)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_job_with_a_resource_that_is_bound_elsewhere_by_now_is_not_started(is_listed):
    workers = (worker(ONE, "editing"), worker(TWO, "editing")) if is_listed else ()
    told = step(jobs=(EDITING,), workers=workers, plan=Plan((ONE,)))
    assert told.reason == Reason.RESOURCE_REBOUND
    assert [one.name for one in told.resources] == ["www.example.com"]


def test_what_a_job_has_counts_and_not_what_an_attempt_wanted():
    narrow = LOST._replace(resource_ids=frozenset({"11"}))
    workers = (worker(ONE, "editing"), worker(TWO, "editing"))
    assert step(narrow, jobs=(EDITING,), workers=workers, plan=Plan((ONE,))).reason == Reason.RESOURCE_REBOUND
    assert step(BEGUN, jobs=(EDITING,), workers=workers[:1], plan=Plan((ONE,))) == Schedule(EDITING)


@pytest.mark.parametrize(
    ("created", "is_ours"),
    [(NOW - MINUTE, True), (NOW - 2 * MINUTE, True), (NOW - 2 * MINUTE - SECOND, False), (None, False)],
)
def test_a_job_without_workers_that_was_found_by_its_name_is_ours_if_it_is_no_older_than_the_attempt(created, is_ours):
    found = EDITING._replace(created=created)
    expected = Schedule(found) if is_ours else Reason.FOREIGN_JOB
    said = step(LOST, jobs=(found,), workers=())
    assert (said if is_ours else said.reason) == expected
    assert step(Attempt(), jobs=(found,), workers=()).reason == Reason.FOREIGN_JOB


def test_a_job_that_would_cost_money_is_not_started():
    assert step(jobs=(EDITING._replace(certificate_type="upload"),)).reason == Reason.UPLOADED


# --- under way, or over -----------------------------------------------------------------------------------------------

TWO_ENDED = Counts(2, 1, 1, 0)


@pytest.mark.parametrize(
    ("state", "workers", "counts"),
    [
        ("processing", BOTH, Counts(2, 1, 0, 0)),
        ("processing", BOTH, Counts(None, None, None, None)),
        ("success", (), Counts(2, 2, 0, 0)),
        ("success", (), Counts(None, None, None, None)),
        ("success", BOTH[:1], Counts(2, 2, 0, 0)),
        ("success", (worker(ONE), worker(TWO, "processing")), Counts(2, 2, 0, 0)),
        ("error", (worker(ONE), worker(TWO, "whatever")), Counts(2, 1, 1, 0)),
        ("whatever", BOTH, Counts(2, 1, 0, 0)),
    ],
)
def test_as_long_as_anything_says_that_it_is_not_over_it_is_not_and_after_a_day_that_is_told(state, workers, counts):
    shown = {"jobs": (JOB._replace(state=state),), "workers": workers, "counts": counts}
    waits = step(**shown)
    assert (type(waits), waits.reason) == (Wait, Reason.DEPLOYING)
    assert step(now=BEGAN + DAY, **shown) == waits
    told = step(now=BEGAN + DAY + SECOND, **shown)
    assert (told.reason, told.is_final) == (Reason.JOB_TOO_SLOW, False)


@pytest.mark.parametrize("state", ["success", "error", "processing", "whatever"])
def test_it_is_over_when_the_counts_say_so_or_the_job_does(state):
    counts = Counts(2, 2, 0, 0) if state in {"processing", "whatever"} else Counts(None, None, None, None)
    over = step(jobs=(JOB._replace(state=state),), workers=BOTH, counts=counts, plan=Plan())
    assert isinstance(over, Done)
    assert [(one.product, one.name, one.put) for one in over.resources] == [
        ("CDN", "www.example.com", Put.DEPLOYED),
        ("ALB", "alb-1/lsn-1", Put.DEPLOYED),
    ]


@pytest.mark.parametrize(("state", "put"), [("error", Put.FAILED), ("rollback_success", Put.REVERTED)])
def test_one_that_has_not_got_it_is_a_failure_whatever_the_job_says(state, put):
    ended = JOB._replace(state="success")
    told = step(jobs=(ended,), workers=(worker(ONE), worker(TWO, state)), counts=TWO_ENDED, plan=Plan())
    assert isinstance(told, Failed)
    assert (told.reason, told.is_final, told.resources[1].put) == (Reason.RESOURCES_LEFT, True, put)


def test_what_the_job_has_is_not_missed_by_whichever_of_id_and_place_it_is_known():
    ended = JOB._replace(state="success")
    other_ids = (worker(ONE, resource_id="99"), worker(TWO, resource_id=""))
    other_places = (worker(ONE, domain="WWW"), worker(TWO, region="cn-beijing"))
    for workers in (BOTH, other_ids, other_places):
        assert isinstance(step(jobs=(ended,), workers=workers, counts=Counts(2, 2, 0, 0)), Done)
    missed = step(jobs=(ended,), workers=BOTH[:1], counts=Counts(1, 1, 0, 0))
    assert (missed.reason, missed.resources[1].put) == (Reason.RESOURCES_LEFT, Put.MISSED)


# --- what people must hear of -----------------------------------------------------------------------------------------


def test_a_job_that_cannot_be_started_for_a_day_is_told_and_started_no_more():
    assert step(jobs=(EDITING,), now=BEGAN + DAY) == Schedule(EDITING)
    told = step(jobs=(EDITING,), now=BEGAN + DAY + SECOND)
    assert (told.reason, told.is_final, len(told.resources)) == (Reason.JOB_TOO_SLOW, False, 2)


def test_once_the_attempt_was_refused_a_job_without_workers_is_somebody_elses():
    refused = Attempt(BEGAN, frozenset({"11"}), refused_at=NOW, refused_with="X")
    assert step(refused, jobs=(EDITING,)).reason == Reason.FOREIGN_JOB
    assert step(LOST, jobs=(EDITING,)) == Schedule(EDITING)


def test_what_cannot_be_read_may_still_have_the_old_one_although_the_job_is_over():
    ended = JOB._replace(state="success")
    whole = {"jobs": (ended,), "workers": BOTH, "counts": Counts(2, 2, 0, 0)}
    assert isinstance(step(plan=Plan(), **whole), Done)
    assert step(plan=Plan(unreadable=("Id None",)), **whole).reason == Reason.ROW_UNREADABLE
