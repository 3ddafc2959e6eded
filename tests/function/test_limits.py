"""How much is bought, in a run, on a day, in a year: the limits hold whatever repeats, dies or runs side by side."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.deployed import TIMER, Function, platform
from tests.points import Crash, crash_at
from tests.promise.interleaving import PausedInvocation
from tests.situations import expiring, hold
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import RENEWALS, bought, entries, messages, published

TO_DAYS = "/days/"


def held(cloud: Cloud, function: Function) -> int:
    """An order that a person must decide about, of another product."""
    order = cloud.cas.add_order(domain="held.example.com", days_left=3, product_code="held")
    hold(cloud, function, order)
    return order


def bought_by_api(cloud: Cloud) -> int:
    return len([purchase for purchase in cloud.cas.purchases if purchase.by == "api"])


def counted(cloud: Cloud) -> int:
    """What the journal says of this day."""
    stored = cloud.oss.objects.get((BUCKET, f"renewals/days/{cloud.clock.now():%Y-%m-%d}"))
    return sum(json.loads(line)["count"] for line in stored.data.splitlines()) if stored else 0


def failed_messages(cloud: Cloud, queue: str | None = None) -> list[dict[str, Any]]:
    return [message["data"] for message in messages(cloud, "cas.renewal.failed", queue)]


# ------------------------------------------------------------------------------------------------------ the day's limit


@pytest.mark.parametrize("same", [True, False])
def test_the_retries_of_an_event_that_fails_for_a_held_order_keep_to_the_limit_of_the_day(
    cloud: Cloud, same: bool
) -> None:
    function = Function(cloud, MAX_RENEWALS_PER_RUN="4", MAX_RENEWALS_PER_DAY="9")
    held(cloud, function)
    expiring(cloud, 30, apart=0.01)
    answers = platform(function, TIMER, same_request_id=same)
    assert [answer.failed for answer in answers] == [True] * 4
    assert bought_by_api(cloud) == counted(cloud) == 9, "the held one is one of them"
    assert answers[-1].result["counts"] == {"held": 1, "already-renewed": 8, "deferred": 22}
    assert {line["reason"] for line in answers[-1].orders if line["outcome"] == "deferred"} == {"day-limit"}


def test_a_burst_of_events_keeps_to_the_limit_of_the_day(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 12)
    for order in orders:
        function.invoke({"order_ids": [order]}, MAX_RENEWALS_PER_DAY="5")
        function.invoke({"order_ids": [order]}, MAX_RENEWALS_PER_DAY="5")
    assert bought_by_api(cloud) == 5
    cloud.clock.advance(days=1)
    function.tick(MAX_RENEWALS_PER_DAY="5")
    assert bought_by_api(cloud) == 10
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_two_runs_at_once_keep_to_the_limit_of_the_day_wherever_they_stand(cloud: Cloud, step: int) -> None:
    expiring(cloud, 20)
    settings: dict[str, Any] = {"MAX_RENEWALS_PER_DAY": "7", "MAX_RENEWALS_PER_RUN": "5"}
    runs = [PausedInvocation(cloud, TIMER, f"run-{n}", 300, **settings) for n in range(3)]
    while not all(run.finished for run in runs):
        for run in runs:
            run.step(step)
    assert not [run.bug for run in runs if run.bug]
    assert 0 < bought_by_api(cloud) <= 7
    assert counted(cloud) == bought_by_api(cloud)
    assert set(published(cloud)) == set(bought(cloud))


def test_the_day_ends_at_midnight_utc(cloud: Cloud, function: Function) -> None:
    expiring(cloud, 6)
    cloud.clock.advance(seconds=20 * 3600 + 59 * 60)  # 23:59
    function.tick(MAX_RENEWALS_PER_DAY="2")
    cloud.clock.advance(seconds=59)
    assert function.tick(MAX_RENEWALS_PER_DAY="2").result["counts"] == {"already-renewed": 2, "deferred": 4}
    cloud.clock.advance(seconds=1)
    assert function.tick(MAX_RENEWALS_PER_DAY="2").result["counts"] == {
        "already-renewed": 2,
        "renewed": 2,
        "deferred": 2,
    }


@pytest.mark.parametrize(("wanted", "calls"), [(0, 0), (1, 2), (5, 2)])
def test_the_limit_of_the_day_costs_two_calls_a_run(cloud: Cloud, function: Function, wanted: int, calls: int) -> None:
    expiring(cloud, wanted)
    made: list[str] = []
    function.tick()
    made += [call.action for call in cloud.oss.calls if TO_DAYS in call.params["key"] + TO_DAYS[:0]]
    assert len(made) == calls


def test_a_limit_of_nothing_buys_nothing_and_says_so(cloud: Cloud, function: Function) -> None:
    (order,) = expiring(cloud, 1)
    assert function.tick(MAX_RENEWALS_PER_DAY="0").outcomes == {str(order): ("deferred", "day-limit")}
    assert function.tick(MAX_RENEWALS_PER_RUN="0").outcomes == {str(order): ("deferred", "run-limit")}
    assert not cloud.cas.purchases
    assert counted(cloud) == 0


def test_what_a_dead_run_has_reserved_is_not_bought_by_others_and_the_next_day_has_its_own(
    cloud: Cloud, function: Function
) -> None:
    expiring(cloud, 8)
    settings: dict[str, Any] = {"MAX_RENEWALS_PER_DAY": "5", "MAX_RENEWALS_PER_RUN": "3"}
    crash_at(cloud, "after", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(**settings)
    cloud.clock.advance(400)
    for _ in range(3):
        function.tick(**settings)
    assert bought_by_api(cloud) == 3, "one by the dead run, which had taken three, and two"
    cloud.clock.advance(days=1)
    for _ in range(3):
        function.tick(**settings)
    assert bought_by_api(cloud) == 8
    assert set(published(cloud)) == set(bought(cloud))


def test_what_is_refused_is_given_back(cloud: Cloud, function: Function) -> None:
    expiring(cloud, 6)
    cloud.cas.fail(RENEWALS, *[faults.error("OrderStateError", 403)] * 2, faults.timeout_before())
    settings: dict[str, Any] = {"MAX_RENEWALS_PER_DAY": "3", "MAX_RENEWALS_PER_RUN": "3"}
    answer = function.tick(**settings)
    assert answer.result["counts"] == {"refused": 2, "unknown": 1, "renewed": 2, "deferred": 1}
    assert counted(cloud) == 3


# ------------------------------------------------------------------------------------------------------- the quota


@pytest.mark.parametrize("code", ["InsufficientQuota", "NotRemainCount", "NotFoundPackage"])
@pytest.mark.parametrize("alert_queue", [None, "alerts"])
def test_after_a_refusal_for_want_of_quota_the_others_of_the_product_wait_and_one_message_says_how_many(
    cloud: Cloud, code: str, alert_queue: str | None
) -> None:
    if alert_queue:
        cloud.smq.add_queue(alert_queue)
    function = Function(cloud, ALERT_QUEUE=alert_queue)
    orders = expiring(cloud, 7)
    other = cloud.cas.add_order(domain="other.example.com", product_code="other")
    cloud.cas.fail(RENEWALS, faults.error(code))
    answers = platform(function, TIMER)
    for answer in answers:
        assert answer.outcomes[str(orders[0])] == ("refused", code)
        assert {answer.outcomes[str(order)] for order in orders[1:]} == {("deferred", code)}
    assert answers[0].of(other)["outcome"] == "renewed"
    assert len(cloud.cas.calls_of(RENEWALS)) == 2
    (message,) = failed_messages(cloud, alert_queue or "renewed-certificates")
    assert (message["OrderId"], message["Reason"], message["Deferred"]) == (str(orders[0]), code, 6)
    cloud.clock.advance(days=1)
    assert function.tick(MAX_RENEWALS_PER_RUN="100").result["counts"]["renewed"] == 7


def test_an_event_for_another_order_of_a_product_without_quota_buys_nothing(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 3)
    cloud.cas.quota = 0
    function.tick()
    for order in orders:
        assert function.invoke({"order_ids": [order]}).of(order)["reason"] == "InsufficientQuota"
    assert not cloud.cas.purchases


def test_a_quota_that_is_used_up_in_mid_run_stops_its_product_only(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 5)
    cloud.cas.quota = 2
    answer = function.tick()
    assert [answer.of(order)["outcome"] for order in orders] == ["renewed"] * 2 + ["refused"] + ["deferred"] * 2
    assert cloud.cas.quota == 0


# ------------------------------------------------------------------------------------------------ throttling and time


def test_more_than_eleven_hundred_throttlings_are_waited_out_and_then_it_is_bought_once(
    cloud: Cloud, function: Function
) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.throttle()] * 1200)
    answer = function.tick(timeout=86_400)
    assert answer.of(old)["outcome"] == "renewed"
    assert len(cloud.cas.calls_of(RENEWALS)) == 1201
    assert published(cloud) == bought(cloud)


def test_throttling_for_ever_is_refused_before_the_time_is_over_and_tried_by_the_next_run(
    cloud: Cloud, function: Function
) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.throttle(retry_after_ms=1)] * 100, *[faults.throttle()] * 100)
    started = cloud.clock.now()
    assert function.tick(timeout=300).outcomes == {str(old): ("refused", "Throttling.User")}
    assert (cloud.clock.now() - started).total_seconds() < 300
    cloud.cas._faults[RENEWALS].clear()
    assert function.tick().of(old)["outcome"] == "renewed"


def test_an_event_for_one_order_among_thousands_does_not_spend_its_time_on_the_report(
    cloud: Cloud, function: Function
) -> None:
    many = [cloud.cas.add_order(domain=f"m{n}.example.com", days_left=20) for n in range(2000)]

    def slow(phase: str, service: str, _action: str) -> None:
        if (phase, service) == ("after", "oss"):
            cloud.clock.advance(0.05)

    cloud.hooks.append(slow)
    started = cloud.clock.now()
    answer = function.invoke({"order_ids": [many[7]]}, timeout=60)
    assert answer.of(many[7])["outcome"] == "renewed"
    assert (cloud.clock.now() - started).total_seconds() < 60
    assert published(cloud) == bought(cloud)


# -------------------------------------------------------------------------------------------------------- short lives


@pytest.mark.parametrize("filled", ["empty", "filled"])
def test_a_year_of_daily_runs_over_certificates_of_47_days_buys_at_most_one_per_half_life(
    cloud: Cloud, function: Function, filled: Any
) -> None:
    cloud.cas.pending_domain = filled
    cloud.cas.renewable_statuses = {"ISSUED", "WILLEXPIRED"}
    first = cloud.cas.add_order(status="PAYED")
    cloud.cas.issue(first, days=47)
    times = []
    for _ in range(365):
        before = len(cloud.cas.purchases)
        function.tick(RENEW_STATUSES="ISSUED,WILLEXPIRED", RENEW_WITHIN_DAYS="60")
        for purchase in cloud.cas.purchases[before:]:
            times.append(cloud.clock.now())
            cloud.cas.apply(purchase.new_order_id)
            if len(cloud.cas.purchases) % 2:  # some wait for a day
                cloud.cas.issue(purchase.new_order_id, days=47)
        for purchase in cloud.cas.purchases:
            if cloud.cas.status(purchase.new_order_id) == "CHECKING" and purchase.at != cloud.clock.now():
                cloud.cas.issue(purchase.new_order_id, days=47)
        cloud.clock.advance(days=1)
    assert all((later - earlier).days >= 23 for earlier, later in pairwise(times))
    assert 7 <= len(times) <= 365 // 23 + 1
    assert max(len(cloud.cas.bought(order)) for order in cloud.cas.order_ids()) == 1


def test_an_order_that_was_just_bought_and_issued_is_not_renewed(cloud: Cloud, function: Function) -> None:
    cloud.cas.renewable_statuses = {"ISSUED", "WILLEXPIRED"}
    old = cloud.cas.add_order(status="PAYED")
    cloud.cas.issue(old, days=47)
    cloud.clock.advance(days=24)
    settings: dict[str, Any] = {"RENEW_STATUSES": "ISSUED,WILLEXPIRED", "RENEW_WITHIN_DAYS": "365"}
    assert function.tick(**settings).of(old)["outcome"] == "renewed"
    new = cloud.cas.purchases[0].new_order_id
    cloud.cas.apply(new)
    cloud.cas.issue(new, days=47)
    for event in ({"order_ids": [new]}, {"domains": ["www.example.com"]}, TIMER):
        function.invoke(event, **settings)
    assert len(cloud.cas.purchases) == 1


# ------------------------------------------------------------------------------------------------- an alert queue away


def test_a_refused_order_is_tried_again_although_nobody_could_be_told(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403))
    assert function.tick(ALERT_QUEUE="nowhere").of(old)["outcome"] == "refused"
    assert function.tick(ALERT_QUEUE="nowhere").of(old)["outcome"] == "refused"
    assert len(cloud.cas.calls_of(RENEWALS)) == 1
    cloud.clock.advance(seconds=20 * 3600 + 1)
    assert function.tick(ALERT_QUEUE="nowhere").of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_held_orders_do_not_stop_the_others_while_the_alert_queue_is_away(cloud: Cloud, function: Function) -> None:
    order = held(cloud, function)
    other = cloud.cas.add_order(domain="other.example.com")
    answer = function.tick(ALERT_QUEUE="nowhere")
    assert (answer.of(order)["outcome"], answer.of(other)["outcome"]) == ("held", "renewed")


def test_a_renewal_that_was_seen_replaced_is_still_told_as_issued_later(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    function.tick()
    new = cloud.cas.purchases[0].new_order_id
    console = cloud.cas.renew_in_console(old)
    cloud.cas.apply(console)
    cloud.cas.issue(console)
    function.tick()
    assert entries(cloud, old)[-1]["stage"] == "REPLACED"
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    function.tick()
    function.tick()
    assert [message["id"] for message in messages(cloud, "cas.order.issued")] == [f"{old}-{new}-issued"]
