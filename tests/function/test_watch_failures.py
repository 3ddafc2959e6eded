"""Watching when something is away, dies or runs side by side: no fact gets lost, and none is told that is none."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import pytest

from handler.run.watch import MOST_FAILURES
from tests.deployed import TIMER, Function
from tests.function.watched_account import furnish
from tests.points import once_at
from tests.promise.interleaving import PausedInvocation
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud, local_cloud
from tests.traces import bought, messages, published, warned

STALLED, ISSUED = "cas.instance.stalled", "cas.instance.issued"
ALERTED = "renewals/alerts/"


# --- the queue is away ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [faults.error("InternalError", 500), faults.timeout_before(), faults.refused()])
def test_what_a_queue_does_not_take_is_told_by_the_next_run(
    cloud: Cloud, function: Function, fault: faults.Fault
) -> None:
    furnish(cloud)
    cloud.smq.fail("SendMessage", *[fault] * 50)
    assert function.tick().failed
    assert cloud.smq.messages() == []
    cloud.smq._faults.clear()
    function.tick()
    assert len(warned(cloud)) == 2
    assert len(messages(cloud, STALLED)) == 1
    assert published(cloud) == bought(cloud)


def test_a_queue_of_alerts_that_is_not_there_is_named_once_and_costs_one_call(cloud: Cloud) -> None:
    for n in range(30):
        cloud.cas.certificates.upload(f"host{n}.example.com", days_left=10)
    answer = Function(cloud, ALERT_QUEUE="nowhere").tick()
    assert answer.failed
    assert len(answer.result["errors"]) == 1
    assert len(cloud.smq.calls) == 1


def test_thousands_of_alerts_that_cannot_be_sent_make_few_errors(cloud: Cloud, function: Function) -> None:
    for n in range(300):
        cloud.cas.certificates.upload(f"host{n}.example.com", days_left=10)
    cloud.smq.fail("SendMessage", *[faults.timeout_before()] * 50)
    errors = function.tick().result["errors"]
    assert len(errors) == MOST_FAILURES + 1
    assert errors[-1] == f"{300 - MOST_FAILURES} more alerts could not be sent"


def test_an_alert_that_is_too_large_keeps_no_other_from_being_sent(cloud: Cloud, function: Function) -> None:
    names = [f"a-rather-long-name-of-a-host-{n}.example.com" for n in range(2000)]
    cloud.cas.certificates.upload(*names, days_left=10)
    cloud.cas.certificates.upload("www.example.com", days_left=10)
    answer = function.tick()
    assert warned(cloud) == [("9000001", 14, "uploaded")]
    assert "certificate 9000000: " in answer.result["errors"][0]


# --- the journal is away ----------------------------------------------------------------------------------------------


def test_what_was_sent_and_not_noted_is_sent_again_with_the_same_id(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=10)
    cloud.oss.fail("PutObject", *[faults.error("InternalError", 500)] * 3)
    assert function.tick().failed
    cloud.clock.advance(60)
    function.tick()
    function.tick()
    first, second = messages(cloud, "cas.certificate.expiring")
    assert first["id"] == second["id"]


def test_a_journal_that_cannot_be_written_fails_the_run_and_the_alarm_is_not_lost(
    cloud: Cloud, function: Function
) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=2.5)
    cloud.oss.fail("AppendObject", *[faults.error("InternalError", 500)] * 3)
    answer = function.tick()
    assert answer.failed
    assert "errors" in answer.result
    cloud.clock.advance(60)
    assert function.tick().failed, "nobody could note that the alarm rang, so it rings again"
    assert not function.tick().failed


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", b'{"entry": "followed"}'])
def test_an_instance_whose_journal_makes_no_sense_is_named_and_the_others_go_on(
    cloud: Cloud, function: Function, spoilt: bytes
) -> None:
    furnish(cloud)
    other = cloud.cas.instances.add("other.example.com", 10, hosted=True, own_dns=False)
    function.tick()
    key = (BUCKET, f"renewals/instances/{other}")
    cloud.oss.objects[key].data = spoilt + b"\n"
    cloud.clock.advance(days=1)
    answer = function.tick()
    assert answer.failed
    assert [error for error in answer.result["errors"] if other in error and "journal-unreadable" in error]
    today = f"{cloud.clock.now():%Y-%m-%d}"
    told = [message["data"]["Domain"] for message in messages(cloud, STALLED) if message["id"].endswith(today)]
    assert told == ["hosted.example.com"]


# --- whatever dies, or runs side by side ------------------------------------------------------------------------------


@contextlib.contextmanager
def one_of_each() -> Iterator[tuple[Cloud, str, str]]:
    """An instance that is stalled, one whose next certificate has just come, and an upload that ends within days."""
    with contextlib.redirect_stdout(io.StringIO()), local_cloud() as cloud:
        stalled = cloud.cas.instances.add("stalled.example.com", 10, hosted=True, own_dns=False)
        issued = cloud.cas.instances.add("issued.example.com", 20, hosted=True, own_dns=False)
        cloud.cas.certificates.upload("upload.example.com", days_left=3.5)
        cloud.cas.instances.add("fresh.example.com", 37.5, hosted=True, own_dns=False)
        Function(cloud).tick()
        cloud.clock.advance(days=1)
        cloud.cas.instances.issue(issued)
        yield cloud, stalled, issued


def facts(cloud: Cloud) -> set[str]:
    return {message["id"] for message in cloud.smq.messages()}


def expected() -> set[str]:
    """What is told if nothing dies."""
    with one_of_each() as (cloud, _, _):
        for _ in range(2):
            Function(cloud).tick()
        ids = [message["id"] for message in cloud.smq.messages()]
        assert len(ids) == len(set(ids)) == 6, ids
        return set(ids)


def points() -> int:
    with one_of_each() as (cloud, _, _):
        run = PausedInvocation(cloud, TIMER, "run", 300, 0)
        count = 0
        while not run.finished:
            run.step()
            count += 1
        return count


def test_wherever_a_run_dies_each_fact_is_told_and_always_with_the_same_id() -> None:
    wanted, count = expected(), points()
    assert count > 30
    for point in range(count):
        with one_of_each() as (cloud, _, _):
            run = PausedInvocation(cloud, TIMER, "run", 300, 0)
            run.step(point)
            run.kill()
            cloud.clock.advance(600)
            failed = [Function(cloud).tick().failed for _ in range(2)]
            assert facts(cloud) == wanted, f"killed at {run.at}, point {point}"
            assert len(cloud.smq.messages()) <= len(wanted) + 1, "at most what was on its way is sent again"
            assert failed[1] is False


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8])
def test_two_runs_at_once_tell_each_fact_and_none_that_is_none(step: int) -> None:
    wanted = expected()
    with one_of_each() as (cloud, _, _):
        runs = [PausedInvocation(cloud, TIMER, f"run-{n}", 300, 0) for n in range(2)]
        while not all(run.finished for run in runs):
            for run in runs:
                run.step(step)
        assert not [run.bug for run in runs if run.bug]
        assert facts(cloud) == wanted
        assert any(run.failed for run in runs), "the alarm of the upload"
        Function(cloud).tick()
        assert facts(cloud) == wanted


def test_a_successor_that_comes_just_before_it_would_be_told_keeps_it_from_being_told(
    cloud: Cloud, function: Function
) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=2.5)
    once_at(
        cloud,
        ("after", "oss", "ListObjectsV2"),
        lambda: cloud.cas.certificates.upload("www.example.com", days_left=90),
        2,
    )
    assert not function.tick().failed
    assert warned(cloud) == []


def test_a_run_without_time_to_look_again_says_so_and_the_next_one_tells(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=10)
    assert "no time was left for 1 alerts" in function.tick(timeout=14).result["errors"][0]
    assert warned(cloud) == []
    function.tick()
    assert len(warned(cloud)) == 1
    assert [key for _, key in cloud.oss.objects if key.startswith(ALERTED)]
