"""V2 instances, as the real client of CAS sees them."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException

from tests.stubs import faults
from tests.stubs.clients import FAILURES, Clients, code_of
from tests.stubs.clock import START
from tests.stubs.cloud import Cloud, local_cloud
from tests.stubs.lost import DID_NOT, HAPPENED, fault_name
from tests.stubs.misbehaviour import MovingLists, RandomFaults
from tests.stubs.wire import NotStubbed

APPLY = "ApplyCertificate"


def listed(client: Client, **params: Any) -> Any:
    return client.list_instances(models.ListInstancesRequest(**params)).body


def rows(client: Client, **params: Any) -> Any:
    return listed(client, **params).instance_list


def detail(client: Client, instance: str) -> Any:
    return client.get_instance_detail(models.GetInstanceDetailRequest(instance_id=instance)).body


def apply(client: Client, instance: str) -> str:
    answer = client.apply_certificate(models.ApplyCertificateRequest(instance_id=instance)).body
    return str(answer.request_id)


def task(client: Client, instance: str) -> tuple[str, str]:
    request = models.GetTaskAttributeRequest(task_id=instance, task_type=APPLY)
    answer = client.get_task_attribute(request).body
    return answer.task_status, answer.task_message


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_a_row_has_the_newest_certificate_and_the_subscription(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add("www.example.com,*.example.com", days_left=20)
    newest = cloud.cas.instances.certificate(instance)
    assert newest

    (row,) = rows(client)

    assert (row.instance_id, row.instance_type, row.status, row.auto_reissue) == (instance, "BUY", "normal", "disable")
    assert (row.certificate_id, row.cert_identifier) == (newest.certificate_id, f"{newest.certificate_id}-cn-hangzhou")
    assert row.certificate_status == "willExpire"
    assert (row.domain, row.certificate_domain) == ("www.example.com,*.example.com",) * 2
    assert (row.full_domain_count, row.wildcard_domain_count, row.certificate_type) == (1, 1, "DV")
    assert row.certificate_not_after == milliseconds(START + timedelta(days=20))
    assert row.certificate_not_before == row.instance_start_time == row.order_start_time
    assert row.instance_end_time > row.certificate_not_after
    assert row.using_product_list == []


def test_a_row_has_no_times_before_the_first_certificate(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.buy("www.example.com")

    (row,) = rows(client)

    assert (row.status, row.certificate_id, row.certificate_status, row.certificate_domain) == ("inactive", *[None] * 3)
    assert (row.instance_end_time, row.certificate_not_after) == (None, None)
    assert row.order_start_time == milliseconds(START)
    assert detail(client, instance).instance_end_time is None


@pytest.mark.parametrize(("empty", "shown"), [("absent", None), ("null", None), ("zero", 0), ("text", "")])
def test_what_is_not_there_is_written_in_any_way(empty: Any, shown: Any) -> None:
    with local_cloud() as cloud:
        cloud.cas.shapes.empty = empty
        cloud.cas.instances.buy("www.example.com")

        (row,) = rows(Clients(cloud.environ()).cas)

        assert [row.certificate_id, row.certificate_not_after, row.instance_start_time] == [shown] * 3


@pytest.mark.parametrize(
    ("units", "times_as", "shown"),
    [
        ("milliseconds", "number", 1795834800000),
        ("milliseconds", "text", "1795834800000"),
        ("seconds", "number", 1795834800),
        ("seconds", "text", "1795834800"),
    ],
)
def test_times_come_in_either_unit_and_as_numbers_or_texts(units: Any, times_as: Any, shown: Any) -> None:
    with local_cloud() as cloud:
        cloud.cas.shapes.units, cloud.cas.shapes.times_as = units, times_as
        cloud.cas.instances.add(days_left=7)
        client = Clients(cloud.environ()).cas

        (row,) = rows(client)
        (certificate,) = client.list_certificates(models.ListCertificatesRequest()).body.certificate_list

        assert datetime.fromtimestamp(1795834800, START.tzinfo) == START + timedelta(days=7)
        assert row.certificate_not_after == certificate.not_after == shown


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"days_left": 20}, "normal"),
        ({"days_left": -20}, "normal"),
        ({"days_left": 20, "subscription_days_left": 29}, "willExpire"),
        ({"days_left": -20, "subscription_days_left": 0}, "expired"),
        ({"days_left": None}, "inactive"),
        ({"fixed_status": "refund"}, "refund"),
        ({"fixed_status": "closed"}, "closed"),
        ({"fixed_status": "frozen"}, "frozen"),
        ({"fixed_status": ""}, ""),
    ],
)
def test_each_state_of_a_subscription_is_found_by_its_name(
    cloud: Cloud, client: Client, fields: dict[str, Any], status: str
) -> None:
    instance = cloud.cas.instances.add(**fields)

    assert [row.status for row in rows(client, status=status)] == [status]
    assert detail(client, instance).status == status
    assert rows(client, status="of another kind") == []


def test_the_state_of_a_certificate_is_another(cloud: Cloud, client: Client) -> None:
    for days_left in (100, 20, -1):
        cloud.cas.instances.add(days_left=days_left)
    revoked = cloud.cas.instances.add(days_left=100)
    cloud.cas.certificates.revoke(cloud.cas.instances.of(revoked).certificate_id or 0)

    assert [row.certificate_status for row in rows(client)] == ["revoked", "expired", "willExpire", "issued"]
    assert [row.certificate_revoke_time for row in rows(client)][:2] == [milliseconds(START), None]
    assert [row.instance_id for row in rows(client, certificate_status="revoked")] == [revoked]
    assert {row.status for row in rows(client)} == {"normal"}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"instance_type": "TEST"}, "free"),
        ({"certificate_type": "OV"}, "ov"),
        ({"auto_reissue_flag": 1}, "hosted"),
        ({"keyword": "shop"}, "ov"),
        ({"keyword": "cas_test-free"}, "free"),
        ({"brand": "GlobalSign"}, "hosted"),
        ({"version_type": "ultimate"}, "free"),
    ],
    ids=str,
)
def test_a_filter_leaves_what_it_says(cloud: Cloud, client: Client, params: dict[str, Any], found: str) -> None:
    add = cloud.cas.instances.add
    ids = {
        "free": add("free.example.com", kind="TEST", instance_id="cas_test-free", version="ultimate"),
        "ov": add("shop.example.com", certificate_type="OV"),
        "hosted": add("blog.example.com", hosted=True, brand="GlobalSign"),
    }

    assert [row.instance_id for row in rows(client, **params)] == [ids[found]]


def test_a_page_has_ten_rows_or_up_to_a_hundred_and_never_more(cloud: Cloud, client: Client) -> None:
    for number in range(101):
        cloud.cas.instances.add(f"{number}.example.com", hosted=number < 30)

    usual, largest, last = listed(client), listed(client, show_size=100), listed(client, show_size=100, current_page=2)

    assert (len(usual.instance_list), usual.show_size, usual.current_page) == (10, 10, 1)
    assert (len(largest.instance_list), largest.show_size, largest.total_count) == (100, 100, 101)
    assert (len(last.instance_list), last.current_page) == (1, 2)
    assert (usual.enable_reissue_count, usual.disable_reissue_count) == (30, 71)
    assert rows(client, current_page=12) == []
    assert code_of(listed, client, show_size=101) == ("InvalidParameter", 400)
    assert code_of(listed, client, current_page=0) == ("InvalidParameter", 400)


def test_a_page_may_be_smaller_than_was_asked_for(cloud: Cloud, client: Client) -> None:
    for _ in range(5):
        cloud.cas.instances.add()
    cloud.cas.instances.pages.page_limit = 2

    answer = listed(client, show_size=100)

    assert (len(answer.instance_list), answer.show_size, answer.total_count) == (2, 2, 5)


def test_rows_may_be_odd(cloud: Cloud, client: Client) -> None:
    pages = cloud.cas.instances.pages
    odd, twice, plain = (cloud.cas.instances.add(f"{name}.example.com") for name in ("odd", "twice", "plain"))
    pages.odd_row(odd, "InstanceId", CertificateId="a text", CertificateNotAfter=[1])
    pages.twice.add(twice)
    pages.add_raw_row({"Status": "frozen"}, place=1)
    pages.total_off_by = 3

    answer = listed(client)

    assert [row.instance_id for row in answer.instance_list] == [plain, None, twice, twice, None]
    assert answer.instance_list[-1].certificate_id == "a text"
    assert answer.total_count == 5 + 3
    pages.odd_row(odd)
    assert rows(client)[-1].instance_id == odd


def test_a_detail_may_be_odd_while_the_row_is_not(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add()
    cloud.cas.instances.details.odd_row(instance, "ContactIdList", ValidationMethod=7)

    looked_at = detail(client, instance)

    assert (looked_at.contact_id_list, looked_at.validation_method) == (None, 7)
    assert rows(client)[0].instance_id == instance


def test_a_detail_says_what_an_application_needs(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add(csr_method="upload", csr="-----BEGIN", upgrade="payed", contacts=[7, 8])

    looked_at = detail(client, instance)

    assert (looked_at.generate_csr_method, looked_at.csr, looked_at.upgrade_status) == ("upload", "-----BEGIN", "payed")
    assert (looked_at.contact_id_list, looked_at.validation_method) == ([7, 8], "DNS")
    assert (looked_at.auto_reissue, looked_at.auto_reissue_flag, looked_at.average_waiting_time) == (
        "disable",
        1,
        "600",
    )
    assert looked_at.domain_validation_list == []


@pytest.mark.parametrize("code", ["NotFound", "InvalidInstanceId.NotFound"])
def test_an_instance_that_there_is_not_is_not_found(cloud: Cloud, client: Client, code: str) -> None:
    cloud.cas.instances.unknown_code = code

    assert [code_of(call, client, "cas_dv-cn-0") for call in (detail, apply, task)] == [(code, 404)] * 3
    assert code_of(detail, client, "") == ("MissingInstanceId", 400)


def test_an_application_goes_from_pending_to_the_next_certificate(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add(days_left=20)
    (before,) = rows(client)

    assert apply(client, instance)
    assert task(client, instance) == ("processing", "")
    (pending,) = rows(client)
    assert pending.status == "pending"
    for name in ("certificate_id", "certificate_not_after", "certificate_status", "certificate_domain"):
        assert getattr(pending, name) == getattr(before, name), "the second is pending, the first still shows"
    cloud.clock.advance(seconds=2)
    assert task(client, instance) == ("success", "")
    cloud.clock.advance(seconds=120 + 300 - 3)
    assert rows(client)[0].status == "pending"
    cloud.clock.advance(seconds=1)
    (issued,) = rows(client)

    assert (issued.status, issued.certificate_status) == ("normal", "issued")
    assert issued.certificate_id > before.certificate_id
    assert issued.certificate_not_after == milliseconds(START + timedelta(days=199, seconds=420))
    assert (issued.instance_end_time, issued.domain) == (before.instance_end_time, before.domain)
    assert [one.outcome for one in cloud.cas.instances.applied(instance)] == ["issued"]


def test_the_first_certificate_begins_the_subscription(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.buy("test.example.com", kind="TEST")
    cloud.clock.advance(days=5)
    apply(client, instance)
    cloud.clock.advance(days=1)

    (row,) = rows(client)

    assert row.instance_start_time == row.certificate_not_before == milliseconds(START + timedelta(days=5, seconds=420))
    assert row.instance_end_time - row.instance_start_time == milliseconds(
        START + timedelta(days=91.32)
    ) - milliseconds(START)
    assert row.certificate_not_after - row.certificate_not_before == 90 * 86_400_000


def test_one_application_at_a_time_and_after_the_issue_a_repeat_is_not_refused(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add()
    apply(client, instance)

    assert code_of(apply, client, instance) == ("OperationDenied.StatusNotSupport", 400)
    cloud.clock.advance(seconds=420)
    apply(client, instance)

    bases = [one.base for one in cloud.cas.instances.applied(instance)]
    assert len(bases) == 2
    assert bases[0] != bases[1]
    assert rows(client)[0].status == "pending"


@pytest.mark.parametrize(
    "fields", [{"contacts": []}, {"domain": ""}, {"validation_method": ""}, {"csr_method": "upload"}], ids=str
)
def test_an_application_without_what_it_needs_is_refused(cloud: Cloud, client: Client, fields: dict[str, Any]) -> None:
    instance = cloud.cas.instances.add(**{"domain": "www.example.com", "days_left": None, **fields})

    assert code_of(apply, client, instance) == ("MissingParameter", 400)
    assert rows(client)[0].status == "inactive"


@pytest.mark.parametrize("fields", [{"subscription_days_left": -1}, {"fixed_status": "refund"}], ids=str)
def test_what_has_ended_takes_no_application(cloud: Cloud, client: Client, fields: dict[str, Any]) -> None:
    instance = cloud.cas.instances.add(**fields)

    assert code_of(apply, client, instance) == ("OperationDenied.StatusNotSupport", 400)
    assert cloud.cas.instances.applied(instance) == []


def test_validation_records_appear_late_and_only_while_they_are_asked_for(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add("www.example.com,*.example.com.cn")
    apply(client, instance)

    assert detail(client, instance).domain_validation_list == []
    cloud.clock.advance(seconds=5)
    first, second = detail(client, instance).domain_validation_list
    assert (first.domain, first.root_domain, first.validation_key) == ("www.example.com", "example.com", "_dnsauth.www")
    assert (second.domain, second.root_domain, second.validation_key) == (
        "*.example.com.cn",
        "example.com.cn",
        "_dnsauth",
    )
    assert (first.validation_type, len(first.validation_value), first.cname) == ("TXT", 32, "")
    assert [row.status for row in rows(client)] == ["pending"]

    cloud.clock.advance(seconds=420)
    assert detail(client, instance).domain_validation_list == []
    apply(client, instance)
    cloud.clock.advance(seconds=5)
    cloud.cas.instances.repeats_records = True
    again = detail(client, instance).domain_validation_list
    assert [entry.domain for entry in again] == ["www.example.com", "www.example.com", "*.example.com.cn"]
    assert {entry.validation_value for entry in again}.isdisjoint({first.validation_value, second.validation_value})


@pytest.mark.parametrize("where", ["instance", "account"])
def test_what_is_not_in_the_account_s_dns_waits_for_somebody_to_add_the_records(
    cloud: Cloud, client: Client, where: str
) -> None:
    if where == "account":
        cloud.cas.authority.own_dns = False
    instance = cloud.cas.instances.add("a.example.com,b.example.com", own_dns=False if where == "instance" else None)
    apply(client, instance)
    cloud.clock.advance(days=3)
    a, b = detail(client, instance).domain_validation_list

    cloud.cas.authority.add_record(a.root_domain, a.validation_key, a.validation_type, a.validation_value)
    cloud.cas.authority.add_record(b.root_domain, b.validation_key, b.validation_type, "something else")
    cloud.clock.advance(days=1)
    assert rows(client)[0].status == "pending"
    cloud.cas.authority.add_record(b.root_domain, b.validation_key, b.validation_type, b.validation_value)
    cloud.clock.advance(seconds=300)

    (row,) = rows(client)
    assert (row.status, row.certificate_not_before) == ("normal", milliseconds(START + timedelta(days=4, seconds=300)))


def test_a_file_can_be_what_is_asked_for(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add(validation_method="HTTP")
    apply(client, instance)
    cloud.clock.advance(days=1)

    (entry,) = detail(client, instance).domain_validation_list

    assert (entry.validation_type, entry.validation_key, rows(client)[0].status) == ("HTTP", "fileauth.txt", "pending")


@pytest.mark.parametrize(
    ("traces", "status", "pending_result", "spoken"),
    [
        (["pending-result", "status"], "normal", "CAA forbids", ("success", "")),
        (["pending-result"], "pending", "CAA forbids", ("success", "")),
        (["task", "status"], "normal", "", ("failed", "CAA forbids")),
        (["status"], "normal", "", ("success", "")),
    ],
    ids=str,
)
def test_an_authority_that_refuses_shows_it_in_one_way_or_another(
    cloud: Cloud, client: Client, traces: Any, status: str, pending_result: str, spoken: tuple[str, str]
) -> None:
    instance = cloud.cas.instances.add()
    (before,) = rows(client)
    cloud.cas.instances.refuse(instance, "CAA forbids", traces=traces, after=3600)
    apply(client, instance)
    cloud.clock.advance(seconds=3599)
    assert (rows(client)[0].status, rows(client)[0].pending_result) == ("pending", "")

    cloud.clock.advance(seconds=1)

    (row,) = rows(client)
    assert (row.status, row.pending_result, row.certificate_id) == (status, pending_result, before.certificate_id)
    assert task(client, instance) == spoken
    assert [one.outcome for one in cloud.cas.instances.applied(instance)] == ["refused"]


def test_a_refused_first_application_makes_the_instance_inactive_again_and_the_next_may_succeed(
    cloud: Cloud, client: Client
) -> None:
    instance = cloud.cas.instances.buy("www.example.com")
    cloud.cas.instances.refuse(instance, "no")
    apply(client, instance)
    cloud.clock.advance(seconds=420)
    assert rows(client)[0].status == "inactive"

    apply(client, instance)
    assert rows(client)[0].pending_result == ""
    cloud.clock.advance(seconds=420)
    assert rows(client)[0].certificate_status == "issued"


def test_a_withdrawn_application_leaves_a_normal_instance_without_a_certificate(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.buy("www.example.com")
    cloud.cas.instances.apply(instance)
    assert rows(client)[0].status == "pending"

    cloud.cas.instances.withdraw(instance)
    cloud.clock.advance(days=1)

    (row,) = rows(client)
    assert (row.status, row.certificate_id) == ("normal", None)
    assert cloud.cas.instances.applied(instance) == [], "a person applied, and not the API"


def test_what_is_configured_may_differ_from_what_was_issued(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add("old.example.com")
    apply(client, instance)
    cloud.cas.instances.change_domain(instance, "new.example.com")
    cloud.clock.advance(seconds=420)

    (row,) = rows(client)

    assert (row.domain, row.certificate_domain) == ("new.example.com", "old.example.com")


def test_an_authority_may_add_the_apex(cloud: Cloud, client: Client) -> None:
    cloud.cas.authority.adds_apex = True
    cloud.cas.instances.issue(cloud.cas.instances.add("www.example.com"))

    assert rows(client)[0].certificate_domain == "www.example.com,example.com"


def test_the_platform_applies_for_what_is_hosted_thirty_days_before_the_end(cloud: Cloud, client: Client) -> None:
    cloud.cas.instances.add(days_left=31, hosted=True)
    cloud.cas.instances.add(days_left=31)
    ids = [row.certificate_id for row in rows(client)]

    cloud.clock.advance(days=1)
    assert [row.status for row in rows(client)] == ["normal", "pending"]
    cloud.clock.advance(seconds=420)

    plain, hosted = rows(client)
    assert (plain.certificate_id, hosted.certificate_id > ids[1]) == (ids[0], True)
    assert client.get_instance_summary(models.GetInstanceSummaryRequest()).body.auto_reissue_count == 9


@pytest.mark.parametrize("why", ["switched off", "no units", "free", "subscription"])
def test_the_platform_does_nothing_for_a_hosted_instance_if(cloud: Cloud, client: Client, why: str) -> None:
    cloud.cas.authority.hosting_works = why != "switched off"
    cloud.cas.authority.hosting_units = 0 if why == "no units" else 3
    cloud.cas.instances.add(
        days_left=40,
        hosted=True,
        kind="TEST" if why == "free" else "BUY",
        subscription_days_left=9 if why == "subscription" else None,
    )
    (before,) = rows(client)

    cloud.clock.advance(days=20)

    assert rows(client)[0].certificate_id == before.certificate_id
    assert cloud.cas.authority.applications == []


def test_years_go_by_at_once_as_they_would_have_day_by_day(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add(days_left=31, hosted=True)

    cloud.clock.advance(days=900)

    (row,) = rows(client)
    assert (row.status, row.certificate_status) == ("expired", "expired")
    issued = cloud.cas.certificates.of_instance(instance)
    assert [one.not_before - START for one in issued[1:]] == [
        timedelta(days=1, seconds=420),
        timedelta(days=170, seconds=840),
    ]


def test_hosting_can_be_switched_on_late_and_off(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add(days_left=10)
    cloud.cas.instances.host(instance)
    assert rows(client)[0].auto_reissue == "enable"
    assert rows(client)[0].status == "pending"
    cloud.cas.instances.withdraw(instance)
    cloud.cas.instances.host(instance, hosted=False)

    assert (rows(client)[0].auto_reissue, rows(client)[0].status) == ("disable", "normal")


def test_a_subscription_ends_and_is_extended(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add(days_left=100)
    apply(client, instance)
    cloud.cas.instances.end_subscription(instance)
    assert (rows(client)[0].status, rows(client)[0].certificate_status) == ("expired", "issued")

    cloud.cas.instances.extend_subscription(instance)
    cloud.clock.advance(days=1)

    assert rows(client)[0].status == "normal"
    assert [one.outcome for one in cloud.cas.instances.applied(instance)] == ["ended"]


def test_an_application_may_show_late_though_the_service_knows_of_it(cloud: Cloud, client: Client) -> None:
    cloud.cas.authority.shows_after = 600
    instance = cloud.cas.instances.add(own_dns=False)
    apply(client, instance)
    cloud.clock.advance(seconds=599)

    assert rows(client)[0].status == "normal"
    assert code_of(apply, client, instance) == ("OperationDenied.StatusNotSupport", 400)
    cloud.clock.advance(seconds=1)
    assert rows(client)[0].status == "pending"


def issued_after_an_application(cloud: Cloud, client: Client, *, pending_for: float = 60) -> tuple[str, int, int]:
    """An instance that was in review and has its next certificate: the certificate before, and the new one."""
    instance = cloud.cas.instances.add(own_dns=False)
    before = cloud.cas.instances.of(instance).certificate_id
    apply(client, instance)
    cloud.clock.advance(seconds=pending_for)
    return instance, before or 0, cloud.cas.instances.issue(instance)


@pytest.mark.parametrize("behind", ["list", "detail"])
def test_the_list_may_be_older_than_the_detail_and_the_other_way_round(
    cloud: Cloud, client: Client, behind: str
) -> None:
    setattr(cloud.cas.instances, f"{behind}_behind", 90)
    instance, before, new = issued_after_an_application(cloud, client)

    def shown() -> tuple[tuple[str, int], tuple[str, int]]:
        old, fresh = rows(client)[0], detail(client, instance)
        both = (old.status, old.certificate_id), (fresh.status, fresh.certificate_id)
        return both if behind == "list" else both[::-1]

    assert shown() == (("normal", before), ("normal", new))
    cloud.clock.advance(seconds=31)
    assert shown() == (("pending", before), ("normal", new))
    cloud.clock.advance(seconds=59)
    assert shown() == (("normal", new), ("normal", new))


def test_an_instance_may_be_normal_before_its_next_certificate_shows(cloud: Cloud, client: Client) -> None:
    cloud.cas.instances.certificate_behind = 120
    instance, before, new = issued_after_an_application(cloud, client)

    assert (detail(client, instance).status, detail(client, instance).certificate_id) == ("normal", before)
    cloud.clock.advance(seconds=120)
    assert rows(client)[0].certificate_id == new


def test_the_list_of_certificates_may_lack_what_was_just_issued(cloud: Cloud, client: Client) -> None:
    cloud.cas.certificates.lists_after = 120
    instance, before, new = issued_after_an_application(cloud, client)

    def certificates() -> list[str]:
        request = models.ListCertificatesRequest(instance_id=instance)
        return [row.certificate_id for row in client.list_certificates(request).body.certificate_list]

    assert certificates() == [str(before)]
    cloud.clock.advance(seconds=120)
    assert certificates() == [str(new), str(before)]


def test_an_instance_in_review_may_show_no_certificate_and_say_what_is_no_refusal(cloud: Cloud, client: Client) -> None:
    cloud.cas.instances.pending_has_certificate, cloud.cas.authority.says_meanwhile = False, "审核中"
    instance = cloud.cas.instances.add(own_dns=False)
    apply(client, instance)

    for shown in (rows(client)[0], detail(client, instance)):
        assert (shown.status, shown.certificate_id, shown.pending_result) == ("pending", None, "审核中")
    cloud.cas.instances.issue(instance)
    assert (rows(client)[0].status, rows(client)[0].pending_result) == ("normal", "")


@pytest.mark.parametrize("has_it", [False, True])
def test_a_detail_may_have_the_domain_of_the_certificate(cloud: Cloud, has_it: bool) -> None:
    cloud.cas.instances.detail_has_domain = has_it
    instance = cloud.cas.instances.add("www.example.com")

    # The model of the SDK knows of no such field.
    assert ("CertificateDomain" in cloud.cas.instances.get_instance_detail({"InstanceId": instance})) is has_it


def test_that_a_state_allows_no_application_may_come_with_any_status(cloud: Cloud, client: Client) -> None:
    cloud.cas.instances.not_supported_status = 500
    instance = cloud.cas.instances.add(own_dns=False)
    apply(client, instance)

    with pytest.raises(ServerException, match=r"OperationDenied\.StatusNotSupport code: 500"):
        apply(client, instance)


def test_an_application_takes_effect_late_if_it_is_told_to(cloud: Cloud, client: Client) -> None:
    cloud.cas.instances.application_takes = 30
    instance = cloud.cas.instances.add()

    apply(client, instance)

    (application,) = cloud.cas.instances.applied(instance)
    assert application.at == START + timedelta(seconds=30)


def test_task_words_are_written_in_either_case_and_a_task_that_never_was_is_not_found(
    cloud: Cloud, client: Client
) -> None:
    instance = cloud.cas.instances.add()
    assert code_of(task, client, instance) == ("NotFound", 404)
    cloud.cas.instances.task_words = "upper"
    apply(client, instance)

    assert task(client, instance) == ("PROCESSING", "")


def test_a_summary_counts(cloud: Cloud, client: Client) -> None:
    cloud.cas.instances.buy("www.example.com")
    cloud.cas.instances.add(subscription_days_left=3)
    cloud.cas.instances.add(kind="TEST")

    def summary(kind: str | None = None) -> tuple[int, int, int]:
        answer = client.get_instance_summary(models.GetInstanceSummaryRequest(instance_type=kind)).body
        return answer.total_count, answer.inactive_count, answer.will_expire_count

    assert (summary(), summary("TEST")) == ((3, 1, 2), (1, 0, 1))


def test_instances_come_and_go_while_they_are_listed(cloud: Cloud, client: Client) -> None:
    ids = [cloud.cas.instances.add(f"{number}.example.com") for number in range(4)]
    cloud.cas.once_after_page("ListInstances", 1, lambda: cloud.cas.instances.remove(ids[3]))

    pages = [rows(client, show_size=2, current_page=page) for page in (1, 2)]

    assert [row.instance_id for page in pages for row in page] == [ids[3], ids[2], ids[0]], "the second was missed"
    cloud.cas.instances.move_row(ids[0], 0)
    assert rows(client)[0].instance_id == ids[0]


def test_every_list_moves_by_chance_and_in_the_same_way_again() -> None:
    def seen(seed: int) -> list[list[str]]:
        with local_cloud() as cloud:
            client = Clients(cloud.environ()).cas
            for number in range(30):
                cloud.cas.instances.add(f"{number}.example.com")
            cloud.cas.between_pages = MovingLists(cloud.cas, seed, share=1)
            for _ in range(20):
                client.list_certificates(models.ListCertificatesRequest())
                client.list_cloud_resources(models.ListCloudResourcesRequest())
                client.list_deployment_job(models.ListDeploymentJobRequest())
                client.list_contact(models.ListContactRequest())
            return [[row.instance_id for row in rows(client, current_page=page)] for page in range(1, 6)]

    assert seen(1) == seen(1) != seen(2)


@pytest.mark.parametrize("fault", HAPPENED, ids=fault_name)
def test_a_lost_answer_is_an_application_all_the_same(fault: faults.Fault) -> None:
    with local_cloud() as cloud:
        instance = cloud.cas.instances.add()
        cloud.cas.fail(APPLY, fault)

        with contextlib.suppress(*FAILURES):
            apply(Clients(cloud.environ()).cas, instance)

        assert cloud.cas.instances.status(instance) == "pending"


@pytest.mark.parametrize("fault", [*DID_NOT, *faults.NO_ANSWERS], ids=fault_name)
def test_an_application_that_failed_before_its_effect_never_was(fault: faults.Fault) -> None:
    with local_cloud() as cloud:
        instance = cloud.cas.instances.add()
        cloud.cas.fail(APPLY, fault)

        with contextlib.suppress(*FAILURES, AttributeError, TypeError, ValueError):
            apply(Clients(cloud.environ()).cas, instance)

        assert cloud.cas.instances.status(instance) == "normal"
        assert [call.params for call in cloud.cas.calls_of(APPLY)] == [{"InstanceId": instance}]


@pytest.mark.parametrize("action", ["ListInstances", "ListCertificates", "ListContact", "ListCloudResources"])
def test_every_list_can_be_spoilt_in_every_way(action: str) -> None:
    method = {
        "ListInstances": ("list_instances", "instance_list", "total_count"),
        "ListCertificates": ("list_certificates", "certificate_list", "total_count"),
        "ListContact": ("list_contact", "contact_list", "total_count"),
        "ListCloudResources": ("list_cloud_resources", "data", "total"),
    }[action]
    with local_cloud() as cloud:
        for _ in range(2):
            upload = cloud.cas.certificates.upload("www.example.com")
            cloud.cas.instances.buy("www.example.com")
            cloud.cas.resources.add(upload)
            cloud.cas.resources.add_contact("Somebody", "somebody@example.com")
        whole = _list(cloud, method)
        cloud.cas.fail(action, *faults.NO_LISTS)

        assert _list(cloud, method) == ([], whole[1])
        assert _list(cloud, method) == ([], whole[1])
        assert _list(cloud, method) == (whole[0], None)
        assert _list(cloud, method) == ([], 0)
        assert _list(cloud, method) == (whole[0][: len(whole[0]) // 2], whole[1])
        assert _list(cloud, method, current_page=3) == whole


def _list(cloud: Cloud, method: tuple[str, str, str], **params: Any) -> tuple[list[Any], int | None]:
    call, rows_of, total_of = method
    client = Clients(cloud.environ()).cas
    request = getattr(models, "".join(map(str.capitalize, call.split("_"))) + "Request")(**params)
    body = getattr(client, call)(request).body
    return [row.to_map() for row in getattr(body, rows_of)], getattr(body, total_of)


def test_one_operation_alone_can_be_forbidden(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add()
    cloud.cas.forbid("ListInstances", APPLY)
    cloud.cas.forbid(APPLY, code="Forbidden.RAM", status=400)

    with pytest.raises(ClientException) as refused:
        rows(client)
    assert (refused.value.code, refused.value.status_code) == ("NoPermission", 403)
    assert refused.value.data["AccessDeniedDetail"]["AuthAction"] == "yundun-cert:ListInstances"
    assert code_of(apply, client, instance) == ("Forbidden.RAM", 400)
    assert detail(client, instance).status == "normal"

    cloud.cas.permit("ListInstances")
    assert len(rows(client)) == 1
    with pytest.raises(ValueError, match="NoSuchOperation"):
        cloud.cas.forbid("NoSuchOperation")


def test_v2_operations_are_throttled_like_all_others(cloud: Cloud, client: Client) -> None:
    cloud.cas.fail("ListInstances", faults.throttle(), faults.throttle(retry_after_ms=500))

    assert code_of(rows, client) == ("Throttling.User", 400)
    with pytest.raises(ThrottlingException):
        rows(client)
    assert rows(client) == []


@pytest.mark.parametrize(
    "operation",
    [
        "UpdateInstance",
        "RevokeCertificate",
        "CancelPendingCertificate",
        "CancelOrderRequest",
        "CancelCertificateForPackageRequest",
        "RefundInstance",
        "DeleteInstance",
        "DeleteUserCertificate",
        "DeleteDeploymentJob",
        "DeleteContact",
        "ShareCertificate",
        "MoveResourceGroup",
    ],
)
def test_what_must_never_be_called_fails_loudly(operation: str) -> None:
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
    request = getattr(models, f"{operation}Request")()

    with pytest.raises(NotStubbed, match=operation), local_cloud() as cloud:
        getattr(Clients(cloud.environ()).cas, method)(request)


def test_bad_days_spoil_every_operation() -> None:
    source = RandomFaults(1, share=1)

    kinds = {fault.kind for fault in (source("ListInstances") for _ in range(500)) if fault}

    assert {"timeout", "error", "html", "answer", "no_list", "first_page"} <= kinds


def test_the_whole_state_survives_in_a_folder(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path) as cloud:
        cloud.cas.shapes.units = "seconds"
        cloud.cas.authority.takes = 60
        cloud.cas.instances.list_behind = 1
        instance = cloud.cas.instances.add(own_dns=False)
        hosted = cloud.cas.instances.add(hosted=True, days_left=40)
        cloud.cas.instances.pages.odd_row(hosted, "Domain")
        cloud.cas.instances.refuse(hosted, "no")
        cloud.cas.forbid("GetTaskAttribute")
        client = Clients(cloud.environ()).cas
        apply(client, instance)
        cloud.clock.advance(seconds=10)
        (entry,) = detail(client, instance).domain_validation_list
        cloud.cas.authority.add_record(*(entry.root_domain, entry.validation_key, "TXT", entry.validation_value))
        before = [row.to_map() for row in rows(client)]

    with local_cloud(state=tmp_path) as cloud:
        client = Clients(cloud.environ()).cas
        cloud.clock.advance(seconds=10)
        assert [row.to_map() for row in rows(client)] == before
        assert before[0].keys() < before[1].keys() | {"Domain"}
        assert code_of(task, client, instance) == ("NoPermission", 403)
        cloud.clock.advance(seconds=60)
        assert [row.status for row in rows(client)] == ["normal", "pending"]
        cloud.clock.advance(seconds=1)
        assert [row.status for row in rows(client)] == ["normal", "normal"]
        assert len(cloud.cas.certificates.of_instance(instance)) == 2
        assert len(cloud.cas.instances.applied(instance)) == 1
        cloud.clock.advance(days=11)
        assert rows(client)[0].pending_result == "no"
        assert cloud.cas.instances.add("www.example.com") not in {instance, hosted}


OLD_STATE = {
    "settings": {"page_limit": 50, "quota": None, "next_order_id": 123451222, "next_renewal_id": 98987582437920968},
    "faults": {"ListUserCertificateOrder": [None]},
    "renewable_statuses": ["WILLEXPIRED"],
    "list_twice": [],
    "extra_rows": [],
    "odd": [],
    "orders": [],
    "rows": {"CPACK": [], "BUY": []},
    "uploads": [
        {
            "certificate_id": 888,
            "common_name": "uploaded.example.com",
            "cert_start": "2026-05-25T03:00:00+00:00",
            "cert_end": "2026-12-11T03:00:00+00:00",
        }
    ],
    "purchases": [],
}
"""As it was kept before there were V2 instances."""


def test_a_state_of_earlier_days_still_loads(tmp_path: Path) -> None:
    (tmp_path / "cas.json").write_text(json.dumps(OLD_STATE), "utf-8")

    with local_cloud(state=tmp_path) as cloud:
        client = Clients(cloud.environ()).cas
        (upload,) = client.list_certificates(models.ListCertificatesRequest()).body.certificate_list

        assert (upload.certificate_id, upload.certificate_source, upload.domain) == (
            "888",
            "UPLOAD",
            "uploaded.example.com",
        )
        assert rows(client) == []
