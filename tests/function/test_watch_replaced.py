"""Nothing is told of what something replaces, or will: the same names for longer, hosted, in review, renewed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deployed import Function
from tests.stubs.certificate import Certificate
from tests.stubs.cloud import Cloud
from tests.stubs.misbehaviour import MovingLists
from tests.traces import messages, warned

Act = Callable[[Cloud], object]


def quiet(cloud: Cloud, function: Function, days: int = 8, **settings: Any) -> None:
    """Run for some days, over the end of what ends: nobody is told, no run fails, and no line says expiring."""
    for _ in range(days):
        answer = function.tick(**settings)
        assert not answer.failed
        assert "expiring" not in answer.result["counts"]
        cloud.clock.advance(days=1)
    assert warned(cloud) == []


# --- the same names, for longer ---------------------------------------------------------------------------------------

ENDING: dict[str, Act] = {
    "an order": lambda cloud: cloud.cas.add_order(days_left=5.5, cert_type="FREE", product_code="free"),
    "an instance": lambda cloud: cloud.cas.instances.add("www.example.com", 5.5, kind="TEST"),
    "an upload": lambda cloud: cloud.cas.certificates.upload("www.example.com", days_left=5.5),
}
LASTING: dict[str, Act] = {
    "an order": lambda cloud: cloud.cas.add_order(days_left=90, product_code="new"),
    "an instance": lambda cloud: cloud.cas.instances.add("www.example.com", 90),
    "an upload": lambda cloud: cloud.cas.certificates.upload("www.example.com", days_left=90),
    "another spelling": lambda cloud: cloud.cas.certificates.upload("WWW.Example.COM.", days_left=90),
    "an instance, and a name that the authority adds": lambda cloud: cloud.cas.instances.add(
        "www.example.com", 90, certificate_domain="www.example.com,example.com"
    ),
}


@pytest.mark.parametrize("lasting", LASTING)
@pytest.mark.parametrize("ending", ENDING)
def test_whatever_has_the_same_names_for_longer_replaces_it(
    cloud: Cloud, function: Function, ending: str, lasting: str
) -> None:
    ENDING[ending](cloud)
    LASTING[lasting](cloud)
    quiet(cloud, function)


@pytest.mark.parametrize(
    "names", [("www.example.com", "shop.example.com"), ("*.example.com",), ("example.com",), ("ww.example.com",)]
)
@pytest.mark.parametrize("ending", ENDING)
def test_other_names_replace_nothing(cloud: Cloud, function: Function, ending: str, names: tuple[str, ...]) -> None:
    subject = ENDING[ending](cloud)
    cloud.cas.certificates.upload(*names, days_left=90)
    function.tick()
    assert [(of, days) for of, days, _ in warned(cloud)] == [(str(subject), 7)]


@pytest.mark.parametrize("ending", ENDING)
def test_of_several_names_the_order_in_which_they_stand_does_not_matter(
    cloud: Cloud, function: Function, ending: str
) -> None:
    add: dict[str, Act] = {
        "an order": lambda cloud: cloud.cas.add_order(domain="a.example.com,b.example.com", days_left=5.5),
        "an instance": lambda cloud: cloud.cas.instances.add("a.example.com,b.example.com", 5.5),
        "an upload": lambda cloud: cloud.cas.certificates.upload("a.example.com", "b.example.com", days_left=5.5),
    }
    add[ending](cloud)
    cloud.cas.certificates.upload("b.example.com", "a.example.com", days_left=90)
    quiet(cloud, function)


def test_a_name_in_chinese_is_the_same_in_ascii(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("商店.example.com", days_left=5.5)
    cloud.cas.certificates.upload("xn--fiqu1dh38e.example.com", days_left=6.5)
    name = "商店.example.com".encode("idna").decode()
    cloud.cas.certificates.upload(name, days_left=90)
    function.tick()
    assert [of for of, _, _ in warned(cloud)] == ["9000001"]


@pytest.mark.parametrize("adds_apex", [False, True])
def test_the_next_certificate_of_an_instance_replaces_the_one_before(
    cloud: Cloud, function: Function, adds_apex: bool
) -> None:
    """The authority may have added a name to both of them that nobody has configured."""
    cloud.cas.authority.adds_apex = adds_apex
    names = "www.example.com,example.com" if adds_apex else "www.example.com"
    instance = cloud.cas.instances.add("www.example.com", 5.5, certificate_domain=names)
    cloud.cas.instances.issue(instance)
    quiet(cloud, function)


def test_what_was_revoked_replaces_nothing(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=5.5)
    cloud.cas.certificates.revoke(cloud.cas.certificates.upload("www.example.com", days_left=90))
    other = cloud.cas.instances.add("www.example.com", 90)
    newest = cloud.cas.instances.certificate(other)
    assert newest is not None
    cloud.cas.certificates.revoke(newest.certificate_id)
    cloud.cas.add_order(days_left=90, status="REVOKED")
    function.tick()
    assert warned(cloud) == [("9000000", 7, "uploaded")]


def test_of_what_was_revoked_itself_nobody_is_told(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.revoke(cloud.cas.certificates.upload("a.example.com", days_left=5.5))
    cloud.cas.add_order(domain="b.example.com", days_left=5.5, status="REVOKED")
    instance = cloud.cas.instances.add("c.example.com", 5.5)
    newest = cloud.cas.instances.certificate(instance)
    assert newest is not None
    cloud.cas.certificates.revoke(newest.certificate_id)
    quiet(cloud, function)


def test_an_instance_without_a_certificate_is_nobodys_concern(cloud: Cloud, function: Function) -> None:
    cloud.cas.instances.buy("www.example.com")
    withdrawn = cloud.cas.instances.buy("shop.example.com")
    cloud.cas.instances.apply(withdrawn)
    cloud.cas.instances.withdraw(withdrawn)
    quiet(cloud, function)


# --- somebody gets the next one ---------------------------------------------------------------------------------------


def test_what_the_platform_hosts_in_time_is_told_by_nobody(cloud: Cloud, function: Function) -> None:
    cloud.cas.instances.add("www.example.com", 5.5, hosted=True)
    function.tick()
    cloud.clock.advance(3600)
    quiet(cloud, function)
    assert [message["type"] for message in cloud.smq.messages()] == ["cas.instance.stalled", "cas.instance.issued"]


def test_a_hosted_order_is_left_to_the_platform_until_its_last_days(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order(days_left=10.5, trustee="trustee")
    for _ in range(12):
        function.tick()
        cloud.clock.advance(days=1)
    assert warned(cloud) == [(str(order), 3, "hosted"), (str(order), 1, "hosted"), (str(order), 0, "hosted")]


def test_an_application_in_review_is_followed_and_not_told_a_second_time(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add("www.example.com", 10.5, own_dns=False)
    cloud.cas.instances.apply(instance)
    for _ in range(4):
        assert not function.tick().failed
        cloud.clock.advance(days=1)
    stalled, validation = "cas.instance.stalled", "cas.instance.validation"
    assert [message["type"] for message in cloud.smq.messages()] == [stalled, validation, stalled, stalled, stalled]


def test_an_application_that_was_turned_down_is_told_from_then_on(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add("www.example.com", 10.5)
    cloud.cas.instances.refuse(instance, "CAA forbids it")
    cloud.cas.instances.apply(instance)
    function.tick()
    assert warned(cloud) == []
    cloud.clock.advance(days=1)
    function.tick()
    assert warned(cloud) == [(instance, 14, "watched")]


def test_what_is_renewed_and_what_will_be_in_time_is_told_by_nobody(cloud: Cloud, function: Function) -> None:
    soon = [cloud.cas.add_order(domain=f"host{n}.example.com", days_left=13.5) for n in range(6)]
    cloud.cas.add_order(domain="later.example.com", days_left=40)
    for _ in range(3):
        function.tick(MAX_RENEWALS_PER_RUN="2")
        for purchase in cloud.cas.purchases:
            if cloud.cas.status(purchase.new_order_id) == "PAYED":
                cloud.cas.apply(purchase.new_order_id)
                cloud.cas.issue(purchase.new_order_id)
        cloud.clock.advance(days=1)
    assert len(cloud.cas.purchases) == len(soon)
    quiet(cloud, function, days=12, MAX_RENEWALS_PER_RUN="2")


def test_a_window_that_opens_late_is_waited_for(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(days_left=10.5)
    quiet(cloud, function, days=3, RENEW_WITHIN_DAYS="5")


@pytest.mark.parametrize("applied", [True, False])
def test_what_a_person_bought_in_the_console_stands_in_once_somebody_has_applied(
    cloud: Cloud, function: Function, applied: bool
) -> None:
    old = cloud.cas.add_order(days_left=10.5)
    new = cloud.cas.renew_in_console(old)
    if applied:
        cloud.cas.apply(new)
    function.tick()
    assert warned(cloud) == ([] if applied else [(str(old), 14, "superseded")])
    assert len(cloud.cas.purchases) == 1


# --- a site that has moved to V2 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "is_bought"),
    [
        ({"domain": "www.example.com", "days_left": 90}, False),
        ({"domain": "WWW.example.com", "days_left": 90}, False),
        ({"domain": "www.example.com", "days_left": 90, "certificate_domain": "www.example.com,example.com"}, False),
        ({"domain": "www.example.com", "days_left": 5.5}, True),
        ({"domain": "www.example.com", "days_left": 4}, True),
        ({"domain": "www.example.com,shop.example.com", "days_left": 90}, True),
        ({"domain": "*.example.com", "days_left": 90}, True),
        ({"domain": "www.example.com", "days_left": 90, "fixed_status": "refund"}, True),
        ({"domain": "www.example.com", "days_left": None}, True),
    ],
)
@pytest.mark.parametrize("event", ["timer", "manual"])
def test_nothing_is_bought_for_a_site_that_has_moved(
    cloud: Cloud, function: Function, event: str, moved: dict[str, Any], is_bought: bool
) -> None:
    order = cloud.cas.add_order(days_left=5.5)
    cloud.cas.instances.add(**moved)
    answer = function.tick() if event == "timer" else function.invoke({"order_ids": [order]})
    assert answer.of(order)["outcome"] == ("renewed" if is_bought else "skipped")
    assert (answer.of(order)["reason"] == "covered") is not is_bought
    assert len(cloud.cas.purchases) == is_bought


def test_a_site_whose_new_certificate_was_revoked_has_not_moved(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order(days_left=5.5)
    newest = cloud.cas.instances.certificate(cloud.cas.instances.add("www.example.com", 90))
    assert newest is not None
    cloud.cas.certificates.revoke(newest.certificate_id)
    assert function.tick().of(order)["outcome"] == "renewed"


def test_in_a_dry_run_a_site_that_has_moved_is_covered_too(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order(days_left=5.5)
    cloud.cas.instances.add("www.example.com", 90)
    assert function.tick(DRY_RUN="true").outcomes == {str(order): ("skipped", "covered")}


def test_while_it_cannot_be_seen_whether_a_site_has_moved_its_order_is_renewed(
    cloud: Cloud, function: Function
) -> None:
    order = cloud.cas.add_order(days_left=5.5)
    cloud.cas.instances.add("www.example.com", 90)
    assert function.tick(WATCH="orders").of(order)["outcome"] == "renewed"


# --- the operator's rules ---------------------------------------------------------------------------------------------


def everything(cloud: Cloud, domain: str) -> None:
    cloud.cas.add_order(domain=domain, days_left=5.5, cert_type="FREE")
    cloud.cas.instances.add(domain, 5.5, kind="TEST")
    cloud.cas.instances.add(domain, 5.5, hosted=True, own_dns=False)
    cloud.cas.certificates.upload(domain, days_left=5.5)


def test_an_exception_closes_the_eyes(cloud: Cloud, function: Function) -> None:
    everything(cloud, "www.example.com")
    quiet(cloud, function, RENEW_DOMAINS_EXCEPT="*.example.com")
    assert cloud.smq.messages() == []


def test_what_may_not_be_spent_on_is_watched_all_the_same(cloud: Cloud, function: Function) -> None:
    everything(cloud, "www.example.com")
    function.tick(RENEW_DOMAINS="*.example.net")
    assert [reason for _, _, reason in warned(cloud)] == ["uploaded", "domain-not-allowed", "domain-not-allowed"]
    assert len(messages(cloud, "cas.instance.stalled")) == 1


def test_an_exception_for_one_of_several_names_closes_no_eyes(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("www.example.com", "www.example.net", days_left=5.5)
    function.tick(RENEW_DOMAINS_EXCEPT="*.example.com")
    assert warned(cloud) == [("9000000", 7, "uploaded")]


# --- lists that move --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_lists_that_move_while_they_are_read_tell_nothing_false(cloud: Cloud, function: Function, seed: int) -> None:
    """Each certificate of two pages has its successor on other pages, and those move."""
    for n in range(130):
        cloud.cas.certificates.upload(f"host{n}.example.com", days_left=5.5)
    for n in range(130):
        if n % 2:
            cloud.cas.instances.add(f"host{n}.example.com", 90)
        else:
            cloud.cas.certificates.upload(f"host{n}.example.com", days_left=90)
    alone = cloud.cas.certificates.upload("alone.example.com", days_left=5.5)
    cloud.cas.between_pages = MovingLists(cloud.cas, seed, share=0.5)
    for _ in range(3):
        function.tick()
    assert warned(cloud) == [(str(alone), 7, "uploaded")]


def test_a_successor_that_comes_while_the_list_is_read_is_seen_before_anybody_is_told(
    cloud: Cloud, function: Function
) -> None:
    cloud.cas.certificates.upload("www.example.com", days_left=5.5)
    for n in range(120):
        cloud.cas.certificates.upload(f"host{n}.example.com", days_left=90)
    new = Certificate(
        19_000_000,
        ["www.example.com"],
        cloud.clock.now(),
        cloud.cas.certificates.of(9000001).not_after,
        "UPLOAD",
        "cas-upload-new",
    )
    cloud.cas.once_after_page("ListCertificates", 2, lambda: cloud.cas.certificates.keep(new))
    assert not function.tick().failed
    assert warned(cloud) == []
