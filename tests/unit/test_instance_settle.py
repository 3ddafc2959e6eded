"""What happened to an application whose answer was lost, and whether its instance may be applied for now."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind
from handler.errors import JournalUnavailable
from handler.instances.eligibility import why_not_now
from handler.instances.instance import Instance
from handler.instances.row import instance_in
from handler.instances.settle import MAX_LOST, is_applied, is_clear, verdict
from handler.journal.entries import Applied, Claimed, Followed, Held, Refused
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.outcomes import Outcome, Reason
from handler.result import Line
from tests.examples import DAY, HOUR, MILLISECOND, MINUTE, NOW, PROPERTY, SECOND
from tests.unit.v2_rows import INSTANCE, instance, milliseconds, nearly

ID, BASE, NEXT = "cas_dv-cn-example01", "20000001", "20000002"
SETTLE, SKEW = 15 * MINUTE, MINUTE
DEADLINE = NOW - HOUR
WAITED = DEADLINE + SETTLE + SKEW
CLAIM = Claimed(instance().renewable, DEADLINE, DEADLINE - 5 * MINUTE, frozenset(), certificate_id=BASE)
LOST = Renewal(
    ID,
    position=1,
    state=State.CLAIMED,
    kind=Kind.INSTANCE,
    claim=CLAIM,
    base=Followed(CLAIM.renewable, BASE),
)
NOTHING = Refused(
    "nothing-bought", "the answer was lost and the instance shows no application", NOW, is_failure=False, is_lost=True
)


def settled(shown: Instance | None, lost: Renewal = LOST, read_at: Any = NOW) -> Applied | Refused | Held | None:
    return verdict(lost, shown, read_at, SETTLE, NOW)


# --- what CAS shows ---------------------------------------------------------------------------------------------------

PENDING = instance(Status="pending")
OTHER_CERTIFICATE = instance(CertificateId=int(NEXT))


@pytest.mark.parametrize(
    ("shown", "is_one"),
    [
        (instance(), True),
        (instance(Status="closed"), True),
        (instance(Spec=7, CertificateNotAfter="soon"), True),
        (PENDING, True),
        (instance(Status="pending", CertificateId=None), True),
        (instance(Status="pending", CertificateId="none"), True),
        (None, False),
        (instance(InstanceId="cas_dv-cn-example02"), False),
        (instance(Status=None), False),
        (instance(Status=""), False),
        (instance(Status=7), False),
        (instance(Status="frozen"), False),
        (instance(Status="PENDING"), False),
        (instance(CertificateId=None), False),
        (instance(CertificateId=0), False),
        (instance(CertificateId="20000001-cn-hangzhou"), False),
        (instance(CertificateId=-1), False),
    ],
)
def test_it_is_clear_if_it_says_that_it_is_in_review_or_which_certificate_it_has(shown: Instance | None, is_one: bool):
    assert is_clear(shown, ID) == is_one


@pytest.mark.parametrize(
    ("shown", "is_in"),
    [
        (PENDING, True),
        (instance(Status="pending", CertificateId=None), True),
        (OTHER_CERTIFICATE, True),
        (instance(CertificateId=int(NEXT), Status="closed"), True),
        (instance(), False),
        (instance(Status="inactive"), False),
        (instance(CertificateId=None), False),
        (instance(PendingResult="CAA forbids it"), False),
    ],
)
def test_an_application_is_in_if_it_is_in_review_or_has_another_certificate(shown: Instance, is_in: bool):
    assert is_applied(shown, BASE) == is_in


# --- the verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [PENDING, OTHER_CERTIFICATE, instance(Status="pending", CertificateId=None)])
@pytest.mark.parametrize("lost", [0, 1, MAX_LOST - 1, MAX_LOST])
def test_an_application_that_is_there_is_found_at_once_and_however_often_answers_were_lost(shown: Instance, lost: int):
    unsettled = LOST._replace(state=State.UNKNOWN, unknown_since=NOW, lost=lost)
    assert settled(shown, unsettled) == Applied("settled", None)


@pytest.mark.parametrize(
    ("lost", "said"), [(0, NOTHING), (1, NOTHING), (2, Held("answers-lost")), (3, Held("answers-lost"))]
)
def test_nothing_went_in_if_nothing_shows_in_the_time_that_it_may_take_and_the_third_time_a_person_must_look(
    lost: int, said: Refused | Held
):
    assert settled(instance(), LOST._replace(lost=lost)) == said


@pytest.mark.parametrize(
    ("lost", "last_effect"),
    [
        (LOST, DEADLINE),
        (LOST._replace(state=State.UNKNOWN, unknown_since=NOW - 20 * MINUTE), NOW - 20 * MINUTE),
        (LOST._replace(state=State.UNKNOWN, unknown_since=DEADLINE - 4 * MINUTE), DEADLINE - 4 * MINUTE),
    ],
)
@pytest.mark.parametrize("times", [0, MAX_LOST - 1])
def test_the_wait_counts_from_the_last_effect_to_the_reading_with_the_skew_of_a_clock(
    lost: Renewal, last_effect: Any, times: int
):
    lost = lost._replace(lost=times)
    assert settled(instance(), lost, last_effect + SETTLE + SKEW - MILLISECOND) is None
    assert settled(instance(), lost, last_effect + SETTLE + SKEW) is not None


@pytest.mark.parametrize(
    "shown",
    [
        None,
        instance(InstanceId="cas_dv-cn-example02", Status="pending"),
        instance(Status="frozen"),
        instance(Status=None),
        instance(CertificateId=None),
        instance(CertificateId="x"),
    ],
)
def test_what_says_neither_settles_nothing_however_long_ago_it_was(shown: Instance | None):
    assert settled(shown, LOST, NOW + 400 * DAY) is None


def test_a_call_without_a_claim_is_not_guessed_at():
    with pytest.raises(JournalUnavailable, match=ID):
        settled(instance(), Renewal(ID, state=State.UNKNOWN, kind=Kind.INSTANCE))


LIKELY_ROWS = st.builds(
    lambda status, certificate: {**INSTANCE, "Status": status, "CertificateId": certificate},
    st.sampled_from(["inactive", "pending", "normal", "willExpire", "expired", "refund", "closed", "", None, 5]),
    st.sampled_from([int(BASE), BASE, int(NEXT), 0, None, "", "x"]),
)


@PROPERTY
@given(
    LIKELY_ROWS | nearly(INSTANCE),
    st.integers(0, 4),
    st.integers(-2000, 2000).map(lambda seconds: WAITED + seconds * SECOND),
)
def test_whatever_is_shown_it_is_tried_again_only_where_no_application_can_be(row: Any, lost: int, read_at: Any):
    found = instance_in(row)
    shown = found if isinstance(found, Instance) else None
    said = settled(shown, LOST._replace(lost=lost), read_at)
    if isinstance(said, (Refused, Held)):
        assert shown is not None
        assert (shown.id, shown.certificate_id) == (ID, BASE), "it is that instance, and it has what it had"
        assert shown.status not in {"", "pending"}
        assert read_at >= WAITED
        assert isinstance(said, Held) == (lost + 1 >= MAX_LOST)
    if isinstance(said, Applied):
        assert shown is not None
        assert shown.id == ID
        assert shown.status == "pending" or shown.certificate_id not in {"", BASE}


# --- may it be applied for now ----------------------------------------------------------------------------------------

NEW = Renewal(ID, kind=Kind.INSTANCE)
REFUSED = LOST._replace(state=State.REFUSED, refusal=Refused("MissingParameter", "no contact", NOW + 20 * HOUR))
APPLIED = LOST._replace(state=State.APPLIED, applied_for=frozenset({BASE}), applied_at=NOW - HOUR)
FOLLOWED = Renewal(ID, state=State.FOLLOWED, kind=Kind.INSTANCE, base=Followed(CLAIM.renewable, BASE))
ISSUED = APPLIED._replace(state=State.DONE, successor=Successor(NEXT, NOW - HOUR))
AFTER = instance(CertificateId=int(NEXT), CertificateNotAfter=milliseconds(NOW + 29 * DAY))


@pytest.mark.parametrize(
    ("shown", "journal"),
    [
        (instance(), NEW),
        (instance(), FOLLOWED),
        (instance(), REFUSED._replace(refusal=NOTHING)),
        (AFTER, ISSUED),
        (AFTER, APPLIED),
        (AFTER, FOLLOWED),
        (AFTER, FOLLOWED._replace(state=State.DONE, successor=Successor(NEXT, NOW))),
    ],
)
def test_it_may_be_applied_for_unless_the_journal_has_an_objection(shown: Instance, journal: Renewal):
    assert why_not_now(shown, journal, NOW) is None


@pytest.mark.parametrize(
    ("journal", "outcome", "reason"),
    [
        (LOST, Outcome.DEFERRED, Reason.IN_PROGRESS),
        (LOST._replace(state=State.UNKNOWN), Outcome.DEFERRED, Reason.IN_PROGRESS),
        (LOST._replace(state=State.HELD, hold=Held("answers-lost")), Outcome.DEFERRED, Reason.IN_PROGRESS),
        (REFUSED, Outcome.REFUSED, "MissingParameter"),
        (APPLIED, Outcome.APPLIED, None),
        (APPLIED._replace(progress=Reason.AUTHORITY_SAYS), Outcome.APPLIED, Reason.AUTHORITY_SAYS),
        (ISSUED, Outcome.DEFERRED, Reason.SETTLING),
        (ISSUED._replace(applied_for=frozenset()), Outcome.DEFERRED, Reason.SETTLING),
    ],
    ids=["claimed", "unknown", "held", "refused", "applied", "turned down", "there", "there, and not by us"],
)
def test_an_objection_of_the_journal_is_said_with_its_reason(journal: Renewal, outcome: Outcome, reason: str | None):
    line = why_not_now(instance(), journal, NOW)
    assert line is not None
    assert (line.outcome, line.reason) == (outcome, reason)
    assert line.renewable is not None
    assert (line.renewable.id, line.renewable.domain) == (ID, "www.example.com")


def test_a_refusal_keeps_it_until_its_time_has_come_whatever_the_certificate():
    for shown in (instance(), AFTER):
        line = why_not_now(shown, REFUSED, NOW + 20 * HOUR - MILLISECOND)
        assert isinstance(line, Line)
        assert line.reason == "MissingParameter"
        assert why_not_now(shown, REFUSED, NOW + 20 * HOUR) is None


def test_a_base_that_was_applied_for_once_is_not_again_whatever_came_after():
    """A list that is older than what the journal knows shows a certificate of long ago."""
    later = APPLIED._replace(
        base=Followed(AFTER.renewable, NEXT),
        claim=CLAIM._replace(certificate_id=NEXT),
        applied_for=frozenset({BASE, NEXT}),
    )
    for state in (State.APPLIED, State.DONE, State.FOLLOWED, State.REFUSED):
        line = why_not_now(instance(), later._replace(state=state), NOW)
        assert line is not None
        assert (line.outcome, line.reason) == (Outcome.DEFERRED, Reason.SETTLING)
