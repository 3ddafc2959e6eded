"""What watching costs: two calls for an account with orders only, and of a large account little more than its pages."""

from __future__ import annotations

from collections import Counter

import pytest

from handler.cloud.cas_client import A_SECOND, READS_A_SECOND
from tests.deployed import Function
from tests.stubs.cloud import Cloud
from tests.traces import messages, warned

Calls = tuple[int, int, int]
"""How many went to CAS, to the journal and to the queue."""


def made(cloud: Cloud) -> Calls:
    return len(cloud.cas.calls), len(cloud.oss.calls), len(cloud.smq.calls)


def calls_of_days(cloud: Cloud, function: Function, days: int) -> list[Calls]:
    """What a run a day makes; nothing that is bought is issued meanwhile."""
    found = []
    for _ in range(days):
        before = made(cloud)
        function.tick()
        after = made(cloud)
        found.append((after[0] - before[0], after[1] - before[1], after[2] - before[2]))
        cloud.clock.advance(days=1)
    return found


def orders(cloud: Cloud, quiet: int, due: int) -> None:
    for n in range(quiet):
        cloud.cas.add_order(domain=f"quiet{n}.example.com", days_left=150)
    for n in range(due):
        cloud.cas.add_order(domain=f"due{n}.example.com", days_left=20)


BEFORE: dict[tuple[int, int], list[Calls]] = {
    (0, 0): [(2, 3, 0)] * 3,
    (40, 0): [(2, 3, 0)] * 3,
    (120, 0): [(4, 3, 0)] * 3,
    (40, 1): [(5, 11, 1), (2, 7, 0), (2, 5, 0)],
    (40, 15): [(16, 52, 10), (11, 49, 5), (3, 26, 0)],
}
"""By orders that are quiet and that are due: the calls of the first three days before anything else was watched."""


@pytest.mark.parametrize(("quiet", "due"), BEFORE)
@pytest.mark.parametrize("watch", ["orders", "orders,instances,certificates"])
def test_an_account_with_orders_only_costs_two_calls_more_on_any_day(
    cloud: Cloud, watch: str, quiet: int, due: int
) -> None:
    """A list each; that of the certificates has those of the orders, too, a hundred on a page."""
    orders(cloud, quiet, due)
    before = BEFORE[quiet, due]
    more = 0 if watch == "orders" else 2 + (quiet + due) // 100
    assert calls_of_days(cloud, Function(cloud, WATCH=watch), 3) == [(cas + more, oss, smq) for cas, oss, smq in before]


def test_an_event_for_one_order_reads_the_instances_and_no_certificates(cloud: Cloud, function: Function) -> None:
    orders(cloud, 40, 1)
    function.invoke({"order_ids": [cloud.cas.order_ids()[-1]]})
    asked = Counter(call.action for call in cloud.cas.calls)
    assert (asked["ListInstances"], asked["ListCertificates"]) == (1, 0)


def test_what_was_told_yesterday_costs_a_look_at_what_was_told_and_no_second_reading(
    cloud: Cloud, function: Function
) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=12.5)
    (told, _, _), *quiet = calls_of_days(cloud, function, 4)
    assert told == 8, "all lists twice: a successor may have slipped past while they were read"
    assert quiet == [(4, 4, 0)] * 3


def test_a_large_account_is_read_in_little_more_calls_and_time_than_its_pages_ask_for(
    cloud: Cloud, function: Function
) -> None:
    for n in range(10_000):
        source = "BUY" if n % 2 else "CPACK"
        cloud.cas.add_order(domain=f"order{n}.example.com", days_left=100 + n % 60, source=source)  # type: ignore[arg-type]
    for n in range(5_000):
        cloud.cas.instances.add(f"instance{n}.example.com", 60 + n % 100, hosted=n % 2 == 0)
        cloud.cas.certificates.upload(f"upload{n}.example.com", days_left=20 + n % 100)
    of_certificates = 10_000 + 5_000 + 5_000
    pages = 10_000 // 50 + 5_000 // 100 + of_certificates // 100
    started = cloud.clock.now()
    answer = function.tick()
    assert not answer.failed
    assert pages <= len(cloud.cas.calls) <= 1.01 * pages
    assert {call.action for call in cloud.cas.calls} == {
        "ListUserCertificateOrder",
        "ListInstances",
        "ListCertificates",
    }
    seconds = (cloud.clock.now() - started).total_seconds()
    assert seconds <= 1.15 * pages / READS_A_SECOND
    assert seconds <= (len(cloud.cas.calls) / READS_A_SECOND) * A_SECOND.total_seconds()
    assert len(cloud.oss.calls) <= 5


def test_a_large_account_with_news_is_read_twice_and_no_more(cloud: Cloud, function: Function) -> None:
    for n in range(500):
        cloud.cas.add_order(domain=f"order{n}.example.com", days_left=150)
        cloud.cas.instances.add(f"instance{n}.example.com", 5 if n < 3 else 100)
    function.tick()
    quiet = 500 // 50 + 2 + 500 // 100 + 1 + 1_000 // 100 + 1
    assert len(cloud.cas.calls) <= 2 * quiet
    assert len(warned(cloud)) == 3
    assert not messages(cloud, "cas.instance.stalled")
