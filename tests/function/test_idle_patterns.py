"""A pattern of the settings that matches nothing is told, once in a run: mostly somebody has mistyped it."""

from __future__ import annotations

import pytest

from tests.deployed import Answer, Function
from tests.stubs import faults
from tests.stubs.cloud import Cloud, local_cloud


@pytest.fixture(autouse=True)
def _account(cloud: Cloud) -> None:
    cloud.cas.add_order(domain="www.example.com", days_left=20)
    cloud.cas.add_order(domain="a.example.com,b.example.org", days_left=300)
    cloud.cas.instances.add("v2.example.net", 200)
    cloud.cas.certificates.upload("upload.example.com", days_left=200)


def noted(answer: Answer) -> str:
    note: str = answer.result.get("note", "")
    return note


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_a_mistyped_domain_is_told_of_in_the_note(function: Function, dry_run: str) -> None:
    domains = "*.exmaple.com,www.example.com,b.example.org,v2.example.net,gone.example.com"
    note = noted(function.tick(RENEW_DOMAINS=domains, DRY_RUN=dry_run))
    said = "RENEW_DOMAINS: no order or instance of this account matches *.exmaple.com, gone.example.com"
    assert note.count(said) == 1
    assert note.endswith(said)


def test_so_is_an_exception_that_protects_nothing_and_uploads_count_there(function: Function) -> None:
    note = noted(function.tick(RENEW_DOMAINS_EXCEPT="upload.example.com,WWW.example.com.,ww.example.com"))
    assert note == "RENEW_DOMAINS_EXCEPT: no order, instance or certificate of this account matches ww.example.com"


def test_what_is_not_watched_is_not_said_to_have_been_looked_at(function: Function) -> None:
    note = noted(function.tick(RENEW_DOMAINS="v2.example.net", WATCH="orders"))
    assert note == "RENEW_DOMAINS: no order of this account matches v2.example.net"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"RENEW_DOMAINS": "*"},
        {"RENEW_DOMAINS": "*.example.com"},
        {"RENEW_DOMAINS": "b.example.org"},  # one name of several, in an order that is not due
        {"RENEW_DOMAINS_EXCEPT": "upload.example.com"},
    ],
)
def test_of_patterns_that_match_something_nothing_is_said(cloud: Cloud, settings: dict[str, str]) -> None:
    assert noted(Function(cloud, **settings).tick()) == ""


def test_an_event_about_one_order_says_nothing_of_the_others(function: Function) -> None:
    answer = function.invoke({"domains": ["www.example.com"]}, RENEW_DOMAINS="www.example.com,gone.example.com")
    assert noted(answer) == ""


def test_where_a_list_cannot_be_read_nothing_is_said_to_be_in_none(cloud: Cloud, function: Function) -> None:
    cloud.cas.fail("ListInstances", *[faults.error("Forbidden.RAM", 403)] * 9)
    answer = function.tick(RENEW_DOMAINS="gone.example.com")
    assert answer.failed
    assert noted(answer) == ""


def test_in_an_account_with_nothing_to_renew_no_pattern_is_a_slip() -> None:
    with local_cloud() as empty:
        assert noted(Function(empty).tick(RENEW_DOMAINS="www.example.com")) == ""
