"""Rows of certificates, resources, jobs and workers: what makes no sense costs its own row at most."""

from datetime import datetime, timezone
from typing import Any

import pytest

from handler.deployment import contact
from handler.deployment.certificate import IssuedCertificate, certificate_in
from handler.deployment.job import Counts, Job, Put, counts_in, job_in, job_name, worker_in
from handler.deployment.resource import Resource, resource_in

NOTHING: list[Any] = [
    None,
    "text",
    7,
    [],
    {},
    {"Id": 0},
    {"Id": "x"},
    {"Id": True},
    {"Id": -1},
    {"CertificateId": "1.5"},
]

RESOURCE = {
    "Id": 3100001,
    "CertId": 20000001,
    "CloudName": "aliyun",
    "CloudProduct": "ALB",
    "RegionId": "cn-hangzhou",
    "Domain": "www.example.com",
    "InstanceId": "alb-1",
    "ListenerId": "lsn-1",
}
CERTIFICATE = {
    "CertificateId": "20000001",
    "Domain": "www.example.com",
    "SubjectAlternativeNames": ["www.example.com", "example.com"],
    "InstanceId": "cas_dv-cn-example01",
    "CertificateStatus": "issued",
    "CertificateSource": "BUY",
    "NotAfter": 1796914800000,
    "Serial": "06EA:4879",
}


def read(read_row: Any, row: object) -> Any:
    return read_row(row)


@pytest.mark.parametrize("row", NOTHING)
@pytest.mark.parametrize("read_row", [certificate_in, resource_in, job_in, worker_in, contact.contact_in])
def test_a_row_without_an_id_is_shown_and_read_no_further(read_row, row):
    assert isinstance(read_row(row), str)
    assert len(read_row(row)) <= 80


def test_a_resource_is_read():
    assert read(resource_in, RESOURCE) == Resource(
        "3100001", "20000001", "ALB", "cn-hangzhou", "www.example.com", "alb-1", "lsn-1"
    )


@pytest.mark.parametrize(
    ("lacking", "name"),
    [
        ({}, "alb-1/lsn-1"),
        ({"ListenerId": ""}, "alb-1"),
        ({"ListenerId": None, "InstanceId": None}, "www.example.com"),
        ({"ListenerId": "", "InstanceId": "", "Domain": ""}, "3100001"),
    ],
)
def test_a_resource_is_named_as_its_product_does(lacking, name):
    assert read(resource_in, RESOURCE | lacking).name == name


@pytest.mark.parametrize(
    ("field", "value", "odd"),
    [
        ("CertId", "text", ("CertId",)),
        ("CertId", None, ("CertId",)),
        ("CertId", 0, ("CertId",)),
        ("CertId", True, ("CertId",)),
        ("CloudProduct", "", ("CloudProduct",)),
        ("CloudProduct", 5, ("CloudProduct",)),
        ("Domain", ["www.example.com"], ("Domain",)),
        ("RegionId", None, ()),
        ("Domain", None, ()),
    ],
)
def test_of_a_resource_the_fields_that_make_no_sense_are_named(field, value, odd):
    assert read(resource_in, RESOURCE | {field: value}).odd == odd


@pytest.mark.parametrize(("shown", "cloud"), [("Aliyun", "aliyun"), (None, "aliyun"), ("", "aliyun"), ("Aws", "aws")])
def test_a_resource_that_names_no_cloud_is_of_this_one(shown, cloud):
    assert read(resource_in, RESOURCE | {"CloudName": shown}).cloud == cloud


@pytest.mark.parametrize("id_", ["20000001", 20000001])
def test_a_certificate_is_read_from_a_row_and_from_a_detail(id_):
    assert read(certificate_in, CERTIFICATE | {"CertificateId": id_}) == IssuedCertificate(
        id="20000001",
        domain="www.example.com,example.com",
        instance="cas_dv-cn-example01",
        status="issued",
        source="BUY",
        ends=datetime.fromtimestamp(1796914800, timezone.utc),
        serial="06EA:4879",
    )


@pytest.mark.parametrize(
    ("field", "value", "odd"),
    [
        ("CertificateSource", "SHARED", ("CertificateSource",)),
        ("CertificateSource", None, ("CertificateSource",)),
        ("CertificateStatus", "valid", ("CertificateStatus",)),
        ("NotAfter", None, ("NotAfter",)),
        ("NotAfter", "soon", ("NotAfter",)),
        ("Domain", "www.example.com,null", ("Domain",)),
        ("Serial", None, ()),
        ("Serial", 5, ()),
    ],
)
def test_a_certificate_without_which_nothing_may_be_deployed_says_so(field, value, odd):
    assert read(certificate_in, CERTIFICATE | {field: value}).odd == odd


def test_a_certificate_without_any_name_may_not_be_deployed():
    assert read(certificate_in, CERTIFICATE | {"Domain": "", "SubjectAlternativeNames": []}).odd == ("Domain",)


@pytest.mark.parametrize(
    ("state", "waits", "ended"),
    [
        ("editing", True, False),
        ("Editing", True, False),
        ("pending", False, False),
        ("scheduling", False, False),
        ("processing", False, False),
        ("success", False, True),
        ("ERROR", False, True),
        ("paused", False, False),
        ("", False, False),
        (None, False, False),
        (7, False, False),
    ],
)
def test_a_state_that_nobody_knows_counts_as_going_on(state, waits, ended):
    job = job_in({"Id": 61001, "Name": " renewer-1", "Status": state, "GmtCreate": "1763694000", "CertType": "buy"})
    assert isinstance(job, Job)
    assert (job.id, job.name, job.certificate_type) == ("61001", "renewer-1", "buy")
    assert job.created == datetime(2025, 11, 21, 3, tzinfo=timezone.utc)
    assert (job.is_waiting, job.has_ended) == (waits, ended)


def test_of_a_job_without_an_id_the_name_is_shown_first():
    assert read(job_in, {"Name": job_name("9223372036854775807"), "Id": "x" * 99}).startswith(
        "Name 'renewer-9223372036854775807'"
    )


@pytest.mark.parametrize(
    ("state", "put"),
    [
        ("success", Put.DEPLOYED),
        ("Success", Put.DEPLOYED),
        ("error", Put.FAILED),
        ("rollback", Put.REVERTED),
        ("rollback_success", Put.REVERTED),
        ("rollback_error", Put.DEPLOYED),
        ("editing", Put.UNFINISHED),
        ("processing", Put.UNFINISHED),
        ("skipped", Put.UNFINISHED),
        (None, Put.UNFINISHED),
    ],
)
def test_a_worker_says_what_became_of_its_resource(state, put):
    worker = read(worker_in, {"Id": 610010, "CertId": 2, "ResourceCertId": 1, "ResourceId": 3100001, "Status": state})
    assert (worker.put, worker.certificate_id, worker.former_certificate_id, worker.name) == (put, "2", "1", "3100001")


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        ({"WorkerCount": 2, "SuccessCount": 1, "FailedCount": 1}, True),
        ({"WorkerCount": "2", "SuccessCount": "2", "FailedCount": 0}, True),
        ({"WorkerCount": 2, "SuccessCount": 1, "FailedCount": 0}, False),
        ({"WorkerCount": 0, "SuccessCount": 0, "FailedCount": 0}, False),
        ({"WorkerCount": 2, "SuccessCount": 2}, False),
        ({"WorkerCount": True, "SuccessCount": 1, "FailedCount": 0}, False),
        ({"WorkerCount": -1, "SuccessCount": -1, "FailedCount": 0}, False),
        ({}, False),
    ],
)
def test_all_have_ended_when_the_counts_say_so_and_not_when_one_is_missing(answer, ended):
    assert counts_in(answer).all_ended is ended


def test_counts_that_are_none_are_none():
    answer = {"WorkerCount": "9" * 5000, "SuccessCount": "x", "FailedCount": 1.5, "CostCount": 3}
    assert counts_in(answer) == Counts(None, None, None, 3)


def test_of_a_contact_nothing_but_the_id_is_read():
    row = {"ContactId": 21001, "Name": "Somebody", "Email": "s***@example.com", "Mobile": "138****0000"}
    assert contact.contact_in(row) == contact.Contact("21001")
    assert "Somebody" not in str(contact.contact_in(row | {"ContactId": None}))


def test_the_longest_name_of_a_job_is_one_that_the_service_takes():
    assert len(job_name(str(2**63 - 1))) <= 63
