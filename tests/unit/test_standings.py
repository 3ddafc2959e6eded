"""From orders, instances and certificates to what can be compared: whether something replaces each, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from handler.certificates.renewable import Kind
from handler.certificates.rules import HISTORY
from handler.instances.instance import Instance
from handler.instances.policy import names_of
from handler.journal.entries import Followed
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders.order import Order
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.run.standings import is_excepted, standings_of
from handler.watch.certificate import Certificate
from handler.watch.standing import Standing
from tests.examples import DAY, MILLISECOND, NEW, NOW, OLD, OTHER, book, order, pending, renewal, rules
from tests.unit.v2_rows import applying, certificate, ends_in, instance, seconds

WWW = frozenset({"www.example.com"})


def standings(
    *orders: Order,
    lines: Mapping[str, Line] | None = None,
    renewals: Iterable[Renewal] = (),
    instances: Sequence[Instance] | None = (),
    certificates: Iterable[Certificate] = (),
    **ruled: Any,
) -> list[Standing]:
    known = {one.id: one for one in renewals}
    return standings_of(book(*orders), lines or {}, known, (instances, certificates), rules(**ruled), NOW)


def of_order(line: Line | None = None, *renewals: Renewal, among: Iterable[Order] = (), **fields: Any) -> Standing:
    old = order(OLD, **{"ends": NOW + 10 * DAY, **fields})
    found = standings(old, *among, lines={OLD: line} if line else {}, renewals=renewals)
    return next(one for one in found if one.renewable.id == OLD)


def line(outcome: Outcome, reason: str | None = None) -> Line:
    return Line(outcome, reason, order(OLD).renewable)


# --- orders -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "why_not", "is_deferred"),
    [
        (line(Outcome.RENEWED), None, False),
        (line(Outcome.ALREADY_RENEWED), None, False),
        (line(Outcome.WOULD_RENEW), None, False),
        (line(Outcome.SKIPPED, Reason.COVERED), None, False),
        (line(Outcome.SKIPPED, Reason.SUPERSEDED), None, False),
        (line(Outcome.SKIPPED, Reason.OUTSIDE_WINDOW), None, False),
        *(
            (line(Outcome.SKIPPED, reason), reason, False)
            for reason in (
                Reason.ROW_UNREADABLE,
                Reason.DOMAIN_UNKNOWN,
                Reason.DOMAIN_NOT_ALLOWED,
                Reason.UPLOADED,
                Reason.FREE_CERTIFICATE,
                Reason.MULTI_DOMAIN,
                Reason.EXPIRED,
                Reason.NOT_EXPIRING,
            )
        ),
        *(
            (line(Outcome.DEFERRED, reason), reason, True)
            for reason in (
                Reason.RUN_LIMIT,
                Reason.DAY_LIMIT,
                Reason.NO_TIME_LEFT,
                Reason.RUN_STOPPED,
                Reason.LIST_TOO_SLOW,
                Reason.LIST_INCOMPLETE,
                Reason.IN_PROGRESS,
                Reason.SETTLING,
                Reason.NOTHING_BOUGHT,
            )
        ),
        (line(Outcome.DEFERRED, Reason.JOURNAL_UNAVAILABLE), Reason.JOURNAL_UNAVAILABLE, False),
        (line(Outcome.DEFERRED, "InsufficientQuota"), "InsufficientQuota", False),
        (line(Outcome.REFUSED, "OrderStateError"), "OrderStateError", False),
        (line(Outcome.UNKNOWN, Reason.NO_ANSWER), Reason.NO_ANSWER, True),
        (line(Outcome.HELD, Reason.SEVERAL_CANDIDATES), Reason.SEVERAL_CANDIDATES, False),
    ],
    ids=lambda value: f"{value.outcome}-{value.reason}" if isinstance(value, Line) else None,
)
def test_what_the_run_says_of_an_order_tells_whether_something_replaces_it(said, why_not, is_deferred):
    found = of_order(said)
    assert (found.why_not, found.is_deferred, found.is_followed) == (why_not, is_deferred, False)
    assert (found.names, found.ends) == (WWW, NOW + 10 * DAY)


@pytest.mark.parametrize(
    ("fields", "why_not"),
    [
        ({"ends": NOW + 40 * DAY, "status": "ISSUED"}, None),
        ({"ends": NOW + 31 * DAY}, None),
        ({"ends": NOW - DAY, "status": "EXPIRED"}, Reason.EXPIRED),
        ({"ends": NOW - DAY}, Reason.EXPIRED),
        ({"ends": NOW, "status": "WILLEXPIRED"}, Reason.EXPIRED),
        ({"ends": NOW + 40 * DAY, "cert_type": "FREE"}, Reason.FREE_CERTIFICATE),
    ],
)
def test_of_an_order_of_which_the_run_says_nothing_the_policy_does(fields, why_not):
    assert of_order(None, **fields).why_not == why_not


@pytest.mark.parametrize(("left", "why_not"), [(3 * DAY + MILLISECOND, None), (3 * DAY, "hosted"), (-DAY, "expired")])
def test_a_hosted_order_is_left_to_the_platform_until_the_last_days(left, why_not):
    reason = Reason.HOSTED if left > timedelta(0) else Reason.EXPIRED
    found = of_order(line(Outcome.SKIPPED, reason), ends=NOW + left, trustee_status="trustee")
    assert found.why_not == why_not


DONE = renewal(OLD, State.DONE, successor=Successor(NEW, NOW - DAY))


@pytest.mark.parametrize(
    ("left", "said", "why_not"),
    [
        (10 * DAY, line(Outcome.ALREADY_RENEWED), None),
        (3 * DAY + MILLISECOND, line(Outcome.ALREADY_RENEWED), None),
        (3 * DAY, line(Outcome.ALREADY_RENEWED), Reason.EXPIRED),
        (3 * DAY, line(Outcome.RENEWED), None),
        (-DAY, None, Reason.EXPIRED),
        (2 * DAY, line(Outcome.SKIPPED, Reason.DOMAIN_NOT_ALLOWED), Reason.DOMAIN_NOT_ALLOWED),
    ],
)
def test_a_renewed_order_is_followed_and_in_its_last_days_nothing_has_replaced_it(left, said, why_not):
    found = of_order(said, DONE, among=[pending(NEW)], ends=NOW + left)
    assert (found.why_not, found.is_followed) == (why_not, True)


@pytest.mark.parametrize(
    ("domain", "why_not"),
    [("www.example.com", None), ("WWW.example.com", None), ("shop.example.com", Reason.NAMES_CHANGED)],
)
def test_a_successor_that_is_issued_for_other_names_replaces_nothing(domain, why_not):
    new = order(NEW, domain=domain, ends=NOW + 200 * DAY, status="ISSUED")
    found = of_order(line(Outcome.ALREADY_RENEWED), DONE, among=[new])
    assert (found.why_not, found.is_followed) == (why_not, why_not is None)


@pytest.mark.parametrize(
    ("status", "ends", "is_replaced"),
    [("PAYED", None, False), ("CHECKING", None, True), ("ISSUED", NOW + 200 * DAY, True)],
)
def test_an_order_from_the_console_stands_in_once_somebody_has_applied(status, ends, is_replaced):
    other = pending(OTHER, status=status, ends=ends)
    found = of_order(line(Outcome.SKIPPED, Reason.SUPERSEDED), among=[other])
    assert found.why_not == (None if is_replaced else Reason.SUPERSEDED)


def test_what_was_purchased_for_another_order_stands_in_although_nobody_has_applied():
    """It is followed with the other order, and people hear of it there."""
    other = renewal(OTHER, State.DONE, successor=Successor(NEW, NOW - DAY))
    assert of_order(line(Outcome.SKIPPED, Reason.SUPERSEDED), other, among=[pending(NEW)]).why_not is None


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "REVOKED"},
        {"status": "PAYED"},
        {"status": "CHECKED_FAIL"},
        {"status": ""},
        {"ends": None},
        {"domain": ""},
        {"ends": NOW - HISTORY, "status": "EXPIRED"},
    ],
)
def test_an_order_without_a_certificate_or_with_one_that_is_history_is_not_among_them(fields):
    assert standings(order(OLD, **{"ends": NOW + 10 * DAY, **fields})) == []


# --- instances --------------------------------------------------------------------------------------------------------


def of_instance(left: timedelta = 10 * DAY, **fields: Any) -> Standing | None:
    found = standings(instances=[instance(**{**ends_in(left), **fields})])
    return found[0] if found else None


@pytest.mark.parametrize(
    ("fields", "why_not"),
    [
        ({}, Reason.WATCHED),
        ({"InstanceType": "TEST"}, Reason.TEST_INSTANCE),
        ({"Status": "refund"}, Reason.CLOSED),
        ({"Status": "expired"}, Reason.CLOSED),
        ({"InstanceEndTime": seconds(NOW + 10 * DAY)}, Reason.SUBSCRIPTION_ENDS),
        ({"CertificateType": "EV"}, Reason.NOT_DV),
        ({"Status": "another"}, Reason.ROW_UNREADABLE),
        ({"AutoReissue": "enable", "Status": "closed"}, Reason.CLOSED),
        ({"AutoReissue": "enable", "InstanceType": "TEST"}, Reason.TEST_INSTANCE),
    ],
)
def test_an_instance_that_nobody_renews_says_why(fields, why_not):
    found = of_instance(**fields)
    assert found is not None
    assert (found.why_not, found.is_followed, found.products) == (why_not, False, ("CDN", "ALB"))


@pytest.mark.parametrize(
    ("fields", "reason"), [({"AutoReissue": "enable"}, Reason.HOSTED), ({"Status": "pending"}, Reason.IN_REVIEW)]
)
@pytest.mark.parametrize(("left", "is_near"), [(3 * DAY + MILLISECOND, False), (3 * DAY, True), (-DAY, True)])
def test_an_instance_that_somebody_renews_is_left_to_him_until_the_last_days(fields, reason, left, is_near):
    found = of_instance(left, **fields)
    assert found is not None
    assert (found.why_not, found.is_followed) == (reason if is_near else None, True)


# --- instances for which may be applied ------------------------------------------------------------------------------


ID, BASE = "cas_dv-cn-example01", "20000001"
APPLIED = Renewal(
    ID,
    state=State.APPLIED,
    kind=Kind.INSTANCE,
    base=Followed(instance().renewable, BASE),
    applied_for=frozenset({BASE}),
)


def of_applying(
    said: Line | None = None, journal: Renewal | None = None, left: timedelta = 10 * DAY, **fields: Any
) -> Standing:
    shown = instance(**{**ends_in(left), **fields})
    renewals = {} if journal is None else {journal.id: journal}
    lines = {} if said is None else {ID: said}
    (found,) = standings_of(book(), lines, renewals, ([shown], ()), applying(), NOW)
    return found


def of_line(outcome: Outcome, reason: str | None = None) -> Line:
    return Line(outcome, reason, instance().renewable)


@pytest.mark.parametrize("left", [29 * DAY, 10 * DAY, DAY, -DAY, 100 * DAY])
def test_what_may_be_applied_for_is_replaced_as_long_as_nothing_is_in_the_way(left):
    found = of_applying(None, None, left)
    assert (found.why_not, found.is_followed, found.is_deferred) == (None, False, False)


@pytest.mark.parametrize(
    ("said", "why_not", "is_deferred"),
    [
        (of_line(Outcome.APPLIED), None, False),
        (of_line(Outcome.WOULD_APPLY), None, False),
        *(
            (of_line(Outcome.DEFERRED, reason), reason, True)
            for reason in (
                Reason.RUN_LIMIT,
                Reason.DAY_LIMIT,
                Reason.NO_TIME_LEFT,
                Reason.RUN_STOPPED,
                Reason.IN_PROGRESS,
                Reason.SETTLING,
                Reason.NOTHING_BOUGHT,
            )
        ),
        (of_line(Outcome.DEFERRED, Reason.JOURNAL_UNAVAILABLE), Reason.JOURNAL_UNAVAILABLE, False),
        (of_line(Outcome.DEFERRED, "ServiceUnavailable"), "ServiceUnavailable", False),
        (of_line(Outcome.UNKNOWN, Reason.NO_ANSWER), Reason.NO_ANSWER, True),
        (of_line(Outcome.REFUSED, "MissingParameter"), "MissingParameter", False),
        (of_line(Outcome.HELD, Reason.ANSWERS_LOST), Reason.ANSWERS_LOST, False),
        (of_line(Outcome.SKIPPED, Reason.NEEDS_DATA), Reason.NEEDS_DATA, False),
        (of_line(Outcome.SKIPPED, Reason.OWN_CSR), Reason.OWN_CSR, False),
        (of_line(Outcome.SKIPPED, Reason.UPGRADING), Reason.UPGRADING, False),
    ],
    ids=lambda value: f"{value.outcome}-{value.reason}" if isinstance(value, Line) else None,
)
def test_what_the_run_says_of_an_instance_tells_whether_something_replaces_it(said, why_not, is_deferred):
    found = of_applying(said)
    assert (found.why_not, found.is_deferred, found.is_followed) == (why_not, is_deferred, False)


@pytest.mark.parametrize(
    ("fields", "why_not"),
    [
        ({"InstanceType": "TEST"}, Reason.TEST_INSTANCE),
        ({"InstanceEndTime": seconds(NOW + 10 * DAY)}, Reason.SUBSCRIPTION_ENDS),
        ({"CertificateType": "OV"}, Reason.NOT_DV),
        ({"Domain": "shop.example.com"}, Reason.NAMES_CHANGED),
        ({"Status": "closed"}, Reason.CLOSED),
        (ends_in(-31 * DAY), Reason.EXPIRED),
    ],
)
@pytest.mark.parametrize("said", [None, of_line(Outcome.SKIPPED, "whatever")])
def test_what_the_policy_forbids_nothing_replaces_although_others_are_applied_for(fields, why_not, said):
    assert of_applying(said, **fields).why_not == why_not


@pytest.mark.parametrize("status", ["pending", "normal"])
@pytest.mark.parametrize(
    ("left", "progress", "why_not"),
    [
        (10 * DAY, "", None),
        (3 * DAY + MILLISECOND, "", None),
        (3 * DAY, "", Reason.IN_REVIEW),
        (-DAY, "", Reason.IN_REVIEW),
        (10 * DAY, Reason.AUTHORITY_SAYS, Reason.AUTHORITY_SAYS),
        (25 * DAY, Reason.NOT_ISSUED, Reason.NOT_ISSUED),
        (DAY, Reason.SUBMISSION_FAILED, Reason.SUBMISSION_FAILED),
    ],
)
def test_what_was_applied_for_is_replaced_until_something_is_in_its_way_or_the_last_days(
    status, left, progress, why_not
):
    found = of_applying(of_line(Outcome.APPLIED), APPLIED._replace(progress=progress), left, Status=status)
    assert (found.why_not, found.is_followed) == (why_not, True)


def test_an_application_for_another_base_replaces_nothing():
    journal = APPLIED._replace(progress=Reason.NOT_ISSUED)
    found = of_applying(None, journal, CertificateId=20000002)
    assert (found.why_not, found.is_followed) == (None, False)
    assert of_applying(None, journal, CertificateId=20000002, CertificateType="EV").why_not == Reason.NOT_DV


@pytest.mark.parametrize("left", [20 * DAY, 100 * DAY])
def test_whatever_the_window_nobody_renews_what_nobody_renews(left):
    found = of_instance(left)
    assert found is not None
    assert found.why_not == Reason.WATCHED


@pytest.mark.parametrize(
    "fields",
    [
        {"CertificateId": 0},
        {"CertificateStatus": "revoked"},
        {"CertificateNotAfter": None},
        {"CertificateDomain": "", "Domain": ""},
    ],
)
def test_an_instance_without_a_certificate_is_not_among_them(fields):
    assert of_instance(**fields) is None


@pytest.mark.parametrize(
    ("has", "configured", "names"),
    [
        ("www.example.com,example.com", "www.example.com", ("www.example.com",)),
        ("www.example.com", "WWW.Example.com.", ("www.example.com",)),
        ("www.example.com", "", ("www.example.com",)),
        ("", "www.example.com", ("www.example.com",)),
        ("www.example.com", "shop.example.com", ("www.example.com",)),
        ("www.example.com", "www.example.com,shop.example.com", ("www.example.com",)),
    ],
)
def test_the_names_are_those_that_were_applied_for(has, configured, names):
    assert names_of(instance(CertificateDomain=has, Domain=configured)) == names


# --- certificates -----------------------------------------------------------------------------------------------------


def of_certificate(
    *orders: Order,
    instances: Sequence[Instance] | None = (),
    renewals: Iterable[Renewal] = (),
    **fields: Any,
) -> Standing | None:
    row = certificate(**fields)
    found = standings(*orders, instances=instances, certificates=[row], renewals=renewals)
    return next((one for one in found if one.renewable.kind is Kind.CERTIFICATE), None)


def test_an_upload_is_replaced_by_nobody():
    found = of_certificate()
    assert found is not None
    assert (found.why_not, found.names) == (Reason.UPLOADED, frozenset({"www.example.com", "shop.example.com"}))
    assert (found.products, found.only_replaces) == (("CDN",), False)


STRANGER = instance(InstanceId="cas_dv-cn-example02", CertificateId=20000077)
BOUGHT: dict[str, Any] = {"CertificateSource": "BUY", "CertificateId": "20000009", "InstanceId": "cas_dv-cn-example01"}


@pytest.mark.parametrize(
    ("instances", "fields", "why_not", "only_replaces"),
    [
        ([STRANGER], {}, Reason.UNKNOWN_ORIGIN, False),
        ((), {}, None, True),
        ((), {"CertificateSource": "UPLOAD"}, Reason.UPLOADED, False),
        ([STRANGER], {"InstanceId": "cas-ivauto-1a2b"}, None, True),
        ([instance()], {}, Reason.NAMES_CHANGED, False),
        ([instance()], {"CertificateId": "20000001"}, None, True),
        (None, {}, None, True),
        (None, {"CertificateSource": "UPLOAD"}, Reason.UPLOADED, False),
    ],
    ids=[
        "unknown",
        "no instances at all",
        "an upload then",
        "no orders at all",
        "an older one",
        "the newest",
        "nobody has looked",
        "an upload",
    ],
)
def test_a_certificate_that_was_bought_is_spoken_for_by_its_instance(instances, fields, why_not, only_replaces):
    found = of_certificate(instances=instances, **{**BOUGHT, **fields})
    assert found is not None
    assert (found.why_not, found.only_replaces) == (why_not, only_replaces)


def test_a_certificate_of_an_order_is_spoken_for_by_the_order_and_one_of_a_revoked_order_replaces_nothing():
    of = {**BOUGHT, "InstanceId": "cas-cn-example01"}
    found = of_certificate(order(OLD), **of)
    assert found is not None
    assert (found.why_not, found.only_replaces) == (None, True)
    assert of_certificate(order(OLD, status="REVOKED"), **of) is None


def test_a_certificate_whose_order_is_not_in_the_book_is_a_stranger_if_there_are_others():
    found = of_certificate(order(OLD), **{**BOUGHT, "InstanceId": "cas-ivauto-1a2b"})
    assert found is not None
    assert found.why_not == Reason.UNKNOWN_ORIGIN


def test_a_certificate_of_an_order_that_only_the_journal_knows_is_no_stranger():
    other = order(OTHER, instance="cas-cn-example02")
    found = of_certificate(other, renewals=[DONE], **{**BOUGHT, "InstanceId": "cas-cn-example01"})
    assert found is not None
    assert found.why_not is None


@pytest.mark.parametrize(
    "fields",
    [
        {"CertificateStatus": "revoked"},
        {"NotAfter": None},
        {"Domain": "", "CommonName": "", "SubjectAlternativeNames": []},
    ],
)
def test_what_is_revoked_or_shows_neither_end_nor_name_is_not_among_them(fields):
    assert of_certificate(**fields) is None


# --- the operator's rules ---------------------------------------------------------------------------------------------


def test_an_exception_closes_the_eyes_to_every_kind():
    unnamed = certificate(SubjectAlternativeNames=[], Domain="")
    everything: dict[str, Any] = {"instances": [instance()], "certificates": [unnamed]}
    assert len(standings(order(OLD, ends=NOW + DAY), **everything)) == 3
    assert standings(order(OLD, ends=NOW + DAY), domains_except=["www.*"], **everything) == []
    assert len(standings(order(OLD, ends=NOW + DAY), domains=["shop.*"], **everything)) == 3


def test_eyes_are_closed_only_to_what_is_excepted_with_all_of_its_names():
    assert not is_excepted(WWW, rules())
    assert is_excepted(WWW, rules(domains_except=["*.example.com"]))
    assert not is_excepted({"www.example.com", "www.example.net"}, rules(domains_except=["*.example.com"]))
    assert is_excepted({"xn--strae-oqa.example.com"}, rules(domains_except=["strasse.example.com"]))
