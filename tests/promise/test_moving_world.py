"""The account changes while it is read, clocks differ, runs take hours: nothing is bought twice for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.deployed import TIMER, Answer, Function, assert_no_internal_error, platform
from tests.points import Crash, always_at, crash, crash_at, once_at
from tests.promise.ticks import ticks
from tests.situations import bystanders, expiring
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.stubs.misbehaviour import MovingLists
from tests.traces import LIST, RENEWALS, assert_bought_at_most_once, bought, published

# -------------------------------------------------------------------------------------------------- a hole in the book


@pytest.mark.parametrize("gone", ["removed", "moved", "down", "swapped"])
@pytest.mark.parametrize("readings", [1, 2])
def test_the_successor_of_a_lost_call_that_stands_in_a_hole_is_found_later_and_not_bought_again(
    cloud: Cloud, function: Function, gone: str, readings: int
) -> None:
    fillers = bystanders(cloud)
    singles = bystanders(cloud, 3, source="BUY")
    lost = cloud.cas.add_order(days_left=5)
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    new = cloud.cas.bought(lost)[0].new_order_id
    cloud.clock.advance(961)
    cloud.cas.move_row(lost, 0)
    left = [readings]

    def between(order_type: str, page: int) -> None:
        if left[0] and (order_type, page) == ("BUY", 1):
            cloud.cas.move_row(new, 50)
        if left[0] and (order_type, page) == ("CPACK", 1):
            left[0] -= 1
            first = fillers.pop()
            if gone == "removed":
                cloud.cas.remove(first)
            elif gone == "moved":
                cloud.cas.move(first, "BUY")
            elif gone == "down":
                cloud.cas.move_row(first, 1000)
            else:  # the total stays as it is
                cloud.cas.move(first, "BUY")
                comes = singles.pop()
                cloud.cas.move(comes, "CPACK")
                cloud.cas.move_row(comes, 1000)

    cloud.cas.move_row(new, 50)
    cloud.cas.between_pages = between
    answers = ticks(cloud, function)
    assert len(cloud.cas.bought(lost)) == 1
    assert answers[-1].of(lost)["outcome"] == "already-renewed"
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("lands", ["before", "after"])
def test_a_stranger_in_a_hole_of_the_claim_s_reading_is_not_taken_for_the_successor(
    cloud: Cloud, function: Function, lands: str
) -> None:
    fillers = bystanders(cloud)
    stranger = cloud.cas.add_order(domain="", status="PAYED")
    old = cloud.cas.add_order(days_left=5)
    cloud.cas.move_row(old, 0)
    cloud.cas.move_row(stranger, 50)
    cloud.cas.once_after_page("CPACK", 1, lambda: cloud.cas.remove(fillers.pop()))
    cloud.cas.visible_after = 899
    cloud.cas.fail(RENEWALS, faults.timeout_after() if lands == "after" else faults.timeout_before())
    answers = ticks(cloud, function, 6)
    assert len(cloud.cas.bought(old)) == 1
    assert published(cloud) == bought(cloud)
    assert answers[-1].of(old)["outcome"] == "already-renewed"


def test_the_successor_that_goes_from_the_one_list_to_the_other_is_found(cloud: Cloud, function: Function) -> None:
    cloud.cas.pending_source = "BUY"
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    cloud.clock.advance(961)
    new = cloud.cas.bought(old)[0].new_order_id
    cloud.cas.once_after_page("CPACK", 1, lambda: cloud.cas.move(new, "CPACK"))
    assert function.tick().of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_an_old_order_that_goes_from_list_to_list_is_not_bought_again(cloud: Cloud, function: Function) -> None:
    bystanders(cloud, 3)
    old = cloud.cas.add_order(source="BUY")
    cloud.cas.fail(RENEWALS, faults.timeout_before(), None)
    flips = iter(["CPACK", "BUY"] * 100)
    cloud.cas.between_pages = lambda kind, page: cloud.cas.move(old, next(flips)) if kind == "CPACK" else None  # type: ignore[arg-type]
    for _ in range(4):
        assert_no_internal_error(function.tick())
        cloud.clock.advance(700)
    assert_bought_at_most_once(cloud)
    cloud.cas.between_pages = None
    ticks(cloud, function)
    assert len(cloud.cas.bought(old)) == 1
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("off_by", [-3, -1, 1, 60, 10_000])
@pytest.mark.parametrize("count", [10, 49, 50, 60])
def test_an_account_whose_total_is_always_wrong_stays_usable(
    cloud: Cloud, function: Function, off_by: int, count: int
) -> None:
    bystanders(cloud, count)
    bystanders(cloud, 5, source="BUY")  # a total below zero is none
    cloud.cas.total_count_off_by = off_by
    lost = cloud.cas.add_order(domain="a.example.com", days_left=5)
    other = cloud.cas.add_order(domain="b.example.com", days_left=6, product_code="other")
    cloud.cas.move_row(lost, 1000)
    cloud.cas.fail(RENEWALS, faults.timeout_before())
    answers = ticks(cloud, function, 3)
    assert answers[0].outcomes == {str(lost): ("unknown", "no-answer"), str(other): ("renewed", None)}
    if off_by > 0:  # by its own total the list may hide what was bought, so a person must say that nothing was
        assert (answers[-1].of(lost)["outcome"], answers[-1].of(lost)["reason"]) == ("deferred", "list-incomplete")
        function.invoke({"release": {"order_id": str(lost)}})
        answers = ticks(cloud, function, 1)
    assert answers[-1].of(lost)["outcome"] == "renewed"
    assert sorted(published(cloud)) == sorted(bought(cloud))


@pytest.mark.parametrize("which", ["the old order", "a stranger", "the successor", "everything"])
def test_an_account_in_which_a_row_is_always_listed_twice_stays_usable(
    cloud: Cloud, function: Function, which: str
) -> None:
    fillers = bystanders(cloud)
    old = cloud.cas.add_order()
    cloud.cas.list_twice = {"the old order": {old}, "a stranger": {fillers[30]}, "everything": {old, *fillers}}.get(
        which, set()
    )
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    if which in {"the successor", "everything"}:
        cloud.cas.list_twice |= {cloud.cas.bought(old)[0].new_order_id}
    assert function.tick().of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("lost", [True, False])
def test_of_a_list_that_never_holds_still_nothing_is_bought_or_settled_and_the_run_says_why(
    cloud: Cloud, function: Function, lost: bool
) -> None:
    fillers = bystanders(cloud, 120)
    old = cloud.cas.add_order()
    if lost:
        cloud.cas.fail(RENEWALS, faults.timeout_after())
        function.tick()
    cloud.cas.between_pages = lambda kind, page: cloud.cas.remove(fillers.pop()) if (kind, page) == ("CPACK", 1) else 0
    answer = function.tick()
    assert answer.failed
    assert "did not hold still" in answer.text
    assert len(cloud.cas.bought(old)) == int(lost)
    assert not published(cloud)
    cloud.cas.between_pages = None
    assert function.tick().of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_moves_while_the_lists_are_read_no_order_is_bought_twice(
    cloud: Cloud, function: Function, seed: int
) -> None:
    bystanders(cloud, 55)
    cloud.cas.pending_domain = "filled" if seed % 2 else "empty"
    cloud.cas.visible_after = 899 if seed % 3 else 0
    orders = [cloud.cas.add_order(domain=f"{n}.example.com", days_left=9 + n, product_code=f"p{n}") for n in range(4)]
    cloud.cas.fail(RENEWALS, faults.timeout_after(), faults.timeout_before(), faults.answer({}), None)
    cloud.cas.between_pages = MovingLists(cloud.cas, seed, share=0.4)
    for _ in range(6):
        assert_no_internal_error(function.tick())
        assert_bought_at_most_once(cloud)
        cloud.clock.advance(500)
    cloud.cas.between_pages = None
    ticks(cloud, function, 3)
    assert {*published(cloud)} == {*bought(cloud)}
    assert {purchase.old_order_id for purchase in cloud.cas.purchases} <= set(orders)


def test_what_is_taken_up_is_what_was_lost_when_the_list_was_proved_whole(cloud: Cloud, function: Function) -> None:
    """A claim that begins to count as lost between the reading and the settling is settled by the next run."""
    fillers = bystanders(cloud)
    old = cloud.cas.add_order(days_left=5)
    stranger = cloud.cas.add_order(domain="", status="PAYED")
    cloud.cas.remove(stranger)
    crash_at(cloud, "after", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(timeout=300)
    new = cloud.cas.bought(old)[0].new_order_id
    cloud.cas.renew_in_console(old, domain_filled=False)
    cloud.cas.move_row(old, 0)
    cloud.cas.move_row(new, 50)
    cloud.clock.advance(359)
    cloud.cas.once_after_page("CPACK", 1, lambda: cloud.cas.remove(fillers.pop()))

    def is_slow() -> None:
        if cloud.cas.between_pages is None:
            cloud.clock.advance(1)

    always_at(cloud, ("before", "oss", "GetObject"), is_slow)
    function.tick()
    cloud.hooks.clear()
    answer = function.tick()
    assert answer.outcomes == {str(old): ("held", "several-candidates")}
    assert not published(cloud)


# --------------------------------------------------------------------------------------------------------------- clocks


@pytest.mark.parametrize("first", [-59, 0, 59])
@pytest.mark.parametrize("second", [-59, 0, 59])
@pytest.mark.parametrize("how", ["unknown", "dead", "dead at the deadline"])
def test_a_successor_that_shows_after_899_seconds_is_waited_for_by_any_two_clocks(
    cloud: Cloud, function: Function, first: int, second: int, how: str
) -> None:
    if abs(first - second) >= 60:
        second = 0
    cloud.cas.visible_after = 899
    old = cloud.cas.add_order()
    if how == "unknown":
        cloud.cas.fail(RENEWALS, faults.timeout_after())
        function.tick(skew=first)
    else:
        if how == "dead at the deadline":
            always_at(cloud, ("before", "cas", RENEWALS), lambda: cloud.clock.advance(269))
        crash_at(cloud, "after", "cas", RENEWALS)
        with pytest.raises(Crash):
            function.tick(skew=first, timeout=300)
        cloud.hooks.clear()
    for _ in range(38):
        line = function.tick(skew=second).of(old)
        assert (line["outcome"], line["reason"]) in {
            ("deferred", "settling"),
            ("deferred", "in-progress"),
            ("renewed", None),
            ("already-renewed", None),
        }
        cloud.clock.advance(40)
    assert function.tick(skew=second).of(old)["outcome"] == "already-renewed"
    assert published(cloud) == bought(cloud)
    assert len(cloud.cas.purchases) == 1


@pytest.mark.parametrize(("first", "second"), [(59, 0), (0, 59), (-59, 0), (0, -59)])
def test_a_run_in_progress_is_left_alone_by_any_two_clocks(
    cloud: Cloud, function: Function, first: int, second: int
) -> None:
    old = cloud.cas.add_order()
    inner: list[Answer] = []

    def another_runs() -> None:
        cloud.clock.advance(284)
        inner.append(function.tick(skew=second))

    once_at(cloud, ("before", "cas", RENEWALS), another_runs)
    function.tick(skew=first, timeout=300)
    assert inner[0].outcomes == {str(old): ("deferred", "in-progress")}
    assert len(cloud.cas.purchases) == 1


# -------------------------------------------------------------------------------------------------------- stale picture


def test_what_a_person_renews_during_a_run_of_hours_is_not_bought(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 6, apart=0.1)
    renewed: list[int] = []

    def is_slow() -> None:
        cloud.clock.advance(1000)
        if not renewed:
            renewed.append(cloud.cas.renew_in_console(orders[3]))
            cloud.clock.advance(1000)

    always_at(cloud, ("after", "cas", RENEWALS), is_slow)
    answer = function.tick(timeout=7200)
    assert answer.outcomes[str(orders[3])] == ("skipped", "superseded")
    assert [len(cloud.cas.bought(order)) for order in orders] == [1, 1, 1, 0, 1, 1]
    assert published(cloud) == [f"{o}-{cloud.cas.bought(o)[0].new_order_id}" for o in orders if o != orders[3]]


def test_an_order_that_goes_away_during_a_run_of_hours_is_not_bought(cloud: Cloud, function: Function) -> None:
    a, b = (cloud.cas.add_order(domain=f"{name}.example.com") for name in "ab")

    def goes_away() -> None:
        cloud.clock.advance(1000)
        cloud.cas.remove(b)

    once_at(cloud, ("after", "cas", RENEWALS), goes_away)
    outcomes = function.tick(timeout=7200, WATCH="orders").outcomes
    assert outcomes == {str(a): ("renewed", None), str(b): ("skipped", "not-found")}


def test_the_picture_is_refreshed_when_it_is_stale_and_not_for_each_order(cloud: Cloud, function: Function) -> None:
    orders = [cloud.cas.add_order(domain=f"h{n}.example.com") for n in range(8)]
    always_at(cloud, ("after", "cas", RENEWALS), lambda: cloud.clock.advance(250))
    answer = function.tick(timeout=7200)
    assert {line["outcome"] for line in answer.orders} == {"renewed"}
    # Twice at the start; after 1,000 and 2,000 seconds twice again. Each is two lists.
    assert len(cloud.cas.calls_of(LIST)) == 4 + 4 + 0 or len(cloud.cas.calls_of(LIST)) == 4 + 4 + 4
    assert len(cloud.cas.purchases) == len(orders)


@pytest.mark.parametrize("filled", ["empty", "filled"])
@pytest.mark.parametrize("late", [0, 899])
@pytest.mark.parametrize("lost", [False, True])
def test_of_two_orders_of_one_product_and_domain_one_is_bought_however_often_it_runs(
    cloud: Cloud, function: Function, filled: Any, late: int, lost: bool
) -> None:
    cloud.cas.pending_domain, cloud.cas.visible_after = filled, late
    end = cloud.clock.now() + timedelta(days=20)
    orders = [cloud.cas.add_order(cert_end=end) for _ in range(3)]
    if lost:
        cloud.cas.fail(RENEWALS, faults.timeout_after())
    for _ in range(8):
        answer = function.tick()
        cloud.clock.advance(400)
    assert len(cloud.cas.purchases) == 1
    outcomes = sorted(answer.of(order)["outcome"] for order in orders)
    assert outcomes == ["already-renewed", "skipped", "skipped"]
    assert published(cloud) == bought(cloud)


def test_an_order_whose_twin_s_successor_was_cancelled_is_bought_in_the_end(cloud: Cloud, function: Function) -> None:
    end = cloud.clock.now() + timedelta(days=20)
    first, second = (cloud.cas.add_order(cert_end=end) for _ in range(2))
    function.tick()
    assert function.tick().outcomes[str(second)] == ("skipped", "superseded")
    cloud.cas.cancel(cloud.cas.purchases[0].new_order_id)
    cloud.clock.advance(days=1, seconds=1)
    answer = function.tick()
    assert answer.outcomes == {str(first): ("already-renewed", None), str(second): ("renewed", None)}
    assert_bought_at_most_once(cloud)


# ------------------------------------------------------------------------------------------------ the platform's part


@pytest.mark.parametrize("same", [True, False])
def test_a_platform_that_repeats_an_event_whose_run_dies_each_time_buys_once(
    cloud: Cloud, function: Function, same: bool
) -> None:
    old = cloud.cas.add_order()
    always_at(cloud, ("after", "cas", RENEWALS), crash)
    answers = platform(function, TIMER, seconds_between=700, same_request_id=same)
    assert [answer.failed for answer in answers][:1] == [True]
    assert len(cloud.cas.bought(old)) == 1
    cloud.hooks.clear()
    ticks(cloud, function)
    assert published(cloud) == bought(cloud)


def test_the_messages_of_a_moving_world_are_json(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(domain="\ud800.example.com")
    cloud.cas.add_order(domain="..")
    cloud.cas.add_order(domain="a" * 300)
    cloud.cas.add_order(domain="例子.测试")
    assert_no_internal_error(function.tick())
    for message in cloud.smq.messages():
        json.dumps(message)
