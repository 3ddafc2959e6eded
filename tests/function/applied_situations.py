"""Still more situations of which tests/journals keeps what the journal then said: of instances that are applied for.

See `tests.function.old_situations`, among whose situations these are.
"""

from __future__ import annotations

import pytest

from tests.deployed import Function
from tests.function.old_situations import SETTLED, situation
from tests.function.watched_situations import BASE, INSTANCE, NEXT, SITUATIONS, instance_followed
from tests.points import Crash, crash_at
from tests.stubs import faults
from tests.stubs.cloud import Cloud

__all__ = ["APPLICATIONS", "BASE", "INSTANCE", "NEXT", "RELEASE", "SITUATIONS", "runs"]

APPLICATIONS = "ApplyCertificate"
RELEASE = {"release": {"instance_id": INSTANCE}}


def runs(function: Function) -> None:
    """Let the timer fire, with the setting without which nothing is applied for."""
    function.tick(INSTANCES="apply")


def _due(cloud: Cloud) -> None:
    """An instance that is to be applied for; nobody adds the records that its authority asks for."""
    cloud.cas.instances.add("app.example.com", 20, instance_id=INSTANCE, own_dns=False, months=36)


def _dies(cloud: Cloud, function: Function, phase: str) -> None:
    _due(cloud)
    crash_at(cloud, phase, "cas", APPLICATIONS)
    with pytest.raises(Crash):
        runs(function)


@situation
def instance_claimed_and_applied(cloud: Cloud, function: Function) -> None:
    _dies(cloud, function, "after")


@situation
def instance_claimed_in_vain(cloud: Cloud, function: Function) -> None:
    _dies(cloud, function, "before")


@situation
def instance_unknown_and_applied(cloud: Cloud, function: Function) -> None:
    _due(cloud)
    cloud.cas.fail(APPLICATIONS, faults.timeout_after())
    runs(function)


@situation
def instance_refused(cloud: Cloud, function: Function) -> None:
    _due(cloud)
    cloud.cas.fail(APPLICATIONS, faults.error("MissingParameter"))
    runs(function)


@situation
def instance_held_after_three_lost_answers(cloud: Cloud, function: Function) -> None:
    _due(cloud)
    cloud.cas.fail(APPLICATIONS, *[faults.timeout_before()] * 3)
    for _ in range(4):
        runs(function)
        cloud.clock.advance(SETTLED)


@situation
def instance_released(cloud: Cloud, function: Function) -> None:
    instance_held_after_three_lost_answers(cloud, function)
    function.invoke(RELEASE)


@situation
def instance_applied(cloud: Cloud, function: Function) -> None:
    _due(cloud)
    runs(function)


@situation
def instance_applied_and_not_notified(cloud: Cloud, function: Function) -> None:
    _due(cloud)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    runs(function)


@situation
def instance_that_asks_for_records(cloud: Cloud, function: Function) -> None:
    instance_applied(cloud, function)
    cloud.clock.advance(601)
    runs(function)


@situation
def instance_followed_that_asks_for_records(cloud: Cloud, function: Function) -> None:
    instance_followed(cloud, function)
    cloud.clock.advance(601)
    function.tick()


@situation
def instance_turned_down(cloud: Cloud, function: Function) -> None:
    instance_applied(cloud, function)
    cloud.cas.instances.refuse(INSTANCE, "CAA forbids it", after=300)
    cloud.clock.advance(days=1)
    runs(function)


@situation
def instance_turned_down_and_released(cloud: Cloud, function: Function) -> None:
    instance_turned_down(cloud, function)
    function.invoke(RELEASE)


@situation
def instance_applied_and_issued(cloud: Cloud, function: Function) -> None:
    instance_applied(cloud, function)
    cloud.cas.instances.issue(INSTANCE)
    cloud.clock.advance(days=1)
    runs(function)


@situation
def instance_applied_for_once_more(cloud: Cloud, function: Function) -> None:
    """Half a year later, for the certificate after the next."""
    instance_applied_and_issued(cloud, function)
    cloud.clock.advance(days=175)
    runs(function)
