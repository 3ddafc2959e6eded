"""The count of a day, over all runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.errors import JournalUnavailable
from handler.journal.days import RESERVE_ATTEMPTS, DayCount
from tests.examples import DAY, HOUR, MILLISECOND, NOW, PROPERTY
from tests.memory_store import MemoryStore


def counts(store: MemoryStore, day: str = "2026-11-21") -> list[int]:
    return [json.loads(line)["count"] for line in store.logs.get(f"days/{day}", ())]


def test_what_a_run_reserves_is_taken_from_the_day(days, store):
    assert days.reserve(NOW, 3, 10) == 3
    assert DayCount(store, "request-2").reserve(NOW + HOUR, 5, 10) == 5
    assert days.reserve(NOW + HOUR, 5, 10) == 2
    assert days.reserve(NOW + HOUR, 1, 10) == 0
    assert counts(store) == [3, 5, 2]


def test_a_day_is_one_of_utc(days, store):
    midnight = NOW.replace(hour=0) + DAY
    assert days.reserve(midnight - MILLISECOND, 1, 1) == 1
    assert days.reserve(midnight - MILLISECOND, 1, 1) == 0
    assert days.reserve(midnight, 1, 1) == 1
    assert (counts(store), counts(store, "2026-11-22")) == ([1], [1])


@pytest.mark.parametrize(("wanted", "most"), [(0, 10), (5, 0)])
def test_who_wants_or_may_have_nothing_asks_nobody(wanted, most, days, store):
    store.read_log = None
    assert days.reserve(NOW, wanted, most) == 0


def test_a_limit_that_was_lowered_below_what_is_used_leaves_nothing(days, store):
    assert days.reserve(NOW, 8, 10) == 8
    assert days.reserve(NOW, 1, 5) == 0
    assert counts(store) == [8]


def test_what_a_run_gives_back_may_be_taken_again_on_the_day_on_which_it_was_reserved(days, store):
    assert days.reserve(NOW, 10, 10) == 10
    days.give_back(NOW, NOW + DAY, 4)
    assert counts(store) == [10, -4]
    assert days.reserve(NOW, 10, 10) == 4


def test_what_a_run_that_dies_has_reserved_stays_used(store):
    assert DayCount(store, "dies").reserve(NOW, 10, 10) == 10
    assert DayCount(store, "later").reserve(NOW + HOUR, 1, 10) == 0


def race(store: MemoryStore, runs: int) -> None:
    """Let so many other runs take one renewal each just before this one writes."""
    append = store.append

    def faster(key: str, position: int, entry: bytes) -> int:
        nonlocal runs
        if runs:
            runs -= 1
            line = json.dumps({"entry": "reserved", "count": 1}).encode()
            append(key, store.read_log(key).position, line)
        return append(key, position, entry)

    store.append = faster  # type: ignore[method-assign]


def test_of_two_runs_that_reserve_at_once_the_second_counts_again(days, store):
    race(store, 1)
    assert days.reserve(NOW, 10, 10) == 9
    assert counts(store) == [1, 9]


def test_a_run_that_never_gets_to_write_the_count_buys_nothing(days, store):
    race(store, RESERVE_ATTEMPTS)
    with pytest.raises(JournalUnavailable, match="days/2026-11-21"):
        days.reserve(NOW, 10, 100)
    assert sum(counts(store)) == RESERVE_ATTEMPTS


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"count": "5"}', b'{"count": null}', b'{"count": true}'])
def test_a_count_that_makes_no_sense_is_reported_and_nothing_is_bought_on_it(line, days, store):
    store.logs["days/2026-11-21"] = [line]
    with pytest.raises(JournalUnavailable, match="days/2026-11-21") as raised:
        days.reserve(NOW, 1, 10)
    assert raised.value.reason == "journal-unavailable", "no order's own journal is to blame"


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=12), st.integers(0, 20))
def test_whatever_is_reserved_and_given_back_the_day_never_exceeds_its_limit(runs, most):
    store, used = MemoryStore(), 0
    for number, (wanted, spent) in enumerate(runs):
        days = DayCount(store, f"request-{number}")
        granted = days.reserve(NOW, wanted, most)
        assert granted == max(0, min(wanted, most - used))
        used += min(spent, granted)
        if granted > spent:
            days.give_back(NOW, NOW, granted - spent)
        assert used == sum(counts(store)) <= most
