"""The next certificate of a V2 instance: what is applied for, once for each certificate, and what is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deployed import TIMER, platform
from tests.function.applying import (
    APPLIED,
    APPLY,
    CERTIFICATES,
    DETAIL,
    ISSUED,
    STALLED,
    TASK,
    applicant,
    applications,
    base_of,
    due,
    entries,
    kinds,
    line_of,
    lines,
    said,
    told,
)
from tests.stubs.cloud import Cloud
from tests.traces import messages, warned

ALLOWED_CALLS = {"ListUserCertificateOrder", "ListInstances", DETAIL, APPLY, TASK, CERTIFICATES, "ListCloudResources"}


# --- what is applied for ----------------------------------------------------------------------------------------------


def test_an_instance_whose_certificate_ends_soon_is_applied_for_and_that_is_told(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    base, ends = base_of(cloud, instance), cloud.cas.instances.certificate(instance).not_after  # type: ignore[union-attr]
    answer = function.tick()
    assert not answer.failed
    line = line_of(answer, instance)
    assert (line["kind"], line["outcome"], line["reason"]) == ("instance", "applied", None)
    assert line["message_id"] == f"{instance}-{base}-applied"
    (message,) = cloud.smq.messages()
    assert (message["type"], message["id"], message["subject"]) == (APPLIED, line["message_id"], instance)
    assert message["data"] == {
        "InstanceId": instance,
        "Domain": "app.example.com",
        "ProductCode": "digicert-dv",
        "ReplacedCertificateId": base,
        "CertEndTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert [(entry["entry"], entry.get("certificate_id")) for entry in entries(cloud, instance)][:2] == [
        ("claimed", base),
        ("applied", None),
    ]


def test_it_is_off_until_somebody_switches_it_on(cloud: Cloud) -> None:
    instance = due(cloud, days_left=10)
    function = applicant(cloud, INSTANCES=None)
    assert said(function.tick(), instance) == ("expiring", "watched")
    assert cloud.cas.calls_of(APPLY) == cloud.cas.calls_of(DETAIL) == []
    assert said(function.tick(INSTANCES="apply"), instance) == ("applied", None)


@pytest.mark.parametrize("outcome", ["issued", "refused"])
def test_no_other_operation_is_called_whatever_comes_of_it(cloud: Cloud, outcome: str) -> None:
    instance, function = due(cloud), applicant(cloud)
    due(cloud, "hosted.example.com", hosted=True)
    function.tick()
    if outcome == "refused":
        cloud.cas.instances.refuse(instance, "CAA forbids it", after=1)
    else:
        cloud.cas.instances.issue(instance)
    for _ in range(3):
        cloud.clock.advance(days=2)
        function.tick()
    assert {call.action for call in cloud.cas.calls} <= ALLOWED_CALLS


POLICY: dict[str, dict[str, Any]] = {
    "test-instance": {"kind": "TEST", "months": 6},
    "subscription-ends": {"subscription_days_left": 27},
    "not-dv": {"certificate_type": "OV"},
    "own-csr": {"csr_method": "upload", "csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "upgrading": {"upgrade": "payed"},
    "needs-data": {"contacts": []},
    "names-changed": {"certificate_domain": "old.example.com"},
    "closed": {"fixed_status": "closed"},
    "hosted": {"hosted": True},
    "outside-window": {"days_left": 40},
    "row-unreadable": {"fixed_status": "thinking"},
}


@pytest.mark.parametrize("reason", POLICY)
def test_what_the_policy_leaves_alone_says_why_and_its_neighbour_is_applied_for(cloud: Cloud, reason: str) -> None:
    cloud.cas.authority.hosting_works = False
    instance, other = due(cloud, **POLICY[reason]), due(cloud, "other.example.com")
    answer = applicant(cloud).invoke({"instance_ids": [instance, other]})
    assert lines(answer) == {instance: ("skipped", reason), other: ("applied", None)}
    assert not answer.failed
    assert [call.params for call in cloud.cas.calls_of(APPLY)] == [{"InstanceId": other}]


@pytest.mark.parametrize(
    "fields", [{"validation_method": ""}, {"domain": "", "certificate_domain": "app.example.com"}, {"contacts": []}]
)
def test_an_instance_that_lacks_what_an_application_needs_is_left_alone(cloud: Cloud, fields: dict[str, Any]) -> None:
    instance = due(cloud, **fields)
    assert said(applicant(cloud).tick(), instance) in {("skipped", "needs-data"), ("skipped", "names-changed")}
    assert cloud.cas.calls_of(APPLY) == []


def test_an_instance_that_was_never_applied_for_or_is_revoked_is_left_alone(cloud: Cloud) -> None:
    unused, revoked = due(cloud, days_left=None), due(cloud)
    cloud.cas.certificates.revoke(base_of(cloud, revoked))
    answer = applicant(cloud).invoke({"instance_ids": [unused, revoked]})
    assert lines(answer) == {unused: ("skipped", "no-certificate"), revoked: ("skipped", "revoked")}


def test_what_somebody_has_applied_for_is_left_to_him(cloud: Cloud) -> None:
    instance = due(cloud)
    cloud.cas.instances.apply(instance)
    assert said(applicant(cloud).tick(), instance) == ("skipped", "in-review")
    assert cloud.cas.calls_of(APPLY) == []


def test_a_certificate_that_has_ended_is_followed_within_a_month_and_no_later(cloud: Cloud) -> None:
    ended, long_ago = due(cloud, days_left=-29), due(cloud, "gone.example.com", days_left=-31)
    answer = applicant(cloud).invoke({"instance_ids": [ended, long_ago]})
    assert lines(answer) == {ended: ("applied", None), long_ago: ("skipped", "expired")}


def test_a_long_window_begins_in_the_second_half_of_the_lifetime(cloud: Cloud) -> None:
    instance, function = due(cloud, days_left=120), applicant(cloud, RENEW_WITHIN_DAYS="365")
    function.tick()
    assert cloud.cas.calls_of(APPLY) == []
    cloud.clock.advance(days=21)
    assert said(function.tick(), instance) == ("applied", None)


# --- what the operator allows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "domain", "certificate_domain"),
    [
        ({"RENEW_DOMAINS": "app.example.com"}, "app.example.com,shop.example.com", None),
        ({"RENEW_DOMAINS": "*.example.com"}, "app.example.com,example.org", None),
        ({"RENEW_DOMAINS": "app.example.com"}, "app.example.com", "app.example.com,shop.example.com"),
        ({"RENEW_DOMAINS_EXCEPT": "shop.example.com"}, "app.example.com,shop.example.com", None),
        ({"RENEW_DOMAINS_EXCEPT": "*.example.com"}, "app.example.com", None),
    ],
)
def test_every_name_must_be_allowed(
    cloud: Cloud, rule: dict[str, str], domain: str, certificate_domain: str | None
) -> None:
    instance = due(cloud, domain, certificate_domain=certificate_domain)
    function = applicant(cloud, **rule)
    function.tick()
    assert said(function.invoke({"instance_ids": [instance]}), instance) == ("skipped", "domain-not-allowed")
    assert cloud.cas.calls_of(APPLY) == []


def test_a_name_that_only_the_detail_has_must_be_allowed_as_well(cloud: Cloud) -> None:
    instance = due(cloud)
    cloud.cas.instances.details.odd_row(instance, Domain="app.example.com,other.example.org")
    function = applicant(cloud, RENEW_DOMAINS="*.example.com")
    assert said(function.tick(), instance) == ("skipped", "domain-not-allowed")
    assert cloud.cas.calls_of(APPLY) == []


def test_one_instance_can_be_tried_first(cloud: Cloud) -> None:
    first, other = due(cloud), due(cloud, "shop.example.com")
    applicant(cloud, RENEW_DOMAINS="app.example.com").tick()
    assert [call.params["InstanceId"] for call in cloud.cas.calls_of(APPLY)] == [first]
    assert kinds(cloud, other) == []


def test_of_what_is_excepted_nobody_hears_although_it_was_applied_for(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    function.tick()
    for _ in range(4):
        cloud.clock.advance(days=4)
        function.tick(RENEW_DOMAINS_EXCEPT="app.example.com")
    assert [message["type"] for message in cloud.smq.messages()] == [APPLIED]
    cloud.cas.instances.issue(instance)
    function.tick(RENEW_DOMAINS_EXCEPT="app.example.com")
    assert len(told(cloud, ISSUED)) == 1


# --- exactly once -----------------------------------------------------------------------------------------------------


def test_ticks_and_events_of_every_kind_apply_once(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    base = base_of(cloud, instance)
    events: list[dict[str, Any]] = [
        {"instance_ids": [instance]},
        {"domains": ["app.example.com"]},
        {"scan": True},
        TIMER,
        json.loads(CLOUD_MONITOR.replace("cas_dv-cn-example01", instance)),
    ]
    for event in events * 2:
        platform(function, event)
        cloud.clock.advance(3600)
    assert len(cloud.cas.calls_of(APPLY)) == 1
    assert told(cloud, APPLIED) == [f"{instance}-{base}-applied"]


def test_it_is_said_of_an_application_that_it_is_in_until_the_certificate_is_there(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    for _ in range(3):
        assert said(function.tick(), instance) == ("applied", None)
        assert said(function.invoke({"instance_ids": [instance]}), instance) == ("applied", None)


def test_the_next_certificate_is_told_with_its_own_end_and_its_base(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    base = base_of(cloud, instance)
    function.tick()
    new = cloud.cas.instances.issue(instance)
    ends = cloud.cas.certificates.of(new).not_after
    answer = function.tick()
    assert (line_of(answer, instance)["new_certificate_id"], answer.failed) == (str(new), False)
    function.tick()
    (message,) = messages(cloud, ISSUED)
    assert (message["id"], message["subject"]) == (f"{instance}-{new}-issued", str(new))
    assert message["data"] == {
        "InstanceId": instance,
        "Domain": "app.example.com",
        "ProductCode": "digicert-dv",
        "CertificateId": str(new),
        "CertIdentifier": f"{new}-cn-hangzhou",
        "ReplacedCertificateId": base,
        "CertEndTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "StillBound": [],
    }
    assert kinds(cloud, instance) == ["claimed", "applied", "told", "issued", "told"]


def test_half_a_year_later_the_certificate_after_the_next_is_applied_for(cloud: Cloud) -> None:
    instance, function = due(cloud, own_dns=True), applicant(cloud)
    bases = []
    for _ in range(420):
        bases.append(base_of(cloud, instance))
        function.tick()
        cloud.clock.advance(days=1)
    distinct = list(dict.fromkeys(bases))
    assert len(distinct) == 4
    assert told(cloud, APPLIED) == [f"{instance}-{base}-applied" for base in distinct[:3]]
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued" for new in distinct[1:]]
    assert applications(cloud) == 3
    assert warned(cloud) == []
    assert told(cloud, STALLED) == []


def test_an_old_row_after_the_issue_makes_no_second_application(cloud: Cloud) -> None:
    instance, function = due(cloud, days_left=20), applicant(cloud)
    function.tick()
    cloud.cas.instances.issue(instance)
    function.tick()
    cloud.cas.instances.list_behind = cloud.cas.instances.detail_behind = 86400
    cloud.clock.advance(3600)
    for event in ({"instance_ids": [instance]}, {"scan": True}):
        answer = function.invoke(event)
        assert said(answer, instance) == ("deferred", "settling")
    assert applications(cloud) == 1
    assert len(told(cloud, ISSUED)) == 1


def test_an_old_row_after_the_platform_has_issued_makes_no_application(cloud: Cloud) -> None:
    instance, function = due(cloud, hosted=True), applicant(cloud)
    function.tick()
    cloud.cas.instances.issue(instance)
    function.tick()
    cloud.cas.instances.host(instance, hosted=False)
    cloud.cas.instances.list_behind = cloud.cas.instances.detail_behind = 86400
    cloud.clock.advance(3600)
    cloud.cas.instances.of(instance).past[-1][2] = None  # nor do they show that it was in review
    cloud.cas.instances.of(instance).past[0][2] = None
    function.tick()
    assert cloud.cas.calls_of(APPLY) == []


def test_an_order_is_never_touched_by_it_and_goes_first(cloud: Cloud) -> None:
    order, instance = cloud.cas.add_order(domain="www.example.com", days_left=20), due(cloud, days_left=5)
    answer = applicant(cloud).tick()
    assert (answer.of(order)["outcome"], said(answer, instance)) == ("renewed", ("applied", None))
    actions = [call.action for call in cloud.cas.calls]
    assert actions.index("RenewCertificateOrderForPackageRequest") < actions.index(APPLY)


# --- events -----------------------------------------------------------------------------------------------------------

CLOUD_MONITOR = json.dumps(
    {
        "product": "CAS",
        "name": "cas_certificate_will_expire",
        "eventTime": "20261121T030000.000Z",
        "level": "WARN",
        "content": {"instanceId": "cas_dv-cn-example01"},
    }
)


@pytest.mark.parametrize("by", ["instance", "certificate", "domain"])
def test_an_event_that_names_one_applies_for_that_one(cloud: Cloud, by: str) -> None:
    instance, other = due(cloud), due(cloud, "shop.example.com")
    content = {
        "instance": {"instanceId": instance},
        "certificate": {"certId": int(base_of(cloud, instance))},
        "domain": {"domain": "app.example.com"},
    }[by]
    event = {**json.loads(CLOUD_MONITOR), "content": content}
    answer = applicant(cloud).invoke(event)
    assert lines(answer) == {instance: ("applied", None)}
    assert [line for line in answer.orders if line["kind"] != "instance"] == []
    assert kinds(cloud, other) == []


def test_an_instance_that_there_is_not_is_not_found(cloud: Cloud) -> None:
    due(cloud)
    (line,) = applicant(cloud).invoke({"instance_ids": ["cas_dv-cn-nowhere01"]}).orders
    assert (line["outcome"], line["reason"], line["asked_for"]) == (
        "skipped",
        "not-found",
        "instance cas_dv-cn-nowhere01",
    )


def test_both_kinds_may_be_named_in_one_event(cloud: Cloud) -> None:
    order, instance = cloud.cas.add_order(domain="www.example.com", instance_id="cas-cn-example77"), due(cloud)
    answer = applicant(cloud).invoke({"instance_ids": ["cas-cn-example77", instance]})
    assert (answer.of(order)["outcome"], lines(answer)) == ("renewed", {instance: ("applied", None)})


# --- shapes of what CAS says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", ["seconds", "milliseconds"])
@pytest.mark.parametrize("times_as", ["number", "text"])
@pytest.mark.parametrize("empty", ["absent", "null", "zero", "text"])
def test_it_is_the_same_in_every_unit_and_with_every_empty_value(
    cloud: Cloud, units: Any, times_as: Any, empty: Any
) -> None:
    cloud.cas.shapes.units, cloud.cas.shapes.times_as, cloud.cas.shapes.empty = units, times_as, empty
    instance, unused, function = due(cloud), due(cloud, days_left=None), applicant(cloud)
    assert lines(function.tick()) == {instance: ("applied", None)}
    cloud.cas.instances.issue(instance)
    function.tick()
    assert len(told(cloud, ISSUED)) == 1
    assert kinds(cloud, unused) == []


@pytest.mark.parametrize("has_it", [False, True])
def test_the_detail_may_lack_the_domain_of_the_certificate(cloud: Cloud, has_it: bool) -> None:
    cloud.cas.instances.detail_has_domain = has_it
    cloud.cas.authority.adds_apex = True
    instance = due(cloud, "www.example.com", certificate_domain="www.example.com,example.com")
    function = applicant(cloud)
    assert said(function.tick(), instance) == ("applied", None)
    cloud.cas.instances.issue(instance)
    function.tick()
    assert len(told(cloud, ISSUED)) == 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("Status", "pending", "in-review"),
        ("AutoReissue", "enable", "hosted"),
        ("Status", "closed", "closed"),
        ("Status", "", "row-unreadable"),
        ("CertificateStatus", "revoked", "revoked"),
        ("InstanceId", "cas_dv-cn-another1", "row-unreadable"),
        ("UpgradeStatus", "payed", "upgrading"),
        ("CertificateType", "EV", "not-dv"),
    ],
)
def test_the_detail_decides_where_the_list_says_otherwise(cloud: Cloud, field: str, value: str, reason: str) -> None:
    instance = due(cloud)
    cloud.cas.instances.details.odd_row(instance, **{field: value})
    assert said(applicant(cloud).tick(), instance)[1] == reason
    assert cloud.cas.calls_of(APPLY) == []


def test_a_list_that_is_older_than_the_detail_waits(cloud: Cloud) -> None:
    instance, function = due(cloud), applicant(cloud)
    cloud.cas.instances.list_behind = 600
    cloud.cas.instances.issue(instance)
    assert said(function.tick(), instance) == ("deferred", "settling")
    cloud.clock.advance(600)
    assert lines(function.tick()) == {}
    assert cloud.cas.calls_of(APPLY) == []
