"""The service behind deploying, against the local cloud: what it asks for, and what it makes of odd answers."""

from __future__ import annotations

import pytest

from handler.errors import CasMisconfigured, CasOutcomeUnknown, CasRefused
from tests.function.deploying import Deploying, service_of
from tests.stubs import faults
from tests.stubs.cloud import Cloud


@pytest.fixture
def deploying(cloud: Cloud) -> Deploying:
    return Deploying(cloud)


def test_a_job_is_asked_for_as_the_sdk_would(cloud: Cloud, deploying: Deploying) -> None:
    deploying.run()
    (made,) = cloud.cas.calls_of("CreateDeploymentJob")
    assert {key: value for key, value in made.params.items() if key[0].isupper() and key != "Format"}.items() >= {
        "Name": f"renewer-{deploying.new}",
        "JobType": "user",
        "CertIds": str(deploying.new),
        "ResourceIds": ",".join(str(one) for one in reversed(deploying.resources)),
        "ContactIds": "21001",
    }.items()
    listed = cloud.cas.calls_of("ListCloudResources")[0].params
    assert (listed["CertIds"], listed["CloudName"]) == (f"[{deploying.old}]", "aliyun")


def test_every_page_is_read(cloud: Cloud, deploying: Deploying) -> None:
    for _ in range(60):
        cloud.cas.resources.add(deploying.old)
    assert len(deploying.service.resources(str(deploying.old)).resources) == 62
    for number in range(120):
        cloud.cas.deployments.create_in_console(f"job {number}", deploying.new, deploying.resources, start=False)
    cloud.cas.deployments.create_in_console("renewer-1", deploying.new, deploying.resources, start=False)
    cloud.cas.deployments.create_in_console("renewer-1", deploying.new, deploying.resources, start=False)
    assert [job.id for job in deploying.service.jobs_named("renewer-1")] == ["61121", "61122"]
    assert deploying.service.jobs_named("renewer-") == ()


@pytest.mark.parametrize("oddity", ["twice", "a wrong total"])
def test_a_list_that_is_odd_and_stays_so_can_be_used(cloud: Cloud, deploying: Deploying, oddity: str) -> None:
    for pages in (cloud.cas.deployment_api.resource_pages, cloud.cas.deployment_api.worker_pages):
        if oddity == "twice":
            pages.twice = {str(deploying.resources[0]), "610010"}
        else:
            pages.total_off_by = 3
    deploying.until_over()
    assert deploying.bound == [deploying.new] * 2


def test_a_resource_that_makes_no_sense_is_shown_and_stops_no_other(cloud: Cloud, deploying: Deploying) -> None:
    pages = cloud.cas.deployment_api.resource_pages
    pages.odd_row(deploying.resources[0], Domain=["www.example.com"])
    pages.add_raw_row(None)
    found = deploying.service.resources(str(deploying.old))
    assert [one.odd for one in found.resources] == [(), ("Domain",)]
    assert found.nameless == ("None",)
    deploying.until_over()
    assert deploying.bound == [deploying.old, deploying.new]


def test_a_job_without_an_id_is_no_obstacle_unless_it_has_the_name(cloud: Cloud, deploying: Deploying) -> None:
    pages = cloud.cas.deployment_api.job_pages
    pages.add_raw_row({"Name": "another", "Id": None})
    assert deploying.service.jobs_named("renewer-1") == ()
    pages.add_raw_row({"Name": "renewer-1", "Id": None})
    with pytest.raises(CasOutcomeUnknown, match="renewer-1"):
        deploying.service.jobs_named("renewer-1")


def test_a_worker_or_a_certificate_without_an_id_could_be_any(cloud: Cloud, deploying: Deploying) -> None:
    deploying.run()
    cloud.cas.deployment_api.worker_pages.add_raw_row({"Status": "success"})
    with pytest.raises(CasOutcomeUnknown, match="row-unreadable"):
        deploying.service.workers(deploying.course.record.job_id)
    cloud.cas.certificates.pages.add_raw_row({"Domain": "www.example.com"})
    with pytest.raises(CasOutcomeUnknown, match="row-unreadable"):
        deploying.service.certificates_of("cas-cn-example01")


def test_the_certificates_of_an_order_are_found_by_its_instance(cloud: Cloud) -> None:
    order = cloud.cas.add_order(domain="www.example.com", instance_id="cas-cn-one", certificate_id=18000456)
    cloud.cas.add_order(domain="www.example.com", instance_id="cas-cn-two", certificate_id=18000457)
    assert order
    (found,) = service_of(cloud).certificates_of("cas-cn-one")
    assert (found.id, found.instance, found.odd) == ("18000456", "cas-cn-one", ())
    assert service_of(cloud).certificate("18000456") == found
    assert int(found.serial, 16) == 18000456
    assert service_of(cloud).certificates_of("cas-cn-three") == ()


def test_a_certificate_that_was_not_asked_for_is_none(cloud: Cloud, deploying: Deploying) -> None:
    cloud.cas.fail("GetCertificateDetail", faults.answer({"CertificateId": 7}))
    with pytest.raises(CasOutcomeUnknown, match="answered with 7"):
        deploying.service.certificate(str(deploying.new))
    with pytest.raises(CasRefused, match="NotFound"):
        deploying.service.certificate("7")


def test_a_job_that_is_not_there_is_none_and_another_refusal_is_one(cloud: Cloud, deploying: Deploying) -> None:
    assert deploying.service.job("61999") is None
    cloud.cas.fail("DescribeDeploymentJob", faults.error("InvalidParameter"))
    with pytest.raises(CasRefused, match="InvalidParameter"):
        deploying.service.job("61999")


@pytest.mark.parametrize("action", ["CreateDeploymentJob", "UpdateDeploymentJobStatus"])
def test_what_has_an_effect_is_never_repeated_by_itself(cloud: Cloud, deploying: Deploying, action: str) -> None:
    cloud.cas.fail(action, faults.throttle(), faults.html(), faults.timeout_after())
    deploying.run()
    assert len(cloud.cas.calls_of(action)) == 1


def test_the_self_check_asks_for_one_job(cloud: Cloud, deploying: Deploying) -> None:
    deploying.service.probe_deployments()
    assert len(cloud.cas.calls_of("ListDeploymentJob")) == 1
    cloud.cas.forbid("ListDeploymentJob")
    with pytest.raises(CasMisconfigured):
        deploying.service.probe_deployments()
