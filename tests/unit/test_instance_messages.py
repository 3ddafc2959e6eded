"""The messages about applications: consumers rely on them word for word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind, Renewable
from handler.instances.detail import ValidationRecord
from handler.journal.entries import Claimed, Followed, Held, Refused
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.outbox.cloud_event import MessageType
from handler.outbox.instance_messages import (
    Review,
    applied_id,
    applied_message,
    instance_issued_message,
    instance_stalled_id,
    instance_stalled_message,
    validation_id,
    validation_message,
)
from handler.outbox.messages import failed_message
from handler.outcomes import Reason
from tests import published
from tests.examples import ACCOUNT, DAY, HOUR, MILLISECOND, MINUTE, NOW, PROPERTY, SECOND

ID, BASE = "cas_dv-cn-example01", "20000001"
ENDS = NOW + 10 * DAY
OF = Renewable(Kind.INSTANCE, ID, "www.example.com,shop.example.com", "digicert-dv", ID, ENDS)
APPLIED = Renewal(
    ID,
    position=2,
    state=State.APPLIED,
    kind=Kind.INSTANCE,
    claim=Claimed(OF, NOW + 5 * MINUTE, NOW, frozenset(), certificate_id=BASE),
    base=Followed(OF, BASE),
    applied_at=NOW + 7 * SECOND + MILLISECOND,
    applied_for=frozenset({BASE}),
    entries=2,
    since=2,
    since_at=NOW + 7 * SECOND,
)
WWW = ValidationRecord("www.example.com", "example.com", "_dnsauth.www", "TXT", "2026abcd").to_dict()
SHOP = ValidationRecord("shop.example.com", "example.com", "_dnsauth.shop", "TXT", "2026efgh").to_dict()


def read(message: str) -> Any:
    published.check_message(message)
    return json.loads(message)


def test_an_application_that_is_in_is_the_documented_cloud_event():
    assert read(applied_message(APPLIED, ACCOUNT)) == {
        "specversion": "1.0",
        "id": f"{ID}-{BASE}-applied",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.instance.applied",
        "subject": ID,
        "time": "2026-11-21T03:00:07Z",
        "datacontenttype": "application/json",
        "data": {
            "InstanceId": ID,
            "Domain": "www.example.com,shop.example.com",
            "ProductCode": "digicert-dv",
            "ReplacedCertificateId": BASE,
            "CertEndTime": "2026-12-01T03:00:00Z",
        },
    }


def test_an_application_is_told_with_the_same_words_whoever_tells_it_and_however_often():
    later = APPLIED._replace(progress="authority-says", notified=frozenset({"x"}), position=9, entries=9)
    assert applied_message(later, ACCOUNT) == applied_message(APPLIED, ACCOUNT)


def test_records_that_somebody_must_add_are_the_documented_cloud_event():
    message = read(validation_message(APPLIED, [WWW, SHOP], NOW + HOUR, ACCOUNT))
    assert (message["type"], message["subject"]) == ("cas.instance.validation", ID)
    assert message["time"] == "2026-11-21T04:00:00Z"
    assert message["id"] == validation_id(APPLIED, [WWW, SHOP])
    assert message["data"] == {
        **read(applied_message(APPLIED, ACCOUNT))["data"],
        "Records": [
            {
                "Domain": "www.example.com",
                "Zone": "example.com",
                "Host": "_dnsauth.www",
                "Type": "TXT",
                "Value": "2026abcd",
            },
            SHOP,
        ],
    }


def test_the_id_of_the_records_is_as_it_was_published():
    """It is for ever: another one would tell everybody again."""
    assert validation_id(APPLIED, [WWW]) == f"{ID}-{BASE}-validation-f21110747ddd6e29"


RECORDS = st.lists(
    st.builds(
        lambda *fields: ValidationRecord(*fields).to_dict(),
        *(st.sampled_from(["", "a", "b", "a,b", '"', "证书"]) for _ in range(5)),
    ),
    max_size=4,
    unique_by=lambda record: json.dumps(record, sort_keys=True),
)


def as_set(records: list[dict[str, str]]) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted(record.items())) for record in records}


@PROPERTY
@given(RECORDS, RECORDS, st.randoms(use_true_random=False))
def test_the_id_tells_other_records_and_does_not_depend_on_their_order(one: Any, other: Any, random: Any):
    shuffled = [dict(sorted(record.items(), reverse=random.random() < 0.5)) for record in one]
    random.shuffle(shuffled)
    assert validation_id(APPLIED, shuffled) == validation_id(APPLIED, one)
    assert (validation_id(APPLIED, one) == validation_id(APPLIED, other)) == (as_set(one) == as_set(other))
    assert len(validation_id(APPLIED, one)) == len(f"{ID}-{BASE}-validation-") + 16


def test_each_base_has_messages_of_its_own():
    later = APPLIED._replace(base=Followed(OF, "20000002"))
    for id_of in (applied_id, lambda one: validation_id(one, [WWW]), lambda one: instance_stalled_id(one, NOW)):
        assert id_of(later) != id_of(APPLIED)


@pytest.mark.parametrize("ends", [None, NOW - DAY, ENDS + MILLISECOND])
@pytest.mark.parametrize("records", [(), (WWW,), (WWW, SHOP)])
def test_every_message_fits_its_schema_whatever_is_known(ends: Any, records: Any):
    of = Renewable(Kind.INSTANCE, ID, "", "", ID, ends)
    bare = APPLIED._replace(claim=APPLIED.claimed()._replace(renewable=of), base=Followed(of, BASE), applied_at=None)
    assert read(applied_message(bare, ACCOUNT))["time"] == "2026-11-21T03:05:00Z", "the claim's deadline at the latest"
    for stage in (Reason.HOSTED, Reason.IN_REVIEW, Reason.AUTHORITY_SAYS, Reason.NOT_ISSUED, Reason.REVIEW_TOO_LONG):
        read(instance_stalled_message(bare, Review(stage, "域名验证失败", records), NOW, NOW, ACCOUNT))
    if records:
        read(validation_message(bare, records, NOW, ACCOUNT))
    done = bare._replace(state=State.DONE, successor=Successor("20000002", NOW))
    read(instance_issued_message(done, of, ACCOUNT))


@pytest.mark.parametrize("reason", [Reason.SUBMISSION_FAILED, Reason.AUTHORITY_SAYS, Reason.REVIEW_TOO_LONG])
def test_what_is_told_later_than_its_day_has_the_id_of_its_day_and_the_time_at_which_it_is_told(reason: Reason):
    message = read(instance_stalled_message(APPLIED, Review(reason, "said", [WWW]), NOW, NOW + 2 * DAY, ACCOUNT))
    assert message["id"] == f"{ID}-{BASE}-stalled-2026-11-21"
    assert message["time"] == "2026-11-23T03:00:00Z"
    assert (message["data"]["Stage"], message["data"]["DaysLeft"]) == (reason.value, 8)
    assert (message["data"]["Detail"], message["data"]["Records"]) == ("said", [WWW])


def test_the_end_of_the_next_certificate_is_that_of_the_journal_although_cas_still_shows_the_old_one():
    ends = NOW + 199 * DAY
    done = APPLIED._replace(state=State.DONE, successor=Successor("20000002", NOW, ends=ends))
    message = read(instance_issued_message(done, OF, ACCOUNT))
    assert message["data"]["CertEndTime"] == "2027-06-08T03:00:00Z"
    assert message["data"]["ReplacedCertificateId"] == BASE
    assert message["id"] == f"{ID}-20000002-issued"
    unknown = done._replace(successor=Successor("20000002", NOW))
    assert read(instance_issued_message(unknown, OF._replace(ends=ends), ACCOUNT)) == message


@pytest.mark.parametrize(
    ("of", "outcome", "reason"),
    [
        (
            APPLIED._replace(state=State.REFUSED, refusal=Refused("MissingParameter", "no contact", NOW)),
            "refused",
            "MissingParameter",
        ),
        (APPLIED._replace(state=State.HELD, hold=Held("answers-lost")), "held", "answers-lost"),
        (APPLIED._replace(state=State.UNKNOWN, unknown_code="no-answer"), "unknown", "no-answer"),
        (
            Renewal(ID, state=State.HELD, kind=Kind.INSTANCE, hold=Held("journal-unreadable")),
            "held",
            "journal-unreadable",
        ),
    ],
    ids=["refused", "held", "unknown", "unreadable"],
)
def test_a_failure_of_an_instance_names_it_and_no_order(of: Renewal, outcome: str, reason: str):
    message = read(failed_message(of, OF, NOW, ACCOUNT))
    data = message["data"]
    assert (message["type"], message["subject"]) == ("cas.renewal.failed", ID)
    assert (data["Kind"], data["OrderId"], data["InstanceId"]) == ("instance", None, ID)
    assert (data["Outcome"], data["Reason"], data["Candidates"]) == (outcome, reason, [])
    assert (data["Domain"], data["CertEndTime"]) == (OF.domain, "2026-12-01T03:00:00Z")


def test_every_type_of_message_has_a_schema():
    assert {kind.value for kind in MessageType} <= published.SCHEMAS.keys()
