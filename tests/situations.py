"""Situations that more than one room's tests start from."""

from __future__ import annotations

from typing import Any

from tests.deployed import Function
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import RENEWALS


def expiring(cloud: Cloud, count: int, apart: float = 1) -> list[int]:
    """So many orders that expire so many days after one another, the first of them in five days."""
    return [cloud.cas.add_order(domain=f"host{n}.example.com", days_left=5 + n * apart) for n in range(count)]


def lose_two(cloud: Cloud, function: Function, *lost: faults.Fault) -> tuple[str, str]:
    """Two orders of one product, both of whose answers are lost."""
    orders = [cloud.cas.add_order(domain=f"{name}.example.com", days_left=5) for name in "ab"]
    cloud.cas.fail(RENEWALS, *lost)
    answer = function.tick()
    assert {answer.of(order)["outcome"] for order in orders} == {"unknown"}
    return str(orders[0]), str(orders[1])


def hold(cloud: Cloud, function: Function, order: int) -> None:
    """Let an order need a decision: its answer is lost, and somebody renews it in the console as well."""
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    cloud.cas.renew_in_console(order, domain_filled=False)
    assert function.tick().outcomes[str(order)] == ("held", "several-candidates")


def bystanders(cloud: Cloud, count: int = 60, **more: Any) -> list[int]:
    """Orders of other products that nobody has to renew, enough for two pages."""
    return [
        cloud.cas.add_order(**{"domain": f"f{n}.example.net", "days_left": 150, "product_code": "filler", **more})
        for n in range(count)
    ]
