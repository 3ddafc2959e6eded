"""What nothing will replace is told when 14, 7, 3, 1 and 0 days are left: of every kind, whatever the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deployed import Answer, Function
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, QUEUE, Cloud
from tests.traces import RENEWALS, messages, warned

Makes = Callable[[Cloud, float], object]


def order(**fields: Any) -> Makes:
    return lambda cloud, days_left: cloud.cas.add_order(days_left=days_left, **fields)


def instance(**fields: Any) -> Makes:
    return lambda cloud, days_left: cloud.cas.instances.add("www.example.com", days_left, **fields)


def subscription_ends(cloud: Cloud, days_left: float) -> object:
    return cloud.cas.instances.add("www.example.com", days_left, subscription_days_left=days_left)


def upload(cloud: Cloud, days_left: float) -> object:
    return cloud.cas.certificates.upload("www.example.com", days_left=days_left)


def deleted_order(cloud: Cloud, days_left: float) -> object:
    cloud.cas.add_order(domain="another.example.com", days_left=300)  # an empty list tells nothing of what is behind it
    gone = cloud.cas.add_order(days_left=days_left)
    certificate = cloud.cas.order(gone).certificate()
    cloud.cas.remove(gone)
    return cloud.cas.certificates.keep(certificate).certificate_id


KINDS: dict[str, tuple[Makes, str, str]] = {
    "a free order": (order(cert_type="FREE"), "order", "free-certificate"),
    "an order of several names": (order(domain="a.example.com,b.example.com"), "order", "multi-domain"),
    "an order that may not be renewed": (order(domain="www.example.net"), "order", "domain-not-allowed"),
    "an order of a status that is left alone": (order(status="ISSUED"), "order", "not-expiring"),
    "an instance": (instance(), "instance", "watched"),
    "an instance of OV": (instance(certificate_type="OV"), "instance", "not-dv"),
    "a free instance": (instance(kind="TEST"), "instance", "test-instance"),
    "an instance whose subscription ends": (subscription_ends, "instance", "subscription-ends"),
    "an instance that was refunded": (instance(fixed_status="refund"), "instance", "closed"),
    "an upload": (upload, "certificate", "uploaded"),
    "a certificate whose order is gone": (deleted_order, "certificate", "unknown-origin"),
}

SETTINGS: Any = {"RENEW_DOMAINS": "*.example.com"}


def days_of(cloud: Cloud, function: Function, days: int, **settings: Any) -> list[Answer]:
    """Run twice a day, for so many days."""
    answers = []
    for _ in range(days):
        answers += [function.tick(**settings), function.tick(**settings)]
        cloud.clock.advance(days=1)
    return answers


@pytest.mark.parametrize("kind", KINDS)
def test_each_threshold_is_told_once_with_the_reason(cloud: Cloud, function: Function, kind: str) -> None:
    make, of_kind, reason = KINDS[kind]
    subject = str(make(cloud, 16.5))
    days_of(cloud, function, 60, **SETTINGS)
    found = warned(cloud)
    assert [(of, days) for of, days, _ in found] == [(subject, days) for days in (14, 7, 3, 1, 0)]
    assert {why for _, days, why in found if days} == {reason}
    told = messages(cloud, "cas.certificate.expiring")
    assert {message["data"]["Kind"] for message in told} == {of_kind}
    assert [message["data"]["DaysLeft"] for message in told] == [13, 6, 2, 0, -1]
    assert len(cloud.smq.messages()) == len(told)
    assert not cloud.cas.purchases


@pytest.mark.parametrize("kind", KINDS)
def test_its_line_says_expiring_from_fourteen_days_before_the_end_on(
    cloud: Cloud, function: Function, kind: str
) -> None:
    make, of_kind, reason = KINDS[kind]
    subject = str(make(cloud, 15.5))
    outcomes = []
    for _ in range(4):
        lines = [line for line in function.tick(**SETTINGS).orders if line.get(f"{of_kind}_id") == subject]
        outcomes += [(line["kind"], line["outcome"], line["reason"]) for line in lines]
        cloud.clock.advance(days=1)
    assert outcomes == [(of_kind, "skipped", reason)] * 2 + [(of_kind, "expiring", reason)] * 2


@pytest.mark.parametrize(
    ("within", "thresholds"),
    [(1, [1, 0]), (2, [1, 0]), (3, [3, 1, 0]), (10, [7, 3, 1, 0]), (14, [14, 7, 3, 1, 0]), (365, [14, 7, 3, 1, 0])],
)
def test_only_the_thresholds_within_the_setting_are_told(cloud: Cloud, within: int, thresholds: list[int]) -> None:
    function = Function(cloud, STALLED_WITHIN_DAYS=str(within))
    upload(cloud, 16.5)
    days_of(cloud, function, 20)
    assert [days for _, days, _ in warned(cloud)] == thresholds


@pytest.mark.parametrize(("days_left", "told"), [(14.01, []), (14, [14]), (6, [7]), (2, [3]), (0.2, [1]), (-5, [0])])
def test_what_is_first_seen_late_is_told_at_the_nearest_threshold_alone(
    cloud: Cloud, function: Function, days_left: float, told: list[int]
) -> None:
    upload(cloud, days_left)
    for _ in range(3):
        function.tick()
    assert [days for _, days, _ in warned(cloud)] == told


def test_a_day_that_nobody_ran_on_is_not_made_up_for(cloud: Cloud, function: Function) -> None:
    upload(cloud, 14)
    function.tick()
    cloud.clock.advance(days=13.5)
    function.tick()
    assert [days for _, days, _ in warned(cloud)] == [14, 1]


def test_it_goes_to_the_queue_of_alerts(cloud: Cloud) -> None:
    cloud.smq.add_queue("renewal-alerts")
    upload(cloud, 5)
    Function(cloud, ALERT_QUEUE="renewal-alerts").tick()
    assert warned(cloud, QUEUE) == []
    assert warned(cloud, "renewal-alerts") == [("9000000", 7, "uploaded")]


def test_it_says_where_it_is_in_use(cloud: Cloud, function: Function) -> None:
    used = cloud.cas.certificates.upload("www.example.com", days_left=5)
    cloud.cas.resources.add(used, "CDN", "www.example.com")
    cloud.cas.instances.add("portal.example.com", 5)
    function.tick()
    products = {message["data"]["Domain"]: message["data"]["Products"] for message in cloud.smq.messages()}
    assert products == {"www.example.com": ["CDN"], "portal.example.com": []}


# --- orders that are refused, held or lost ----------------------------------------------------------------------------


def test_a_refused_order_is_told_with_the_code_of_the_service(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(days_left=10)
    cloud.cas.fail(RENEWALS, *[faults.error("OrderStateError", 403)] * 20)
    days_of(cloud, function, 9)
    assert warned(cloud) == [(str(old), days, "OrderStateError") for days in (14, 7, 3)]


def test_orders_that_wait_for_quota_are_told_like_the_refused_one(cloud: Cloud, function: Function) -> None:
    orders = [cloud.cas.add_order(domain=f"{name}.example.com", days_left=10) for name in "ab"]
    cloud.cas.quota = 0
    function.tick()
    assert warned(cloud) == [(str(order), 14, "InsufficientQuota") for order in orders]


def test_a_lost_answer_is_told_by_no_alert_until_its_last_days(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order(days_left=10)
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    assert function.tick().of(old)["outcome"] == "unknown"
    assert warned(cloud) == []
    cloud.clock.advance(1000)
    assert function.tick().of(old)["outcome"] == "renewed"
    days_of(cloud, function, 6)
    assert warned(cloud) == []


def test_an_instance_is_told_of_its_next_certificate_anew(cloud: Cloud, function: Function) -> None:
    """The alerts have the same ids; what was told of the certificate before must not silence them."""
    cloud.cas.authority.lifetime_days = 47
    subject = cloud.cas.instances.add("www.example.com", 15)
    rounds = []
    for _ in range(3):
        before = len(warned(cloud))
        days_of(cloud, function, 10)
        rounds.append([days for _, days, _ in warned(cloud)[before:]])
        cloud.cas.instances.issue(subject)
        days_of(cloud, function, 32)
    assert rounds == [[14, 7]] * 3


def test_what_was_told_long_ago_is_forgotten(cloud: Cloud, function: Function) -> None:
    upload(cloud, 5)
    function.tick()
    assert [key for _, key in cloud.oss.objects if "/alerts/" in key]
    cloud.clock.advance(days=60)
    upload(cloud, 5)
    function.tick()
    assert [key for _, key in cloud.oss.objects if "/alerts/" in key] == ["renewals/alerts/9000001-expiring-7"]
    assert (BUCKET, "renewals/report.json") in cloud.oss.objects
