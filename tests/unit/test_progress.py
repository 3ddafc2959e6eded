"""How far a successor is, as the order book shows it."""

import pytest

from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders.progress import WATCHED_AFTER_END, Progress, is_over, progress_of
from tests.examples import DAY, MILLISECOND, MINUTE, NEW, NOW, OLD, OTHER, book, order, pending, renewal

SETTLE = 15 * MINUTE
DONE = renewal(state=State.DONE, successor=Successor(NEW, NOW))
ENDS = NOW + 20 * DAY
"""The end of the old certificate."""
OVER = ENDS + WATCHED_AFTER_END + MILLISECOND
STAND_IN = order(OTHER, status="ISSUED", bought_at=NOW - DAY, ends=NOW + 300 * DAY)
"""Another certificate for the same product and domain, in force for longer than the old one."""


def seen(*rows, at=NOW, of=DONE):
    return progress_of(of, book(*rows), at, SETTLE)


@pytest.mark.parametrize("status", ["ISSUED", "WILLEXPIRED", "EXPIRED"])
@pytest.mark.parametrize("at", [NOW, OVER])
def test_a_successor_is_issued_once_its_certificate_was_in_force(status, at):
    assert seen(order(OLD), order(NEW, status=status), at=at) is Progress.ISSUED
    assert seen(order(NEW, status=status), STAND_IN, at=at) is Progress.ISSUED


@pytest.mark.parametrize("status", ["PAYED", "NOTACTIVATED", "CHECKING", "CHECKED_FAIL", "REVOKED"])
def test_a_successor_on_its_way_is_where_its_status_says(status):
    assert Progress(seen(order(OLD), pending(NEW, status=status))).value == status


def test_a_status_that_nobody_knows_stands_for_itself():
    assert seen(order(OLD), pending(NEW, status="SUSPENDED")) == "SUSPENDED"


def test_a_successor_that_is_not_shown_is_gone_only_after_the_time_that_it_may_take():
    assert seen(order(OLD), at=NOW + SETTLE) is Progress.NOT_SHOWN
    assert seen(order(OLD), at=NOW + SETTLE + MILLISECOND) is Progress.GONE


@pytest.mark.parametrize("rows", [(), (pending(NEW),), (pending(NEW, status="REVOKED"),)])
def test_it_is_replaced_while_another_certificate_for_the_domain_is_in_force_for_longer(rows):
    assert seen(order(OLD), STAND_IN, *rows, at=NOW + DAY) is Progress.REPLACED


@pytest.mark.parametrize(
    "other",
    [
        STAND_IN._replace(status="EXPIRED"),
        STAND_IN._replace(status="CHECKING"),
        order(OTHER, status="ISSUED", bought_at=NOW - DAY, ends=ENDS),
        order(OTHER, status="ISSUED", bought_at=NOW - DAY, ends=NOW + 300 * DAY, domain="shop.example.com"),
        order(OTHER, status="ISSUED", bought_at=NOW - DAY, ends=NOW + 300 * DAY, product="ov-single"),
    ],
    ids=["expired", "not yet issued", "no longer than the old one", "another domain", "another product"],
)
def test_nothing_else_replaces_it(other):
    assert seen(order(OLD), other, at=NOW + DAY) is Progress.GONE


def test_without_the_old_order_nobody_can_say_that_it_is_replaced():
    assert seen(STAND_IN, at=NOW + DAY) is Progress.GONE


@pytest.mark.parametrize("rows", [(), (pending(NEW, status="REVOKED"),), (STAND_IN,)])
def test_a_month_after_the_old_end_what_can_no_longer_be_issued_is_given_up(rows):
    assert seen(order(OLD), *rows, at=OVER - MILLISECOND) is not Progress.ABANDONED
    assert seen(order(OLD), *rows, at=OVER) is Progress.ABANDONED


@pytest.mark.parametrize("status", ["PAYED", "CHECKING", "CHECKED_FAIL"])
def test_what_may_yet_be_issued_is_never_given_up(status):
    assert seen(order(OLD), pending(NEW, status=status), at=OVER + 365 * DAY) == status


def test_where_nobody_knows_the_old_end_the_month_counts_from_the_renewal():
    endless = renewal(state=State.DONE, ends=None, successor=Successor(NEW, NOW))
    assert not is_over(endless, NOW + WATCHED_AFTER_END)
    assert is_over(endless, NOW + WATCHED_AFTER_END + MILLISECOND)


@pytest.mark.parametrize("nothing", [Renewal(OLD), renewal(), DONE._replace(claim=None)])
def test_of_what_was_not_renewed_there_is_no_progress(nothing):
    assert seen(order(OLD), pending(NEW), at=OVER, of=nothing) is Progress.NOT_SHOWN
