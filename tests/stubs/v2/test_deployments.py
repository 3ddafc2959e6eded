"""Contacts, cloud resources and deployment jobs, as the real client of CAS sees them."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client

from tests.stubs import faults
from tests.stubs.clients import FAILURES, Clients, code_of
from tests.stubs.clock import START
from tests.stubs.cloud import Cloud, local_cloud
from tests.stubs.resources import FIRST_CONTACT_ID, PRODUCTS

CREATE = "CreateDeploymentJob"


def resources(client: Client, **params: Any) -> Any:
    return client.list_cloud_resources(models.ListCloudResourcesRequest(**params)).body


def create(client: Client, certificate: int, *bound: int, name: str = "renewer-1", **params: Any) -> Any:
    fields = {
        "name": name,
        "job_type": "user",
        "cert_ids": str(certificate),
        "resource_ids": ",".join(map(str, bound)),
        "contact_ids": str(FIRST_CONTACT_ID),
    }
    request = models.CreateDeploymentJobRequest(**(fields | params))
    return client.create_deployment_job(request).body.job_id


def start(client: Client, job: int, status: str = "scheduling") -> None:
    client.update_deployment_job_status(models.UpdateDeploymentJobStatusRequest(job_id=job, status=status))


def look(client: Client, job: int) -> Any:
    return client.describe_deployment_job(models.DescribeDeploymentJobRequest(job_id=job)).body


def counts(client: Client, job: int) -> tuple[int, int, int]:
    body = client.describe_deployment_job_status(models.DescribeDeploymentJobStatusRequest(job_id=job)).body
    return body.worker_count, body.success_count, body.failed_count


def workers(client: Client, job: int, **params: Any) -> Any:
    return client.list_worker_resource(models.ListWorkerResourceRequest(job_id=job, **params)).body.data


def jobs(client: Client, **params: Any) -> Any:
    return client.list_deployment_job(models.ListDeploymentJobRequest(**params)).body.data


@pytest.fixture
def old(cloud: Cloud) -> int:
    """The certificate that is to be replaced."""
    return cloud.cas.certificates.of(
        cloud.cas.instances.of(cloud.cas.instances.add()).certificate_id or 0
    ).certificate_id


@pytest.fixture
def new(cloud: Cloud, old: int) -> int:
    """The one that takes its place, of the same instance."""
    return cloud.cas.instances.issue(cloud.cas.instances.ids()[0])


def test_contacts_are_masked_and_a_new_account_has_one(cloud: Cloud, client: Client) -> None:
    second = cloud.cas.resources.add_contact("Somebody", "somebody@example.com")

    body = client.list_contact(models.ListContactRequest()).body

    assert [(row.contact_id, row.name, row.email) for row in body.contact_list] == [
        (FIRST_CONTACT_ID, "Operations", "o***@example.com"),
        (second, "Somebody", "s***@example.com"),
    ]
    assert (body.total_count, body.show_size, body.current_page) == (2, 20, 1)
    found = client.list_contact(models.ListContactRequest(keyword="Some")).body.contact_list
    assert [row.contact_id for row in found] == [second]
    cloud.cas.resources.contacts.clear()
    assert client.list_contact(models.ListContactRequest()).body.contact_list == []


def test_resources_of_every_product_are_found_by_the_certificate_that_is_bound_now(
    cloud: Cloud, client: Client, old: int, new: int
) -> None:
    bound = {product: cloud.cas.resources.add(old, product) for product in PRODUCTS}
    other = cloud.cas.resources.add(new, "CDN", cloud_name="Tencent", domain="other.example.com")

    of_old = resources(client, cert_ids=[old], cloud_name="aliyun")

    assert {row.cloud_product: row.id for row in of_old.data} == bound
    assert (of_old.total, of_old.show_size) == (len(PRODUCTS), 20)
    assert len(PRODUCTS) >= 6
    balancer = next(row for row in of_old.data if row.cloud_product == "ALB")
    assert (balancer.cert_id, balancer.domain, balancer.region_id) == (old, "www.example.com", "cn-hangzhou")
    assert balancer.instance_id.startswith("alb-")
    assert (balancer.listener_id[:4], balancer.listener_port, balancer.enable_https) == ("lsn-", "443", 1)
    assert balancer.cert_end_time == str(int((START + timedelta(days=20)).timestamp()))
    assert [row.id for row in resources(client, cert_ids=[old], cloud_product="OSS").data] == [bound["OSS"]]
    assert [row.id for row in resources(client, cert_ids=[new]).data] == [other]
    assert resources(client, cert_ids=[new], cloud_name="aliyun").data == []
    assert resources(client, cert_ids=[old, new]).total == len(PRODUCTS) + 1
    assert [row.id for row in resources(client, keyword="other").data] == [other]


def test_resources_come_in_pages_of_twenty(cloud: Cloud, client: Client, old: int) -> None:
    ids = [cloud.cas.resources.add(old, "CDN") for _ in range(45)]

    pages = [resources(client, cert_ids=[old], current_page=page) for page in (1, 2, 3, 4)]

    assert [len(page.data) for page in pages] == [20, 20, 5, 0]
    assert sorted(row.id for page in pages for row in page.data) == ids
    assert pages[0].total == 45


def test_a_new_resource_and_a_new_binding_may_show_late(cloud: Cloud, client: Client, old: int, new: int) -> None:
    cloud.cas.resources.show_after, cloud.cas.resources.bindings_show_after = 7200, 3600
    resource = cloud.cas.resources.add(old)
    cloud.clock.advance(seconds=7199)
    assert resources(client, cert_ids=[old]).total == 0
    cloud.clock.advance(seconds=1)
    cloud.cas.resources.bind(resource, new)

    assert [row.cert_id for row in resources(client, cert_ids=[old]).data] == [old]
    cloud.clock.advance(seconds=3600)
    assert [row.cert_id for row in resources(client, cert_ids=[new]).data] == [new]


def test_a_job_waits_to_be_started_and_then_puts_the_new_certificate_in_the_old_one_s_place(
    cloud: Cloud, client: Client, old: int, new: int
) -> None:
    bound = [cloud.cas.resources.add(old, product) for product in ("CDN", "ALB", "OSS")]
    job = create(client, new, *bound)
    cloud.clock.advance(days=1)
    assert (look(client, job).status, counts(client, job)) == ("editing", (3, 0, 0))
    assert resources(client, cert_ids=[new]).total == 0

    start(client, job)
    assert look(client, job).status == "scheduling"
    cloud.clock.advance(seconds=5 + 20)
    assert (look(client, job).status, counts(client, job)) == ("processing", (3, 2, 0))
    assert [worker.status for worker in workers(client, job)] == ["success", "success", "processing"]
    cloud.clock.advance(seconds=10)

    assert (look(client, job).status, counts(client, job)) == ("success", (3, 3, 0))
    assert {row.id for row in resources(client, cert_ids=[new]).data} == set(bound)
    assert resources(client, cert_ids=[old]).total == 0
    assert cloud.cas.deployments.spent == 0
    (row,) = client.list_certificates(models.ListCertificatesRequest(keyword=str(new))).body.certificate_list
    assert row.using_product_list == ["ALB", "CDN", "OSS"]


def test_a_job_and_its_workers_have_these_fields(cloud: Cloud, client: Client, old: int, new: int) -> None:
    resource = cloud.cas.resources.add(old, "ALB", region="cn-beijing")
    job = create(client, new, resource, name="renewer-77")

    looked_at, (worker,) = look(client, job), workers(client, job)

    assert (looked_at.id, looked_at.name, looked_at.job_type, looked_at.del_) == (job, "renewer-77", "user", 0)
    assert (looked_at.cert_type, looked_at.product_name, looked_at.rollback) == ("buy", "ALB", 0)
    assert (looked_at.gmt_create, looked_at.end_time) == (str(int(START.timestamp())), "")
    assert [(contact.id, contact.name) for contact in looked_at.cas_contacts] == [(str(FIRST_CONTACT_ID), "Operations")]
    assert (worker.job_id, worker.cert_id, worker.resource_cert_id, worker.resource_id) == (job, new, old, resource)
    assert (worker.cloud_product, worker.resource_domain, worker.region_id) == ("ALB", "www.example.com", "cn-beijing")
    status = client.describe_deployment_job_status(models.DescribeDeploymentJobStatusRequest(job_id=job)).body
    assert [(one.product_name, one.count) for one in status.product_worker_count] == [("ALB", 1)]
    assert (status.cert_count, status.cost_count, status.resource_count) == (1, 0, 1)


@pytest.mark.parametrize("partly_failed", ["error", "success"])
def test_one_resource_fails_and_the_others_get_the_certificate(
    cloud: Cloud, client: Client, old: int, new: int, partly_failed: Any
) -> None:
    cloud.cas.deployments.partly_failed = partly_failed
    good, bad = cloud.cas.resources.add(old, "CDN"), cloud.cas.resources.add(old, "WAF")
    cloud.cas.resources.of(bad).fails = True
    job = create(client, new, good, bad)
    start(client, job)
    cloud.clock.advance(seconds=60)

    assert (look(client, job).status, counts(client, job)) == (partly_failed, (2, 1, 1))
    assert [worker.resource_id for worker in workers(client, job, status="error")] == [bad]
    assert [worker.resource_id for worker in workers(client, job, cloud_product="CDN")] == [good]
    assert [row.id for row in resources(client, cert_ids=[old]).data] == [bad]


def test_a_job_whose_only_resource_is_gone_has_failed(cloud: Cloud, client: Client, old: int, new: int) -> None:
    cloud.cas.deployments.partly_failed = "success"
    resource = cloud.cas.resources.add(old)
    job = create(client, new, resource)
    cloud.cas.resources.remove(resource)
    start(client, job)
    cloud.clock.advance(seconds=60)

    assert (look(client, job).status, counts(client, job)) == ("error", (1, 0, 1))


def test_a_job_may_stay_in_processing(cloud: Cloud, client: Client, old: int, new: int) -> None:
    cloud.cas.deployments.stalls = True
    job = create(client, new, cloud.cas.resources.add(old), cloud.cas.resources.add(old))
    start(client, job)
    cloud.clock.advance(days=9)

    assert (look(client, job).status, counts(client, job)) == ("processing", (2, 1, 0))


def test_a_job_is_started_once(cloud: Cloud, client: Client, old: int, new: int) -> None:
    job = create(client, new, cloud.cas.resources.add(old))
    assert code_of(start, client, job, "on") == ("InvalidParameter", 400)
    start(client, job)

    assert code_of(start, client, job) == ("OperationDenied.StatusNotSupport", 400)
    cloud.clock.advance(seconds=60)
    assert code_of(start, client, job) == ("OperationDenied.StatusNotSupport", 400)
    assert code_of(start, client, 1) == ("NotFound", 404)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"name": None}, "MissingName"),
        ({"job_type": None}, "MissingJobType"),
        ({"cert_ids": None}, "MissingCertIds"),
        ({"resource_ids": None}, "MissingResourceIds"),
        ({"contact_ids": None}, "MissingContactIds"),
        ({"name": "n" * 64}, "InvalidParameter"),
        ({"job_type": "cloud"}, "InvalidParameter"),
        ({"cert_ids": "one"}, "InvalidParameter"),
        ({"contact_ids": "5"}, "InvalidParameter"),
        ({"cert_ids": "5"}, "InvalidCertId.NotFound"),
        ({"resource_ids": "5"}, "InvalidResourceId.NotFound"),
    ],
    ids=str,
)
def test_a_job_that_makes_no_sense_is_refused(
    cloud: Cloud, client: Client, old: int, new: int, params: dict[str, Any], code: str
) -> None:
    resource = cloud.cas.resources.add(old)

    assert code_of(create, client, new, resource, **params)[0] == code
    assert cloud.cas.deployments.jobs() == []


def test_a_resource_may_not_support_certificates(cloud: Cloud, client: Client, old: int, new: int) -> None:
    resource = cloud.cas.resources.add(old)
    cloud.cas.resources.of(resource).supports_certificates = False

    assert code_of(create, client, new, resource) == ("ResourceNotSupportCert", 400)


def test_there_is_no_token_so_a_second_call_makes_a_second_job_of_the_same_name(
    cloud: Cloud, client: Client, old: int, new: int
) -> None:
    resource = cloud.cas.resources.add(old)
    cloud.cas.fail(CREATE, faults.timeout_after(), faults.missing_order_id(), faults.order_id_as_string())

    with contextlib.suppress(*FAILURES):
        create(client, new, resource)
    assert create(client, new, resource) is None
    assert isinstance(create(client, new, resource), str)

    assert [job.name for job in cloud.cas.deployments.jobs()] == ["renewer-1"] * 3


def test_jobs_are_listed_newest_first_and_found_by_certificate_and_status(
    cloud: Cloud, client: Client, old: int, new: int
) -> None:
    resource = cloud.cas.resources.add(old)
    first = create(client, new, resource, name="first")
    person = cloud.cas.deployments.create_in_console("by hand", old, [resource])
    assert [(row.id, row.name, row.status) for row in jobs(client)] == [
        (person, "by hand", "scheduling"),
        (first, "first", "editing"),
    ]

    cloud.clock.advance(seconds=60)
    assert [row.id for row in jobs(client, status="success")] == [person]
    assert [row.id for row in jobs(client, cert_id=new, job_type="user")] == [first]
    assert [row.id for row in jobs(client, instance_id=look(client, first).instance_id)] == [first]
    assert jobs(client, job_type="trustee") == []


def test_a_new_job_may_be_listed_late_though_its_id_finds_it(cloud: Cloud, client: Client, old: int, new: int) -> None:
    cloud.cas.deployments.show_after = 60
    job = create(client, new, cloud.cas.resources.add(old))

    assert (jobs(client), look(client, job).status) == ([], "editing")
    cloud.clock.advance(seconds=60)
    assert [row.id for row in jobs(client)] == [job]


def test_a_person_rebinds_a_resource_and_a_job_that_was_made_before_takes_it_back(
    cloud: Cloud, client: Client, old: int, new: int
) -> None:
    resource = cloud.cas.resources.add(old)
    other = cloud.cas.certificates.upload("www.example.com")
    job = create(client, new, resource)
    cloud.cas.resources.bind(resource, other)
    assert [row.cert_id for row in resources(client, cert_ids=[other]).data] == [other]
    start(client, job)
    cloud.clock.advance(seconds=14)
    assert cloud.cas.resources.of(resource).certificate_id == other
    cloud.clock.advance(seconds=1)

    assert cloud.cas.resources.of(resource).certificate_id == new


def test_a_worker_is_rolled_back_to_the_old_certificate(cloud: Cloud, client: Client, old: int, new: int) -> None:
    resource = cloud.cas.resources.add(old)
    job = create(client, new, resource)
    (worker,) = workers(client, job)

    def roll_back(worker_id: int) -> None:
        request = models.UpdateWorkerResourceStatusRequest(job_id=job, worker_id=worker_id, status="rollback")
        client.update_worker_resource_status(request)

    assert code_of(roll_back, worker.id) == ("OperationDenied.StatusNotSupport", 400)
    assert code_of(roll_back, 1) == ("NotFound", 404)
    start(client, job)
    cloud.clock.advance(seconds=15)
    roll_back(worker.id)
    assert [one.status for one in workers(client, job)] == ["rollback"]
    assert cloud.cas.resources.of(resource).certificate_id == new
    cloud.clock.advance(seconds=10)

    assert [one.status for one in workers(client, job)] == ["rollback_success"]
    assert cloud.cas.resources.of(resource).certificate_id == old
    assert look(client, job).rollback == 1


def test_an_uploaded_certificate_costs_for_each_resource(cloud: Cloud, client: Client, old: int) -> None:
    upload = cloud.cas.certificates.upload("www.example.com")
    job = create(client, upload, *(cloud.cas.resources.add(old) for _ in range(2)))
    start(client, job)
    cloud.clock.advance(seconds=60)

    status = client.describe_deployment_job_status(models.DescribeDeploymentJobStatusRequest(job_id=job)).body
    assert (status.cost_count, look(client, job).cert_type, cloud.cas.deployments.spent) == (2, "upload", 2)


def test_the_certificate_of_an_order_is_deployed_like_any_other(cloud: Cloud, client: Client, old: int) -> None:
    cloud.cas.add_order(certificate_id=777)
    resource = cloud.cas.resources.add(old)
    job = create(client, 777, resource)
    start(client, job)
    cloud.clock.advance(seconds=60)

    assert [row.id for row in resources(client, cert_ids=[777]).data] == [resource]


@pytest.mark.parametrize("action", [CREATE, "UpdateDeploymentJobStatus"])
def test_deployment_can_be_forbidden_alone(cloud: Cloud, client: Client, old: int, new: int, action: str) -> None:
    resource = cloud.cas.resources.add(old)
    job = create(client, new, resource)
    cloud.cas.forbid(action)

    calls = {CREATE: lambda: create(client, new, resource), "UpdateDeploymentJobStatus": lambda: start(client, job)}
    forbidden = calls.pop(action)

    assert code_of(forbidden) == ("NoPermission", 403)
    for permitted in calls.values():
        permitted()
    assert len(cloud.cas.deployments.jobs()) == (1 if action == CREATE else 2)
    assert look(client, job).status == ("scheduling" if action == CREATE else "editing")


def test_jobs_and_resources_survive_in_a_folder(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path) as cloud:
        instance = cloud.cas.instances.add()
        before = cloud.cas.instances.of(instance).certificate_id or 0
        after = cloud.cas.instances.issue(instance)
        resource, slow = cloud.cas.resources.add(before), cloud.cas.resources.add(before)
        cloud.cas.deployments.takes = 50
        client = Clients(cloud.environ()).cas
        job = create(client, after, resource, slow)
        start(client, job)
        cloud.clock.advance(seconds=60)
        assert counts(client, job) == (2, 1, 0)

    with local_cloud(state=tmp_path) as cloud:
        client = Clients(cloud.environ()).cas
        cloud.clock.advance(seconds=60)
        assert counts(client, job) == (2, 1, 0)
        cloud.clock.advance(seconds=60)
        assert (look(client, job).status, resources(client, cert_ids=[after]).total) == ("success", 2)
        assert create(client, after, resource) != job
        assert cloud.cas.resources.add(before) not in {resource, slow}
