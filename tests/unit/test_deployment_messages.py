"""The messages about deployments: consumers rely on them word for word."""

import json

import pytest

from handler.certificates.renewable import Kind, Renewable
from handler.deployment.job import Put
from handler.deployment.served import Serves
from handler.outbox.deployment_messages import (
    MOST_RESOURCES,
    DeployedResource,
    Deployment,
    deploy_failed_id,
    deploy_failed_message,
    deployed_id,
    deployed_message,
)
from handler.outcomes import Reason
from tests import published
from tests.examples import ACCOUNT, DAY, NOW

INSTANCE = "cas_dv-cn-example01"
NEW = Renewable(Kind.INSTANCE, INSTANCE, "www.example.com", "digicert-dv", INSTANCE, NOW + 190 * DAY)
WELL = DeployedResource("CDN", "cn-hangzhou", "www.example.com", "www.example.com", Put.DEPLOYED, Serves.NEW)
UNASKED = DeployedResource("ALB", "cn-hangzhou", "alb-1/lsn-1", "", Put.DEPLOYED)
FAILED = DeployedResource("OSS", "", "b.example.com", "b.example.com", Put.FAILED, Serves.OLD)
DEPLOYMENT = Deployment(NEW, "20000006", "20000001", "61001", [WELL, UNASKED])


def read(message):
    published.check_message(message)
    return json.loads(message)


def test_a_certificate_that_took_the_place_of_another_is_the_documented_cloud_event():
    assert read(deployed_message(DEPLOYMENT, NOW, ACCOUNT)) == {
        "specversion": "1.0",
        "id": "20000006-deployed",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.certificate.deployed",
        "subject": "20000006",
        "time": "2026-11-21T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "CertificateId": "20000006",
            "ReplacedCertificateId": "20000001",
            "Domain": "www.example.com",
            "ProductCode": "digicert-dv",
            "InstanceId": INSTANCE,
            "CertEndTime": "2027-05-30T03:00:00Z",
            "JobId": "61001",
            "Resources": [
                {
                    "Product": "CDN",
                    "Region": "cn-hangzhou",
                    "Resource": "www.example.com",
                    "Domain": "www.example.com",
                    "Outcome": "deployed",
                    "Serves": "new",
                },
                {
                    "Product": "ALB",
                    "Region": "cn-hangzhou",
                    "Resource": "alb-1/lsn-1",
                    "Domain": "",
                    "Outcome": "deployed",
                    "Serves": None,
                },
            ],
            "ResourcesInAll": 2,
        },
    }


def test_where_nothing_was_bound_the_message_has_neither_a_job_nor_resources():
    data = read(deployed_message(DEPLOYMENT._replace(job_id=None, resources=()), NOW, ACCOUNT))["data"]
    assert (data["JobId"], data["Resources"], data["ResourcesInAll"]) == (None, [], 0)


@pytest.mark.parametrize("reason", [Reason.RESOURCES_LEFT, Reason.OLD_ONE_SERVED, "ResourceNotSupportCert"])
def test_a_failure_says_why_and_names_first_what_somebody_should_look_at(reason):
    message = read(deploy_failed_message(DEPLOYMENT._replace(resources=[WELL, FAILED]), reason, NOW, ACCOUNT))
    assert (message["id"], message["type"]) == ("20000006-deploy-failed", "cas.certificate.deploy-failed")
    assert message["data"]["Reason"] == reason
    assert [one["Outcome"] for one in message["data"]["Resources"]] == ["failed", "deployed"]


@pytest.mark.parametrize("put", list(Put))
@pytest.mark.parametrize("serves", [*Serves, None])
def test_nobody_need_look_at_what_is_deployed_and_not_seen_to_serve_something_else(put, serves):
    one = WELL._replace(outcome=put, serves=serves)
    assert one.is_well == (put is Put.DEPLOYED and serves in {Serves.NEW, None})
    read(deployed_message(DEPLOYMENT._replace(resources=[one]), NOW, ACCOUNT))


def test_of_very_many_resources_the_first_are_named_and_all_are_counted():
    many = [WELL] * MOST_RESOURCES + [FAILED]
    text = deploy_failed_message(DEPLOYMENT._replace(resources=many), Reason.RESOURCES_LEFT, NOW, ACCOUNT)
    data = read(text)["data"]
    assert (len(data["Resources"]), data["ResourcesInAll"]) == (MOST_RESOURCES, MOST_RESOURCES + 1)
    assert data["Resources"][0]["Outcome"] == "failed"
    assert len(text) < 48 * 1024


def test_each_fact_has_one_id():
    assert (deployed_id("2"), deploy_failed_id("2")) == ("2-deployed", "2-deploy-failed")
