"""Which renewals some later run must look at."""

import pytest

from handler.journal.entries import Notified, Observed, Released
from handler.journal.open_notes import OpenWork
from handler.journal.states import State
from handler.outbox.messages import failed_id, issued_id
from handler.run.unfinished import is_unfinished
from tests.examples import DAY, NOW, OLD
from tests.unit.journal_steps import DEADLINE, REFUSAL, STEPS, brought_to, finished


def test_a_refusal_that_nobody_was_notified_of_is_unfinished_but_not_in_the_way(journal, notes):
    notes.write([OLD], DEADLINE)
    renewal = brought_to(State.REFUSED, journal)
    assert not renewal.is_open
    assert is_unfinished(renewal)
    assert notes.open_work(NOW, tidy=True) == OpenWork({OLD: renewal}, {}, ())


def test_nobody_needs_to_be_notified_of_a_renewal_for_which_there_was_no_time(journal):
    no_time = REFUSAL._replace(is_failure=False)
    assert not is_unfinished(journal.record(brought_to(State.CLAIMED, journal), no_time, NOW))


def test_a_released_order_has_nothing_to_notify_of(journal):
    assert not is_unfinished(journal.record(brought_to(State.HELD, journal), Released(), NOW))


def test_a_renewed_order_is_unfinished_until_the_certificate_is_notified_of_or_given_up(journal):
    renewal = brought_to(State.DONE, journal)
    assert is_unfinished(renewal)
    issued = journal.record(journal.record(renewal, Observed("CHECKING"), NOW), Observed("ISSUED"), NOW + DAY)
    assert (issued.progress, issued.progress_at, is_unfinished(issued)) == ("ISSUED", NOW + DAY, True)
    assert not is_unfinished(journal.record(issued, Notified(issued_id(issued)), NOW + DAY))


@pytest.mark.parametrize(
    ("progress", "unfinished"),
    [("PAYED", True), ("CHECKED_FAIL", True), ("GONE", True), ("REPLACED", True), ("ABANDONED", False)],
)
def test_a_renewed_order_is_looked_at_until_nobody_can_expect_its_certificate_any_more(progress, unfinished, journal):
    observed = journal.record(brought_to(State.DONE, journal), Observed(progress), NOW)
    assert is_unfinished(observed) is unfinished


def test_each_refusal_of_an_order_is_a_fact_of_its_own(journal):
    first = finished(State.REFUSED, journal)
    second = journal.record(STEPS["claimed"](journal, first, NOW), REFUSAL, NOW)
    assert failed_id(first) != failed_id(second)
    assert is_unfinished(second)
    assert journal.read(OLD) == second
