"""May the next certificate be applied for? Each reason, and the nearest instance that it lets through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.rules import HISTORY, Rules, is_allowed
from handler.instances.detail import Detail
from handler.instances.instance import CLOSED, Instance
from handler.instances.policy import (
    CHECKS,
    DETAIL_CHECKS,
    LEAST_GAIN,
    reason_in_detail,
    reason_not_to_apply,
    window_opens,
)
from handler.instances.row import instance_in
from handler.outcomes import Reason
from tests.examples import DAY, MILLISECOND, NOW, PROPERTY, SECOND, rules
from tests.unit.v2_rows import (
    ENDS,
    GONE,
    INSTANCE,
    JSON,
    STARTS,
    applying,
    detail,
    ends_in,
    instance,
    milliseconds,
    nearly,
)

ONLY_SHOP = applying(domains=("shop.example.com",))
EXCEPT_PAY = applying(domains_except=("pay.example.com",))


def reason(of: Instance, under: Rules | None = None) -> str | None:
    return reason_not_to_apply(of, under or applying(), NOW)


def subscription(ends: Any) -> dict[str, Any]:
    return {"InstanceEndTime": milliseconds(ends)}


def test_an_instance_whose_certificate_ends_soon_may_have_the_next_one():
    assert reason(instance()) is None
    assert reason_in_detail(detail()) is None


# ----------------------------------------------------------------------------------------------------- what a row tells


@pytest.mark.parametrize(
    ("slug", "forbidden", "allowed"),
    [
        ("row-unreadable", {"Status": "frozen"}, {"Status": "normal"}),
        ("row-unreadable", {"InstanceEndTime": "soon"}, {"InstanceEndTime": GONE}),
        ("row-unreadable", {"CertificateNotAfter": GONE}, {}),
        ("test-instance", {"InstanceType": "TEST"}, {"InstanceType": "BUY"}),
        ("no-certificate", {"CertificateId": GONE}, {"CertificateId": "20000001"}),
        ("no-certificate", {"CertificateId": 0, "Status": "inactive"}, {"Status": "inactive"}),
        ("revoked", {"CertificateStatus": "revoked"}, {"CertificateStatus": "issued"}),
        *(("closed", {"Status": status}, {"Status": "willExpire"}) for status in sorted(CLOSED)),
        ("hosted", {"AutoReissue": "enable"}, {"AutoReissue": "disable"}),
        ("in-review", {"Status": "pending"}, {"Status": "normal"}),
        ("outside-window", ends_in(30 * DAY + MILLISECOND), ends_in(30 * DAY)),
        ("subscription-ends", subscription(ENDS), subscription(ENDS + LEAST_GAIN + SECOND)),
        ("subscription-ends", subscription(ENDS + LEAST_GAIN), subscription(ENDS + 200 * DAY)),
        ("subscription-ends", subscription(NOW - DAY), {"InstanceEndTime": GONE}),
        ("not-dv", {"CertificateType": "OV"}, {"CertificateType": "DV"}),
        ("not-dv", {"CertificateType": "EV"}, {}),
        ("not-dv", {"CertificateType": GONE}, {}),
        ("expired", ends_in(-HISTORY - SECOND), ends_in(-HISTORY)),
        ("names-changed", {"Domain": "shop.example.com"}, {"Domain": GONE}),
        ("names-changed", {"Domain": "*.example.com"}, {"Domain": "www.example.com,shop.example.com"}),
    ],
)
def test_each_reason_forbids_and_its_nearest_neighbour_is_allowed(
    slug: str, forbidden: dict[str, Any], allowed: dict[str, Any]
):
    assert reason(instance(**forbidden)) == slug
    assert reason(instance(**allowed)) is None


@pytest.mark.parametrize(
    ("fields", "under"),
    [
        ({}, ONLY_SHOP),
        ({"CertificateDomain": "shop.example.com"}, ONLY_SHOP),
        ({"Domain": "shop.example.com"}, ONLY_SHOP),
        ({"CertificateDomain": "www.example.com,pay.example.com"}, EXCEPT_PAY),
        ({"Domain": "www.example.com,PAY.example.com."}, EXCEPT_PAY),
        ({"Domain": "null"}, applying()),
        ({"CertificateDomain": GONE, "Domain": "pay.example.com"}, EXCEPT_PAY),
    ],
)
def test_every_name_of_the_newest_certificate_and_of_the_next_must_be_allowed(fields: dict[str, Any], under: Rules):
    assert reason(instance(**fields), under) == "domain-not-allowed"


@pytest.mark.parametrize(
    ("fields", "under"),
    [
        ({"CertificateDomain": "shop.example.com", "Domain": "shop.example.com"}, ONLY_SHOP),
        ({"CertificateDomain": "shop.example.com", "Domain": GONE}, ONLY_SHOP),
        ({"Domain": "www.example.com,shop.example.com"}, EXCEPT_PAY),
    ],
)
def test_an_instance_all_of_whose_names_are_allowed_may_have_the_next(fields: dict[str, Any], under: Rules):
    assert reason(instance(**fields), under) is None


def test_no_instance_is_applied_for_in_the_first_half_of_its_certificates_life():
    under = applying(within=365 * DAY)
    young = {"CertificateNotBefore": milliseconds(NOW - 99 * DAY), **ends_in(101 * DAY)}
    old = {"CertificateNotBefore": milliseconds(NOW - 100 * DAY), **ends_in(100 * DAY)}
    assert reason(instance(**young), under) == "outside-window"
    assert reason(instance(**old), under) is None


def test_the_window_opens_so_many_days_before_the_end_and_not_before_half_of_the_life_is_over():
    assert window_opens(instance(), rules()) == ENDS - 30 * DAY
    assert window_opens(instance(), rules(within=365 * DAY)) == STARTS + (ENDS - STARTS) / 2
    assert window_opens(instance(CertificateNotBefore=GONE), rules(within=365 * DAY)) == ENDS - 365 * DAY
    assert window_opens(instance(CertificateNotAfter=GONE), rules()) is None


def test_a_certificate_that_has_ended_in_a_subscription_that_has_not_may_have_its_next():
    assert reason(instance(**ends_in(-DAY), CertificateStatus="expired")) is None


def test_of_several_reasons_the_one_that_matters_most_is_given():
    facts: dict[str, Any] = {
        "Spec": 7,
        "InstanceType": "TEST",
        "CertificateId": GONE,
        "CertificateStatus": "revoked",
        "Status": "closed",
        "AutoReissue": "enable",
        **ends_in(300 * DAY),
        "InstanceEndTime": milliseconds(NOW - HISTORY),
        "CertificateType": "OV",
        "Domain": "shop.example.com",
    }
    fixed: dict[str, dict[str, Any]] = {
        "row-unreadable": {"Spec": "digicert-dv"},
        "domain-not-allowed": {},
        "test-instance": {"InstanceType": "BUY"},
        "no-certificate": {"CertificateId": 20000001},
        "revoked": {"CertificateStatus": "issued"},
        "closed": {"Status": "pending"},
        "hosted": {"AutoReissue": "disable"},
        "in-review": {"Status": "normal"},
        "outside-window": ends_in(-HISTORY - DAY),
        "subscription-ends": {"InstanceEndTime": milliseconds(NOW + 100 * DAY)},
        "not-dv": {"CertificateType": "DV"},
        "expired": ends_in(DAY),
        "names-changed": {"Domain": "www.example.com"},
        "watched": {},
    }
    under = rules(domains_except=("*",))
    given_reasons = [reason(instance(**facts), under)]
    for slug, fix in fixed.items():
        facts |= fix
        under = rules() if slug == "domain-not-allowed" else under
        under = applying() if slug == "watched" else under
        given_reasons.append(reason(instance(**facts), under))
    assert given_reasons == [*fixed, None]
    assert list(fixed) == list(CHECKS)


@pytest.mark.parametrize("fields", [{}, {"CertificateType": "DV"}, {"Domain": GONE}])
def test_what_is_only_watched_is_left_alone_whatever_else_allows_it(fields: dict[str, Any]):
    assert reason(instance(**fields), rules()) == "watched"
    assert reason(instance(**fields), applying()) is None


@pytest.mark.parametrize(
    ("has", "configured", "is_kept"),
    [
        ("www.example.com", "WWW.Example.com.", True),
        ("www.example.com,example.com", "www.example.com", True),
        ("*.example.com,example.com", "*.example.com", True),
        ("www.example.com,example.com", "example.com", True),
        ("www.example.com", "shop.example.com,www.example.com", True),
        ("www.example.com,shop.example.com", "www.example.com", False),
        ("*.example.com", "www.example.com", False),
        ("www.example.com", "*.example.com", False),
        ("www.example.com", "example.com", True),
        ("shop.example.com", "*.shop.example.com", True),
        ("shop.example.com", "example.com", False),
    ],
)
def test_the_next_certificate_must_have_every_name_of_the_newest(has: str, configured: str, is_kept: bool):
    of = instance(CertificateDomain=has, Domain=configured)
    assert reason(of) == (None if is_kept else "names-changed")


# ------------------------------------------------------------------------------------------------ what the detail tells


@pytest.mark.parametrize(
    ("slug", "forbidden", "allowed"),
    [
        ("upgrading", {"UpgradeStatus": "payed"}, {"UpgradeStatus": "issued"}),
        ("upgrading", {"UpgradeStatus": "payed"}, {"UpgradeStatus": GONE}),
        ("own-csr", {"GenerateCsrMethod": "upload"}, {"GenerateCsrMethod": "online"}),
        ("own-csr", {"GenerateCsrMethod": "upload"}, {"GenerateCsrMethod": GONE}),
        ("needs-data", {"ContactIdList": []}, {"ContactIdList": [1]}),
        ("needs-data", {"ContactIdList": [None]}, {}),
        ("needs-data", {"Domain": GONE}, {}),
        ("needs-data", {"ValidationMethod": ""}, {"ValidationMethod": "HTTP"}),
    ],
)
def test_each_reason_of_the_detail_forbids_and_its_nearest_neighbour_is_allowed(
    slug: str, forbidden: dict[str, Any], allowed: dict[str, Any]
):
    assert reason_in_detail(detail(**forbidden)) == slug
    assert reason_in_detail(detail(**allowed)) is None


def test_of_several_reasons_of_the_detail_the_first_is_given():
    facts: dict[str, Any] = {"UpgradeStatus": "payed", "GenerateCsrMethod": "upload", "ContactIdList": []}
    fixed: dict[str, dict[str, Any]] = {
        "upgrading": {"UpgradeStatus": "none"},
        "own-csr": {"GenerateCsrMethod": "online"},
        "needs-data": {"ContactIdList": [21001]},
    }
    given_reasons = [reason_in_detail(detail(**facts))]
    for fix in fixed.values():
        facts |= fix
        given_reasons.append(reason_in_detail(detail(**facts)))
    assert given_reasons == [*fixed, None]
    assert list(fixed) == list(DETAIL_CHECKS)


# ----------------------------------------------------------------------------------------------------------- properties

RULES = st.builds(
    lambda may_apply, **ruled: rules(**ruled)._replace(may_apply=may_apply),
    st.sampled_from([True, True, True, False]),
    within=st.integers(1, 365).map(lambda days: days * DAY),
    domains=st.sampled_from([("*",), ("www.example.com",), ("*.example.org",)]),
    domains_except=st.sampled_from([(), ("*.example.com",), ("pay.example.com",)]),
)
DETAILS = st.builds(
    Detail,
    instance=st.none(),
    domain=st.sampled_from(["", "www.example.com"]),
    contacts=st.sampled_from([(), ("1",)]),
    validation_method=st.sampled_from(["", "DNS", "HTTP"]),
    csr_method=st.sampled_from(["", "online", "upload"]),
    upgrade_status=st.sampled_from(["", "none", "payed", "issued"]),
    pending_result=st.text(),
    records=st.just(()),
)
LIKELY = st.builds(
    lambda row, end, start: {**INSTANCE, **row, "CertificateNotAfter": end, "CertificateNotBefore": start},
    nearly({name: INSTANCE[name] for name in ("Domain", "InstanceEndTime", "Spec", "UsingProductList")})
    | st.fixed_dictionaries(
        {},
        optional={
            "AutoReissue": st.sampled_from(["enable", "disable"]),
            "CertificateStatus": st.sampled_from(["issued", "willExpire", "revoked", "expired"]),
            "CertificateType": st.sampled_from(["DV", "OV"]),
            "InstanceType": st.sampled_from(["BUY", "TEST"]),
            "Status": st.sampled_from(["normal", "willExpire", "pending", "closed", "inactive"]),
        },
    ),
    st.integers(-40, 400).map(lambda days: milliseconds(NOW + days * DAY)),
    st.integers(0, 400).map(lambda days: milliseconds(NOW - days * DAY)),
)


@PROPERTY
@given(LIKELY | nearly(INSTANCE) | JSON, RULES)
def test_whatever_a_row_is_it_gives_an_instance_or_a_text_and_the_policy_takes_it(row: Any, under: Rules):
    found = instance_in(row)
    assert isinstance(found, (Instance, str))
    if isinstance(found, str):
        assert len(found) <= 80
        return
    assert found.id == found.renewable.instance == row["InstanceId"]
    assert set(found.odd) <= set(INSTANCE)
    assert len(set(found.odd)) == len(found.odd)
    assert bool(found.odd) == (reason(found, under) == Reason.ROW_UNREADABLE)
    window_opens(found, under)


@PROPERTY
@given(LIKELY, RULES)
def test_whatever_the_instance_it_is_applied_for_only_where_every_rule_allows_it(row: Any, under: Rules):
    found = instance_in(row)
    assert isinstance(found, Instance)
    if reason(found, under) is not None:
        return
    assert not found.odd
    assert found.ends is not None
    assert -HISTORY <= found.ends - NOW <= under.within
    assert under.may_apply
    assert found.starts is None or NOW - found.starts >= found.ends - NOW, "half of its life is over"
    assert found.subscription_ends is None or found.subscription_ends > found.ends + LEAST_GAIN
    assert all(is_allowed(text, under) for text in (found.renewable.domain, found.configured) if text)
    assert (found.kind, found.certificate_type, found.is_hosted) == ("BUY", "DV", False)
    assert found.certificate_id
    assert found.certificate_status != "revoked"
    assert found.status not in CLOSED | {"pending"}


@PROPERTY
@given(DETAILS)
def test_whatever_the_detail_nothing_is_missing_where_it_is_allowed(of: Detail):
    if reason_in_detail(of) is None:
        assert of.contacts
        assert of.domain
        assert of.validation_method
        assert of.upgrade_status != "payed"
        assert of.csr_method != "upload"
