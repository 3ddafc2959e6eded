"""What the detail of an instance tells beyond its row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from handler.instances.detail import Detail, Task, ValidationRecord, detail_in, task_in
from handler.instances.policy import reason_in_detail
from tests.examples import PROPERTY
from tests.unit.v2_rows import DETAIL, GONE, INSTANCE, JSON, detail, instance, nearly

ENTRY = {
    "Cname": "",
    "CnameKey": "",
    "Domain": "www.example.com",
    "RootDomain": "example.com",
    "ValidationKey": "_dnsauth.www",
    "ValidationType": "TXT",
    "ValidationValue": "0123abcd",
}
RECORD = ValidationRecord("www.example.com", "example.com", "_dnsauth.www", "TXT", "0123abcd")


def test_every_field_is_taken():
    shown = detail(DomainValidationList=[ENTRY], PendingResult="CAA record forbids", UpgradeStatus="payed")
    assert shown == Detail(
        instance=shown.instance,
        domain="www.example.com",
        contacts=("21001", "21002"),
        validation_method="DNS",
        csr_method="online",
        upgrade_status="payed",
        pending_result="CAA record forbids",
        records=(RECORD,),
    )


def test_a_record_is_written_as_messages_have_it():
    assert RECORD.to_dict() == {
        "Domain": "www.example.com",
        "Zone": "example.com",
        "Host": "_dnsauth.www",
        "Type": "TXT",
        "Value": "0123abcd",
    }


def test_a_record_that_is_repeated_is_one_record_and_the_others_keep_their_order():
    other = {**ENTRY, "Domain": "shop.example.com", "ValidationKey": "_dnsauth.shop", "ValidationValue": "4567"}
    shown = detail(DomainValidationList=[other, ENTRY, other, ENTRY])
    assert [record.domain for record in shown.records] == ["shop.example.com", "www.example.com"]


@pytest.mark.parametrize("value", [GONE, None, "", 7, ["x"]])
def test_a_record_that_has_no_value_is_none_since_nobody_could_add_it(value: Any):
    entry = {name: text for name, text in {**ENTRY, "ValidationValue": value}.items() if text is not GONE}
    assert detail(DomainValidationList=[entry, None, "text", 5, []]).records == ()


@pytest.mark.parametrize("records", [GONE, None, "", 0, {}, "text", ENTRY])
def test_what_is_no_list_of_records_is_an_empty_one(records: Any):
    assert detail(DomainValidationList=records).records == ()


@pytest.mark.parametrize(
    ("contacts", "found"),
    [
        ([21001], ("21001",)),
        (["21001", 21002], ("21001", "21002")),
        ([None, 0, "", "x", 21001, [], True, -1], ("21001",)),
        ([None], ()),
        ([], ()),
        (GONE, ()),
        (None, ()),
        ("21001", ()),
        ({"21001": 1}, ()),
    ],
)
def test_a_contact_is_an_id_and_nothing_else_is_one(contacts: Any, found: tuple[str, ...]):
    assert detail(ContactIdList=contacts).contacts == found


@pytest.mark.parametrize("absent", [GONE, None, "", 0, []])
def test_a_text_that_is_absent_or_none_is_empty(absent: Any):
    texts = ("Domain", "ValidationMethod", "GenerateCsrMethod", "UpgradeStatus", "PendingResult")
    shown = detail(**dict.fromkeys(texts, absent))
    assert shown == Detail(shown.instance, "", ("21001", "21002"), "", "", "", "", ())


# --- the instance itself ----------------------------------------------------------------------------------------------


def test_the_instance_is_what_a_row_of_the_list_would_be():
    assert detail_in({**INSTANCE, **DETAIL}).instance == instance()
    pending = detail_in({**INSTANCE, **DETAIL, "Status": "pending", "CertificateId": "20000002"}).instance
    assert pending == instance(Status="pending", CertificateId=20000002)


def test_without_the_domains_of_its_certificate_it_shows_those_that_are_configured():
    shown = detail_in({name: value for name, value in {**INSTANCE, **DETAIL}.items() if name != "CertificateDomain"})
    assert shown.instance is not None
    assert shown.instance.renewable.domain == shown.domain == "www.example.com"


@pytest.mark.parametrize("instance_id", [GONE, None, "", 5, "123451222", ["cas_dv-cn-example01"], "cas dv", "a/b"])
def test_an_answer_that_names_no_instance_shows_none(instance_id: Any):
    shown = detail(InstanceId=instance_id)
    assert shown.instance is None
    assert shown.contacts == ("21001", "21002"), "what else it says is read all the same"


# --- the task of the submission ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "task"),
    [
        ({"TaskStatus": "failed", "TaskMessage": "CAA"}, Task(has_failed=True, said="CAA")),
        ({"TaskStatus": "Failed"}, Task(has_failed=True, said="")),
        ({"TaskStatus": " FAILED "}, Task(has_failed=True, said="")),
        ({"TaskStatus": "success", "TaskMessage": "ok"}, Task(has_failed=False, said="ok")),
        ({"TaskStatus": "processing"}, Task(has_failed=False, said="")),
        ({"TaskStatus": "failure"}, Task(has_failed=False, said="")),
        ({"TaskStatus": ""}, Task(has_failed=False, said="")),
        ({"TaskStatus": ["failed"], "TaskMessage": 5}, Task(has_failed=False, said="")),
        ({}, Task(has_failed=False, said="")),
    ],
)
def test_a_task_has_failed_if_it_says_so_in_whatever_case_and_else_goes_on(answer: dict[str, Any], task: Task):
    assert task_in(answer) == task


@PROPERTY
@given(nearly({"TaskStatus": "failed", "TaskMessage": "said"}))
def test_whatever_an_answer_about_a_task_is_it_gives_one(answer: dict[str, Any]):
    task = task_in(answer)
    assert task.has_failed == (str(answer.get("TaskStatus")).strip().lower() == "failed")
    assert isinstance(task.said, str)


@PROPERTY
@given(nearly({**DETAIL, "DomainValidationList": [ENTRY, ENTRY]}) | nearly({"DomainValidationList": [ENTRY]}))
def test_whatever_an_answer_is_it_gives_a_detail_and_the_policy_takes_it(answer: dict[str, Any]):
    shown = detail_in(answer)
    assert len(set(shown.records)) == len(shown.records)
    assert all(record.value and all(isinstance(text, str) for text in record) for record in shown.records)
    assert all(int(contact) > 0 for contact in shown.contacts)
    reason_in_detail(shown)


@PROPERTY
@given(JSON)
def test_whatever_stands_among_the_records_it_costs_no_other_record(junk: Any):
    assert RECORD in detail(DomainValidationList=[junk, ENTRY, junk]).records
