"""From a row of the list of instances to an instance: what makes no sense costs its own instance at most."""

from __future__ import annotations

from typing import Any

import pytest

from handler.certificates.renewable import Kind, Renewable
from handler.instances.instance import Instance
from handler.instances.row import instance_in
from tests.unit.v2_rows import (
    ENDS,
    GONE,
    INSTANCE,
    STARTS,
    SUBSCRIPTION_ENDS,
    instance,
    milliseconds,
    seconds,
    with_changes,
)

TIMES = {"CertificateNotAfter": ENDS, "CertificateNotBefore": STARTS, "InstanceEndTime": SUBSCRIPTION_ENDS}
NO_CERTIFICATE = ["CertificateId", "CertificateDomain", "CertificateStatus", *TIMES]
"""The fields that an instance lacks before its first certificate."""
UNUSED = {**dict.fromkeys(NO_CERTIFICATE, GONE), "Status": "inactive"}


def test_every_field_of_a_row_is_taken():
    assert instance(Domain="new.example.com") == Instance(
        renewable=Renewable(
            Kind.INSTANCE, "cas_dv-cn-example01", "www.example.com", "digicert-dv", "cas_dv-cn-example01", ENDS
        ),
        configured="new.example.com",
        status="normal",
        certificate_id="20000001",
        certificate_status="willExpire",
        kind="BUY",
        starts=STARTS,
        subscription_ends=SUBSCRIPTION_ENDS,
        is_hosted=False,
        certificate_type="DV",
        pending_result="",
        products=("CDN", "ALB"),
        odd=(),
    )


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("unit", [seconds, milliseconds])
def test_times_may_be_in_either_unit_and_numbers_or_texts(unit: Any, as_text: bool):
    written = {name: unit(moment) for name, moment in TIMES.items()}
    shown = instance(**{name: str(number) if as_text else number for name, number in written.items()})
    assert (shown.ends, shown.starts, shown.subscription_ends, shown.odd) == (ENDS, STARTS, SUBSCRIPTION_ENDS, ())


@pytest.mark.parametrize("empty", [GONE, None, 0, "0", ""])
def test_an_instance_that_was_never_used_has_no_certificate_and_nothing_odd(empty: Any):
    unused = instance(**{**UNUSED, "CertificateId": empty, **dict.fromkeys(TIMES, empty)})
    assert (unused.certificate_id, unused.ends, unused.starts, unused.subscription_ends) == ("", None, None, None)
    assert (unused.status, unused.odd) == ("inactive", ())
    assert unused.renewable.domain == "www.example.com", "what it would be for"


@pytest.mark.parametrize("status", ["inactive", "pending", "normal", "willExpire", "expired", "refund", "closed"])
def test_each_state_that_is_documented_makes_sense(status: str):
    assert (instance(Status=status).status, instance(Status=status).odd) == (status, ())


@pytest.mark.parametrize("status", ["", "frozen", "NORMAL", None, 7, ["normal"], GONE])
def test_a_state_that_nobody_knows_is_named_once(status: Any):
    assert instance(Status=status).odd == ("Status",)


@pytest.mark.parametrize("status", ["issued", "revoked", "willExpire", "expired", "", None, GONE])
def test_each_state_of_a_certificate_that_is_documented_makes_sense(status: Any):
    assert instance(CertificateStatus=status).odd == ()


@pytest.mark.parametrize("status", ["frozen", "Revoked", 7])
def test_a_state_of_a_certificate_that_nobody_knows_is_named_once(status: Any):
    assert instance(CertificateStatus=status).odd == ("CertificateStatus",)


@pytest.mark.parametrize(
    ("value", "hosted", "odd"),
    [
        ("enable", True, ()),
        ("disable", False, ()),
        ("", False, ()),
        (GONE, False, ()),
        ("ENABLE", False, ("AutoReissue",)),
        (1, False, ("AutoReissue",)),
    ],
)
def test_an_instance_is_hosted_only_if_the_row_says_so_in_so_many_words(value: Any, hosted: bool, odd: Any):
    assert (instance(AutoReissue=value).is_hosted, instance(AutoReissue=value).odd) == (hosted, odd)


@pytest.mark.parametrize("end", [GONE, None, 0, "", "soon", []])
def test_a_certificate_without_an_end_is_odd_since_nothing_tells_when_it_is_due(end: Any):
    assert instance(CertificateNotAfter=end).odd == ("CertificateNotAfter",)


def test_an_application_in_review_is_known_as_such_whatever_shows_of_the_certificate():
    assert instance(Status="pending", CertificateNotAfter=GONE).odd == ()


@pytest.mark.parametrize("domain", [GONE, None, ""])
def test_before_the_first_certificate_the_configured_domain_stands_for_the_instance(domain: Any):
    configured = instance(CertificateDomain=domain, Domain="www.example.com,*.example.com")
    assert configured.renewable.domains == ("www.example.com", "*.example.com")
    assert configured.odd == ()


@pytest.mark.parametrize(
    "instance_id", ["cas_dv-cn-example01", "cas-ivauto-1a2b", "cas-upload-895441", "7a", "a" * 128]
)
def test_an_instance_id_is_a_text_of_letters_digits_and_what_stands_between_them(instance_id: str):
    assert instance(InstanceId=instance_id).id == instance_id


@pytest.mark.parametrize(
    "instance_id",
    [
        GONE,
        None,
        "",
        7,
        "7",
        "123451222",
        True,
        [],
        {},
        " ",
        "a b",
        "../orders/1",
        "a/b",
        "-a",
        "a\n",
        "cas\u200b",
        "a" * 129,
        "x" * 5000,
    ],
)
def test_a_row_without_an_instance_id_is_shown_and_nothing_else(instance_id: Any):
    shown = instance_in(with_changes(INSTANCE, {"InstanceId": instance_id}))
    assert isinstance(shown, str)
    assert shown.startswith("InstanceId ")
    assert len(shown) <= 80


@pytest.mark.parametrize("row", [None, 5, "text", [], [INSTANCE], True, 1.5, "x" * 5000])
def test_what_is_no_row_is_shown(row: Any):
    shown = instance_in(row)
    assert isinstance(shown, str)
    assert len(shown) <= 80


def test_a_row_that_has_nothing_but_an_id_and_a_state_is_an_instance_that_nothing_is_known_of():
    bare = instance_in({"InstanceId": "cas-1", "Status": "inactive", "SomethingNew": {"deep": [1]}})
    assert bare == Instance(
        Renewable(Kind.INSTANCE, "cas-1", "", "", "cas-1", None),
        *("", "inactive", "", "", "", None, None, False, "", ""),
        products=(),
        odd=(),
    )


@pytest.mark.parametrize(
    "name",
    ["CertificateId", "CertificateNotAfter", "CertificateNotBefore", "InstanceEndTime", "UsingProductList"]
    + [name for name, value in INSTANCE.items() if isinstance(value, str) and name != "InstanceId"],
)
@pytest.mark.parametrize("nonsense", [1.5, ["x", 1], {"a": 1}])
def test_a_field_that_makes_no_sense_is_named_once(name: str, nonsense: Any):
    assert instance(**{name: nonsense}).odd == (name,)
