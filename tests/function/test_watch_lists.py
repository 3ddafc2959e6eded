"""The lists beside the orders: which are asked for, what if they cannot be had, and rows that make no sense."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deployed import Function
from tests.function.watched_account import CERTIFICATES, INSTANCES, furnish
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import bought, messages, published, warned

# --- a permission is missing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [None, "Forbidden.RAM", "NoPermission"])
@pytest.mark.parametrize(("action", "what"), [(INSTANCES, "instances"), (CERTIFICATES, "certificates")])
def test_without_the_permission_to_look_the_orders_are_done_and_the_run_fails_at_its_end(
    cloud: Cloud, function: Function, action: str, what: str, code: str | None
) -> None:
    furnish(cloud)
    cloud.cas.forbid(action, code=code)
    answer = function.tick()
    assert answer.failed
    (error,) = answer.result["errors"]
    assert f"yundun-cert:{action}" in error
    assert "WATCH" in error
    assert f"`{what}`" in error
    assert published(cloud) == bought(cloud) != []
    cloud.cas.permit(action)
    cloud.clock.advance(60)
    assert not function.tick().failed


@pytest.mark.parametrize("action", [INSTANCES, CERTIFICATES])
def test_what_can_still_be_seen_is_told_and_nothing_false(cloud: Cloud, function: Function, action: str) -> None:
    furnish(cloud)
    cloud.cas.forbid(action)
    function.tick()
    told = {message["data"]["Domain"] for message in messages(cloud, "cas.certificate.expiring")}
    assert told == ({"upload.example.com"} if action == INSTANCES else {"ending.example.com"})


def test_what_the_operator_does_not_watch_is_not_asked_for_and_misses_nobody(cloud: Cloud, function: Function) -> None:
    furnish(cloud)
    cloud.cas.forbid(INSTANCES, CERTIFICATES)
    assert not function.tick(WATCH="orders").failed
    assert {call.action for call in cloud.cas.calls} & {INSTANCES, CERTIFICATES} == set()
    assert warned(cloud) == []


@pytest.mark.parametrize(
    ("watch", "asked"),
    [
        ("orders", set()),
        ("orders,instances", {INSTANCES}),
        ("orders,certificates", {CERTIFICATES}),
        ("instances", {INSTANCES}),
        ("orders,instances,certificates", {INSTANCES, CERTIFICATES}),
    ],
)
def test_only_what_is_watched_is_asked_for(cloud: Cloud, function: Function, watch: str, asked: set[str]) -> None:
    furnish(cloud)
    function.tick(WATCH=watch)
    assert {call.action for call in cloud.cas.calls} & {INSTANCES, CERTIFICATES} == asked


def test_who_watches_certificates_alone_is_told_of_no_instances(cloud: Cloud, function: Function) -> None:
    """Nobody has seen which of them are hosted."""
    furnish(cloud)
    function.tick(WATCH="orders,certificates")
    assert [reason for _, _, reason in warned(cloud)] == ["uploaded"]


@pytest.mark.parametrize("missing", ["NoPermission", "Forbidden.RAM"])
def test_an_event_that_selects_orders_fails_for_a_list_that_it_may_not_see(
    cloud: Cloud, function: Function, missing: str
) -> None:
    """Whether a site has moved cannot be known, so its order is renewed, and somebody hears why that is a risk."""
    furnish(cloud)
    cloud.cas.forbid(INSTANCES, code=missing)
    order = cloud.cas.order_ids()[0]
    answer = function.invoke({"order_ids": [order]})
    assert (answer.of(order)["outcome"], answer.failed) == ("renewed", True)


# --- lists that cannot be had -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [faults.html(502), faults.timeout_before(), faults.empty(), *faults.NO_LISTS[:3]])
@pytest.mark.parametrize("action", [INSTANCES, CERTIFICATES])
def test_a_list_that_cannot_be_had_fails_the_run_and_tells_nothing_false(
    cloud: Cloud, function: Function, action: str, fault: faults.Fault
) -> None:
    for n in range(3):
        cloud.cas.certificates.upload(f"host{n}.example.com", days_left=5.5)
        cloud.cas.instances.add(f"host{n}.example.com", 90)
    order = cloud.cas.add_order(days_left=10)
    cloud.cas.fail(action, *[fault] * 40)
    answer = function.tick()
    assert answer.failed
    assert answer.of(order)["outcome"] == "renewed"
    assert warned(cloud) == []
    cloud.cas._faults.clear()
    cloud.clock.advance(60)
    assert not function.tick().failed
    assert warned(cloud) == []


def test_a_list_that_is_gone_before_anybody_is_told_is_waited_for(cloud: Cloud, function: Function) -> None:
    cloud.cas.certificates.upload("upload.example.com", days_left=10)
    cloud.cas.fail(CERTIFICATES, None, *[faults.html(502)] * 20)
    assert function.tick().failed
    assert warned(cloud) == []
    cloud.cas._faults.clear()
    function.tick()
    assert warned(cloud) == [("9000000", 14, "uploaded")]


def test_an_order_book_that_lacks_a_successor_once_tells_nobody(cloud: Cloud, function: Function) -> None:
    """The list of orders hides a page in one reading, and not in the next."""
    cloud.cas.certificates.upload("www.example.com", days_left=5.5)
    cloud.cas.add_order(domain="www.example.com", days_left=90)
    cloud.cas.fail("ListUserCertificateOrder", faults.empty_list())
    assert not function.tick().failed
    assert warned(cloud) == []


# --- odd rows ---------------------------------------------------------------------------------------------------------


def test_rows_without_an_id_are_shown_and_harm_nobody(cloud: Cloud, function: Function) -> None:
    furnish(cloud)
    for pages, name in ((cloud.cas.instances.pages, "InstanceId"), (cloud.cas.certificates.pages, "CertificateId")):
        rows: tuple[Any, ...] = ({}, {name: None}, {name: "../orders/1"}, {name: []}, None, 5, "text")
        for row in rows:
            pages.add_raw_row(row)
    answer = function.tick()
    assert not answer.failed
    unreadable = [line["asked_for"] for line in answer.orders if line["reason"] == "row-unreadable"]
    assert "a row with InstanceId '../orders/1'" in unreadable
    assert "a row with CertificateId []" in unreadable
    assert len(warned(cloud)) == 2
    assert len(cloud.cas.purchases) == 1


@pytest.mark.parametrize("instance_id", ["123451222", "7"])
def test_an_instance_with_the_id_of_an_order_touches_no_journal(
    cloud: Cloud, function: Function, instance_id: str
) -> None:
    order = cloud.cas.add_order(int(instance_id), days_left=10)
    cloud.cas.instances.add("hosted.example.com", 10, hosted=True, own_dns=False, instance_id=instance_id)
    for _ in range(2):
        answer = function.tick()
    assert answer.outcomes[str(order)] == ("already-renewed", None)
    stored = cloud.oss.objects[BUCKET, f"renewals/orders/{order}"].data.splitlines()
    kinds = {json.loads(line)["entry"] for line in stored}
    assert kinds == {"claimed", "renewed", "published", "observed", "told"}, "nobody follows it there"
    assert not messages(cloud, "cas.renewal.failed")


def test_a_certificate_with_the_id_of_an_order_has_a_line_of_its_own(cloud: Cloud, function: Function) -> None:
    order = cloud.cas.add_order(days_left=20)
    cloud.cas.certificates.upload("upload.example.com", days_left=10, certificate_id=order)
    answer = function.tick()
    assert [(line["kind"], line["outcome"]) for line in answer.orders] == [
        ("order", "renewed"),
        ("certificate", "expiring"),
    ]
    assert len(warned(cloud)) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"Status": "another"},
        {"CertificateStatus": "another"},
        {"AutoReissue": "perhaps"},
        {"InstanceEndTime": "soon"},
        {"CertificateId": "abc"},
    ],
)
def test_an_instance_of_which_something_makes_no_sense_is_shown_and_the_others_go_on(
    cloud: Cloud, function: Function, odd: dict[str, Any]
) -> None:
    furnish(cloud)
    instance = cloud.cas.instances.add("odd.example.com", 100)
    cloud.cas.instances.pages.odd_row(instance, **odd)
    answer = function.tick()
    (line,) = [line for line in answer.orders if line.get("instance_id") == instance]
    assert (line["outcome"], line["reason"], answer.failed) == ("skipped", "row-unreadable", False)
    assert len(warned(cloud)) == 2


def test_an_instance_whose_row_makes_no_sense_and_that_ends_is_told(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add("odd.example.com", 10)
    cloud.cas.instances.pages.odd_row(instance, Status="another")
    function.tick()
    assert warned(cloud) == [(instance, 14, "row-unreadable")]


@pytest.mark.parametrize("times_as", ["number", "text"])
@pytest.mark.parametrize("units", ["seconds", "milliseconds"])
def test_the_unit_of_time_changes_nothing(cloud: Cloud, function: Function, units: Any, times_as: Any) -> None:
    cloud.cas.shapes.units, cloud.cas.shapes.times_as = units, times_as
    furnish(cloud)
    answer = function.tick()
    assert not answer.failed
    assert sorted((line["domain"], line["days_left"], line["outcome"]) for line in answer.orders) == [
        ("ending.example.com", 10, "expiring"),
        ("hosted.example.com", 10, "skipped"),
        ("renew.example.com", 10, "renewed"),
        ("upload.example.com", 10, "expiring"),
    ]


@pytest.mark.parametrize("empty", ["absent", "null", "zero", "text"])
def test_times_that_there_are_not_are_none_however_they_look(cloud: Cloud, function: Function, empty: Any) -> None:
    cloud.cas.shapes.empty = empty
    cloud.cas.instances.buy("www.example.com")
    pending = cloud.cas.instances.buy("shop.example.com")
    cloud.cas.instances.apply(pending)
    answer = function.tick()
    assert (answer.orders, answer.failed) == ([], False)
    assert cloud.smq.messages() == []
