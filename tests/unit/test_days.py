"""The count of a day, over all runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.days import RESERVE_ATTEMPTS, Day, DayCount
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


# ----------------------------------------------------------------------------------------- who was alarmed, and by whom

TODAY = "days/2026-11-21"


def day_count(store: MemoryStore, run: str, event: str = "") -> DayCount:
    return DayCount(store, run, event)


def test_a_day_without_a_log_says_that_nothing_happened(days):
    assert days.look(NOW) == Day(0, 0, frozenset())


def test_a_day_says_what_is_used_how_many_runs_there_were_and_for_what_they_failed(store):
    first, second = day_count(store, "request-1"), day_count(store, "request-2")
    first.reserve(NOW, 5, 10)
    first.give_back(NOW, NOW, 2)
    second.reserve(NOW, 3, 10)
    second.reserve(NOW, 1, 10)
    first.alarm(NOW, ["123451222"], alone=True)
    second.alarm(NOW, {"9000000", "foresight"}, alone=False)
    assert second.look(NOW) == Day(7, 2, frozenset({"123451222", "9000000", "foresight"}))
    assert second.look(NOW + DAY) == Day(0, 0, frozenset())


def test_an_alarm_takes_nothing_from_the_day_and_is_read_by_whoever_counts(store):
    days = day_count(store, "request-1")
    days.alarm(NOW, ["1"], alone=True)
    assert days.reserve(NOW, 10, 10) == 10
    assert counts(store) == [0, 10]


def test_the_repetition_of_an_event_whose_run_failed_so_that_people_look_reserves_nothing(store):
    first = day_count(store, "request-1", "an-event")
    assert first.reserve(NOW, 2, 10) == 2
    first.alarm(NOW, ["1"], alone=True)
    assert day_count(store, "request-2", "an-event").reserve(NOW, 2, 10) == 0
    assert day_count(store, "request-1", "an-event").reserve(NOW, 2, 10) == 0
    assert counts(store) == [2, 0]


@pytest.mark.parametrize("other", ["", "another-event"])
def test_any_other_event_of_the_day_reserves_as_ever(other, store):
    day_count(store, "request-1", "an-event").alarm(NOW, ["1"], alone=True)
    assert day_count(store, "request-2", other).reserve(NOW, 2, 10) == 2


def test_the_repetition_of_an_event_whose_run_failed_anyway_reserves_as_ever(store):
    day_count(store, "request-1", "an-event").alarm(NOW, ["1"], alone=False)
    assert day_count(store, "request-2", "an-event").reserve(NOW, 2, 10) == 2


def test_of_events_that_are_not_known_again_none_is_a_repetition_of_another(store):
    day_count(store, "request-1", "").alarm(NOW, ["1"], alone=True)
    assert day_count(store, "request-2", "").reserve(NOW, 2, 10) == 2


def test_on_the_next_day_the_same_event_reserves_as_ever(store):
    day_count(store, "request-1", "an-event").alarm(NOW, ["1"], alone=True)
    assert day_count(store, "request-2", "an-event").reserve(NOW + DAY, 2, 10) == 2


def test_of_two_runs_that_raise_an_alarm_at_once_one_is_told_so(store):
    race(store, 1)
    with pytest.raises(JournalConflict):
        day_count(store, "request-1").alarm(NOW, ["1"], alone=True)
    assert day_count(store, "request-1").look(NOW).alarmed == frozenset()


def test_a_line_that_an_older_version_wrote_has_no_alarm(days, store):
    store.logs[TODAY] = [b'{"entry": "reserved", "count": 3, "run": "request-0"}']
    assert days.look(NOW) == Day(3, 1, frozenset())


@pytest.mark.parametrize("alarmed", ["null", '"1"', "5", "{}"])
def test_what_is_no_list_of_alarms_alarms_nobody(alarmed, days, store):
    store.logs[TODAY] = [f'{{"entry": "alarmed", "count": 0, "alarmed": {alarmed}}}'.encode()]
    assert days.look(NOW).alarmed == frozenset()


@pytest.mark.parametrize("line", [b"", b"[]", b"half a li"])
def test_of_a_line_that_makes_no_sense_nothing_is_known(line, days, store):
    """Who counts what may be bought is stricter; an alarm too many does no harm."""
    store.logs[TODAY] = [line, b'{"entry": "alarmed", "count": 0, "alarmed": ["1"]}']
    assert days.look(NOW) == Day(0, 0, frozenset({"1"}))
