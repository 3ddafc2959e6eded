"""What the unit tests of the journal begin with."""

from __future__ import annotations

import pytest

from handler.journal.alerts import Alerts
from handler.journal.days import DayCount
from handler.journal.journal import Journal
from handler.journal.named_successors import NamedSuccessors
from handler.journal.open_notes import OpenNotes
from tests.memory_store import MemoryStore
from tests.unit.journal_steps import notes_of


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def journal(store: MemoryStore) -> Journal:
    return Journal(store, "request-1")


@pytest.fixture
def notes(store: MemoryStore) -> OpenNotes:
    return notes_of(store)


@pytest.fixture
def days(store: MemoryStore) -> DayCount:
    return DayCount(store, "request-1")


@pytest.fixture
def named(store: MemoryStore) -> NamedSuccessors:
    return NamedSuccessors(store, "request-1")


@pytest.fixture
def alerts(store: MemoryStore) -> Alerts:
    return Alerts(store, "request-1")
