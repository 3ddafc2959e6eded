"""How far the next certificate of an instance is: what is it, and what is in its way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind
from handler.instances.detail import Task
from handler.instances.instance import Instance
from handler.instances.progress import BACKDATED, LONG_REVIEW, Shown, next_among, next_in_row, trouble
from handler.instances.row import instance_in
from handler.journal.entries import Claimed, Followed, Issued
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outcomes import Reason
from tests.examples import DAY, HOUR, MILLISECOND, MINUTE, NOW, PROPERTY
from tests.unit.v2_rows import ENDS, INSTANCE, certificate, ends_in, instance, milliseconds, nearly

ID, BASE, NEXT = "cas_dv-cn-example01", "20000001", "20000002"
OF = instance().renewable
CLAIM = Claimed(OF, NOW + 5 * MINUTE, NOW, frozenset(), certificate_id=BASE)
APPLIED = Renewal(
    ID,
    state=State.APPLIED,
    kind=Kind.INSTANCE,
    claim=CLAIM,
    base=Followed(OF, BASE),
    applied_at=NOW,
    applied_for=frozenset({BASE}),
)
TWO_NAMES = APPLIED._replace(base=Followed(OF._replace(domain="www.example.com,shop.example.com"), BASE))
SETTLE, SKEW = 15 * MINUTE, MINUTE
LATER = {"CertificateId": int(NEXT), **ends_in(199 * DAY)}


# --- in the row -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "is_next"),
    [
        (LATER, True),
        ({**LATER, "Status": "willExpire"}, True),
        ({**LATER, "CertificateDomain": "example.com, WWW.Example.com."}, True),
        ({**LATER, **ends_in(20 * DAY + MILLISECOND)}, True),
        ({**LATER, **ends_in(20 * DAY)}, False),
        ({**LATER, **ends_in(19 * DAY)}, False),
        ({**LATER, "CertificateNotAfter": None}, False),
        ({**LATER, "CertificateId": int(BASE)}, False),
        ({**LATER, "CertificateId": None}, False),
        ({**LATER, "CertificateId": "x"}, False),
        ({**LATER, "CertificateDomain": "shop.example.com"}, False),
        ({**LATER, "CertificateDomain": "shop.example.com", "Domain": "shop.example.com"}, False),
        ({"Status": "pending"}, False),
    ],
)
def test_the_next_one_is_another_that_ends_later_and_has_the_same_names(fields: dict[str, Any], is_next: bool):
    shown = instance(**fields)
    expected = Issued(NEXT, shown.ends) if is_next and shown.ends else None
    assert next_in_row(APPLIED, shown) == expected


@pytest.mark.parametrize("unit", [1, 1000])
def test_seconds_and_milliseconds_are_the_same_moment(unit: int):
    ends = milliseconds(NOW + 199 * DAY) // 1000 * unit
    assert next_in_row(APPLIED, instance(CertificateId=NEXT, CertificateNotAfter=ends)) == Issued(NEXT, NOW + 199 * DAY)


def test_every_name_of_the_one_before_is_wanted_and_more_do_no_harm():
    assert next_in_row(TWO_NAMES, instance(**LATER)) is None
    more = "shop.example.com,www.example.com,pay.example.com"
    assert next_in_row(TWO_NAMES, instance(**LATER, CertificateDomain=more)) is not None


def test_what_follows_a_certificate_whose_end_nobody_knows_is_any_other():
    endless = APPLIED._replace(base=Followed(OF._replace(ends=None), BASE))
    assert next_in_row(endless, instance(**{**LATER, **ends_in(DAY)})) is not None
    assert next_in_row(APPLIED._replace(base=None), instance(**LATER)) is None


@PROPERTY
@given(nearly(INSTANCE))
def test_whatever_the_row_nothing_is_taken_for_the_next_one_that_is_not(row: Any):
    shown = instance_in(row)
    issued = next_in_row(APPLIED, shown) if isinstance(shown, Instance) else None
    if issued is not None:
        assert issued.certificate_id not in {"", BASE}
        assert issued.ends > ENDS


# --- among what it has issued -----------------------------------------------------------------------------------------


def shown(
    id_: str = NEXT, lasts: timedelta = 199 * DAY, *, starts: Any = NOW, revoked: bool = False, **fields: Any
) -> Shown:
    of = certificate(
        **{
            "CertificateId": id_,
            "InstanceId": ID,
            "NotAfter": milliseconds(NOW + lasts),
            "Domain": "www.example.com",
            "SubjectAlternativeNames": ["www.example.com"],
            **fields,
        }
    )
    return Shown(of.renewable, revoked, starts)


@pytest.mark.parametrize(
    ("found", "next_"),
    [
        ([], None),
        ([shown(BASE, 20 * DAY)], None),
        ([shown(BASE, 199 * DAY)], None),
        ([shown(BASE, 20 * DAY), shown()], NEXT),
        ([shown(), shown("20000003", 200 * DAY), shown("20000004", 30 * DAY)], "20000003"),
        ([shown(), shown("20000003", 200 * DAY, revoked=True)], NEXT),
        ([shown("19999999", 19 * DAY)], None),
        ([shown(lasts=20 * DAY)], None),
        ([shown(InstanceId="cas_dv-cn-example02")], None),
        ([shown(NotAfter=None)], None),
        ([shown(Domain="shop.example.com", SubjectAlternativeNames=["shop.example.com"])], None),
        ([shown(SubjectAlternativeNames=["www.example.com", "example.com"])], NEXT),
    ],
)
def test_of_what_it_has_issued_the_longest_of_the_same_names_that_ends_later(found: list[Shown], next_: str | None):
    issued = next_among(APPLIED, found)
    assert (issued.certificate_id if issued else None) == next_


@pytest.mark.parametrize(
    ("starts", "is_next"),
    [
        (None, True),
        (NOW + HOUR, True),
        (NOW - DAY, True),
        (NOW - BACKDATED, True),
        (NOW - BACKDATED - MILLISECOND, False),
        (NOW - 300 * DAY, False),
    ],
)
def test_one_that_was_in_force_when_the_base_was_claimed_follows_nothing_although_it_lasts_longer(
    starts: Any, is_next: bool
):
    """Authorities make lifetimes shorter: the certificate before the base may end after it."""
    assert (next_among(APPLIED, [shown(starts=starts)]) is not None) == is_next


# --- what is in its way -----------------------------------------------------------------------------------------------

FAILED, FINE = Task(has_failed=True, said="no"), Task(has_failed=False, said="")
PENDING = instance(Status="pending")


@pytest.mark.parametrize(
    ("row", "said", "task", "after", "reason"),
    [
        (PENDING, "", FINE, HOUR, None),
        (PENDING, "", None, HOUR, None),
        (PENDING, "", FINE, LONG_REVIEW, None),
        (PENDING, "", FINE, LONG_REVIEW + MILLISECOND, Reason.REVIEW_TOO_LONG),
        (PENDING, "CAA forbids it", FINE, HOUR, Reason.AUTHORITY_SAYS),
        (PENDING, "CAA forbids it", FINE, 2 * DAY, Reason.AUTHORITY_SAYS),
        (PENDING, "", FAILED, HOUR, Reason.SUBMISSION_FAILED),
        (instance(), "turned down", FAILED, DAY, Reason.SUBMISSION_FAILED),
        (instance(), "", FINE, SETTLE + SKEW, None),
        (instance(), "", FINE, SETTLE + SKEW + MILLISECOND, Reason.NOT_ISSUED),
        (instance(Status="inactive"), "", FINE, DAY, Reason.NOT_ISSUED),
        (instance(Status="closed"), "", None, DAY, Reason.NOT_ISSUED),
        (instance(), "turned down", FINE, timedelta(0), Reason.AUTHORITY_SAYS),
        (instance(), "", FAILED, timedelta(0), Reason.SUBMISSION_FAILED),
    ],
)
def test_what_is_in_its_way_is_said_in_the_order_in_which_it_can_be_mended(
    row: Instance, said: str, task: Task | None, after: timedelta, reason: Reason | None
):
    assert trouble(APPLIED, row, said, task, SETTLE, NOW + after) == reason


def test_an_application_of_which_nobody_knows_since_when_it_is_in_is_new():
    timeless = APPLIED._replace(applied_at=None)
    for row in (PENDING, instance()):
        assert trouble(timeless, row, "", FINE, SETTLE, NOW + 10 * DAY) is None


@PROPERTY
@given(
    nearly(INSTANCE),
    st.sampled_from(["", "said"]),
    st.sampled_from([None, FINE, FAILED]),
    st.integers(0, 3000).map(lambda minutes: minutes * MINUTE),
)
def test_nothing_is_passed_over_in_silence_for_longer_than_a_day(row: Any, said: str, task: Any, after: timedelta):
    found = instance_in(row)
    if not isinstance(found, Instance):
        return
    reason = trouble(APPLIED, found, said, task, SETTLE, NOW + after)
    is_quiet = not said and not (task and task.has_failed)
    assert (reason is None) <= (is_quiet and after <= LONG_REVIEW)
    assert (reason is not None) or found.is_pending or after <= SETTLE + SKEW
