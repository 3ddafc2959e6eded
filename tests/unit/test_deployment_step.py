"""What comes next for a new certificate, from what was read and what is written down."""

import pytest

from handler.deployment.job import Counts, Job, Put, Worker
from handler.deployment.look import chosen
from handler.deployment.plan import Plan
from handler.deployment.record import Attempt, Record
from handler.deployment.resource import Resource
from handler.deployment.step import Done, Failed, Make, Picture, Schedule, Wait, next_step
from handler.outcomes import Reason
from tests.examples import DAY, HOUR, MINUTE, NOW, SECOND

SETTLE = 15 * MINUTE
ONE = Resource("11", "1", "CDN", "cn-hangzhou", "www.example.com", "", "")
TWO = Resource("12", "1", "ALB", "cn-hangzhou", "", "alb-1", "lsn-1")
PLAN = Plan((ONE, TWO))
BEGAN = NOW - MINUTE
JOB = Job("61001", "renewer-2", "processing", NOW - MINUTE, "buy")
EDITING = JOB._replace(state="editing")
MAKING = Attempt(BEGAN, BEGAN, 1)
IDS = frozenset({"11", "12"})
BEGUN = Record(MAKING._replace(until=None), IDS, "61001", BEGAN)
LOST = Record(MAKING, IDS)
STARTED = BEGUN._replace(start=Attempt(BEGAN, None, 1), started_at=BEGAN)


def worker(of=ONE, state="success", **more):
    made = Worker(f"6{of.id}", "2", "1", of.id, of.product, of.region, of.domain, of.instance, of.listener, state)
    return made._replace(**more)


BOTH = (worker(ONE), worker(TWO))


def step(record=BEGUN, now=NOW, **picture):
    shown = {"plan": PLAN, "job": JOB, "workers": (), "contact": "21001"}
    return next_step(Picture("1", "2", ("CDN", "ALB"), **(shown | picture)), record, now, SETTLE)


# --- no job -----------------------------------------------------------------------------------------------------------


def test_at_first_a_job_is_made_for_all_that_is_bound():
    assert step(Record(), job=None) == Make((ONE, TWO), "21001")


def test_where_nothing_is_bound_it_is_done_unless_that_cannot_be_read():
    assert step(Record(), job=None, plan=Plan()) == Done()
    assert step(Record(), job=None, plan=Plan(elsewhere=(TWO,))) == Done()
    assert step(Record(), job=None, plan=Plan(unreadable=("Id None",))) == Failed(Reason.ROW_UNREADABLE)
    assert step(Record(), job=None, plan=Plan((ONE,), unreadable=("Id None",))) == Make((ONE,), "21001")


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
    assert step(LOST, BEGAN + after, job=None) == Wait(reason)


def test_afterwards_it_is_made_again():
    assert step(LOST, BEGAN + MINUTE + SETTLE + SECOND, job=None) == Make((ONE, TWO), "21001")


def test_a_job_that_was_recorded_and_is_gone_is_waited_for_and_then_not_replaced_by_another():
    assert step(job=None) == Wait(Reason.SETTLING)
    assert step(job=None, now=BEGAN + MINUTE + SETTLE) == Wait(Reason.SETTLING)
    told = step(job=None, now=BEGAN + MINUTE + SETTLE + SECOND)
    assert (told.reason, told.is_final, [one.put for one in told.resources]) == (
        Reason.JOB_GONE,
        True,
        [Put.MISSED] * 2,
    )


def test_a_job_that_was_started_and_is_gone_is_over_if_nothing_has_the_old_one():
    later = BEGAN + MINUTE + SETTLE + SECOND
    assert step(STARTED, later, job=None, plan=Plan()) == Done()
    assert step(BEGUN, later, job=None, plan=Plan()).reason == Reason.JOB_GONE
    assert step(STARTED, later, job=None).reason == Reason.JOB_GONE
    assert step(STARTED, later, job=None, plan=Plan(unreadable=("Id None",))).reason == Reason.JOB_GONE


def test_a_job_that_is_listed_and_that_its_id_does_not_find_is_left_alone():
    for record in (Record(), LOST, BEGUN):
        assert step(record, job=EDITING, is_vague=True) == Wait(Reason.SETTLING, EDITING)
    told = step(now=BEGAN + DAY + SECOND, job=EDITING, is_vague=True)
    assert (told.reason, told.is_final) == (Reason.JOB_TOO_SLOW, False)


# --- which job --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([], None),
        ([EDITING], "61001"),
        ([EDITING, JOB._replace(id="61002")], "61002"),
        ([EDITING._replace(id="61010"), EDITING._replace(id="61009"), EDITING._replace(id="9999")], "9999"),
        ([JOB._replace(id="61002"), JOB], "61001"),
    ],
)
def test_of_several_jobs_one_that_runs_counts_else_the_first(jobs, expected):
    found = chosen(jobs)
    assert (found and found.id) == expected


# --- to be started ----------------------------------------------------------------------------------------------------


def test_a_job_of_ours_is_started():
    ready = (worker(ONE, "editing"), worker(TWO, "editing"))
    assert step(job=EDITING, workers=ready) == Schedule(EDITING)
    assert step(job=EDITING, workers=()) == Schedule(EDITING), "nobody says whether there are workers before it"


def test_a_state_that_nobody_knows_is_not_started():
    for state in ("pending", "scheduling", "paused", ""):
        assert step(job=JOB._replace(state=state)).reason == Reason.DEPLOYING


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
    for record in (BEGUN, LOST, Record()):
        assert step(record, job=EDITING, workers=workers).reason == Reason.FOREIGN_JOB


def test_a_worker_that_does_not_say_what_its_resource_had_is_told_by_the_resource():
    workers = (worker(ONE, "editing", former_certificate_id=""),)
    assert step(job=EDITING, workers=workers) == Schedule(EDITING)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_job_with_a_resource_that_is_bound_elsewhere_by_now_is_not_started(is_listed):
    workers = (worker(ONE, "editing"), worker(TWO, "editing")) if is_listed else ()
    told = step(job=EDITING, workers=workers, plan=Plan((ONE,)))
    assert told.reason == Reason.RESOURCE_REBOUND
    assert [one.name for one in told.resources] == ["www.example.com"]


def test_what_a_job_has_counts_and_not_what_an_attempt_wanted():
    narrow = LOST._replace(resource_ids=frozenset({"11"}))
    workers = (worker(ONE, "editing"), worker(TWO, "editing"))
    assert step(narrow, job=EDITING, workers=workers, plan=Plan((ONE,))).reason == Reason.RESOURCE_REBOUND
    assert step(BEGUN, job=EDITING, workers=workers[:1], plan=Plan((ONE,))) == Schedule(EDITING)


@pytest.mark.parametrize(
    ("created", "is_ours"),
    [(NOW - MINUTE, True), (NOW - 2 * MINUTE, True), (NOW - 2 * MINUTE - SECOND, False), (None, False)],
)
def test_a_job_without_workers_that_was_found_by_its_name_is_ours_if_it_is_no_older_than_the_attempt(created, is_ours):
    found = EDITING._replace(created=created)
    expected = Schedule(found) if is_ours else Reason.FOREIGN_JOB
    said = step(LOST, job=found, workers=())
    assert (said if is_ours else said.reason) == expected
    assert step(Record(), job=found, workers=()).reason == Reason.FOREIGN_JOB


def test_a_job_that_would_cost_money_is_not_started():
    assert step(job=EDITING._replace(certificate_type="upload")).reason == Reason.UPLOADED


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
    shown = {"job": JOB._replace(state=state), "workers": workers, "counts": counts}
    waits = step(**shown)
    assert (type(waits), waits.reason) == (Wait, Reason.DEPLOYING)
    assert step(now=BEGAN + DAY, **shown) == waits
    told = step(now=BEGAN + DAY + SECOND, **shown)
    assert (told.reason, told.is_final) == (Reason.JOB_TOO_SLOW, False)


@pytest.mark.parametrize("state", ["success", "error", "processing", "whatever"])
def test_it_is_over_when_the_counts_say_so_or_the_job_does(state):
    counts = Counts(2, 2, 0, 0) if state in {"processing", "whatever"} else Counts(None, None, None, None)
    over = step(job=JOB._replace(state=state), workers=BOTH, counts=counts, plan=Plan())
    assert isinstance(over, Done)
    assert [(one.product, one.name, one.put) for one in over.resources] == [
        ("CDN", "www.example.com", Put.DEPLOYED),
        ("ALB", "alb-1/lsn-1", Put.DEPLOYED),
    ]


@pytest.mark.parametrize(("state", "put"), [("error", Put.FAILED), ("rollback_success", Put.REVERTED)])
def test_one_that_has_not_got_it_is_a_failure_whatever_the_job_says(state, put):
    ended = JOB._replace(state="success")
    told = step(job=ended, workers=(worker(ONE), worker(TWO, state)), counts=TWO_ENDED, plan=Plan())
    assert isinstance(told, Failed)
    assert (told.reason, told.is_final, told.resources[1].put) == (Reason.RESOURCES_LEFT, True, put)


def test_what_the_job_has_is_not_missed_whether_its_workers_say_so_or_the_journal():
    ended = JOB._replace(state="success")
    without_ids = (worker(ONE, resource_id=""), worker(TWO, resource_id="", domain="", instance="", listener=""))
    other_places = (worker(ONE, domain="WWW"), worker(TWO, region="cn-beijing"))
    for workers in (BOTH, without_ids, other_places):
        assert isinstance(step(job=ended, workers=workers, counts=Counts(2, 2, 0, 0)), Done)
    unknown = step(Record(), job=ended, workers=without_ids, counts=Counts(2, 2, 0, 0))
    assert [one.put for one in unknown.resources] == [Put.DEPLOYED, Put.DEPLOYED, Put.MISSED, Put.MISSED]
    missed = step(job=ended, workers=BOTH[:1], counts=Counts(1, 1, 0, 0))
    assert (missed.reason, missed.resources[1].put) == (Reason.RESOURCES_LEFT, Put.MISSED)


@pytest.mark.parametrize("place", [("", "", ""), ("www.example.com", "", ""), ("", "slb-1", "")])
def test_what_shows_late_is_missed_though_nothing_tells_it_from_what_the_job_has(place):
    here = ONE._replace(domain=place[0], instance=place[1], listener=place[2])
    late = here._replace(id="13")
    ended = JOB._replace(state="success")
    shown = {"job": ended, "workers": (worker(here),), "counts": Counts(1, 1, 0, 0), "plan": Plan((late,))}
    for record in (BEGUN, BEGUN._replace(resource_ids=frozenset({"11"}))):
        told = step(record, **shown)
        assert (told.reason, [one.put for one in told.resources]) == (Reason.RESOURCES_LEFT, [Put.DEPLOYED, Put.MISSED])
    bare = {**shown, "workers": (worker(here, resource_id=""),), "plan": Plan((here, late))}
    told = step(BEGUN._replace(resource_ids=frozenset({"11"})), **bare)
    assert [one.put for one in told.resources] == [Put.DEPLOYED, Put.MISSED]


@pytest.mark.parametrize("state", ["success", "processing"])
def test_a_job_that_puts_another_certificate_somewhere_is_somebody_elses_however_well_it_ended(state):
    shown = {"job": JOB._replace(state=state), "counts": Counts(2, 2, 0, 0)}
    told = step(workers=(worker(ONE), worker(TWO, certificate_id="7")), plan=Plan(), **shown)
    assert (told.reason, [one.name for one in told.resources]) == (Reason.FOREIGN_JOB, ["www.example.com"])
    told = step(workers=(worker(ONE, certificate_id="7"), worker(TWO)), **shown)
    assert [one.put for one in told.resources] == [Put.DEPLOYED, Put.MISSED]


def test_what_is_told_of_a_job_that_takes_too_long_has_what_the_job_lacks():
    slow = step(now=BEGAN + DAY + SECOND, workers=(worker(ONE, "processing"),))
    assert (slow.reason, [one.put for one in slow.resources]) == (Reason.JOB_TOO_SLOW, [Put.UNFINISHED, Put.MISSED])


def test_a_worker_that_says_nothing_of_its_resource_is_told_by_what_the_job_was_made_with():
    bare = worker(ONE, "editing", resource_id="")
    assert step(job=EDITING, workers=(bare, worker(TWO, "editing"))) == Schedule(EDITING)
    rebound = step(job=EDITING, workers=(bare, worker(TWO, "editing")), plan=Plan((TWO,)))
    assert rebound.reason == Reason.RESOURCE_REBOUND
    assert step(Record(), job=EDITING, workers=(bare,)).reason == Reason.RESOURCE_REBOUND


# --- what people must hear of -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["make", "start"])
def test_each_of_the_two_calls_is_waited_for_repeated_and_given_up_alike(kind):
    job = None if kind == "make" else EDITING
    ready = Record() if kind == "make" else BEGUN
    act = Make((ONE, TWO), "21001") if kind == "make" else Schedule(EDITING)

    def after(attempt, now):
        return step(ready._replace(**{kind: attempt}), now, job=job)

    lost = Attempt(BEGAN, BEGAN, 1)
    assert after(lost, BEGAN + MINUTE) == Wait(Reason.IN_PROGRESS, job)
    assert after(lost, BEGAN + MINUTE + SETTLE) == Wait(Reason.SETTLING, job)
    assert after(lost, BEGAN + MINUTE + SETTLE + SECOND) == act
    given_up = after(lost._replace(lost=3), BEGAN + MINUTE + SETTLE + SECOND)
    assert (given_up.reason, given_up.is_final, len(given_up.resources)) == (Reason.ANSWERS_LOST, False, 2)
    refused = Attempt(refused_with="X", refused_at=BEGAN)
    told = after(refused, BEGAN + 20 * HOUR - SECOND)
    assert (told.reason, told.is_final, len(told.resources)) == ("X", False, 2)
    assert after(refused, BEGAN + 20 * HOUR) == act


def test_what_is_waited_for_longer_than_a_day_is_told_whatever_it_is():
    late = Record(Attempt(NOW - DAY - SECOND, NOW, 2), IDS)
    told = step(late, job=None)
    assert (told.reason, told.is_final, len(told.resources)) == (Reason.JOB_TOO_SLOW, False, 2)
    assert step(late._replace(make=late.make._replace(begun=NOW - DAY)), job=None) == Wait(Reason.IN_PROGRESS)


def test_a_day_is_counted_from_the_start_of_the_job_and_not_from_what_came_before():
    slow = BEGUN._replace(make=Attempt(NOW - 5 * DAY, None, 1), start=Attempt(NOW - 2 * DAY, None, 1), started_at=NOW)
    assert step(slow, job=JOB, workers=BOTH) == Wait(Reason.DEPLOYING, JOB)
    assert step(slow._replace(started_at=None), job=JOB, workers=BOTH).reason == Reason.JOB_TOO_SLOW


def test_a_job_that_was_started_and_waits_again_is_told_and_not_started_again():
    assert step(STARTED, job=EDITING) == Wait(Reason.DEPLOYING, EDITING)
    told = step(STARTED, BEGAN + MINUTE + SETTLE + SECOND, job=EDITING)
    assert (told.reason, told.is_final, len(told.resources)) == (Reason.JOB_STOPPED, False, 2)


def test_once_the_attempt_was_refused_a_job_without_workers_is_somebody_elses():
    refused = Record(Attempt(refused_at=NOW, refused_with="X"), frozenset({"11"}))
    assert step(refused, job=EDITING).reason == Reason.FOREIGN_JOB
    assert step(LOST, job=EDITING) == Schedule(EDITING)


def test_what_cannot_be_read_may_still_have_the_old_one_although_the_job_is_over():
    ended = JOB._replace(state="success")
    whole = {"job": ended, "workers": BOTH, "counts": Counts(2, 2, 0, 0)}
    assert isinstance(step(plan=Plan(), **whole), Done)
    assert step(plan=Plan(unreadable=("Id None",)), **whole).reason == Reason.ROW_UNREADABLE
