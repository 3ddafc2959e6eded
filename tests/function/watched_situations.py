"""More situations of which tests/journals keeps what the journal then said: of what is watched, since that is watched.

See `tests.function.old_situations`, among whose situations these are.
"""

from __future__ import annotations

from tests.deployed import Function
from tests.function.old_situations import SITUATIONS, situation
from tests.stubs import faults
from tests.stubs.cloud import Cloud

__all__ = ["BASE", "INSTANCE", "NEXT", "SITUATIONS", "UPLOAD"]

INSTANCE, BASE, NEXT, UPLOAD = "cas_dv-cn-example01", "20000000", "20000001", "9000000"


@situation
def instance_followed(cloud: Cloud, function: Function) -> None:
    """The platform hosts it, has applied, and waits for a record that nobody adds."""
    cloud.cas.instances.add("portal.example.com", 20, instance_id=INSTANCE, hosted=True, own_dns=False)
    function.tick()


@situation
def instance_stalled(cloud: Cloud, function: Function) -> None:
    cloud.cas.authority.records_after = 10**9  # that somebody must add some was not told yet
    instance_followed(cloud, function)
    cloud.clock.advance(days=7)
    function.tick()


@situation
def instance_issued(cloud: Cloud, function: Function) -> None:
    instance_followed(cloud, function)
    cloud.cas.instances.issue(INSTANCE)
    for _ in range(2):
        cloud.clock.advance(days=1)
        function.tick()


@situation
def instance_issued_and_not_notified(cloud: Cloud, function: Function) -> None:
    instance_followed(cloud, function)
    cloud.cas.instances.issue(INSTANCE)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    cloud.clock.advance(days=1)
    function.tick()


@situation
def instance_followed_for_other_names(cloud: Cloud, function: Function) -> None:
    cloud.cas.authority.hosting_works = False
    instance_followed(cloud, function)
    cloud.cas.instances.change_domain(INSTANCE, "shop.example.com")
    cloud.cas.instances.issue(INSTANCE)
    cloud.clock.advance(days=1)
    function.tick()


@situation
def instance_given_up(cloud: Cloud, function: Function) -> None:
    """A month after the end of its certificate."""
    instance_followed(cloud, function)
    for _ in range(2):
        cloud.clock.advance(days=51)
        function.tick()


@situation
def alarmed_on_a_day_with_a_renewal(cloud: Cloud, function: Function) -> None:
    """One of two was bought under the limit of a run, and the run failed for an upload that ends soon."""
    cloud.cas.add_order()
    cloud.cas.add_order(domain="shop.example.com", days_left=21)
    cloud.cas.certificates.upload("partner.example.com", days_left=2.5)
    function.tick(MAX_RENEWALS_PER_RUN="1")
