"""Submitted is not issued: what an application of ours is told of until the certificate is there, and who must act."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deployed import Function
from tests.function.applying import (
    APPLIED,
    APPLY,
    CERTIFICATES,
    DETAIL,
    ISSUED,
    STALLED,
    TASK,
    VALIDATION,
    add_records,
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
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import messages, warned

TEN_MINUTES = 600
REFUSED = "CAA record forbids it"


def stalled(cloud: Cloud) -> list[dict[str, Any]]:
    return [message["data"] for message in messages(cloud, STALLED)]


def applied_for(cloud: Cloud, function: Function, days_left: float = 20, **fields: Any) -> str:
    """An instance for which an application of ours is in."""
    instance = due(cloud, days_left=days_left, **fields)
    assert said(function.tick(), instance) == ("applied", None)
    return instance


# --- it was not issued ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("traces", "stage", "detail"),
    [
        (["task"], "submission-failed", ""),
        (["task", "status"], "submission-failed", ""),
        (["pending-result"], "authority-says", REFUSED),
        (["pending-result", "status"], "authority-says", REFUSED),
        (["status"], "not-issued", ""),
    ],
)
@pytest.mark.parametrize("words", ["lower", "upper"])
def test_a_refusal_is_told_wherever_it_shows_and_never_answered_by_another_application(
    cloud: Cloud, traces: list[Any], stage: str, detail: str, words: Any
) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    cloud.cas.instances.task_words = words
    cloud.cas.instances.refuse(instance, REFUSED, traces=traces, after=60)
    for _ in range(3):
        cloud.clock.advance(days=1)
        answer = function.tick()
        assert (answer.failed, said(answer, instance)) == (False, ("applied", stage))
    (data,) = stalled(cloud)
    assert (data["Stage"], data["Detail"]) == (stage, detail or data["Detail"])
    assert (data["InstanceId"], data["ReplacedCertificateId"]) == (instance, base_of(cloud, instance))
    assert (applications(cloud), len(cloud.cas.calls_of(APPLY))) == (1, 1)


def test_what_the_task_says_of_a_failed_submission_is_told(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    cloud.cas.instances.refuse(instance, "contact is not verified", traces=["task", "status"], after=5)
    cloud.clock.advance(days=1)
    function.tick()
    assert [data["Detail"] for data in stalled(cloud)] == ["contact is not verified"]


def test_a_withdrawn_application_is_told_and_not_made_again(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    cloud.cas.instances.withdraw(instance)
    cloud.clock.advance(days=1)
    assert said(function.tick(), instance) == ("applied", "not-issued")
    assert [data["Stage"] for data in stalled(cloud)] == ["not-issued"]
    assert applications(cloud) == 1


def test_a_review_of_more_than_a_day_is_told_once_until_the_end_is_near(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=20.5)
    cloud.clock.advance(days=1)
    assert said(function.tick(), instance) == ("applied", "needs-records")
    assert stalled(cloud) == []
    cloud.clock.advance(1)
    assert said(function.tick(), instance) == ("applied", "review-too-long")
    for _ in range(9):
        cloud.clock.advance(days=1)
        function.tick()
    assert [data["DaysLeft"] for data in stalled(cloud)] == [19, 13, 12, 11, 10]
    assert {data["Stage"] for data in stalled(cloud)} == {"review-too-long"}


def test_an_application_is_not_told_as_stalled_in_its_first_minutes(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=10.5)
    assert (stalled(cloud), len(cloud.cas.calls_of(DETAIL))) == ([], 1)
    cloud.clock.advance(days=1)
    function.tick()
    assert [data["Stage"] for data in stalled(cloud)] == ["in-review"]
    assert warned(cloud) == []
    assert said(function.tick(), instance) == ("applied", "needs-records")


def test_what_stands_in_the_way_is_told_every_day_near_the_end_and_fails_the_last_runs(cloud: Cloud) -> None:
    function, failed = applicant(cloud), []
    instance = applied_for(cloud, function, days_left=20.5)
    cloud.cas.instances.refuse(instance, REFUSED, after=60)
    for _ in range(20):
        cloud.clock.advance(days=1)
        answer = function.tick()
        failed.append(answer.failed)
        assert said(answer, instance) == ("applied", "authority-says")
    assert [data["DaysLeft"] for data in stalled(cloud)] == [19, *range(13, -1, -1)]
    assert {data["Detail"] for data in stalled(cloud)} == {REFUSED}
    assert failed == [False] * 17 + [True] * 3
    assert (warned(cloud), applications(cloud)) == ([], 1), "one message a day speaks of it"


def test_a_text_that_is_no_refusal_is_told_once_and_the_certificate_all_the_same(cloud: Cloud) -> None:
    """Nobody has written down which texts are refusals."""
    cloud.cas.authority.says_meanwhile = "审核中"
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    cloud.clock.advance(TEN_MINUTES)
    for _ in range(3):
        answer = function.tick()
        assert (answer.failed, said(answer, instance)) == (False, ("applied", "authority-says"))
    assert [data["Detail"] for data in stalled(cloud)] == ["审核中"]
    new = cloud.cas.instances.issue(instance)
    function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]


def test_a_certificate_that_comes_after_a_refusal_is_told(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    cloud.cas.instances.refuse(instance, REFUSED, after=60)
    cloud.clock.advance(days=1)
    function.tick()
    cloud.cas.instances.apply(instance)
    new = cloud.cas.instances.issue(instance)
    cloud.clock.advance(days=1)
    answer = function.tick()
    assert (said(answer, instance), line_of(answer, instance)["new_certificate_id"]) == (("applied", None), str(new))
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]


def test_hosting_that_is_switched_on_after_the_application_is_no_other_one(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    cloud.cas.instances.host(instance)
    new = cloud.cas.instances.issue(instance)
    for _ in range(3):
        cloud.clock.advance(days=1)
        function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{new}-issued"]
    assert applications(cloud) == 1


def test_a_certificate_for_other_names_is_not_the_next_one(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=10)
    base = base_of(cloud, instance)
    application = cloud.cas.authority.outstanding(cloud.cas.instances.of(instance))
    assert application
    application.names = ["new.example.com"]
    cloud.cas.instances.issue(instance)
    cloud.clock.advance(days=1)
    function.tick()
    assert told(cloud, ISSUED) == []
    assert (base, 14, "names-changed") in warned(cloud)
    assert applications(cloud) == 1


def test_the_same_certificate_with_a_later_end_is_not_the_next_one(cloud: Cloud) -> None:
    """One of two operations may round."""
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    later = round(cloud.cas.certificates.of(base_of(cloud, instance)).not_after.timestamp()) + 1
    cloud.cas.instances.details.odd_row(instance, CertificateNotAfter=later)
    cloud.cas.instances.pages.odd_row(instance, CertificateNotAfter=later)
    cloud.clock.advance(TEN_MINUTES)
    function.tick()
    assert told(cloud, ISSUED) == []


def test_another_certificate_that_ends_no_later_is_not_the_next_one(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    cloud.cas.authority.lifetime_days = 15
    cloud.cas.instances.issue(instance)
    cloud.clock.advance(days=1)
    function.tick()
    assert told(cloud, ISSUED) == []


# --- what shows late --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", ["list_behind", "detail_behind", "certificate_behind"])
@pytest.mark.parametrize("at_once", [True, False])
def test_whatever_shows_late_the_next_certificate_is_told_once_and_nothing_false(
    cloud: Cloud, behind: str, at_once: bool
) -> None:
    function = applicant(cloud)
    setattr(cloud.cas.instances, behind, 300)
    instance = due(cloud, days_left=25, own_dns=None if at_once else False)
    function.tick()
    cloud.clock.advance(7200)
    if not at_once:
        cloud.cas.instances.issue(instance)
    for _ in range(8):
        answer = function.tick()
        assert not answer.failed
        cloud.clock.advance(60)
    (issued,) = messages(cloud, ISSUED)
    assert issued["data"]["CertEndTime"] == entries(cloud, instance)[-2]["cert_end"]
    assert kinds(cloud, instance)[-2:] == ["issued", "told"]
    assert (stalled(cloud), applications(cloud)) == ([], 1)


def test_an_old_list_after_the_issue_makes_nobody_look(cloud: Cloud) -> None:
    cloud.cas.instances.list_behind = 3600
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=10, own_dns=True)
    for _ in range(8):
        cloud.clock.advance(TEN_MINUTES)
        assert not function.tick().failed
    assert [message["type"] for message in cloud.smq.messages()] == [APPLIED, ISSUED]
    assert kinds(cloud, instance) == ["claimed", "applied", "told", "issued", "told"]


def test_a_certificate_that_only_its_own_list_shows_is_found_there(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    base = base_of(cloud, instance)
    cloud.clock.advance(7200)
    cloud.cas.instances.certificate_behind = 10**6
    new = cloud.cas.instances.issue(instance)
    ends = f"{cloud.cas.certificates.of(new).not_after:%Y-%m-%dT%H:%M:%SZ}"
    for _ in range(2):
        answer = function.tick()
    (issued,) = messages(cloud, ISSUED)
    assert (issued["data"]["CertificateId"], issued["data"]["ReplacedCertificateId"]) == (str(new), base)
    assert issued["data"]["CertEndTime"] == ends
    assert (stalled(cloud), said(answer, instance)) == ([], ("deferred", "settling"))
    assert [call.params for call in cloud.cas.calls_of(CERTIFICATES) if "InstanceId" in call.params] == [
        {"InstanceId": instance, "CurrentPage": "1", "ShowSize": "100"}
    ]


def test_that_a_certificate_shows_nowhere_yet_is_told_as_what_it_looks_like_and_then_put_right(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    cloud.clock.advance(7200)
    cloud.cas.instances.certificate_behind = cloud.cas.certificates.lists_after = 600
    cloud.cas.instances.issue(instance)
    assert said(function.tick(), instance) == ("applied", "not-issued")
    cloud.clock.advance(600)
    function.tick()
    assert (len(told(cloud, ISSUED)), applications(cloud)) == (1, 1)


def test_an_application_that_shows_late_is_not_taken_for_one_that_was_turned_down(cloud: Cloud) -> None:
    cloud.cas.authority.shows_after = 900
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    for _ in range(4):
        cloud.clock.advance(300)
        assert said(function.tick(), instance)[1] in {None, "needs-records"}
    assert stalled(cloud) == []


def test_a_revoked_certificate_is_not_the_next_one(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    cloud.cas.instances.certificate_behind = 10**6
    cloud.cas.certificates.revoke(cloud.cas.instances.issue(instance))
    cloud.clock.advance(days=1)
    function.tick()
    assert told(cloud, ISSUED) == []


@pytest.mark.parametrize("operation", [DETAIL, TASK])
@pytest.mark.parametrize("how", ["forbidden", "broken", "empty"])
def test_what_cannot_be_read_delays_nothing_and_is_no_news(cloud: Cloud, operation: str, how: str) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, days_left=25)
    cloud.clock.advance(TEN_MINUTES)
    if how == "forbidden":
        cloud.cas.forbid(operation)
    else:
        fault = faults.error("InternalError", 500) if how == "broken" else faults.answer({})
        cloud.cas.fail(operation, *[fault] * 8)
    assert said(function.tick(), instance)[0] == "applied"
    assert stalled(cloud) == []
    cloud.cas.instances.issue(instance)
    function.tick()
    assert len(told(cloud, ISSUED)) == 1


def test_an_application_is_looked_at_with_two_calls_a_run(cloud: Cloud) -> None:
    function = applicant(cloud)
    for n in range(5):
        due(cloud, f"host{n}.example.com")
    function.tick()
    assert len(cloud.cas.calls_of(DETAIL)) == len(cloud.cas.calls_of(APPLY)) == 5
    cloud.clock.advance(TEN_MINUTES)
    before = len(cloud.cas.calls)
    function.tick()
    made = [call.action for call in cloud.cas.calls[before:]]
    assert (made.count(DETAIL), made.count(TASK), made.count(APPLY)) == (5, 5, 0)


# --- records ----------------------------------------------------------------------------------------------------------


def test_records_are_told_ten_minutes_after_the_application_ready_to_paste(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, domain="shop.example.com,*.api.example.com.cn")
    cloud.cas.instances.repeats_records = True
    cloud.clock.advance(TEN_MINUTES - 1)
    function.tick()
    assert told(cloud, VALIDATION) == []
    cloud.clock.advance(1)
    answer = function.tick()
    (message,) = messages(cloud, VALIDATION)
    assert message["id"].startswith(f"{instance}-{base_of(cloud, instance)}-validation-")
    values = [record.pop("Value") for record in message["data"]["Records"]]
    assert message["data"]["Records"] == [
        {"Domain": "shop.example.com", "Zone": "example.com", "Host": "_dnsauth.shop", "Type": "TXT"},
        {"Domain": "*.api.example.com.cn", "Zone": "example.com.cn", "Host": "_dnsauth.api", "Type": "TXT"},
    ]
    assert all(values)
    assert said(answer, instance) == ("applied", "needs-records")
    assert [record["Value"] for record in line_of(answer, instance)["records"]] == values
    for _ in range(3):
        function.tick()
    assert len(told(cloud, VALIDATION)) == 1


def test_whoever_adds_what_the_message_says_gets_the_certificate(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    cloud.clock.advance(TEN_MINUTES)
    function.tick()
    add_records(cloud, messages(cloud, VALIDATION)[0]["data"]["Records"])
    cloud.clock.advance(TEN_MINUTES)
    function.tick()
    assert told(cloud, ISSUED) == [f"{instance}-{base_of(cloud, instance)}-issued"]
    assert lines(function.tick()) == {}


def test_records_that_the_platform_adds_in_its_own_time_are_asked_of_nobody(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function, own_dns=True)
    for _ in range(30):
        cloud.clock.advance(60)
        function.tick()
    assert told(cloud, VALIDATION) == []
    assert told(cloud, ISSUED) == [f"{instance}-{base_of(cloud, instance)}-issued"]


def test_records_are_told_again_only_when_they_change(cloud: Cloud) -> None:
    function = applicant(cloud)
    instance = applied_for(cloud, function)
    cloud.clock.advance(TEN_MINUTES)
    function.tick()
    cloud.cas.instances.withdraw(instance)
    cloud.cas.instances.apply(instance)
    cloud.clock.advance(TEN_MINUTES)
    for _ in range(3):
        function.tick()
        cloud.clock.advance(days=1)
    first, second = messages(cloud, VALIDATION)
    assert first["id"] != second["id"]
    assert first["data"]["Records"] != second["data"]["Records"]


@pytest.mark.parametrize("hosted", [True, False])
def test_whoever_has_applied_the_records_are_told(cloud: Cloud, hosted: bool) -> None:
    function = applicant(cloud, INSTANCES="watch")
    instance = due(cloud, hosted=hosted)
    if not hosted:
        cloud.cas.instances.apply(instance)
    function.tick()
    assert told(cloud, VALIDATION) == []
    cloud.clock.advance(TEN_MINUTES)
    for _ in range(2):
        answer = function.tick()
        assert said(answer, instance) == ("skipped", "in-review")
        assert line_of(answer, instance)["records"] == messages(cloud, VALIDATION)[0]["data"]["Records"]
    assert len(told(cloud, VALIDATION)) == 1


def test_what_asks_for_a_person_goes_to_the_queue_of_alerts(cloud: Cloud) -> None:
    cloud.smq.add_queue("renewal-alerts")
    function = applicant(cloud, ALERT_QUEUE="renewal-alerts")
    instance = applied_for(cloud, function)
    cloud.clock.advance(days=2)
    function.tick()
    cloud.cas.instances.issue(instance)
    function.tick()
    assert {message["type"] for message in cloud.smq.messages("renewal-alerts")} == {VALIDATION, STALLED}
    assert {message["type"] for message in cloud.smq.messages("renewed-certificates")} == {APPLIED, ISSUED}


def test_the_report_has_the_records_and_what_is_in_the_way(cloud: Cloud, tmp_path: Path) -> None:
    function = applicant(cloud, JOURNAL_URL=(tmp_path / "journal").as_uri())
    asks, refused = applied_for(cloud, function), due(cloud, "shop.example.com")
    function.tick()
    cloud.cas.instances.refuse(refused, REFUSED, after=60)
    cloud.clock.advance(TEN_MINUTES)
    function.tick()
    folder = Path(urlsplit(str(function.settings["JOURNAL_URL"])).path)
    page = (folder / "report.html").read_text("utf-8")
    for record in messages(cloud, VALIDATION)[0]["data"]["Records"]:
        assert record["Value"] in page
        assert record["Host"] in page
    found = json.loads((folder / "report.json").read_bytes())
    by_id = {line.get("instance_id"): line for line in found["orders"]}
    assert by_id[asks]["records"]
    assert by_id[refused]["reason"] == "authority-says"
