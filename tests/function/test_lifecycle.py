"""After the renewal: the new order is followed until its certificate is issued, and nobody has to look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.deployed import Function
from tests.points import Crash, crash_at
from tests.situations import lose_two
from tests.stubs import faults
from tests.stubs.cloud import QUEUE, Cloud
from tests.traces import LIST, RENEWALS, messages


def renewed(cloud: Cloud, function: Function, days_left: float = 20) -> tuple[int, int]:
    """An order that was renewed, and its successor."""
    old = cloud.cas.add_order(days_left=days_left)
    assert function.tick().of(old)["outcome"] == "renewed"
    return old, cloud.cas.purchases[-1].new_order_id


def test_an_issued_certificate_is_told_once(cloud: Cloud, function: Function) -> None:
    old, new = renewed(cloud, function)
    cloud.cas.apply(new)
    function.tick()
    assert not messages(cloud, "cas.order.issued")
    cloud.cas.issue(new, days=200)
    issued_at = cloud.clock.now()
    for _ in range(3):
        function.tick()
    (message,) = messages(cloud, "cas.order.issued")
    assert (message["id"], message["subject"]) == (f"{old}-{new}-issued", str(new))
    assert message["time"].startswith(f"{issued_at:%Y-%m-%dT%H}")
    assert message["data"] == {
        "OrderId": str(new),
        "RenewedOrderId": str(old),
        "Domain": "www.example.com",
        "ProductCode": "digicert-dv-1",
        "InstanceId": cloud.cas.order(new).instance_id,
        "CertEndTime": f"{issued_at + timedelta(days=200):%Y-%m-%dT%H:%M:%S}.{issued_at.microsecond:06d}Z".replace(
            ".000000", ""
        ),
        "CertificateId": str(cloud.cas.order(new).certificate_id),
        "ReplacedCertificateId": str(cloud.cas.order(old).certificate_id),
        "StillBound": [],
    }


def test_a_renewal_that_does_not_get_on_is_told_once_a_day_from_fourteen_days_before_the_end(
    cloud: Cloud, function: Function
) -> None:
    old, new = renewed(cloud, function, days_left=20)
    days = []
    for _ in range(10):
        cloud.clock.advance(days=1)
        function.tick()
        function.tick()
        days.append(len(messages(cloud, "cas.order.stalled")))
    assert days == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]
    first = messages(cloud, "cas.order.stalled")[0]
    assert first["id"] == f"{old}-{new}-stalled-2026-11-27"
    assert (first["data"]["Stage"], first["data"]["DaysLeft"], first["data"]["OrderId"]) == ("PAYED", 14, str(new))
    assert len({message["id"] for message in messages(cloud, "cas.order.stalled")}) == 5


def test_how_many_days_before_the_end_is_a_setting(cloud: Cloud) -> None:
    function = Function(cloud, STALLED_WITHIN_DAYS="3")
    renewed(cloud, function, days_left=10)
    for expected in (0, 0, 0, 0, 0, 0, 1, 2):
        cloud.clock.advance(days=1)
        function.tick()
        assert len(messages(cloud, "cas.order.stalled")) == expected


@pytest.mark.parametrize(
    ("move", "stage"), [("apply", "CHECKING"), ("fail_review", "CHECKED_FAIL"), ("cancel", "GONE"), (None, "PAYED")]
)
def test_what_it_is_stuck_in_is_told(cloud: Cloud, function: Function, move: str | None, stage: str) -> None:
    _, new = renewed(cloud, function, days_left=10)
    if move == "fail_review":
        cloud.cas.apply(new)
    if move:
        getattr(cloud.cas, move)(new)
    cloud.clock.advance(days=1)
    function.tick()
    assert [message["data"]["Stage"] for message in messages(cloud, "cas.order.stalled")] == [stage]


def test_a_new_order_that_shows_late_is_not_gone(cloud: Cloud, function: Function) -> None:
    cloud.cas.visible_after = 800
    renewed(cloud, function, days_left=10)
    cloud.clock.advance(700)
    function.tick()
    assert messages(cloud, "cas.order.stalled")[0]["data"]["Stage"] == ""
    cloud.clock.advance(days=1)
    function.tick()
    assert messages(cloud, "cas.order.stalled")[1]["data"]["Stage"] == "PAYED"


@pytest.mark.parametrize("move", ["cancel", "apply"])
def test_a_certificate_that_another_order_replaces_needs_no_watching(
    cloud: Cloud, function: Function, move: str
) -> None:
    cloud.cas.pending_domain = "filled"
    _, new = renewed(cloud, function, days_left=10)
    getattr(cloud.cas, move)(new)
    cloud.cas.add_order(days_left=200, bought_at=cloud.clock.now())
    cloud.clock.advance(days=1)
    function.tick()
    function.tick()
    assert not messages(cloud, "cas.order.stalled")
    cloud.clock.advance(days=45)
    if move == "apply":
        cloud.cas.issue(new)
    function.tick()
    assert [message["data"]["OrderId"] for message in messages(cloud, "cas.order.issued")] == (
        [str(new)] if move == "apply" else []
    )
    function.tick()
    assert not [key for _, key in cloud.oss.objects if "/open/" in key]


def test_a_renewal_that_never_gets_on_is_given_up_a_month_after_the_end(cloud: Cloud, function: Function) -> None:
    _, new = renewed(cloud, function, days_left=5)
    for _ in range(45):
        cloud.clock.advance(days=1)
        function.tick()
    stalled = messages(cloud, "cas.order.stalled")
    assert len(stalled) == 35
    assert stalled[-1]["data"]["DaysLeft"] == -30
    cloud.cas.issue(new)
    function.tick()
    assert len(messages(cloud, "cas.order.issued")) == 1, "late is not never"
    function.tick()
    assert not [key for _, key in cloud.oss.objects if "/open/" in key]


def test_a_renewal_whose_order_is_gone_is_given_up_a_month_after_the_end(cloud: Cloud, function: Function) -> None:
    _, new = renewed(cloud, function, days_left=5)
    cloud.cas.cancel(new)
    cloud.clock.advance(days=36)
    function.tick()
    function.tick()
    assert not messages(cloud, "cas.order.stalled")
    assert not [key for _, key in cloud.oss.objects if "/open/" in key]


def test_a_refusal_is_told_once_and_the_next_one_again(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("InsufficientQuota"), faults.error("InsufficientQuota"))
    function.tick()
    function.tick()
    (message,) = messages(cloud, "cas.renewal.failed")
    assert (message["id"], message["subject"]) == (f"{old}-failed-2", str(old))
    assert message["data"] == {
        "OrderId": str(old),
        "Domain": "www.example.com",
        "ProductCode": "digicert-dv-1",
        "InstanceId": cloud.cas.order(old).instance_id,
        "CertEndTime": "2026-12-11T03:00:00Z",
        "Outcome": "refused",
        "Reason": "InsufficientQuota",
        "Candidates": [],
        "CandidatesInAll": 0,
    }
    cloud.clock.advance(days=1)
    function.tick()
    assert len({message["id"] for message in messages(cloud, "cas.renewal.failed")}) == 2


def test_a_held_order_is_told_once_with_its_candidates(cloud: Cloud, function: Function) -> None:
    orders = [cloud.cas.add_order(domain=f"{name}.example.com", days_left=5) for name in "ab"]
    cloud.cas.fail(RENEWALS, faults.timeout_after(), faults.timeout_before())
    for _ in range(4):
        function.tick()
        cloud.clock.advance(days=1)
    failed = messages(cloud, "cas.renewal.failed")
    assert [message["data"]["OrderId"] for message in failed] == [str(order) for order in orders]
    new = str(cloud.cas.purchases[0].new_order_id)
    assert all(message["data"]["Candidates"] == [new] for message in failed)
    assert {message["data"]["Outcome"] for message in failed} == {"held"}


def test_what_held_an_order_once_is_not_told_of_its_next_failure(cloud: Cloud, function: Function) -> None:
    _, released = lose_two(cloud, function, faults.timeout_after(), faults.timeout_before())
    function.tick()
    function.invoke({"release": {"order_id": released}})
    cloud.cas.fail(RENEWALS, faults.error("NotFound"))
    function.tick()
    message = messages(cloud, "cas.renewal.failed")[-1]
    assert (message["data"]["OrderId"], message["data"]["Reason"]) == (released, "NotFound")
    assert message["data"]["Candidates"] == []


def test_throttling_that_is_waited_out_and_lack_of_time_are_no_failures(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.throttle())
    function.tick(timeout=10)
    function.tick()
    assert [message["type"] for message in cloud.smq.messages()] == ["cas.order.renewed"]


def test_a_failure_that_could_not_be_told_is_told_by_the_next_run(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("NotFound"))
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.tick()
    assert not cloud.smq.messages()
    function.tick()
    assert len(messages(cloud, "cas.renewal.failed")) == 1
    function.tick()
    assert len(messages(cloud, "cas.renewal.failed")) == 1


def test_what_was_sent_but_not_recorded_is_sent_again_with_the_same_id(cloud: Cloud, function: Function) -> None:
    _, new = renewed(cloud, function)
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    cloud.oss.fail("AppendObject", None, *[faults.error("InternalError", 500)] * 3)
    assert function.tick().failed
    assert not function.tick().failed
    first, second = messages(cloud, "cas.order.issued")
    assert first == second


def test_alarms_go_to_their_own_queue_if_there_is_one(cloud: Cloud) -> None:
    cloud.smq.add_queue("renewal-alerts")
    function = Function(cloud, ALERT_QUEUE="renewal-alerts")
    cloud.cas.add_order(domain="a.example.com", days_left=5)
    cloud.cas.add_order(domain="b.example.com", days_left=6)
    cloud.cas.fail(RENEWALS, faults.error("NotFound"), None)
    function.tick()
    cloud.clock.advance(3600)
    function.tick()
    assert [message["type"] for message in cloud.smq.messages(QUEUE)] == ["cas.order.renewed"]
    alerts = {message["type"] for message in cloud.smq.messages("renewal-alerts")}
    assert alerts == {"cas.renewal.failed", "cas.order.stalled", "cas.certificate.expiring"}


def test_a_run_that_has_nothing_to_say_sends_nothing(cloud: Cloud, function: Function) -> None:
    _, new = renewed(cloud, function, days_left=29)
    cloud.cas.apply(new)
    before = len(cloud.smq.calls)
    for _ in range(10):
        cloud.clock.advance(days=1)
        assert not function.tick().failed
    assert len(cloud.smq.calls) == before


def test_watching_never_asks_for_anything_that_returns_a_private_key(cloud: Cloud, function: Function) -> None:
    _, new = renewed(cloud, function)
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    function.tick()
    cloud.cas.instances.add("hosted.example.com", 5, hosted=True)
    cloud.cas.certificates.upload("uploaded.example.com", days_left=5)
    function.tick()
    assert {call.action for call in cloud.cas.calls} == {
        LIST,
        RENEWALS,
        "ListInstances",
        "ListCertificates",
        "ListCloudResources",
        "GetInstanceDetail",
    }
    assert {tuple(sorted(call.params)) for call in cloud.cas.calls_of("GetInstanceDetail")} == {("InstanceId",)}


def test_a_dry_run_tells_nothing(cloud: Cloud, function: Function) -> None:
    _, new = renewed(cloud, function)
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    function.tick(DRY_RUN="true")
    assert not messages(cloud, "cas.order.issued")


def test_an_outcome_that_is_unknown_for_longer_than_a_day_is_told(cloud: Cloud, function: Function) -> None:
    """It takes another order whose run may last for a day: until then nobody can say whose the new order is."""
    cloud.cas.visible_after = 800
    lost = cloud.cas.add_order(domain="a.example.com", days_left=9)
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    cloud.clock.advance(300)
    cloud.cas.add_order(domain="b.example.com", days_left=8)

    crash_at(cloud, "before", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(timeout=86_400)
    cloud.clock.advance(days=1, seconds=-400)
    assert function.tick().outcomes[str(lost)] == ("deferred", "settling")
    assert not messages(cloud, "cas.renewal.failed")
    cloud.clock.advance(200)
    for _ in range(2):
        assert function.tick().outcomes[str(lost)] == ("deferred", "settling")
    (message,) = messages(cloud, "cas.renewal.failed")
    assert (message["data"]["OrderId"], message["data"]["Outcome"]) == (str(lost), "unknown")
