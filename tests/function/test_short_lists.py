"""A list that says that it has more orders than it shows proves nothing about the orders that it hides."""

from __future__ import annotations

import pytest

from tests.deployed import Function
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import messages

LIST, RENEW = "ListUserCertificateOrder", "RenewCertificateOrderForPackageRequest"


@pytest.fixture
def lost(cloud: Cloud, function: Function) -> int:
    """An order whose renewal was bought, and the answer lost."""
    order_id = int(cloud.cas.add_order(days_left=10))
    cloud.cas.fail(RENEW, faults.timeout_after())
    function.tick()
    assert len(cloud.cas.bought(order_id)) == 1
    cloud.clock.advance(3600)
    return order_id


def hide_the_newest(cloud: Cloud) -> None:
    """Every reading of the nearer runs lacks the same row, which the total has."""
    cloud.cas.oldest_first = True
    cloud.cas.fail(LIST, *[faults.short_page()] * 200)


def test_what_every_reading_hides_in_the_same_way_is_not_bought_again(cloud: Cloud, function: Function, lost: int):
    hide_the_newest(cloud)
    line = function.tick().of(lost)
    assert (line["outcome"], line["reason"]) == ("deferred", "list-incomplete")
    assert len(cloud.cas.bought(lost)) == 1


def test_people_hear_of_it_after_a_day_and_may_say_what_happened(cloud: Cloud, function: Function, lost: int):
    hide_the_newest(cloud)
    cloud.clock.advance(days=1)
    function.tick()
    (alert,) = messages(cloud, "cas.renewal.failed")
    assert (alert["data"]["OrderId"], alert["data"]["Outcome"]) == (str(lost), "unknown")
    assert function.invoke({"release": {"order_id": str(lost)}}).of(lost)["reason"] == "released"


def test_once_the_list_is_whole_again_the_successor_is_found(cloud: Cloud, function: Function, lost: int):
    hide_the_newest(cloud)
    function.tick()
    cloud.cas._faults.clear()
    (bought,) = cloud.cas.bought(lost)
    assert function.tick().of(lost)["new_order_id"] == str(bought.new_order_id)


@pytest.mark.parametrize("off_by", [1, 5])
def test_an_account_whose_total_is_simply_too_high_is_renewed_all_the_same(
    cloud: Cloud, function: Function, off_by: int
):
    cloud.cas.total_count_off_by = off_by
    order_id = cloud.cas.add_order(days_left=10)
    assert function.tick().of(order_id)["outcome"] == "renewed"
