"""Limits that are too low: said in time, with the numbers that suffice; and orders that only wait."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.deployed import Answer, Function
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import messages, warned

RUN, DAY = "MAX_RENEWALS_PER_RUN", "MAX_RENEWALS_PER_DAY"


def orders(cloud: Cloud, count: int, days_left: float, apart: float = 0) -> list[str]:
    """So many orders, the first of which ends then, and the others so many days after one another."""
    return [
        str(cloud.cas.add_order(domain=f"host{n}.example.com", days_left=days_left + n * apart)) for n in range(count)
    ]


def said(answer: Answer) -> str:
    """What the result says about limits, in its errors or in its note."""
    texts = [*answer.result.get("errors", ()), answer.result.get("note") or ""]
    return "; ".join(text for text in texts if "must be at least" in text)


def named(text: str) -> dict[str, Any]:
    """The limits that a text names, and how high they must be."""
    return dict(re.findall(r"(MAX_RENEWALS_PER_\w+) must be at least (\d+)", text))


def issue_all(cloud: Cloud) -> None:
    for purchase in cloud.cas.purchases:
        if cloud.cas.status(purchase.new_order_id) == "PAYED":
            cloud.cas.apply(purchase.new_order_id)
            cloud.cas.issue(purchase.new_order_id)


def days_go_by(cloud: Cloud, function: Function, days: int, runs_a_day: int = 1, **settings: Any) -> list[Answer]:
    """Run so often a day; what is bought is issued at once."""
    answers = []
    for _ in range(days * runs_a_day):
        answers.append(function.tick(**settings))
        issue_all(cloud)
        cloud.clock.advance(days=1 / runs_a_day)
    return answers


def renewed(cloud: Cloud) -> int:
    return len({purchase.old_order_id for purchase in cloud.cas.purchases})


# --- orders that only wait --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [RUN, DAY])
def test_orders_that_wait_for_their_turn_and_will_be_in_time_are_told_by_nobody(
    cloud: Cloud, function: Function, limit: str
) -> None:
    orders(cloud, 9, 13.5)
    settings: dict[str, Any] = {limit: "1"}
    answers = days_go_by(cloud, function, 9, **settings)
    assert {line["outcome"] for line in answers[0].orders} == {"renewed", "deferred"}
    assert not any(answer.failed or said(answer) for answer in answers)
    assert warned(cloud) == []
    assert renewed(cloud) == 9


def test_from_three_days_on_orders_that_wait_are_told_one_by_one(cloud: Cloud, function: Function) -> None:
    waiting = orders(cloud, 3, 4.5)
    for _ in range(2):
        function.tick(MAX_RENEWALS_PER_RUN="1")
        issue_all(cloud)
        cloud.clock.advance(days=1)
        assert warned(cloud) == []
    answer = function.tick(MAX_RENEWALS_PER_RUN="0")
    assert answer.outcomes[waiting[2]] == ("deferred", "run-limit")
    assert (waiting[2], 3, "run-limit") in warned(cloud)
    assert answer.failed


def test_what_could_not_be_told_for_want_of_time_fails_the_run(cloud: Cloud, function: Function) -> None:
    early, late = orders(cloud, 2, 2.5, apart=1)
    answer = function.tick(timeout=14)
    assert answer.outcomes == dict.fromkeys((early, late), ("deferred", "no-time-left"))
    assert warned(cloud) == []
    assert "no time was left for 1 alerts" in str(answer.result["errors"])


# --- foresight --------------------------------------------------------------------------------------------------------


def test_one_message_speaks_for_all_that_will_be_missed_long_before(cloud: Cloud, function: Function) -> None:
    waiting = orders(cloud, 100, 50)
    answer = function.tick(MAX_RENEWALS_PER_RUN="3")
    assert answer.failed
    assert named(said(answer)) == {RUN: "4"}
    (message,) = cloud.smq.messages()
    assert message["id"] == f"{message['subject']}-expiring-60"
    assert message["subject"] in waiting
    assert (message["data"]["Reason"], message["data"]["DaysLeft"], message["data"]["Deferred"]) == ("run-limit", 50, 9)
    assert message["subject"] in said(answer)
    assert not cloud.cas.purchases


def test_it_is_told_again_when_thirty_days_are_left_and_not_in_between(cloud: Cloud, function: Function) -> None:
    orders(cloud, 100, 50)
    for _ in range(35):
        function.tick(MAX_RENEWALS_PER_RUN="3")
        issue_all(cloud)
        cloud.clock.advance(days=1)
    alerts = messages(cloud, "cas.certificate.expiring")
    assert [message["id"].rpartition("-")[2] for message in alerts] == ["60", "30"]


def test_a_run_fails_for_it_once_a_day_and_says_it_every_time(cloud: Cloud, function: Function) -> None:
    orders(cloud, 100, 50)
    answers = [function.tick(MAX_RENEWALS_PER_RUN="3") for _ in range(3)]
    assert [answer.failed for answer in answers] == [True, False, False]
    assert len({said(answer) for answer in answers}) == 1
    assert all(named(said(answer)) == {RUN: "4"} for answer in answers)


def test_it_is_in_the_report(cloud: Cloud, function: Function) -> None:
    orders(cloud, 100, 50)
    sentence = said(function.tick(MAX_RENEWALS_PER_RUN="3"))
    stored = {key.rpartition("/")[2]: cloud.oss.objects[BUCKET, key].data for _, key in cloud.oss.objects}
    assert json.loads(stored["report.json"])["foresight"] == sentence
    assert f"{RUN} must be at least 4".encode() in stored["report.html"]


def test_those_that_will_be_missed_are_told_at_their_thresholds_each(cloud: Cloud, function: Function) -> None:
    waiting = orders(cloud, 12, 3.5)
    function.tick(MAX_RENEWALS_PER_RUN="2")
    found = warned(cloud)
    missed = {of for of, _, _ in found}
    assert len(missed) == 4, "two now, and two in each of the next three runs"
    assert missed < set(waiting)
    assert {(days, reason) for _, days, reason in found} == {(7, "run-limit")}
    assert sorted(
        message["data"].get("Deferred", 0) for message in cloud.smq.messages() if "Kind" in message["data"]
    ) == [
        0,
        0,
        0,
        3,
    ]


@pytest.mark.parametrize(
    ("count", "days_left", "settings", "runs_a_day"),
    [
        (30, 6.5, {RUN: "3"}, 1),
        (30, 6.5, {RUN: "10", DAY: "2"}, 1),
        (30, 6.5, {RUN: "1", DAY: "2"}, 1),
        (60, 8.5, {RUN: "3", DAY: "9"}, 2),
        (40, 12, {RUN: "1", DAY: "1"}, 1),
    ],
)
def test_the_limits_that_are_named_suffice_when_they_are_set(
    cloud: Cloud, function: Function, count: int, days_left: float, settings: dict[str, Any], runs_a_day: int
) -> None:
    orders(cloud, count, days_left, apart=0.01)
    answers = days_go_by(cloud, function, 2, runs_a_day, **settings)
    limits = named(said(answers[-1]))
    assert limits
    raised = {**settings, **limits}
    later = days_go_by(cloud, function, 12, runs_a_day, **raised)
    assert renewed(cloud) == count
    assert not any(said(answer) for answer in later)


@pytest.mark.parametrize("settings", [{RUN: "3"}, {RUN: "10", DAY: "2"}])
def test_one_less_than_is_named_does_not_suffice(cloud: Cloud, function: Function, settings: dict[str, Any]) -> None:
    orders(cloud, 30, 6.5, apart=0.01)
    limits = named(said(days_go_by(cloud, function, 1, **settings)[0]))
    ((limit, most),) = limits.items()
    days_go_by(cloud, function, 12, **{**settings, limit: str(int(most) - 1)})
    assert renewed(cloud) < 30


def test_several_runs_a_day_are_counted_on_once_they_have_been_seen(cloud: Cloud, function: Function) -> None:
    orders(cloud, 40, 8.5)
    settings: dict[str, Any] = {RUN: "1"}
    first, *_ = days_go_by(cloud, function, 1, 4, **settings)
    assert named(said(first)) == {RUN: "5"}, "nobody has seen that there are four"
    second = function.tick(**settings)
    assert "4 runs a day" in said(second)
    assert named(said(second)) == {RUN: "2"}


@pytest.mark.parametrize("settings", [{RUN: "0"}, {DAY: "0"}])
def test_where_nothing_may_be_bought_the_limit_is_named(
    cloud: Cloud, function: Function, settings: dict[str, Any]
) -> None:
    orders(cloud, 1, 20)
    answer = function.tick(**settings)
    ((limit, _),) = settings.items()
    assert named(said(answer)) == {limit: "1"}
    assert [(days, reason) for _, days, reason in warned(cloud)] == [(30, "run-limit" if limit == RUN else "day-limit")]


def test_where_no_limit_would_help_none_is_named(cloud: Cloud, function: Function) -> None:
    """It ends before the next run, whatever the limits are then."""
    _, late = orders(cloud, 2, 0.4, apart=0.1)
    answer = function.tick(MAX_RENEWALS_PER_RUN="1")
    assert answer.of(late)["outcome"] == "deferred"
    assert said(answer) == ""
    assert warned(cloud) == [(late, 1, "run-limit")]


def test_what_will_not_be_renewed_makes_no_limit_too_low(cloud: Cloud, function: Function) -> None:
    for n in range(20):
        cloud.cas.add_order(domain=f"free{n}.example.com", days_left=40, cert_type="FREE")
        cloud.cas.add_order(domain=f"hosted{n}.example.com", days_left=40, trustee="trustee")
        cloud.cas.add_order(domain=f"no{n}.example.net", days_left=40)
        cloud.cas.add_order(domain=f"moved{n}.example.com", days_left=40)
        cloud.cas.instances.add(f"moved{n}.example.com", 90)
        cloud.cas.add_order(domain=f"renewed{n}.example.com", days_left=40)
        cloud.cas.add_order(domain=f"renewed{n}.example.com", days_left=190)
    answer = function.tick(MAX_RENEWALS_PER_RUN="1", RENEW_DOMAINS="*.example.com")
    assert (answer.failed, said(answer)) == (False, "")


def test_a_run_that_could_do_it_all_says_nothing(cloud: Cloud, function: Function) -> None:
    orders(cloud, 200, 35, apart=0.05)
    answer = function.tick()
    assert (answer.failed, said(answer), warned(cloud)) == (False, "", [])


# --- the dry run ------------------------------------------------------------------------------------------------------


def test_a_dry_run_marks_everything_and_says_in_which_run_it_would_be(cloud: Cloud, function: Function) -> None:
    waiting = orders(cloud, 25, 12, apart=0.1)
    answer = function.tick(DRY_RUN="true")
    assert [(answer.of(order)["outcome"], answer.of(order)["in_run"]) for order in waiting] == [
        ("would-renew", 1 + n // 10) for n in range(25)
    ]
    assert answer.result["counts"] == {"would-renew": 25}
    assert "25 would be renewed, the last of them in run 3" in answer.result["note"]
    assert (cloud.cas.purchases, cloud.smq.calls, answer.failed) == ([], [], False)


def test_what_a_dry_run_says_is_what_happens(cloud: Cloud, function: Function) -> None:
    waiting = orders(cloud, 25, 12, apart=0.1)
    dry = function.tick(DRY_RUN="true", MAX_RENEWALS_PER_RUN="10", MAX_RENEWALS_PER_DAY="7")
    in_run = {order: dry.of(order)["in_run"] for order in waiting}
    days_go_by(cloud, function, 5, MAX_RENEWALS_PER_RUN="10", MAX_RENEWALS_PER_DAY="7")
    start = cloud.cas.purchases[0].at
    assert in_run == {str(one.old_order_id): 1 + (one.at - start).days for one in cloud.cas.purchases}


def test_a_dry_run_says_which_limits_are_too_low_and_fails_for_none(cloud: Cloud, function: Function) -> None:
    waiting = orders(cloud, 25, 3.5)
    answer = function.tick(DRY_RUN="true", MAX_RENEWALS_PER_RUN="2")
    outcomes = [answer.of(order)["outcome"] for order in waiting]
    assert (outcomes.count("would-renew"), outcomes.count("deferred")) == (8, 17)
    assert {answer.of(order)["reason"] for order in waiting} == {None, "run-limit"}
    assert named(said(answer)) == {RUN: "7"}
    assert not answer.failed


def test_a_dry_run_of_one_order_says_that_it_would_be_now(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order()
    answer = function.invoke({"order_ids": [order], "dry_run": True})
    assert (answer.of(order)["outcome"], answer.of(order)["in_run"]) == ("would-renew", 1)


def test_of_two_orders_for_the_same_thing_a_dry_run_marks_one(cloud: Cloud, function: Function) -> None:
    first, second = (cloud.cas.add_order(days_left=left) for left in (10, 12))
    answer = function.tick(DRY_RUN="true")
    assert [answer.of(order)["outcome"] for order in (first, second)] in (
        ["would-renew", "skipped"],
        ["skipped", "would-renew"],
    )


@pytest.mark.parametrize("settings", [{}, {RUN: "1"}])
def test_only_a_dry_run_speaks_of_runs(cloud: Cloud, function: Function, settings: dict[str, Any]) -> None:
    orders(cloud, 2, 10)
    assert all("in_run" not in line for line in function.tick(**settings).orders)
