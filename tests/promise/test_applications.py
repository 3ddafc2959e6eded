"""At most one application per instance and certificate, and everybody told truly, whatever happens around it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed import Function
from tests.points import Crash, always_at, crash_at, once_at
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import messages

APPLY, DETAIL = "ApplyCertificate", "GetInstanceDetail"
ISSUED, STALLED, VALIDATION, APPLIED = (
    f"cas.instance.{what}" for what in ("issued", "stalled", "validation", "applied")
)


@pytest.fixture
def function(cloud: Cloud) -> Function:
    return Function(cloud, INSTANCES="apply")


def issued(cloud: Cloud) -> list[dict[str, Any]]:
    return [message["data"] for message in messages(cloud, ISSUED)]


# ------------------------------------------------------------------------------------- what is told of the certificate


def test_the_end_that_is_told_is_that_of_the_new_certificate_though_the_list_does_not_show_it_yet(
    cloud: Cloud, function: Function
) -> None:
    instance = cloud.cas.instances.add(days_left=20)
    row = {"CertificateId": cloud.cas.instances.of(instance).certificate_id}
    newest = cloud.cas.instances.certificate(instance)
    assert newest is not None
    row["CertificateNotAfter"] = int(newest.not_after.timestamp())
    function.tick()
    cloud.clock.advance(3600)
    new = cloud.cas.instances.certificate(instance)
    assert new is not None
    cloud.cas.instances.pages.odd_row(instance, **row)
    function.tick()
    (told,) = issued(cloud)
    assert told["CertificateId"] == str(new.certificate_id)
    assert told["CertEndTime"] == f"{new.not_after:%Y-%m-%dT%H:%M:%SZ}"


def test_the_end_that_is_told_is_that_of_the_certificate_itself_though_another_has_followed_it(
    cloud: Cloud, function: Function
) -> None:
    instance = cloud.cas.instances.add(days_left=20)
    function.tick()
    cloud.clock.advance(3600)
    first = cloud.cas.instances.certificate(instance)
    assert first is not None
    crash_at(cloud, "before", "smq", "SendMessage")
    with pytest.raises(Crash):
        function.tick()
    cloud.clock.advance(days=1)
    cloud.cas.instances.issue(instance)
    function.tick()
    told = {data["CertificateId"]: data["CertEndTime"] for data in issued(cloud)}
    assert told[str(first.certificate_id)] == f"{first.not_after:%Y-%m-%dT%H:%M:%SZ}"


def test_a_certificate_whose_own_window_is_open_when_it_is_first_seen_is_told_all_the_same(
    cloud: Cloud, function: Function
) -> None:
    instance = cloud.cas.instances.add(days_left=20)
    cloud.cas.authority.lifetime_days = 47
    function.tick()
    cloud.clock.advance(days=30)
    new = cloud.cas.instances.of(instance).certificate_id
    for _ in range(3):
        function.tick()
        cloud.clock.advance(days=1)
    assert str(new) in {data["CertificateId"] for data in issued(cloud)}


# --------------------------------------------------------------------------------------------- what has been seen ages


def test_what_was_seen_long_before_the_call_is_looked_at_again(cloud: Cloud, function: Function) -> None:
    """CAS is busy for so long that somebody else has got the next certificate meanwhile."""
    instance = cloud.cas.instances.add(days_left=20)
    cloud.cas.fail(APPLY, *[faults.throttle(retry_after_ms=25_000)] * 60)

    def somebody_applies() -> None:
        cloud.cas.instances.apply(instance)

    once_at(cloud, ("after", "cas", APPLY), somebody_applies)
    function.tick(timeout=7200)
    assert not cloud.cas.instances.applied(instance)


def test_a_base_that_is_known_to_be_replaced_is_not_applied_for_from_a_picture_that_is_older(
    cloud: Cloud, function: Function
) -> None:
    instance = cloud.cas.instances.add(days_left=29.5, hosted=True)
    old = cloud.cas.instances.certificate(instance)
    assert old is not None
    function.tick()
    cloud.clock.advance(3600)
    function.tick()
    assert len(issued(cloud)) == 1
    shown: dict[str, Any] = {
        "AutoReissue": "disable",
        "CertificateId": old.certificate_id,
        "CertificateNotAfter": int(old.not_after.timestamp()),
        "CertificateNotBefore": int(old.not_before.timestamp()),
    }
    cloud.cas.instances.pages.odd_row(instance, **shown)
    cloud.cas.instances.details.odd_row(instance, **shown)
    function.tick()
    assert not cloud.cas.calls_of(APPLY)


# ------------------------------------------------------------------------------------------------------- what is stuck


def test_a_second_trouble_of_the_same_day_is_told_too(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add(days_left=25, own_dns=False)
    function.tick()
    cloud.clock.advance(days=1.1)
    function.tick()
    cloud.cas.instances.refuse(instance, "the CA said no", after=1)
    cloud.clock.advance(3600)
    function.tick()
    cloud.clock.advance(days=1)
    function.tick()
    stages = [(message["data"]["Stage"], message["data"]["Detail"]) for message in messages(cloud, STALLED)]
    assert stages == [("review-too-long", ""), ("authority-says", "the CA said no")]
    assert len({message["id"] for message in messages(cloud, STALLED)}) == 2


def test_records_that_the_platform_is_about_to_add_are_asked_of_nobody(cloud: Cloud, function: Function) -> None:
    cloud.cas.instances.add(days_left=31, hosted=True)
    function.tick()
    cloud.clock.advance(days=1, seconds=60)
    function.tick()
    assert not messages(cloud, VALIDATION)


def test_records_that_the_platform_does_not_add_are_asked_for(cloud: Cloud, function: Function) -> None:
    cloud.cas.instances.add(days_left=31, hosted=True, own_dns=False)
    function.tick()
    for seconds in (60, 700, 700):
        cloud.clock.advance(days=1 if seconds == 60 else 0, seconds=seconds)
        function.tick()
    assert len(messages(cloud, VALIDATION)) == 1


def test_what_the_authority_said_of_an_earlier_application_is_not_said_of_ours(
    cloud: Cloud, function: Function
) -> None:
    instance = cloud.cas.instances.add(days_left=25, own_dns=False, pending_result="the CA had said no")
    cloud.cas.instances.pages.odd_row(instance, PendingResult="the CA had said no")
    function.tick()
    cloud.clock.advance(700)
    function.tick()
    assert not messages(cloud, STALLED)


def test_a_certificate_for_other_names_is_no_next_one_whatever_is_configured(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add("www.example.com", days_left=20, own_dns=False)
    base = cloud.cas.instances.of(instance).certificate_id
    function.tick()
    cloud.cas.instances.withdraw(instance)
    cloud.clock.advance(3600)
    happened: list[Any] = []

    def somebody_gets_another() -> None:
        if happened:
            return
        happened.append(1)
        cloud.cas.instances.change_domain(instance, "shop.example.com")
        cloud.cas.instances.issue(instance)
        cloud.cas.instances.change_domain(instance, "www.example.com")

    always_at(cloud, ("before", "cas", DETAIL), somebody_gets_another)
    function.tick()
    assert happened
    assert cloud.cas.instances.of(instance).certificate_id != base
    assert not issued(cloud)


def test_what_the_platform_got_is_told_although_its_own_window_is_open_when_it_is_first_seen(
    cloud: Cloud, function: Function
) -> None:
    instance = cloud.cas.instances.add(days_left=35, hosted=True)
    cloud.cas.authority.lifetime_days = 47
    function.tick()
    cloud.clock.advance(days=6)
    new = cloud.cas.instances.of(instance).certificate_id
    cloud.cas.instances.host(instance, hosted=False)
    cloud.clock.advance(days=30)
    for _ in range(3):
        function.tick()
        cloud.clock.advance(days=1)
    assert str(new) in {data["CertificateId"] for data in issued(cloud)}


def test_what_has_just_been_applied_for_is_no_alarm_however_near_its_end_is(cloud: Cloud, function: Function) -> None:
    cloud.cas.instances.add(days_left=9)
    function.tick()
    assert len(cloud.cas.calls_of(APPLY)) == 1
    assert not messages(cloud, STALLED)
