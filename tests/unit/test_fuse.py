"""The spending fuse: the limit of a run and that of a day, and what is given back."""

import io
import json
from datetime import datetime

import pytest

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.days import DayCount
from handler.run.fuse import Fuse
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from tests.examples import NOW
from tests.memory_store import MemoryStore
from tests.stubs.clock import FakeClock


class Wired:
    """A fuse over a store in memory, its clock and its log."""

    def __init__(self, store: MemoryStore, per_run: int, per_day: int, began: datetime = NOW) -> None:
        self.clock = FakeClock(began)
        self.logged = io.StringIO()
        log = Log(self.logged, self.clock, "request-1", str)
        days = DayCount(store, "request-1")
        self.fuse = Fuse(days, per_run, per_day, Countdown(self.clock, began, 300), log)


def counts(store: MemoryStore, day: str = "2026-11-21") -> list[int]:
    return [json.loads(line)["count"] for line in store.logs.get(f"days/{day}", ())]


def spend(fuse: Fuse, wanted: int) -> int:
    """Spend as a run does that wants so many; return how many it could."""
    for spent in range(wanted):
        if fuse.blows(wanted - spent):
            return spent
        fuse.spend()
    return wanted


def test_nothing_is_reserved_before_something_is_to_be_purchased(store):
    fuse = Wired(store, 10, 50).fuse
    fuse.give_back()
    assert (fuse.left, fuse.spent, counts(store)) == (0, 0, [])


def test_a_run_reserves_once_what_it_wants_and_may_have(store):
    fuse = Wired(store, 10, 50).fuse
    assert spend(fuse, 3) == 3
    assert (fuse.left, counts(store)) == (0, [3])


def test_the_limit_of_a_run_is_reached_before_that_of_the_day(store):
    fuse = Wired(store, 2, 50).fuse
    assert spend(fuse, 5) == 2
    assert fuse.blows(3) == "run-limit"
    assert counts(store) == [2]


@pytest.mark.parametrize(("used", "left"), [(0, 3), (2, 1), (3, 0), (4, 0)])
def test_the_limit_of_a_day_is_over_all_runs(used, left, store):
    DayCount(store, "earlier").reserve(NOW, used, 100)
    fuse = Wired(store, 10, 3).fuse
    assert spend(fuse, 5) == left
    assert fuse.blows(5 - left) == "day-limit"


@pytest.mark.parametrize(("per_run", "per_day", "reason"), [(0, 50, "run-limit"), (10, 0, "day-limit")])
def test_where_nothing_may_be_purchased_the_limit_that_says_so_is_named(per_run, per_day, reason, store):
    assert Wired(store, per_run, per_day).fuse.blows(1) == reason
    assert counts(store) == []


def test_where_both_limits_are_reached_it_is_the_runs_own(store):
    fuse = Wired(store, 2, 2).fuse
    assert spend(fuse, 5) == 2
    assert fuse.blows(3) == "run-limit"


def test_what_was_not_used_is_given_back_to_the_day_on_which_the_run_began(store):
    midnight = NOW.replace(hour=23, minute=59, second=59)
    wired = Wired(store, 10, 50, midnight)
    assert wired.fuse.blows(4) is None
    wired.fuse.spend()
    wired.clock.advance(2)
    wired.fuse.give_back()
    assert (counts(store), counts(store, "2026-11-22")) == ([4, -3], [])


def test_of_what_was_all_used_nothing_is_given_back(store):
    fuse = Wired(store, 10, 50).fuse
    spend(fuse, 2)
    fuse.give_back()
    assert counts(store) == [2]


@pytest.mark.parametrize(
    ("per_run", "per_day", "orders", "wanted", "applied", "reason", "counted"),
    [
        (10, 50, 0, 3, 3, None, [3]),
        (10, 50, 2, 3, 3, None, [2, 3]),
        (4, 50, 2, 3, 2, "run-limit", [2, 2]),
        (4, 50, 4, 3, 0, "run-limit", [4]),
        (10, 4, 2, 3, 2, "day-limit", [2, 2]),
        (10, 4, 4, 3, 0, "day-limit", [4]),
        (4, 4, 4, 1, 0, "run-limit", [4]),
    ],
)
def test_the_next_kind_has_what_the_one_before_has_left(
    per_run, per_day, orders, wanted, applied, reason, counted, store
):
    fuse = Wired(store, per_run, per_day).fuse
    assert spend(fuse, orders) == orders
    fuse.give_back()
    assert spend(fuse, wanted) == applied
    if reason is not None:
        assert fuse.blows(wanted - applied) == reason
    fuse.give_back()
    assert (counts(store), fuse.spent) == (counted, orders + applied)


def test_what_one_kind_reserved_and_did_not_use_the_next_one_reserves_again(store):
    fuse = Wired(store, 10, 5).fuse
    assert fuse.blows(5) is None
    fuse.spend()
    fuse.give_back()
    assert (fuse.left, counts(store)) == (0, [5, -4])
    assert spend(fuse, 9) == 4
    assert fuse.blows(5) == "day-limit"
    fuse.give_back()
    assert counts(store) == [5, -4, 4]


def test_what_is_given_back_twice_is_given_back_once(store):
    fuse = Wired(store, 10, 50).fuse
    assert fuse.blows(3) is None
    fuse.give_back()
    fuse.give_back()
    assert counts(store) == [3, -3]


def test_another_run_may_have_what_was_given_back_before_the_next_kind_asks(store):
    fuse = Wired(store, 10, 5).fuse
    assert fuse.blows(5) is None
    fuse.give_back()
    assert spend(Wired(store, 10, 5).fuse, 4) == 4
    assert spend(fuse, 3) == 1
    assert fuse.blows(2) == "day-limit"


@pytest.mark.parametrize("failure", [JournalUnavailable("OSS: InternalError"), JournalConflict("days/2026-11-21")])
def test_what_cannot_be_given_back_stays_used_and_is_logged(failure, store, monkeypatch):
    wired = Wired(store, 10, 50)
    assert wired.fuse.blows(4) is None

    def out_of_reach(*_):
        raise failure

    monkeypatch.setattr(store, "append", out_of_reach)
    wired.fuse.give_back()
    assert counts(store) == [4]
    (line,) = map(json.loads, wired.logged.getvalue().splitlines())
    assert (line["level"], line["event"], line["message"]) == ("error", "journal-unavailable", str(failure))


def test_a_day_that_cannot_be_counted_stops_the_run(store):
    store.logs["days/2026-11-21"] = [b"nonsense"]
    with pytest.raises(JournalUnavailable):
        Wired(store, 10, 50).fuse.blows(1)
