"""What people say of held orders: two at once, mistaken, taken back, too late."""

from __future__ import annotations

from typing import Any

import pytest

from handler.errors import EventRefused
from tests.deployed import TIMER, Function
from tests.promise.interleaving import PausedInvocation
from tests.situations import lose_two
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import RENEWALS, bought, entries, messages, published


def two_held(cloud: Cloud, function: Function) -> tuple[str, str, str, str]:
    """Two orders and two new ones that nothing tells apart."""
    a, b = lose_two(cloud, function, faults.timeout_after(), faults.timeout_after())
    answer = function.tick()
    assert {line["reason"] for line in answer.orders} == {"shared-candidates"}
    first, second = cloud.cas.purchases
    return a, b, str(first.new_order_id), str(second.new_order_id)


def resolve(order: str, new: str) -> dict[str, Any]:
    return {"resolve": {"order_id": order, "new_order_id": new}}


def release(order: str) -> dict[str, Any]:
    return {"release": {"order_id": order}}


def owners(cloud: Cloud) -> list[tuple[str, str]]:
    """Who was told to be whose successor."""
    return sorted(
        {
            (message["data"]["OrderId"], message["data"]["RenewedOrderId"])
            for message in messages(cloud, "cas.order.renewed")
        }
    )


@pytest.mark.parametrize("ahead", range(26))
def test_of_two_events_at_once_that_name_one_successor_for_two_orders_one_wins(
    cloud: Cloud, function: Function, ahead: int
) -> None:
    a, b, new, _ = two_held(cloud, function)
    first = PausedInvocation(cloud, resolve(a, new), "first", 300)
    first.step(ahead)
    second = PausedInvocation(cloud, resolve(b, new), "second", 300)
    while not (first.finished and second.finished):
        second.step()
        first.step()
    assert (first.bug, second.bug) == (None, None)
    assert len(owners(cloud)) <= 1
    function.tick()
    assert len(owners(cloud)) <= 1
    held = [order for order, outcome in function.tick().outcomes.items() if outcome[0] == "held"]
    taken = dict(owners(cloud))
    for order in held:
        left = next(str(p.new_order_id) for p in cloud.cas.purchases if str(p.new_order_id) not in taken)
        function.invoke(resolve(order, left))
        taken = dict(owners(cloud))
    assert len(owners(cloud)) == 2
    assert len({old for _, old in owners(cloud)}) == 2
    assert len(cloud.cas.purchases) == 2


def test_a_resolve_that_names_the_wrong_order_is_taken_back_before_it_is_published(
    cloud: Cloud, function: Function
) -> None:
    a, b, new_a, new_b = two_held(cloud, function)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    assert function.invoke(resolve(a, new_b)).failed
    answer = function.invoke(resolve(a, new_a))
    assert (answer.of(a)["outcome"], answer.of(a)["new_order_id"]) == ("renewed", new_a)
    assert function.invoke(resolve(b, new_b)).of(b)["outcome"] == "renewed"
    assert sorted(published(cloud)) == sorted([f"{a}-{new_a}", f"{b}-{new_b}"])
    assert len(bought(cloud)) == 2


def test_a_resolve_is_taken_back_by_a_release_before_it_is_published_and_not_after(
    cloud: Cloud, function: Function
) -> None:
    a, b, new_a, new_b = two_held(cloud, function)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.invoke(resolve(a, new_a))
    assert function.invoke(release(a)).outcomes == {a: ("skipped", "released")}
    assert function.invoke(resolve(a, new_a)).of(a)["outcome"] == "renewed"
    for event in (release(a), resolve(a, new_b)):
        with pytest.raises(EventRefused, match="does not wait"):
            function.invoke(event)
    function.invoke(resolve(b, new_b))
    function.tick()
    assert len(cloud.cas.purchases) == 2


def test_a_release_is_taken_back_before_the_order_is_claimed_again_and_not_after(
    cloud: Cloud, function: Function
) -> None:
    a, b, new_a, new_b = two_held(cloud, function)
    function.invoke(release(a))
    assert function.invoke(resolve(a, new_a)).of(a)["outcome"] == "renewed"
    function.invoke(release(b))
    function.tick()
    assert len(cloud.cas.bought(b)) == 2, "a person said that nothing was bought"
    with pytest.raises(EventRefused, match="does not wait"):
        function.invoke(resolve(b, new_b))


@pytest.mark.parametrize("steps", range(0, 40, 3))
def test_a_release_taken_back_while_a_run_is_about_to_buy_buys_at_most_once_more(
    cloud: Cloud, function: Function, steps: int
) -> None:
    """Whoever writes to the journal first wins."""
    a, b, new_a, new_b = two_held(cloud, function)
    function.invoke(resolve(b, new_b))
    function.invoke(release(a))
    run = PausedInvocation(cloud, TIMER, "run", 300)
    run.step(steps)
    said = PausedInvocation(cloud, resolve(a, new_a), "said", 300)
    said.finish()
    run.finish()
    assert (run.bug, said.bug) == (None, None)
    told = [pair for pair in owners(cloud) if pair[1] == a]
    assert len(told) == 1
    assert (new_a, a) in told or len(cloud.cas.bought(a)) == 2
    if (new_a, a) in told:
        assert len(cloud.cas.bought(a)) == 1


@pytest.mark.parametrize("steps", range(0, 24, 2))
def test_a_resolve_and_a_release_of_one_order_at_once_are_not_both_done(
    cloud: Cloud, function: Function, steps: int
) -> None:
    a, b, new_a, new_b = two_held(cloud, function)
    first = PausedInvocation(cloud, resolve(a, new_a), "first", 300)
    first.step(steps)
    second = PausedInvocation(cloud, release(a), "second", 300)
    second.finish()
    first.finish()
    assert (first.bug, second.bug) == (None, None)
    journal = [entry["entry"] for entry in entries(cloud, a)]
    function.tick()
    # What was released last is bought again, though the message of the resolve may just have been sent.
    assert len(cloud.cas.bought(a)) == (1 if "published" in journal else 2)
    function.invoke(resolve(b, new_b))
    assert len({new for new, _ in owners(cloud)}) == len(owners(cloud))


def test_the_successor_that_was_left_can_be_taken_by_the_other_order(cloud: Cloud, function: Function) -> None:
    a, b, new_a, new_b = two_held(cloud, function)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.invoke(resolve(a, new_b))
    with pytest.raises(EventRefused, match="already the successor"):
        function.invoke(resolve(b, new_b))
    function.invoke(release(a))
    assert function.invoke(resolve(b, new_b)).of(b)["new_order_id"] == new_b
    assert function.invoke(resolve(a, new_a)).of(a)["new_order_id"] == new_a
    assert sorted(owners(cloud)) == sorted([(new_a, a), (new_b, b)])


def test_an_order_cannot_be_its_own_successor(cloud: Cloud, function: Function) -> None:
    a, b, _, _ = two_held(cloud, function)
    for wrong in (a, b):
        with pytest.raises(EventRefused):
            function.invoke(resolve(a, wrong))


def test_a_resolve_delivered_three_times_is_done_once(cloud: Cloud, function: Function) -> None:
    a, _, new_a, _ = two_held(cloud, function)
    function.invoke(resolve(a, new_a))
    for _ in range(2):
        with pytest.raises(EventRefused, match="does not wait"):
            function.invoke(resolve(a, new_a))
    assert published(cloud) == [f"{a}-{new_a}"]


def test_a_release_delivered_again_after_the_order_was_bought_releases_nothing(
    cloud: Cloud, function: Function
) -> None:
    a, b, _, new_b = two_held(cloud, function)
    function.invoke(resolve(b, new_b))
    function.invoke(release(a))
    function.tick()
    with pytest.raises(EventRefused, match="does not wait"):
        function.invoke(release(a))
    function.tick()
    assert len(cloud.cas.bought(a)) == 2


def test_a_release_delivered_again_after_the_next_answer_was_lost_too(cloud: Cloud, function: Function) -> None:
    """The platform may deliver one event twice, hours apart; what a person says holds for the call it was said of."""
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.timeout_before()] * 3)
    for _ in range(3):
        function.tick()
        cloud.clock.advance(961)
    assert function.tick().of(old)["outcome"] == "held"
    function.invoke(release(str(old)))
    cloud.cas.visible_after = 899
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    assert function.tick().of(old)["outcome"] == "unknown"
    function.invoke(release(str(old)))
    function.tick()
    assert len(cloud.cas.bought(old)) == 2, "documented: release works on an unknown outcome, too"
