"""The messages about deployments: consumers rely on them word for word."""

import json

import pytest

from handler.certificates.renewable import Kind, Renewable
from handler.deployment.job import Put
from handler.deployment.served import Serves
from handler.outbox.cloud_event import MOST_BOUND
from handler.outbox.deployment_messages import (
    MOST_RESOURCES,
    DeployedResource,
    Deployment,
    Trouble,
    deploy_failed_message,
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
ELSEWHERE = {"Product": "WAF", "Region": "", "Resource": "c.example.com", "Domain": "c.example.com"}
DEPLOYMENT = Deployment(NEW, "20000006", "20000001", "61001", [WELL, UNASKED], [ELSEWHERE])


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
            "OrderId": None,
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
            "StillBound": [ELSEWHERE],
        },
    }


def test_where_nothing_was_bound_the_message_has_neither_a_job_nor_resources():
    data = read(deployed_message(DEPLOYMENT._replace(job_id=None, resources=()), NOW, ACCOUNT))["data"]
    assert (data["JobId"], data["Resources"], data["ResourcesInAll"]) == (None, [], 0)


@pytest.mark.parametrize(
    ("trouble", "ends"),
    [
        (Trouble(Reason.RESOURCES_LEFT), ""),
        (Trouble(Reason.OLD_ONE_SERVED), ""),
        (Trouble(Reason.NO_CONTACT, is_final=False), "-no-contact"),
        (Trouble("DeployFailed.Some", is_final=False), "-DeployFailed.Some"),
    ],
)
def test_a_failure_says_why_and_names_first_what_somebody_should_look_at(trouble, ends):
    message = read(deploy_failed_message(DEPLOYMENT._replace(resources=[WELL, FAILED]), trouble, NOW, ACCOUNT))
    assert (message["id"], message["type"]) == (f"20000006-deploy-failed{ends}", "cas.certificate.deploy-failed")
    assert (message["data"]["Reason"], message["data"]["Final"]) == (trouble.reason, not ends)
    assert [one["Outcome"] for one in message["data"]["Resources"]] == ["failed", "deployed"]


def test_where_it_is_not_known_which_certificate_replaces_which_it_is_about_the_new_order():
    order = Renewable(Kind.ORDER, "123451299", "www.example.com", "digicert-dv", "cas-cn-new01", NOW)
    why = Trouble(Reason.SEVERAL_CERTIFICATES, is_final=False)
    message = read(deploy_failed_message(Deployment(order, "", "", None), why, NOW, ACCOUNT))
    assert (message["id"], message["subject"]) == ("123451299-deploy-failed-several-certificates", "123451299")
    data = message["data"]
    assert [data[name] for name in ("CertificateId", "ReplacedCertificateId", "OrderId")] == [None, None, "123451299"]


@pytest.mark.parametrize("put", list(Put))
@pytest.mark.parametrize("serves", [*Serves, None])
def test_nobody_need_look_at_what_is_deployed_and_not_seen_to_serve_something_else(put, serves):
    one = WELL._replace(outcome=put, serves=serves)
    assert one.is_well == (put is Put.DEPLOYED and serves in {Serves.NEW, None})
    read(deployed_message(DEPLOYMENT._replace(resources=[one]), NOW, ACCOUNT))


def test_of_very_many_resources_the_first_are_named_and_all_are_counted():
    many = [WELL] * MOST_RESOURCES + [FAILED]
    full = DEPLOYMENT._replace(resources=many, elsewhere=[ELSEWHERE] * (MOST_BOUND + 1))
    text = deploy_failed_message(full, Trouble(Reason.RESOURCES_LEFT), NOW, ACCOUNT)
    data = read(text)["data"]
    assert (len(data["Resources"]), data["ResourcesInAll"]) == (MOST_RESOURCES, MOST_RESOURCES + 1)
    assert len(data["StillBound"]) == MOST_BOUND
    assert data["Resources"][0]["Outcome"] == "failed"
    assert len(text) < 48 * 1024
