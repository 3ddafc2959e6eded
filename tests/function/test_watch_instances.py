"""Instances that the platform hosts, or for which somebody has applied, until the next certificate is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deployed import Function
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import messages, warned

DETAIL = "GetInstanceDetail"
STALLED, ISSUED = "cas.instance.stalled", "cas.instance.issued"


def hosted(cloud: Cloud, days_left: float = 10, domain: str = "portal.example.com", **fields: Any) -> str:
    """An instance whose next certificate the platform has applied for, and whose domain nobody validates."""
    return cloud.cas.instances.add(domain, days_left, hosted=True, **{"own_dns": False, **fields})


def entries(cloud: Cloud, instance: str) -> list[dict[str, Any]]:
    stored = cloud.oss.objects.get((BUCKET, f"renewals/instances/{instance}"))
    return [json.loads(line) for line in stored.data.splitlines()] if stored else []


def open_notes(cloud: Cloud) -> list[str]:
    return [key for _, key in cloud.oss.objects if "/open/" in key]


def base_of(cloud: Cloud, instance: str) -> str:
    return str(cloud.cas.instances.of(instance).certificate_id)


# --- it does not get on -----------------------------------------------------------------------------------------------


def test_it_is_told_once_a_day_from_fourteen_days_before_the_end(cloud: Cloud, function: Function) -> None:
    instance = hosted(cloud, 16.5)
    base, days = base_of(cloud, instance), []
    for _ in range(6):
        function.tick()
        function.tick()
        days.append(len(messages(cloud, STALLED)))
        cloud.clock.advance(days=1)
    assert days == [0, 0, 0, 1, 2, 3]
    assert [message["id"] for message in messages(cloud, STALLED)] == [
        f"{instance}-{base}-stalled-2026-11-{day}" for day in (24, 25, 26)
    ]
    assert [message["data"]["DaysLeft"] for message in messages(cloud, STALLED)] == [13, 12, 11]
    assert warned(cloud) == []


def test_the_message_has_what_the_authority_said_and_the_records_to_add(cloud: Cloud, function: Function) -> None:
    instance = hosted(cloud, domain="portal.example.com,*.portal.example.com")
    function.tick()
    cloud.clock.advance(days=1)
    cloud.cas.instances.of(instance).pending_result = "域名验证中"
    cloud.cas.instances.repeats_records = True
    function.tick()
    data = messages(cloud, STALLED)[-1]["data"]
    assert (data["InstanceId"], data["ReplacedCertificateId"]) == (instance, base_of(cloud, instance))
    assert (data["Stage"], data["Detail"]) == ("in-review", "域名验证中")
    assert data["Records"]
    assert len({json.dumps(record) for record in data["Records"]}) == len(data["Records"])
    for record in data["Records"]:
        assert record.keys() == {"Domain", "Zone", "Host", "Type", "Value"}
        assert record["Value"]
        assert record["Zone"] in {"example.com", "portal.example.com"}


def test_what_is_hosted_and_not_even_applied_for_is_told_too(cloud: Cloud, function: Function) -> None:
    cloud.cas.authority.hosting_works = False
    hosted(cloud)
    function.tick()
    data = messages(cloud, STALLED)[0]["data"]
    assert (data["Stage"], data["Detail"], data["Records"]) == ("hosted", "", [])


def test_the_detail_is_asked_for_only_where_there_is_something_to_tell(cloud: Cloud, function: Function) -> None:
    near = hosted(cloud, 10, "near.example.com")
    hosted(cloud, 20, "far.example.com")
    for n in range(5):
        cloud.cas.instances.add(f"host{n}.example.com", 5)
        cloud.cas.instances.add(f"later{n}.example.com", 100, hosted=True)
    for _ in range(3):
        function.tick()
    assert [call.params for call in cloud.cas.calls_of(DETAIL)] == [{"InstanceId": near}]


def test_a_detail_that_cannot_be_had_delays_no_message(cloud: Cloud, function: Function) -> None:
    instance = hosted(cloud)
    cloud.cas.instances.of(instance).pending_result = "CAA forbids it"
    cloud.cas.forbid(DETAIL)
    assert not function.tick().failed
    assert messages(cloud, STALLED)[0]["data"]["Detail"] == "CAA forbids it"
    cloud.cas.instances.of(instance).pending_result = ""
    cloud.clock.advance(days=1)
    function.tick()
    assert "NoPermission" in messages(cloud, STALLED)[1]["data"]["Detail"]


def test_an_application_that_a_person_made_is_followed_as_well(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add("portal.example.com", 10, own_dns=False)
    base = base_of(cloud, instance)
    cloud.cas.instances.apply(instance)
    function.tick()
    assert messages(cloud, STALLED)[0]["data"]["Stage"] == "in-review"
    cloud.cas.instances.issue(instance)
    function.tick()
    (issued,) = messages(cloud, ISSUED)
    assert issued["data"]["ReplacedCertificateId"] == base


def test_an_application_before_its_window_opens_is_followed_once_it_does(cloud: Cloud, function: Function) -> None:
    instance = cloud.cas.instances.add("portal.example.com", 60, own_dns=False)
    cloud.cas.instances.apply(instance)
    function.tick()
    assert entries(cloud, instance) == []
    cloud.clock.advance(days=50)
    function.tick()
    assert [message["data"]["Stage"] for message in messages(cloud, STALLED)] == ["in-review"]


def test_it_goes_to_the_queue_of_alerts_and_the_good_news_to_the_other(cloud: Cloud) -> None:
    cloud.smq.add_queue("renewal-alerts")
    function = Function(cloud, ALERT_QUEUE="renewal-alerts")
    instance = hosted(cloud)
    function.tick()
    cloud.cas.instances.issue(instance)
    function.tick()
    assert [message["type"] for message in cloud.smq.messages("renewal-alerts")] == [STALLED]
    assert [message["type"] for message in cloud.smq.messages("renewed-certificates")] == [ISSUED]


def test_it_is_told_until_a_month_after_the_end_and_then_given_up(cloud: Cloud, function: Function) -> None:
    hosted(cloud, 3.5)
    outcomes = []
    for _ in range(40):
        outcomes.append(next((line["outcome"] for line in function.tick().orders), ""))
        cloud.clock.advance(days=1)
    assert len(messages(cloud, STALLED)) == 34
    assert outcomes == ["skipped"] + ["expiring"] * 33 + [""] * 6
    assert warned(cloud) == []
    assert open_notes(cloud) == []


# --- it is there ------------------------------------------------------------------------------------------------------


def test_the_next_certificate_is_told_once_with_both_ids(cloud: Cloud, function: Function) -> None:
    instance = hosted(cloud)
    base = base_of(cloud, instance)
    function.tick()
    new = cloud.cas.instances.issue(instance)
    ends = cloud.cas.certificates.of(new).not_after
    for _ in range(3):
        answer = function.tick()
        cloud.clock.advance(days=1)
    (message,) = messages(cloud, ISSUED)
    assert (message["id"], message["subject"]) == (f"{instance}-{new}-issued", str(new))
    assert message["data"] == {
        "InstanceId": instance,
        "Domain": "portal.example.com",
        "ProductCode": "digicert-dv",
        "CertificateId": str(new),
        "CertIdentifier": f"{new}-cn-hangzhou",
        "ReplacedCertificateId": base,
        "CertEndTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "StillBound": [],
    }
    assert (answer.orders, open_notes(cloud)) == ([], [])


def test_it_is_told_again_of_the_certificate_after_the_next(cloud: Cloud, function: Function) -> None:
    instance = hosted(cloud, 20, months=36)
    for _ in range(420):
        function.tick()
        cloud.clock.advance(days=1)
        if cloud.cas.instances.of(instance).application and cloud.clock.now().day == 1:
            cloud.cas.instances.issue(instance)
    found = messages(cloud, ISSUED)
    assert len(found) >= 2
    pairs = [(message["data"]["ReplacedCertificateId"], message["data"]["CertificateId"]) for message in found]
    assert [new for _, new in pairs[:-1]] == [old for old, _ in pairs[1:]]
    assert warned(cloud) == []


def test_what_the_platform_issues_within_minutes_is_told_too(cloud: Cloud, function: Function) -> None:
    cloud.cas.instances.add("portal.example.com", 40, hosted=True, months=36)
    for _ in range(20):
        function.tick()
        cloud.clock.advance(days=1)
    assert [message["data"]["Domain"] for message in messages(cloud, ISSUED)] == ["portal.example.com"]


@pytest.mark.parametrize("adds_apex", [False, True])
def test_a_name_that_the_authority_adds_makes_no_other_certificate(
    cloud: Cloud, function: Function, adds_apex: bool
) -> None:
    cloud.cas.authority.adds_apex = adds_apex
    instance = hosted(cloud, domain="www.example.com")
    function.tick()
    cloud.cas.instances.issue(instance)
    function.tick()
    assert len(messages(cloud, ISSUED)) == 1


def test_a_certificate_for_other_names_is_not_the_next_one(cloud: Cloud, function: Function) -> None:
    cloud.cas.authority.hosting_works = False
    instance = hosted(cloud, 10.5, "old.example.com")
    base = base_of(cloud, instance)
    function.tick()
    cloud.cas.instances.change_domain(instance, "new.example.com")
    new = str(cloud.cas.instances.issue(instance))
    answer = function.tick()
    assert messages(cloud, ISSUED) == []
    assert warned(cloud) == [(base, 14, "names-changed")]
    (line,) = answer.orders
    assert (line["certificate_id"], line["domain"], line["reason"]) == (base, "old.example.com", "names-changed")
    assert [
        (entry["entry"], entry["certificate_id"]) for entry in entries(cloud, instance) if "certificate_id" in entry
    ] == [
        ("followed", base),
        ("followed", new),
    ]
    cloud.clock.advance(days=180)
    function.tick()
    newer = str(cloud.cas.instances.issue(instance))
    function.tick()
    assert [message["data"]["CertificateId"] for message in messages(cloud, ISSUED)] == [newer]


def test_a_name_more_is_the_next_certificate_and_a_name_less_is_none(cloud: Cloud, function: Function) -> None:
    cloud.cas.authority.hosting_works = False
    more, less = hosted(cloud, 10, "a.example.com"), hosted(cloud, 10, "b.example.com,c.example.com")
    function.tick()
    cloud.cas.instances.change_domain(more, "a.example.com,d.example.com")
    cloud.cas.instances.change_domain(less, "b.example.com")
    cloud.cas.instances.issue(more)
    cloud.cas.instances.issue(less)
    function.tick()
    assert [message["data"]["InstanceId"] for message in messages(cloud, ISSUED)] == [more]


def test_an_instance_that_is_hosted_no_more_is_told_like_any_other(cloud: Cloud, function: Function) -> None:
    cloud.cas.authority.hosting_works = False
    instance = hosted(cloud)
    function.tick()
    cloud.cas.instances.host(instance, hosted=False)
    cloud.clock.advance(days=1)
    function.tick()
    assert warned(cloud) == [(instance, 14, "watched")]
    assert len(messages(cloud, STALLED)) == 1


def test_an_instance_that_disappears_is_told_by_its_certificate(cloud: Cloud, function: Function) -> None:
    instance = hosted(cloud)
    cloud.cas.instances.add("other.example.com", 100)  # an empty list could have lost it
    base = base_of(cloud, instance)
    function.tick()
    cloud.cas.instances.remove(instance)
    for _ in range(3):
        cloud.clock.advance(days=1)
        assert "errors" not in function.tick().result
    assert [of for of, _, _ in warned(cloud)] == [base, base]
