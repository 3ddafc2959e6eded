"""The last days and the first ones after the end: the run fails so that people look, and what ended is still seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.deployed import TIMER, Answer, Function, platform
from tests.situations import expiring, hold
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import RENEWALS, bought, messages, published, warned

Makes = Callable[[Cloud, float], object]
KINDS: dict[str, Makes] = {
    "order": lambda cloud, left: cloud.cas.add_order(days_left=left, cert_type="FREE"),
    "instance": lambda cloud, left: cloud.cas.instances.add("www.example.com", left),
    "certificate": lambda cloud, left: cloud.cas.certificates.upload("www.example.com", days_left=left),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def report(cloud: Cloud) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(cloud.oss.objects[BUCKET, "renewals/report.json"].data)
    return written


def nearest(function: Function) -> float | None:
    found: float | None = [line for line in function.log_lines if line["event"] == "metrics"][-1][
        "nearest_unprotected_days"
    ]
    return found


def shown(answer: Answer) -> list[tuple[str, str | None, int]]:
    return [(line["outcome"], line["reason"], line["days_left"]) for line in answer.orders]


# --- the alarm --------------------------------------------------------------------------------------------------------


@every_kind
def test_from_three_days_before_the_end_the_run_fails_once_a_day_and_until_three_days_after(
    cloud: Cloud, function: Function, kind: str
) -> None:
    KINDS[kind](cloud, 5)
    failed = []
    for _ in range(12):
        failed.append([function.tick().failed for _ in range(3)])
        cloud.clock.advance(days=1)
    once, never = [True, False, False], [False] * 3
    assert failed == [never] * 2 + [once] * 7 + [never] * 3


def test_it_fails_for_each_thing_once_a_day(cloud: Cloud, function: Function) -> None:
    KINDS["certificate"](cloud, 2.5)
    assert function.tick().failed
    assert not function.tick().failed
    cloud.cas.certificates.upload("shop.example.com", days_left=2.5)
    answer = function.tick()
    assert answer.failed
    assert not function.tick().failed


@pytest.mark.parametrize(("within", "fails_at"), [(1, [1, 0]), (2, [2, 1, 0]), (3, [3, 2, 1, 0]), (14, [3, 2, 1, 0])])
def test_the_alarm_does_not_begin_before_anybody_is_to_hear_of_it(
    cloud: Cloud, within: int, fails_at: list[int]
) -> None:
    KINDS["certificate"](cloud, 5)
    days = []
    for left in range(5, -1, -1):
        if Function(cloud, STALLED_WITHIN_DAYS=str(within)).tick().failed:
            days.append(left)
        cloud.clock.advance(days=1)
    assert days == fails_at


@pytest.mark.parametrize("same", [True, False])
def test_the_platforms_retries_of_an_alarm_neither_buy_nor_tell_more(cloud: Cloud, same: bool) -> None:
    function = Function(cloud, MAX_RENEWALS_PER_RUN="2")
    KINDS["certificate"](cloud, 2.5)
    expiring(cloud, 12)
    answers = platform(function, TIMER, same_request_id=same)
    assert [answer.failed for answer in answers] == [True, False], "one repetition, which is content"
    assert len(cloud.cas.purchases) == 2
    assert len(published(cloud)) == 2
    assert len(warned(cloud)) == 1
    cloud.clock.advance(60)
    assert not function.tick().failed
    assert len(cloud.cas.purchases) == 4, "another event of the same day buys as ever"


@pytest.mark.parametrize("same", [True, False])
def test_the_retries_of_a_run_that_fails_anyway_buy_what_it_could_not(
    cloud: Cloud, function: Function, same: bool
) -> None:
    """An order that ends today and is refused for a moment must not wait for tomorrow since the alarm rang, too."""
    old = cloud.cas.add_order(days_left=0.5)
    cloud.cas.fail(RENEWALS, *[faults.error("InvalidStatus.UpdateProtection")] * 3)
    answers = platform(function, TIMER, same_request_id=same)
    assert [answer.of(old)["outcome"] for answer in answers] == ["refused", "renewed"]
    assert published(cloud) == bought(cloud)


def test_a_person_who_asks_gets_what_he_asks_for_whatever_failed_today(cloud: Cloud) -> None:
    function = Function(cloud, MAX_RENEWALS_PER_RUN="1")
    orders = expiring(cloud, 2)
    KINDS["certificate"](cloud, 2.5)
    event = {"order_ids": [orders[1]]}
    assert function.tick().failed
    assert function.invoke(event).of(orders[1])["outcome"] == "renewed"


def test_a_scan_that_a_person_asks_for_twice_is_no_repetition_of_the_platforms(cloud: Cloud) -> None:
    function = Function(cloud, MAX_RENEWALS_PER_RUN="1")
    expiring(cloud, 2)
    KINDS["certificate"](cloud, 2.5)
    assert [function.invoke({"scan": True}).failed for _ in range(2)] == [True, False]
    assert len(cloud.cas.purchases) == 2


def test_an_event_that_selects_orders_neither_alarms_nor_tells(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order(days_left=5)
    KINDS["certificate"](cloud, 2.5)
    assert not function.invoke({"order_ids": [order]}).failed
    assert warned(cloud) == []


def test_a_dry_run_shows_what_ends_and_neither_fails_nor_tells(cloud: Cloud, function: Function) -> None:
    KINDS["certificate"](cloud, 2.5)
    answer = function.tick(DRY_RUN="true")
    assert shown(answer) == [("expiring", "uploaded", 2)]
    assert not answer.failed
    assert not cloud.smq.calls
    assert {key.rpartition("/")[2] for key, _, _ in cloud.oss.history} == {"report.json", "report.html"}


# --- ended is not gone ------------------------------------------------------------------------------------------------


@every_kind
def test_for_thirty_days_after_its_end_it_is_seen_and_then_it_is_gone(
    cloud: Cloud, function: Function, kind: str
) -> None:
    subject = str(KINDS[kind](cloud, 0.5))
    for day in range(1, 31):
        cloud.clock.advance(days=1)
        answer = function.tick()
        (line,) = answer.orders
        assert (line["outcome"], line["days_left"], line[f"{kind}_id"]) == ("expiring", -day, subject)
        assert nearest(function) == 0.5 - day
        (reported,) = report(cloud)["orders"]
        assert (reported[f"{kind}_id"], reported["days_left"], reported["need"]) == (subject, -day, "ended")
        assert (reported["outcome"], report(cloud)["needs_a_person"]) == ("expiring", 1)
    cloud.clock.advance(days=1)
    answer = function.tick()
    assert (answer.orders, answer.failed, nearest(function)) == ([], False, None)
    assert report(cloud)["orders"] == []


@every_kind
def test_what_was_replaced_before_its_end_is_not_seen_after_it(cloud: Cloud, function: Function, kind: str) -> None:
    KINDS[kind](cloud, 5)
    cloud.cas.certificates.upload("www.example.com", days_left=90)
    cloud.clock.advance(days=6)
    answer = function.tick()
    assert (answer.orders, nearest(function)) == ([], 84.0)
    assert report(cloud)["orders"] == []


@every_kind
def test_what_is_replaced_after_its_end_is_gone_at_once(cloud: Cloud, function: Function, kind: str) -> None:
    KINDS[kind](cloud, -5)
    assert [line["outcome"] for line in function.tick().orders] == ["expiring"]
    cloud.cas.certificates.upload("www.example.com", days_left=90)
    answer = function.tick()
    assert (answer.orders, nearest(function)) == ([], 90.0)


def test_an_order_that_the_function_renewed_and_nobody_applied_for_is_seen_after_the_end(
    cloud: Cloud, function: Function
) -> None:
    old = cloud.cas.add_order(days_left=5.5)
    lines, failed = [], []
    for _ in range(40):
        answer = function.tick()
        lines += [(line["outcome"], line["reason"]) for line in answer.orders] or [("", "")]
        failed.append(answer.failed)
        cloud.clock.advance(days=1)
    assert lines[:6] == [("renewed", None)] + [("already-renewed", None)] * 5
    assert lines[6:36] == [("expiring", "expired")] * 30
    assert lines[36:] == [("", "")] * 4
    assert failed == [False] * 3 + [True] * 6 + [False] * 31
    assert warned(cloud) == [], "people hear of it daily anyway"
    days = [message["id"].rpartition("-stalled-")[2] for message in messages(cloud, "cas.order.stalled")]
    assert len(days) == len(set(days)) == 35
    assert old


@pytest.mark.parametrize("moment", ["issued", "replaced"])
def test_a_renewed_order_whose_successor_is_there_lets_nothing_fail(
    cloud: Cloud, function: Function, moment: str
) -> None:
    old = cloud.cas.add_order(days_left=5.5)
    function.tick()
    new = cloud.cas.purchases[0].new_order_id
    if moment == "issued":
        cloud.cas.apply(new)
        cloud.cas.issue(new)
    else:
        cloud.cas.certificates.upload("www.example.com", days_left=90)
    for _ in range(12):
        cloud.clock.advance(days=1)
        answer = function.tick()
        assert not answer.failed
        assert {line["outcome"] for line in answer.orders if line["order_id"] == str(old)} <= {"already-renewed"}


def test_a_renewal_of_the_last_days_does_not_fail_the_run_that_makes_it(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(days_left=1.5)
    answer = function.tick()
    assert (answer.of(old)["outcome"], answer.failed) == ("renewed", False)


def test_the_metric_counts_every_kind_that_is_watched(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(domain="a.example.com", days_left=40)
    cloud.cas.instances.add("b.example.com", 30)
    cloud.cas.certificates.upload("c.example.com", days_left=20)
    for watch, days in (("orders,instances,certificates", 20), ("orders,instances", 30), ("orders", 40)):
        function.tick(WATCH=watch)
        assert nearest(function) == days


def test_the_metric_is_not_mended_by_what_ended_earlier_and_was_replaced(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("a.example.com", days_left=-3)
    cloud.cas.certificates.upload("a.example.com", days_left=60)
    cloud.cas.certificates.upload("b.example.com", days_left=25)
    function.tick()
    assert nearest(function) == 25
    cloud.clock.advance(days=26)
    function.tick()
    assert nearest(function) == -1


def test_closed_eyes_see_no_end_in_the_metric_either(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("a.example.com", days_left=-3)
    cloud.cas.certificates.upload("b.example.com", days_left=25)
    function.tick(RENEW_DOMAINS_EXCEPT="a.example.com")
    assert nearest(function) == 25


def test_a_held_order_in_its_last_days_is_held_and_told_once_a_threshold(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order(days_left=2.5)
    hold(cloud, function, order)
    for _ in range(3):
        assert function.tick().of(order)["outcome"] == "held"
    assert [days for _, days, _ in warned(cloud)] == [3]
    assert len(messages(cloud, "cas.renewal.failed")) == 1
