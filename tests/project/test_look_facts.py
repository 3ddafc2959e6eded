"""`make look ARGS=--facts`: what an account tells that the documentation leaves open, each way it may turn out."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from handler.certificates.renewable import Kind
from handler.errors import CasRefused, CasThrottled
from look.facts import facts, left_out
from look.survey import MOST_DETAILS, MOST_PAGES, Surveyor
from tests.deployed import Function
from tests.examples import NOW
from tests.project.looking import Look, default_chain, looking
from tests.sample_account import PLAIN_ORDER_ID, sample_account_2026
from tests.stubs import faults
from tests.stubs.clock import FakeClock
from tests.stubs.cloud import Cloud

ORDERS, INSTANCES, CERTIFICATES = "ListUserCertificateOrder", "ListInstances", "ListCertificates"


@pytest.fixture
def look(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Look]:
    default_chain(monkeypatch, tmp_path, **vars(cloud.credentials))
    with looking(cloud, tmp_path / "look", capsys) as look:
        yield look


def fields(found: Mapping[str, Any], name: str, state: str) -> dict[str, Any]:
    """How the fields of the rows in that state are filled."""
    shown: dict[str, Any] = found["lists"][name]["by_state"][state]["fields"]
    return shown


# --- orders -----------------------------------------------------------------------------------------------------------


def test_the_types_of_order_in_use_are_counted(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    assert look.facts()["orders"]["in_use"] == {"CPACK": 9, "BUY": 1, "CERT": 17, "UPLOAD": 2}


@pytest.mark.parametrize("domain", ["empty", "filled"])
@pytest.mark.parametrize("source", ["CPACK", "BUY"])
def test_a_renewed_order_shows_whether_it_has_a_domain_and_of_which_type_it_is(
    cloud: Cloud, look: Look, domain: Any, source: Any
):
    cloud.cas.pending_domain, cloud.cas.pending_source = domain, source
    cloud.cas.add_order(days_left=20)
    Function(cloud, JOURNAL_URL=look.folder.with_name("elsewhere").as_uri()).tick()
    cloud.cas.calls.clear()
    cloud.smq.calls.clear()
    cloud.clock.advance(days=0.1)
    found = look.facts()
    assert fields(found, source, "PAYED")["Domain"] == domain
    assert found["orders"]["domain_while_pending"] == {domain: 1}
    newer = [{"order": "WILLEXPIRED in CPACK", "newer": f"PAYED in {source}", "times": 1}]
    assert found["orders"]["with_a_newer_order_for_the_same"] == (newer if domain == "filled" else [])


def test_a_domain_that_is_not_even_a_field_is_told_from_an_empty_one(cloud: Cloud, look: Look):
    order = cloud.cas.add_order(status="PAYED")
    cloud.cas.odd_row(order, "Domain")
    assert fields(look.facts(), "CPACK", "PAYED")["Domain"] == "absent"


@pytest.mark.parametrize("leaves", [True, False])
def test_an_order_that_was_renewed_shows_whether_it_leaves_willexpired(cloud: Cloud, look: Look, leaves: bool):
    state = "ISSUED" if leaves else "WILLEXPIRED"
    cloud.cas.add_order(days_left=20, status=state)
    cloud.cas.add_order(status="PAYED", source="BUY")
    (newer,) = look.facts()["orders"]["with_a_newer_order_for_the_same"]
    assert newer == {"order": f"{state} in CPACK", "newer": "PAYED in BUY", "times": 1}


@pytest.mark.parametrize(
    ("written", "shape"),
    [(123, "number"), ("123", "text"), (98987582437920968, "number, above 2^53"), ("x", "no whole number")],
)
def test_the_shape_of_ids_is_told(cloud: Cloud, look: Look, written: Any, shape: str):
    order = cloud.cas.add_order(days_left=150)
    cloud.cas.odd_row(order, OrderId=written)
    assert fields(look.facts(), "CPACK", "ISSUED")["OrderId"] == shape


@pytest.mark.parametrize("begins", [30, 60])
def test_the_days_before_the_end_at_which_an_order_expires_are_narrowed_down(cloud: Cloud, look: Look, begins: int):
    cloud.cas.add_order(days_left=begins - 0.5, status="WILLEXPIRED")
    cloud.cas.add_order(days_left=begins - 5, status="WILLEXPIRED")
    cloud.cas.add_order(days_left=begins + 0.5, status="ISSUED")
    cloud.cas.add_order(days_left=begins + 90, status="ISSUED")
    cloud.cas.add_order(days_left=-3)
    (threshold,) = look.facts()["orders"]["WILLEXPIRED_begins"].values()
    assert threshold == {
        "days_left_at_most_while_expiring": begins - 0.5,
        "days_left_at_least_while_not": begins + 0.5,
    }


def test_thresholds_stand_apart_by_lifetime(cloud: Cloud, look: Look):
    cloud.cas.certificates.upload("a.example.com", days_left=20)
    found = look.facts()["certificates"]["willExpire_begins"]
    assert [*found] == ["up to 200 days"]


# --- instances and certificates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", ["seconds", "milliseconds"])
@pytest.mark.parametrize("times_as", ["number", "text"])
def test_the_units_of_times_are_told(cloud: Cloud, look: Look, units: Any, times_as: Any):
    cloud.cas.shapes.units, cloud.cas.shapes.times_as = units, times_as
    sample_account_2026(cloud)
    found, shape = look.facts(), f"{units}, {times_as}"
    shown = fields(found, INSTANCES, "normal")
    assert {shown["CertificateNotAfter"], shown["InstanceEndTime"], shown["OrderStartTime"]} == {shape}
    assert fields(found, CERTIFICATES, "issued")["NotAfter"] == shape
    assert found["instances"]["ends_in_both_lists"] == {"same": 6, "differ": 0, "seconds_at_most": 0}


@pytest.mark.parametrize(
    ("empty", "shape"), [("absent", "absent"), ("null", "null"), ("zero", "zero"), ("text", "empty")]
)
def test_what_stands_for_a_time_that_there_is_not_is_told(cloud: Cloud, look: Look, empty: Any, shape: str):
    cloud.cas.shapes.empty = empty
    sample_account_2026(cloud)
    shown = fields(look.facts(), INSTANCES, "inactive")
    assert {shown["CertificateNotAfter"], shown["InstanceEndTime"], shown["CertificateId"]} == {shape}


@pytest.mark.parametrize("days", [15, 30])
def test_the_days_at_which_both_willexpire_begin_are_narrowed_down(cloud: Cloud, look: Look, days: int):
    cloud.cas.shapes.certificate_expiring_days = days
    cloud.cas.shapes.instance_expiring_days = days + 10
    for left in (days - 0.5, days + 0.5):
        cloud.cas.instances.add(f"host{left}.example.com", left, subscription_days_left=left + 10)
    found = look.facts()
    ends = {"days_left_at_most_while_expiring": days - 0.5, "days_left_at_least_while_not": days + 0.5}
    later = {name: left + 10 for name, left in ends.items()}
    assert [*found["instances"]["certificate_willExpire_begins"].values()] == [ends]
    assert [*found["instances"]["subscription_willExpire_begins"].values()] == [later]
    assert [*found["certificates"]["willExpire_begins"].values()] == [ends]


@pytest.mark.parametrize("shown", [True, False])
def test_whether_the_certificates_of_instances_are_under_cert_is_told(cloud: Cloud, look: Look, shown: bool):
    cloud.cas.certificates.user_list_has_instances = shown
    sample_account_2026(cloud)
    assert look.facts()["instances"]["newest_certificate_is_in"] == {
        "ListCertificates": {"yes": 6},
        "ListUserCertificateOrder_CERT": {"yes" if shown else "no": 6},
    }


@pytest.mark.parametrize("words", ["lower", "upper"])
def test_the_spelling_of_the_task_is_told(cloud: Cloud, look: Look, words: Any):
    cloud.cas.instances.task_words = words
    sample_account_2026(cloud)
    (said,) = look.facts()["instances"]["task_status"]
    assert said == getattr("success", words)()


def test_the_records_to_add_are_told_by_state_and_kind(cloud: Cloud, look: Look):
    cloud.cas.authority.records_after = 0
    cloud.cas.instances.add("pay.example.com", 8, own_dns=False, hosted=True)
    found = look.facts()
    assert found["instances"]["validation_records_by_state"] == {"pending": {"TXT": 1}}
    assert found["operations"]["GetInstanceDetail"] == {"answered": 1}


@pytest.mark.parametrize("code", ["NotFound", "InvalidInstanceId.NotFound"])
def test_the_code_for_what_there_is_not_is_told(cloud: Cloud, look: Look, code: str):
    cloud.cas.instances.unknown_code = code
    instance = cloud.cas.instances.add("a.example.com")
    cloud.cas.instances.pages.odd_row(instance, InstanceId="cas_dv-cn-gone")
    assert look.facts()["operations"]["GetInstanceDetail"] == {code: 1}


def test_a_normal_instance_without_a_certificate_and_an_end_that_lists_disagree_on_are_told(cloud: Cloud, look: Look):
    cloud.cas.instances.add("", None, fixed_status="normal")
    instance = cloud.cas.instances.add("a.example.com", 20)
    certificate = cloud.cas.instances.certificate(instance)
    assert certificate
    rounded = round(certificate.not_after.timestamp() * 1000) + 59_000
    cloud.cas.certificates.pages.odd_row(certificate.certificate_id, NotAfter=rounded)
    found = look.facts()["instances"]
    assert found["normal_without_a_certificate"] == 1
    assert found["ends_in_both_lists"] == {"same": 0, "differ": 1, "seconds_at_most": 59}


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("a.example.com,b.example.com", "the same names"),
        ("a.example.com", "Domain lacks some"),
        ("", "no names in Domain"),
    ],
)
def test_whether_the_domain_has_all_names_of_a_certificate_is_told(cloud: Cloud, look: Look, domain: str, said: str):
    upload = cloud.cas.certificates.upload("a.example.com", "b.example.com")
    cloud.cas.certificates.pages.odd_row(upload, Domain=domain)
    assert look.facts()["certificates"]["domain_and_SubjectAlternativeNames"] == {said: 1}


# --- lists, limits and codes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off_by", [0, 1, -1])
def test_whether_the_total_agrees_is_told_of_each_list(cloud: Cloud, look: Look, off_by: int):
    sample_account_2026(cloud)
    cloud.cas.total_count_off_by = cloud.cas.instances.pages.total_off_by = off_by
    lists = look.facts()["lists"]
    for name, exact in (("CPACK", False), ("CERT", False), (INSTANCES, False), (CERTIFICATES, True)):
        total = lists[name]["TotalCount"]
        assert total["agrees"] == (exact or off_by == 0), name
        assert total["too_high_by"] == [0 if exact else off_by], name


@pytest.mark.parametrize("again", [True, False])
def test_what_comes_beyond_the_last_page_is_told(cloud: Cloud, look: Look, again: bool):
    cloud.cas.instances.pages.last_page_again = again
    cloud.cas.instances.pages.page_limit = 2
    for number in range(3):
        cloud.cas.instances.add(f"host{number}.example.com")
    found = look.facts()["lists"][INSTANCES]
    assert found["beyond_the_last_page"] == ("the last page again" if again else "empty")
    assert (found["rows"], found["pages"], found["ShowSize"]) == (3, 2, "smaller")
    assert found["rows_in_a_page"] == {"asked": 100, "most": 2}


def test_rows_that_come_twice_or_are_none_are_counted(cloud: Cloud, look: Look):
    cloud.cas.list_twice.add(cloud.cas.add_order())
    cloud.cas.add_raw_row("no row")
    found = look.facts()["lists"]["CPACK"]
    assert (found["rows"], found["rows_that_came_twice"], found["rows_without_an_id"]) == (3, 1, 1)


def test_a_limit_that_was_met_is_told_and_the_look_goes_on(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    cloud.cas.fail(INSTANCES, faults.throttle(), faults.throttle("Throttling.Api", retry_after_ms=1500))
    rate = look.facts()["rate"]
    assert rate["throttled"] == [
        {"operation": INSTANCES, "code": "Throttling.Api", "times": 1},
        {"operation": INSTANCES, "code": "Throttling.User", "times": 1},
    ]
    assert rate["told_how_long_to_wait"] == 1
    assert rate["calls"][INSTANCES] == 4
    assert rate["most_calls_in_a_second"] <= 10


def test_without_a_limit_none_is_told(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    assert look.facts()["rate"]["throttled"] == []


def test_a_list_that_may_not_be_read_is_a_fact_and_no_whole_look(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    cloud.cas.forbid(INSTANCES)
    found = look.facts(status=2)
    assert found["lists"][INSTANCES] == {"error": "NoPermission"}
    assert found["orders"]["in_use"]["CPACK"] == 9
    assert "ListInstances: CAS: NoPermission" in look.err
    assert INSTANCES not in look.facts(WATCH="orders,certificates")["lists"]


def test_operations_without_a_published_permission_are_tried(cloud: Cloud, look: Look):
    cloud.cas.instances.add("a.example.com")
    cloud.cas.forbid("GetInstanceSummary", "GetTaskAttribute", code="Forbidden.RAM")
    operations = look.facts()["operations"]
    assert operations["GetInstanceSummary"] == operations["GetTaskAttribute"] == {"Forbidden.RAM": 1}
    assert operations["GetInstanceDetail"] == {"answered": 1}


def test_few_instances_are_looked_at_one_by_one_and_of_each_state_one(cloud: Cloud, look: Look):
    for number in range(40):
        cloud.cas.instances.add(f"host{number}.example.com", 150)
    cloud.cas.instances.add("", None)
    operations = look.facts()["operations"]
    assert operations["GetInstanceDetail"] == {"answered": MOST_DETAILS}
    asked = {call.params["InstanceId"] for call in cloud.cas.calls_of("GetInstanceDetail")}
    assert cloud.cas.instances.ids()[0] in asked


def test_an_empty_account_has_facts_too(look: Look):
    found = look.facts()
    assert found["orders"]["in_use"] == {"CPACK": 0, "BUY": 0, "CERT": 0, "UPLOAD": 0}
    assert found["lists"]["CPACK"]["TotalCount"]["agrees"] is True


def survey(read: Callable[[str, Mapping[str, str]], dict[str, Any]]) -> dict[str, Any]:
    """The facts of an account that answers like this."""
    found = Surveyor(read, FakeClock(NOW)).survey(Kind)
    left_out(found)
    shown: dict[str, Any] = json.loads(json.dumps(facts(found, "China")))
    return shown


def test_a_list_without_an_end_is_left_at_some_page():
    numbers = iter(range(10**9))
    found = survey(lambda *_: {"InstanceList": [{"InstanceId": f"cas_dv-{next(numbers)}"}], "TotalCount": 1})
    assert found["lists"][INSTANCES]["beyond_the_last_page"] == "not reached"
    assert found["lists"][INSTANCES]["pages"] == MOST_PAGES
    assert found["lists"]["CPACK"]["beyond_the_last_page"] == "no list"


def test_a_private_key_in_an_answer_is_told_and_not_shown():
    key = "-----BEGIN PRIVATE KEY-----\nPLANTED\n-----END PRIVATE KEY-----"
    found = survey(lambda *_: {"InstanceList": [{"InstanceId": "cas_dv-cn-1", "Key": key}], "TotalCount": 1})
    assert found["private_keys_in_answers"][INSTANCES]
    assert "PLANTED" not in json.dumps(found)


# --- nothing that is anybody's ----------------------------------------------------------------------------------------

MARK, NUMBER = "PLANTED", 918_273_645_918_273
"""What is planted: in texts, and as numbers."""


def leaves(value: Any) -> Iterator[Any]:
    """Every text and number in a value, keys included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def answers_of(cloud: Cloud) -> Callable[[str, Mapping[str, str]], dict[str, Any]]:
    """The stand-in, asked without a client."""
    return lambda action, query: cloud.cas._operate(action, {**query})


def planted(value: Any, chance: random.Random, share: float) -> Any:
    """The value with something of somebody's in the place of a share of what is in it."""
    if isinstance(value, dict):
        found = {name: planted(inner, chance, share) for name, inner in value.items()}
        if chance.random() < share:
            found[f"{MARK}Key"] = MARK
        return found
    if isinstance(value, list) and chance.random() >= share / 4:
        return [planted(inner, chance, share) for inner in value]
    if chance.random() >= share:
        return value
    others = [
        f"{MARK}-{chance.random()}.example.com",
        f"cas_dv-cn-{MARK}",
        f"issued {MARK}",
        f"{NUMBER}-cn-hangzhou",
        f"{MARK},{MARK}.example.com",
        NUMBER,
        str(NUMBER),
        NUMBER / 7,
        -NUMBER,
        10**400,
        float("nan"),
        None,
        True,
        "",
        [MARK],
        {MARK: [NUMBER]},
        "\ud800",
    ]
    return chance.choice(others)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_that_an_account_has_in_its_answers_is_in_the_facts(cloud: Cloud, seed: int):
    chance = random.Random(seed)  # noqa: S311 - nothing secret about it
    share = chance.choice((0.05, 0.3, 0.9, 1.0))
    sample_account_2026(cloud)
    ask = answers_of(cloud)

    def read(action: str, query: Mapping[str, str]) -> dict[str, Any]:
        if chance.random() < 0.1:
            raise chance.choice((CasRefused, CasThrottled))(f"{MARK}.{NUMBER}", f"{MARK} {NUMBER}")
        try:
            answer = ask(action, query)
        except Exception as error:
            raise CasRefused("NotFound", MARK) from error
        # What ends a list is left as it is, mostly: else there is little to see.
        return {
            name: planted(value, chance, share) if isinstance(value, list) or chance.random() < share / 4 else value
            for name, value in answer.items()
        }

    shown = json.dumps(survey(read))
    assert MARK not in shown
    assert str(NUMBER)[:9] not in shown


def test_nothing_of_the_sample_account_is_in_its_facts_either(cloud: Cloud, look: Look):
    sample_account_2026(cloud)
    ask, account = answers_of(cloud), "123456789012"
    raw = [
        *(ask(ORDERS, {"OrderType": kind}) for kind in ("CPACK", "BUY", "CERT", "UPLOAD")),
        *(ask(action, {"ShowSize": "100"}) for action in (INSTANCES, CERTIFICATES)),
        *(ask("GetInstanceDetail", {"InstanceId": instance}) for instance in cloud.cas.instances.ids()),
    ]
    shown = look("--facts", ALIBABA_CLOUD_ACCOUNT_ID=account, CAS_ENDPOINT="cas.aliyuncs.com")
    for own in ("example.com", "cas_dv-cn-", str(PLAIN_ORDER_ID), account, cloud.credentials.access_key_id):
        assert own not in shown
    values = {str(leaf) for leaf in leaves(list(raw)) if isinstance(leaf, (str, int))}
    mine = {value for value in values if any(sign in value for sign in ".-@") or (value.isdigit() and len(value) > 5)}
    assert len(mine) > 100
    assert not [value for value in mine if value in shown]


def test_an_endpoint_of_somebodys_own_is_not_named(cloud: Cloud, look: Look):
    assert look.facts(CAS_ENDPOINT="cas-vpc.cn-planted.aliyuncs.com")["site"] == "another endpoint"
    assert look.facts(CAS_ENDPOINT="cas.ap-southeast-1.aliyuncs.com")["site"] == "international"


def test_what_the_documentation_does_not_have_is_counted_and_shown_to_the_operator_alone(cloud: Cloud, look: Look):
    order = cloud.cas.add_order()
    cloud.cas.odd_row(order, Status="FROZEN", NewField=f"{MARK}")
    printed = look("--facts")
    assert "FROZEN" not in printed
    assert MARK not in printed + look.err
    found = json.loads(printed)["lists"]["CPACK"]
    assert [*found["by_state"]] == ["undocumented"]
    assert found["undocumented_fields"] == 1
    assert "CPACK: Status 'FROZEN' (1)" in look.err
    assert "CPACK: a field 'NewField' (1)" in look.err
