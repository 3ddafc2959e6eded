"""May this order be renewed? Each reason, and the nearest order that it lets through."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.domains import canonical, could_match, is_name, matches
from handler.orders.policy import CHECKS, domain_not_allowed, in_sight, reason_not_to_renew, superseding, window_opens
from tests.examples import DAY, DOMAIN, MILLISECOND, NEW, NOW, OLD, PROPERTY, SECOND, book, order, pending, rules

BOTH = rules(statuses=("WILLEXPIRED", "ISSUED"))


def reason(of, under=None):
    return reason_not_to_renew(of, under or rules(), NOW)


def test_an_expiring_order_may_be_renewed():
    assert reason(order()) is None


# ------------------------------------------------------------------------------------------------------- domain-unknown


@pytest.mark.parametrize(
    "domain",
    [
        "",
        " ",
        ",",
        "null",
        "未绑定",
        "www\u200b.example.com",
        "www.example.com/pay.example.com",
        '["pay.example.com"]',
        "www.example.com,-",
        "☃.example.com",
    ],
)
@pytest.mark.parametrize("under", [rules(), rules(domains=("*.example.com",)), rules(domains_except=(DOMAIN,))])
def test_an_order_whose_domain_nobody_can_name_is_left_alone(domain, under):
    assert reason(order(domain=domain), under) == "domain-unknown"
    assert domain_not_allowed(order(domain=domain), under, NOW), "whoever asks only for this is told no, too"


# --------------------------------------------------------------------------------------------------- domain-not-allowed


@pytest.mark.parametrize(
    ("domain", "under"),
    [
        (DOMAIN, rules(domains=("shop.example.com",))),
        ("example.com", rules(domains=("*.example.com",))),
        (DOMAIN, rules(domains_except=(DOMAIN,))),
        ("WWW.Example.com.", rules(domains_except=(DOMAIN,))),
        (DOMAIN, rules(domains=(DOMAIN,), domains_except=("*",))),
        ("xn--bcher-kva.example.com", rules(domains_except=("bücher.example.com",))),
        ("straße.example.com", rules(domains_except=("xn--strae-oqa.example.com",))),
        ("xn--strae-oqa.example.com", rules(domains_except=("straße.example.com",))),
        ("xn--strae-oqa.example.com", rules(domains_except=("strasse.example.com",))),
        ("strasse.example.com", rules(domains_except=("straße.example.com",))),
        ("straße.example.com", rules(domains=("strasse.example.com",))),
        ("βόλος.example.com", rules(domains_except=("xn--nxasmm1c.example.com",))),
        *(
            (f"{DOMAIN}{separator}pay.example.com", under)
            for separator in (",", ";", " ", "\n", "、", "|", "，", "；")
            for under in (rules(domains_except=("pay.example.com",)), rules(domains=(DOMAIN,)))
        ),
    ],
)
def test_a_domain_that_the_operator_did_not_allow_is_left_alone(domain, under):
    assert reason(order(domain=domain), under) == "domain-not-allowed"


@pytest.mark.parametrize(
    ("domain", "under"),
    [
        (DOMAIN, rules(domains=("shop.example.com", DOMAIN))),
        ("*.example.com", rules(domains=("*.example.com",))),
        ("WWW.Example.com", rules(domains=(DOMAIN,))),
        (DOMAIN, rules(domains_except=("shop.example.com",))),
    ],
)
def test_a_domain_that_the_operator_allowed_is_renewed(domain, under):
    assert reason(order(domain=domain), under) is None


# ---------------------------------------------------------------------------------------------- what CAS does not renew


@pytest.mark.parametrize(
    ("slug", "forbidden", "allowed"),
    [
        ("uploaded", order(source_type="upload"), order(source_type="buy")),
        ("uploaded", order(source_type="UPLOAD"), order(source_type="")),
        ("free-certificate", order(cert_type="FREE"), order(cert_type="EV")),
        ("free-certificate", order(cert_type="free"), order(cert_type="")),
        ("multi-domain", order(domain_type="MULTIPLE"), order(domain_type="ONE")),
        ("multi-domain", order(domain_type="M_WILDCARD"), order(domain_type="WILDCARD", domain="*.example.com")),
        ("multi-domain", order(domain_type="MIX"), order(domain_type="")),
        *(
            ("multi-domain", order(domain=f"a.example.com{separator}b.example.com"), order(domain="a.example.com"))
            for separator in (",", ";", " ", "\n", "、", "|", "，", "；")
        ),
        ("multi-domain", order(domain="a.example.com,"), order(domain=" a.example.com. ")),
        ("multi-domain", order(domain="a.example.com,A.example.com"), order(domain="A.example.com")),
        ("hosted", order(trustee_status="trustee"), order(trustee_status="unTrustee")),
        ("hosted", order(trustee_status="Trustee"), order(trustee_status="")),
        ("expired", order(status="EXPIRED"), order()),
        ("expired", order(status="EXPIRED", ends=None), order(ends=None)),
        ("expired", order(ends=NOW), order(ends=NOW + MILLISECOND)),
        ("expired", order(ends=NOW - SECOND), order(ends=NOW + SECOND)),
        ("row-unreadable", order(odd=("CertType",)), order()),
        ("not-expiring", order(status="ISSUED"), order(status="WILLEXPIRED")),
        ("outside-window", order(ends=NOW + 30 * DAY + MILLISECOND), order(ends=NOW + 30 * DAY)),
    ],
)
def test_each_reason_forbids_and_its_nearest_neighbour_is_allowed(slug, forbidden, allowed):
    assert reason(forbidden) == slug
    assert reason(allowed) is None


@pytest.mark.parametrize(
    "status", ["PAYED", "CHECKING", "CHECKED_FAIL", "NOTACTIVATED", "REVOKED", "", "SOMETHING_NEW"]
)
@pytest.mark.parametrize("under", [rules(), BOTH])
def test_an_order_without_a_certificate_in_force_is_not_expiring(status, under):
    assert reason(order(status=status), under) == "not-expiring"


def test_which_statuses_may_be_renewed_is_for_the_operator_to_say():
    issued = rules(statuses=("ISSUED",))
    assert reason(order(status="ISSUED", starts=NOW - DAY * 345), issued) is None
    assert reason(order(status="ISSUED", starts=NOW - DAY * 345), BOTH) is None
    assert reason(order(status="WILLEXPIRED"), BOTH) is None
    assert reason(order(status="WILLEXPIRED"), issued) == "not-expiring"


def test_an_issued_order_of_which_nobody_knows_when_it_began_or_ends_is_not_expiring():
    for start, end in ((NOW - 345 * DAY, None), (None, NOW + 20 * DAY), (None, None)):
        assert reason(order(status="ISSUED", starts=start, ends=end), BOTH) == "not-expiring"


def test_an_expiring_order_of_which_nobody_knows_when_it_began_is_renewed_by_its_end():
    assert reason(order(starts=None)) is None
    assert reason(order(starts=None, ends=NOW + 31 * DAY)) == "outside-window"


@pytest.mark.parametrize("lifetime", [47, 90, 100, 200, 365])
def test_no_order_is_renewed_in_the_first_half_of_its_certificates_life(lifetime):
    within = rules(within=365 * DAY, statuses=("WILLEXPIRED", "ISSUED"))
    half = lifetime * DAY / 2
    for status in ("WILLEXPIRED", "ISSUED"):
        young = order(status=status, starts=NOW - half + MILLISECOND, ends=NOW + half + MILLISECOND)
        assert reason(young, within) == "outside-window"
        assert not in_sight(young, within, NOW)
        old = order(status=status, starts=NOW - half, ends=NOW + half)
        assert reason(old, within) is None
        assert in_sight(old, within, NOW)


def test_in_the_second_half_of_its_life_the_window_decides():
    late = order(starts=NOW - 169 * DAY, ends=NOW + 31 * DAY)
    assert reason(late) == "outside-window"
    assert window_opens(late, rules()) == NOW + DAY


def test_of_an_order_of_which_nobody_knows_when_it_ends_nothing_tells_when_its_window_opens():
    assert window_opens(order(ends=None), rules()) is None
    assert window_opens(order(ends=None, starts=NOW), rules()) is None


def test_an_expiring_order_of_which_nobody_knows_when_it_ends_is_renewed_since_cas_says_that_it_expires():
    assert reason(order(ends=None)) is None


@pytest.mark.parametrize("days", [1, 30, 365])
def test_the_window_ends_at_the_millisecond(days):
    within = rules(within=days * DAY)
    assert reason(order(ends=NOW + days * DAY - MILLISECOND), within) is None
    assert reason(order(ends=NOW + days * DAY), within) is None
    assert reason(order(ends=NOW + days * DAY + MILLISECOND), within) == "outside-window"


def test_of_several_reasons_the_one_that_matters_most_is_given():
    facts: dict[str, Any] = {
        "domain": "",
        "source_type": "upload",
        "cert_type": "FREE",
        "domain_type": "MIX",
        "trustee_status": "trustee",
        "status": "EXPIRED",
        "ends": NOW + 300 * DAY,
        "odd": ("BuyDate",),
    }
    fixed: dict[str, dict[str, Any]] = {
        "row-unreadable": {"odd": ()},
        "domain-unknown": {"domain": DOMAIN},
        "domain-not-allowed": {},
        "uploaded": {"source_type": "cpack"},
        "free-certificate": {"cert_type": "OV"},
        "multi-domain": {"domain_type": "ONE"},
        "hosted": {"trustee_status": ""},
        "expired": {"status": "ISSUED"},
        "not-expiring": {"status": "WILLEXPIRED"},
        "outside-window": {"ends": NOW + DAY},
    }

    def under(slug: str | None) -> Any:
        return rules(domains_except=("*",)) if slug in {None, "row-unreadable", "domain-unknown"} else rules()

    given_reasons = [reason(order(**facts), under(None))]
    for slug, fix in fixed.items():
        facts |= fix
        given_reasons.append(reason(order(**facts), under(slug)))
    assert given_reasons == [*fixed, None]
    assert list(fixed) == list(CHECKS)


# ----------------------------------------------------------------------------------------------------------- superseded


@pytest.mark.parametrize(
    "newer",
    [
        pending(NEW),
        pending(NEW, status="CHECKING"),
        pending(NEW, domain="WWW.Example.com."),
        order(NEW, status="ISSUED", bought_at=NOW - DAY, ends=NOW + 200 * DAY),
        order(NEW, status="WILLEXPIRED", bought_at=NOW - DAY, ends=NOW + 20 * DAY + MILLISECOND),
        pending(NEW, bought_at=NOW - 345 * DAY),
        pending(NEW, bought_at=None),
        pending("1", bought_at=NOW - 345 * DAY + MILLISECOND),
    ],
)
def test_a_newer_order_for_the_same_domain_stands_in_for_the_old_one(newer):
    assert superseding(order(OLD), book(order(OLD), newer)) == newer
    assert superseding(order(OLD), book(newer, order(OLD))) == newer


@pytest.mark.parametrize(
    "other",
    [
        pending(NEW, product="ov-single"),
        pending(NEW, domain="shop.example.com"),
        pending(NEW, domain="*.example.com"),
        pending(NEW, domain=""),
        pending(NEW, status="CHECKED_FAIL"),
        pending(NEW, status="NOTACTIVATED"),
        order(NEW, status="EXPIRED", bought_at=NOW, ends=NOW + 200 * DAY),
        order(NEW, status="REVOKED", bought_at=NOW, ends=NOW + 200 * DAY),
        order(NEW, status="ISSUED", bought_at=NOW, ends=NOW + 20 * DAY),
        order(NEW, status="ISSUED", bought_at=NOW, ends=NOW + 19 * DAY),
        order(NEW, status="ISSUED", bought_at=NOW, ends=None),
        pending(NEW, bought_at=NOW - 345 * DAY - MILLISECOND),
        pending("99", bought_at=NOW - 345 * DAY),
        pending("99", bought_at=None),
        order(NEW, status="ISSUED", bought_at=NOW - 400 * DAY, ends=NOW + 200 * DAY),
    ],
)
def test_any_other_order_does_not_stand_in_for_it(other):
    assert superseding(order(OLD), book(order(OLD), other)) is None


def test_an_order_does_not_stand_in_for_itself():
    assert superseding(pending(OLD), book(pending(OLD))) is None


def test_orders_without_a_date_of_purchase_are_compared_by_their_number():
    old = order("9", bought_at=None)
    assert superseding(old, book(old, pending("10", bought_at=None))) == pending("10", bought_at=None)


@PROPERTY
@given(st.data())
def test_of_two_orders_at_most_one_stands_in_for_the_other(data):
    def any_order(order_id):
        return order(
            order_id,
            status=data.draw(st.sampled_from(["PAYED", "CHECKING", "ISSUED", "WILLEXPIRED", "EXPIRED"])),
            bought_at=data.draw(st.sampled_from([None, NOW - DAY, NOW])),
            ends=data.draw(st.sampled_from([None, NOW + DAY, NOW + 2 * DAY])),
        )

    first, second = any_order("9"), any_order("10")
    both = book(first, second)
    assert not (superseding(first, both) and superseding(second, both))


# ------------------------------------------------------------------------------------------------------------- in sight


@pytest.mark.parametrize(
    ("seen", "under"),
    [
        (order(), rules()),
        (order(status="ISSUED"), rules()),
        (order(ends=NOW + 30 * DAY), rules()),
        (order(ends=NOW - DAY), rules()),
        (order(ends=None), rules()),
        (order(status="ISSUED", ends=None), BOTH),
        (order(trustee_status="trustee"), rules(domains_except=("*",))),
        (order(odd=("CertEndTime",), ends=None), rules(statuses=("ISSUED",))),
        (order(odd=("CertEndTime",), status="ISSUED", ends=NOW + 300 * DAY), rules()),
        (order(odd=("Status",), status=""), rules()),
    ],
)
def test_a_scan_speaks_of_every_order_whose_certificate_ends_within_the_window(seen, under):
    assert in_sight(seen, under, NOW)


@pytest.mark.parametrize(
    ("seen", "under"),
    [
        (order(ends=NOW + 30 * DAY + MILLISECOND), rules()),
        (order(status="ISSUED", ends=None), rules()),
        (order(ends=None), rules(statuses=("ISSUED",))),
        (order(odd=("BuyDate",), status="EXPIRED"), rules()),
        *((order(status=status), BOTH) for status in ("EXPIRED", "PAYED", "CHECKING", "REVOKED", "NOTACTIVATED")),
    ],
)
def test_a_scan_does_not_speak_of_any_other_order(seen, under):
    assert not in_sight(seen, under, NOW)


# ----------------------------------------------------------------------------------------------------------- properties

DOMAINS = st.sampled_from(
    [DOMAIN, "WWW.Example.com.", "*.example.com", "example.com", "a.b.example.com", ""]
) | st.text("abwx.*-ü", max_size=12)
ORDERS = st.builds(
    order,
    st.integers(1, 2**63 - 1).map(str),
    domain=DOMAINS,
    status=st.sampled_from(["WILLEXPIRED", "ISSUED", "EXPIRED", "PAYED", "CHECKING", "REVOKED"]),
    cert_type=st.sampled_from(["DV", "FREE", "free"]),
    domain_type=st.sampled_from(["ONE", "WILDCARD", "MIX"]),
    source_type=st.sampled_from(["cpack", "buy", "upload"]),
    trustee_status=st.sampled_from(["", "trustee", "unTrustee"]),
    odd=st.sampled_from([(), (), (), ("BuyDate",)]),
    starts=st.none() | st.integers(0, 365).map(lambda days: NOW - days * DAY),
    ends=st.none()
    | st.datetimes(NOW.replace(tzinfo=None) - 60 * DAY, NOW.replace(tzinfo=None) + 90 * DAY).map(
        lambda t: t.replace(tzinfo=NOW.tzinfo)
    ),
)
PATTERNS = st.lists(st.sampled_from(["*.example.com", DOMAIN, "example.com", "*b*"]) | DOMAINS.filter(bool), max_size=3)
RULES = st.builds(
    rules,
    within=st.integers(1, 60).map(lambda days: days * DAY),
    statuses=st.sampled_from([("WILLEXPIRED",), ("ISSUED",), ("WILLEXPIRED", "ISSUED")]),
    domains=PATTERNS.map(tuple) | st.just(("*",)),
    domains_except=PATTERNS.map(tuple) | st.just(()),
)


@PROPERTY
@given(ORDERS, RULES)
def test_whatever_the_order_it_is_renewed_only_where_every_rule_allows_it(candidate, under):
    if reason(candidate, under) is None:
        assert is_name(canonical(candidate.domain))
        assert matches(candidate.domain, under.domains)
        assert not could_match(candidate.domain, under.domains_except)
        assert candidate.status in under.statuses
        assert candidate.trustee_status != "trustee"
        assert candidate.cert_type.upper() != "FREE"
        assert candidate.source_type != "upload"
        assert not candidate.odd
        if candidate.ends is not None and candidate.starts is not None:
            assert NOW - candidate.starts >= candidate.ends - NOW, "half of its life is over"
        if candidate.ends is not None:
            assert NOW < candidate.ends <= NOW + under.within
        assert in_sight(candidate, under, NOW)  # a scan finds whatever may be renewed


@PROPERTY
@given(ORDERS, RULES)
def test_whatever_the_order_an_empty_list_of_domains_allows_nothing(candidate, under):
    not_allowed = {"row-unreadable"} if candidate.odd else {"domain-not-allowed", "domain-unknown"}
    assert reason(candidate, under._replace(domains=())) in not_allowed


@PROPERTY
@given(ORDERS, RULES, PATTERNS)
def test_whatever_the_order_a_further_exception_never_allows_more(candidate, under, more):
    narrower = under._replace(domains_except=(*under.domains_except, *more))
    if reason(candidate, under) is not None:
        assert reason(candidate, narrower) is not None
