"""Successors that a person has named."""

import pytest

from handler.errors import JournalConflict
from handler.journal.named_successors import NamedSuccessors
from handler.journal.open_notes import OpenWork
from tests.examples import NEW, NOW, OLD, OTHER
from tests.unit.journal_steps import NEWER


def test_an_order_is_the_successor_of_the_first_for_which_a_person_names_it(named, store):
    assert named.take(OLD, NEW, NOW) == OLD
    assert NamedSuccessors(store, "request-2").take(OTHER, NEW, NOW) == OLD
    assert named.take(OLD, NEW, NOW) == OLD
    assert named.take(OTHER, NEWER, NOW) == OTHER
    assert len(store.logs[f"successors/{NEW}"]) == 1


def test_of_two_people_who_name_it_at_once_one_wins(named, store):
    append = store.append

    def faster(key, position, entry):
        store.append = append
        assert NamedSuccessors(store, "request-2").take(OTHER, NEW, NOW) == OTHER
        return append(key, position, entry)

    store.append = faster
    with pytest.raises(JournalConflict):
        named.take(OLD, NEW, NOW)
    assert named.take(OLD, NEW, NOW) == OTHER


def test_a_successor_that_is_left_may_be_named_for_another_order(named):
    named.take(OLD, NEW, NOW)
    named.leave(OLD, NEW, NOW)
    assert named.take(OTHER, NEW, NOW) == OTHER
    assert named.take(OLD, NEW, NOW) == OTHER


def test_nobody_leaves_the_successor_of_another_order(named):
    named.take(OTHER, NEW, NOW)
    named.leave(OLD, NEW, NOW)
    assert named.take(OLD, NEW, NOW) == OTHER


def test_a_successor_is_no_journal_and_no_note(notes, days, named, alerts, journal):
    named.take(OLD, NEW, NOW)
    alerts.sent("a-message", NOW)
    days.reserve(NOW, 1, 1)
    assert notes.open_work(NOW, tidy=True) == OpenWork({}, {}, ())
    assert journal.touched_since(NOW) == []
