"""May this order be bought now? What the journals know decides, after the policy."""

import pytest

from handler.journal.entries import Held, Refused
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders.eligibility import Known, why_not_now
from handler.outcomes import Outcome
from tests.examples import DAY, HOUR, MILLISECOND, NEW, NOW, OLD, OTHER, book, order, pending, renewal, rules

QUOTA = Refused("InsufficientQuota", "no quota left", NOW + 20 * HOUR)
STATE = Refused("OrderStateError", "the order's state does not allow it", NOW + 20 * HOUR)
RENEWED = Successor(NEW, NOW, None)
SHOP = "shop.example.com"


def decided(*renewals, of=None, among=(), now=NOW):
    """The outcome and the reason of an order that is not to be bought now, None if it is."""
    old = of or order(OLD)
    line = why_not_now(old, book(old, *among), Known(renewals), rules(), now)
    return None if line is None else (line.outcome, line.reason)


def refused(refusal, order_id=OLD, **more):
    return renewal(order_id, State.REFUSED, **more)._replace(refusal=refusal)


def test_an_order_that_the_policy_allows_and_no_journal_knows_is_bought():
    assert decided() is None
    assert decided(Renewal(OLD)) is None


def test_the_policy_is_asked_first():
    young = order(ends=NOW + 900 * HOUR)
    assert decided(renewal(state=State.HELD), of=young) == (Outcome.SKIPPED, "outside-window")


def test_an_order_that_is_done_is_never_bought_again():
    done = renewal(state=State.DONE, successor=RENEWED)
    assert decided(done) == (Outcome.ALREADY_RENEWED, None)
    assert decided(done, among=[pending(NEW)]) == (Outcome.ALREADY_RENEWED, None), "it is not `superseded` by its own"


@pytest.mark.parametrize("state", [State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED])
def test_open_work_stands_between_an_order_and_any_new_purchase(state):
    assert decided(renewal(state=state, successor=RENEWED)) == (Outcome.DEFERRED, "in-progress")


def test_an_order_that_another_one_stands_in_for_is_not_bought():
    assert decided(among=[pending(NEW)]) == (Outcome.SKIPPED, "superseded")


def test_a_refusal_is_repeated_until_it_may_be_tried_again():
    assert decided(refused(STATE)) == (Outcome.REFUSED, "OrderStateError")
    assert decided(refused(STATE), now=STATE.retry_at - MILLISECOND) == (Outcome.REFUSED, "OrderStateError")
    assert decided(refused(STATE), now=STATE.retry_at) is None


# ------------------------------------------------------------------------------------- another order for the same thing


@pytest.mark.parametrize("state", [State.CLAIMED, State.UNKNOWN, State.HELD])
@pytest.mark.parametrize("domain", ["www.example.com", "WWW.Example.com."])
def test_while_the_purchase_for_the_same_product_and_domain_is_unsettled_nothing_is_bought(state, domain):
    assert decided(renewal(OTHER, state, domain=domain)) == (Outcome.DEFERRED, "settling")


@pytest.mark.parametrize(
    "other",
    [
        renewal(OTHER, State.UNKNOWN, domain=SHOP),
        renewal(OTHER, State.UNKNOWN, product="ov-single"),
        renewal(OTHER, State.REFUSED),
        renewal(OTHER, State.DONE, successor=RENEWED, domain=SHOP),
        Renewal(OTHER, state=State.HELD, hold=Held("journal-unreadable", ())),
    ],
    ids=["another domain", "another product", "refused", "renewed for another domain", "unreadable"],
)
def test_any_other_work_does_not_stand_in_the_way(other):
    assert decided(other) is None


@pytest.mark.parametrize("state", [State.RENEWED, State.DONE])
def test_what_was_bought_for_another_order_of_the_same_stands_in_until_it_is_issued(state):
    bought = renewal(OTHER, state, successor=RENEWED)
    assert decided(bought) == (Outcome.SKIPPED, "superseded")


def test_what_is_settled_meanwhile_stands_in_the_way_no_longer():
    known = Known([renewal(OTHER, State.UNKNOWN)])
    assert known.unsettled_rival(order(OLD))
    known.learn(renewal(OTHER, State.REFUSED))
    assert not known.unsettled_rival(order(OLD))
    known.learn(renewal(OLD, State.UNKNOWN))
    assert not known.unsettled_rival(order(OLD)), "it does not wait for itself"


# ------------------------------------------------------------------------------------------- refusals for all of a kind


@pytest.mark.parametrize("code", ["InsufficientQuota", "NotRemainCount", "NotFoundPackage"])
def test_a_refusal_for_want_of_quota_defers_every_order_of_the_product(code):
    other = refused(QUOTA._replace(code=code), OTHER, domain=SHOP)
    assert decided(other) == (Outcome.DEFERRED, code)
    assert decided(other, of=order(OLD, product="ov-single")) is None


def test_a_refusal_for_want_of_quota_holds_until_it_may_be_tried_again():
    other = refused(QUOTA, OTHER, domain=SHOP)
    assert decided(other, now=QUOTA.retry_at - MILLISECOND) == (Outcome.DEFERRED, "InsufficientQuota")
    assert decided(other, now=QUOTA.retry_at) is None


def test_any_other_refusal_is_that_of_its_order_alone():
    assert decided(refused(STATE, OTHER, domain=SHOP)) is None


def test_the_order_that_was_refused_reports_the_refusal_itself():
    assert decided(refused(QUOTA)) == (Outcome.REFUSED, "InsufficientQuota")


# ---------------------------------------------------------------------------------------- a certificate of other origin


ENDS = NOW + 20 * DAY


def covered(until, *names, of=None, renewals=()):
    """The outcome and the reason where a certificate that is no order's is in force for these names until then."""
    old = of or order(OLD)
    known = Known(renewals)
    known.covered_until = {frozenset(names): until}
    line = why_not_now(old, book(old), known, rules(), NOW)
    return None if line is None else (line.outcome, line.reason)


def test_an_order_whose_names_another_certificate_has_for_longer_is_not_bought():
    assert covered(ENDS + MILLISECOND, "www.example.com") == (Outcome.SKIPPED, "covered")


@pytest.mark.parametrize("spelling", ["WWW.Example.com", "www.example.com.", " www.example.com "])
def test_it_is_the_same_name_in_another_spelling(spelling):
    old = order(OLD, domain=spelling)
    assert covered(ENDS + MILLISECOND, "www.example.com", of=old) == (Outcome.SKIPPED, "covered")


def test_an_order_that_ends_with_it_or_later_is_bought():
    assert covered(ENDS, "www.example.com") is None
    assert covered(ENDS - MILLISECOND, "www.example.com") is None


@pytest.mark.parametrize(
    "names",
    [("example.com",), ("*.example.com",), ("www.example.com", "example.com"), ("shop.example.com",), ()],
)
def test_an_order_is_bought_if_the_other_certificate_has_not_exactly_its_names(names):
    assert covered(NOW + 9999 * HOUR, *names) is None


def test_an_order_without_an_end_is_covered_by_nothing():
    assert covered(NOW + 9999 * HOUR, "www.example.com", of=order(OLD, ends=None)) is None


def test_what_was_bought_before_stays_bought_although_it_is_covered():
    done = renewal(state=State.DONE, successor=RENEWED)
    assert covered(NOW + 9999 * HOUR, "www.example.com", renewals=[done]) == (Outcome.ALREADY_RENEWED, None)


def test_a_lost_answer_is_settled_although_the_order_is_covered():
    lost = renewal(state=State.UNKNOWN)
    assert covered(NOW + 9999 * HOUR, "www.example.com", renewals=[lost]) == (Outcome.DEFERRED, "in-progress")
