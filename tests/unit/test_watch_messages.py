"""The messages about what is watched: consumers rely on them word for word."""

import json
from typing import Any

import pytest

from handler.certificates.renewable import Kind, Renewable
from handler.journal.entries import Followed
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.outbox.instance_messages import (
    Review,
    instance_issued_id,
    instance_issued_message,
    instance_stalled_id,
    instance_stalled_message,
)
from handler.outbox.watch_messages import Expiring, expiring_message
from handler.outcomes import Reason
from tests import published
from tests.examples import ACCOUNT, DAY, HOUR, MILLISECOND, NOW, renewable

INSTANCE = "cas_dv-cn-example01"
ENDS = NOW + 10 * DAY
HOSTED = Renewable(Kind.INSTANCE, INSTANCE, "portal.example.com", "digicert-dv", INSTANCE, ENDS)
UPLOAD = Renewable(Kind.CERTIFICATE, "9000000", "partner.example.com", "", "cas-upload-895440", ENDS)
FOLLOWED = Renewal(INSTANCE, state=State.FOLLOWED, kind=Kind.INSTANCE, base=Followed(HOSTED, "20000001"))
ISSUED = FOLLOWED._replace(
    state=State.DONE, successor=Successor("20000006", NOW, ends=NOW + 199 * DAY + 500 * MILLISECOND)
)
RECORD = {"Domain": "portal.example.com", "Zone": "example.com", "Host": "_dnsauth", "Type": "TXT", "Value": "2026"}


def read(message: str) -> Any:
    published.check_message(message)
    return json.loads(message)


def test_an_upload_that_ends_is_the_documented_cloud_event():
    expiring = Expiring(UPLOAD, 14, 9, Reason.UPLOADED, ("CDN", "ALB"))
    assert read(expiring_message(expiring, NOW, ACCOUNT)) == {
        "specversion": "1.0",
        "id": "9000000-expiring-14",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.certificate.expiring",
        "subject": "9000000",
        "time": "2026-11-21T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "Kind": "certificate",
            "Domain": "partner.example.com",
            "ProductCode": "",
            "InstanceId": "cas-upload-895440",
            "CertEndTime": "2026-12-01T03:00:00Z",
            "CertificateId": "9000000",
            "Reason": "uploaded",
            "DaysLeft": 9,
            "Products": ["CDN", "ALB"],
        },
    }


@pytest.mark.parametrize(
    ("of", "named"),
    [
        (renewable(), {"OrderId": "123451222", "InstanceId": "cas-cn-example01"}),
        (HOSTED, {"InstanceId": INSTANCE}),
        (UPLOAD, {"CertificateId": "9000000", "InstanceId": "cas-upload-895440"}),
    ],
    ids=["order", "instance", "certificate"],
)
def test_each_kind_has_its_own_id_and_no_others(of, named):
    data = read(expiring_message(Expiring(of, 3, 2, "InsufficientQuota"), NOW, ACCOUNT))["data"]
    assert data["Kind"] == of.kind.value
    assert {key: data[key] for key in ("OrderId", "InstanceId", "CertificateId") if key in data} == named
    assert (data["Reason"], data["DaysLeft"], data["Products"]) == ("InsufficientQuota", 2, [])


@pytest.mark.parametrize("days", [60, 30, 14, 7, 3, 1, 0])
def test_the_id_names_the_threshold(days):
    expiring = Expiring(UPLOAD, days, -1, Reason.UPLOADED)
    assert read(expiring_message(expiring, NOW, ACCOUNT))["id"] == expiring.id == f"9000000-expiring-{days}"


def test_who_speaks_for_others_says_for_how_many_and_nobody_else_does():
    for_all = Expiring(renewable(), 7, 6, Reason.RUN_LIMIT, deferred=11)
    assert read(expiring_message(for_all, NOW, ACCOUNT))["data"]["Deferred"] == 11
    assert "Deferred" not in read(expiring_message(for_all._replace(deferred=0), NOW, ACCOUNT))["data"]


def test_an_issued_certificate_of_an_instance_is_the_documented_cloud_event():
    new = HOSTED._replace(ends=NOW + 199 * DAY + 500 * MILLISECOND)
    assert instance_issued_id(ISSUED) == f"{INSTANCE}-20000006-issued"
    assert read(instance_issued_message(ISSUED, new, ACCOUNT)) == {
        "specversion": "1.0",
        "id": f"{INSTANCE}-20000006-issued",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.instance.issued",
        "subject": "20000006",
        "time": "2026-11-21T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "InstanceId": INSTANCE,
            "Domain": "portal.example.com",
            "ProductCode": "digicert-dv",
            "CertificateId": "20000006",
            "CertIdentifier": None,
            "ReplacedCertificateId": "20000001",
            "CertEndTime": "2027-06-08T03:00:00.500000Z",
        },
    }


def test_an_instance_that_does_not_get_on_is_the_documented_cloud_event():
    review = Review(Reason.HOSTED, "域名验证失败", [RECORD])
    assert read(instance_stalled_message(FOLLOWED, review, NOW, NOW, ACCOUNT)) == {
        "specversion": "1.0",
        "id": f"{INSTANCE}-20000001-stalled-2026-11-21",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.instance.stalled",
        "subject": INSTANCE,
        "time": "2026-11-21T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "InstanceId": INSTANCE,
            "Domain": "portal.example.com",
            "ProductCode": "digicert-dv",
            "ReplacedCertificateId": "20000001",
            "CertEndTime": "2026-12-01T03:00:00Z",
            "Stage": "hosted",
            "DaysLeft": 10,
            "Detail": "域名验证失败",
            "Records": [RECORD],
        },
    }


def test_of_an_instance_that_does_not_get_on_there_is_one_message_a_day_of_utc():
    midnight = NOW.replace(hour=0) + DAY
    assert instance_stalled_id(FOLLOWED, NOW) == instance_stalled_id(FOLLOWED, midnight - MILLISECOND)
    assert instance_stalled_id(FOLLOWED, midnight) == f"{INSTANCE}-20000001-stalled-2026-11-22"


@pytest.mark.parametrize(("now", "left"), [(ENDS - DAY, 1), (ENDS - HOUR, 0), (ENDS, 0), (ENDS + HOUR, -1)])
def test_days_left_are_whole_and_negative_once_it_has_ended(now, left):
    said = read(instance_stalled_message(FOLLOWED, Review(Reason.IN_REVIEW), now, now, ACCOUNT))["data"]
    assert (said["DaysLeft"], said["Stage"], said["Detail"], said["Records"]) == (left, "in-review", "", [])
