"""Whether all that is due is renewed in time: held to a simulation that is as simple as can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind, Renewable
from handler.outcomes import Reason
from handler.watch.foresight import AFTER_ORDERS, HORIZON, Due, Foresight, Pace, foresee
from tests.examples import DAY, HOUR, NOW, PROPERTY, SECOND

MIDNIGHT = NOW.replace(hour=0) + DAY
PLENTY = 100_000


def due(id_: int, ends: timedelta, opens: timedelta = timedelta(0), rank: int = 0) -> Due:
    of = Renewable(Kind.ORDER, str(id_), domain=f"host{id_}.example.com", ends=NOW + ends)
    return Due(of, NOW + opens, NOW + ends, rank)


def pace(per_run: int = 10, per_day: int = 50, runs: int = 1, left: int | None = None) -> Pace:
    return Pace(per_run, per_day, runs, per_day if left is None else left)


def missed(foresight: Foresight) -> list[str]:
    return [one.renewable.id for one in foresight.missed]


def simulated(everything: list[Due], start: datetime, how: Pace) -> tuple[dict[str, int], set[str]]:
    """Run by run: buy the first to end of what is open, as many as the limits have. Nothing clever."""
    left_of_day = {start.date(): how.left_today}
    waiting, run_of = list(everything), {}
    for number in count(1):
        at = start + (number - 1) * timedelta(days=1) / how.runs_per_day
        if at >= start + HORIZON:
            break
        left = left_of_day.setdefault(at.date(), how.per_day)
        room = min(how.per_run, left)
        can = [one for one in waiting if one.opens <= at < one.ends]
        for one in sorted(can, key=lambda one: (one.rank, one.ends, one.renewable.id))[:room]:
            run_of[one.renewable.id] = number
            left_of_day[at.date()] -= 1
            waiting.remove(one)
    last = at - timedelta(days=1) / how.runs_per_day
    return run_of, {one.renewable.id for one in waiting if one.ends <= start + HORIZON and one.opens <= last}


# --- by example -------------------------------------------------------------------------------------------------------


def test_nothing_due_is_nothing_missed():
    foresight = foresee([], NOW, pace())
    assert (foresight.run_of, foresight.missed, foresight.sentence) == ({}, (), "")


def test_the_first_to_end_is_renewed_first_and_each_knows_its_run():
    everything = [due(n, (20 - n) * DAY) for n in range(1, 6)]
    foresight = foresee(everything, NOW, pace(per_run=2))
    assert foresight.run_of == {"5": 1, "4": 1, "3": 2, "2": 2, "1": 3}
    assert (missed(foresight), foresight.per_run, foresight.per_day, foresight.sentence) == ([], 2, 50, "")


def test_what_ends_before_its_turn_is_missed_and_the_limit_that_would_do_is_named():
    foresight = foresee([due(n, 3 * DAY) for n in range(1, 11)], NOW, pace(per_run=2))
    assert foresight.run_of == {"1": 1, "10": 1, "2": 2, "3": 2, "4": 3, "5": 3}
    assert missed(foresight) == ["6", "7", "8", "9"]
    assert (foresight.per_run, foresight.per_day, foresight.limit) == (4, 50, Reason.RUN_LIMIT)
    assert foresight.sentence == (
        "4 of the renewals that are due will come too late at one run a day, the first that of 6 (host6.example.com), "
        "which ends 2026-11-24: MAX_RENEWALS_PER_RUN must be at least 4 (it is 2)"
    )


def test_the_limit_of_the_day_is_named_where_it_is_to_blame():
    foresight = foresee([due(n, DAY) for n in range(12)], NOW, pace(per_run=100, per_day=5, runs=2))
    assert (foresight.per_run, foresight.per_day, foresight.limit) == (100, 12, Reason.DAY_LIMIT)
    assert "MAX_RENEWALS_PER_DAY must be at least 12 (it is 5)" in foresight.sentence
    assert "MAX_RENEWALS_PER_RUN" not in foresight.sentence


def test_both_limits_are_named_where_both_are_too_low():
    foresight = foresee([due(n, DAY) for n in range(12)], NOW, pace(per_run=2, per_day=3))
    assert (foresight.per_run, foresight.per_day, foresight.limit) == (12, 12, Reason.RUN_LIMIT)
    assert "PER_RUN must be at least 12 (it is 2) and MAX_RENEWALS_PER_DAY must be at least 12" in foresight.sentence


@pytest.mark.parametrize("limits", [pace(per_run=0), pace(per_day=0), pace(per_run=0, per_day=0)])
def test_limits_of_nothing_miss_everything(limits):
    foresight = foresee([due(1, 5 * DAY), due(2, 9 * DAY)], NOW, limits)
    assert (foresight.run_of, missed(foresight)) == ({}, ["1", "2"])
    assert foresight.sentence


def test_where_no_limit_is_to_blame_nothing_is_said_of_limits():
    foresight = foresee([due(1, -HOUR), due(2, timedelta(0)), due(3, SECOND)], NOW, pace())
    assert (missed(foresight), foresight.run_of, foresight.sentence) == (["1", "2"], {"3": 1}, "")


def test_instances_have_their_turn_once_all_orders_of_the_run_have_had_theirs():
    orders = [due(n, (20 + n) * DAY) for n in (1, 2, 3)]
    instances = [due(n, n * DAY, rank=AFTER_ORDERS) for n in (8, 9)]
    assert foresee([*instances, *orders], NOW, pace(per_run=2)).run_of == {"1": 1, "2": 1, "3": 2, "8": 2, "9": 3}


def test_an_instance_that_orders_keep_from_its_turn_is_missed_and_the_limit_that_would_do_is_named():
    orders = [due(n, 20 * DAY) for n in range(1, 5)]
    foresight = foresee([due(9, 2 * DAY, rank=AFTER_ORDERS), *orders], NOW, pace(per_run=2))
    assert (missed(foresight), foresight.per_run, foresight.limit) == (["9"], 3, Reason.RUN_LIMIT)
    assert "that of 9 (host9.example.com)" in foresight.sentence


def test_an_order_that_opens_later_goes_before_an_instance_that_has_waited():
    everything = [*(due(n, 20 * DAY, rank=AFTER_ORDERS) for n in (1, 2)), due(3, 30 * DAY, opens=DAY)]
    assert foresee(everything, NOW, pace(per_run=1)).run_of == {"1": 1, "3": 2, "2": 3}


def test_what_opens_only_after_a_run_waits_for_the_next():
    foresight = foresee([due(1, 9 * DAY, opens=SECOND), due(2, 9 * DAY, opens=DAY)], NOW, pace())
    assert foresight.run_of == {"1": 2, "2": 2}


def test_what_opens_and_ends_between_two_runs_is_nobodys_fault():
    assert foresee([due(1, 20 * HOUR, opens=HOUR)], NOW, pace()).sentence == ""


def test_what_opens_when_all_others_are_done_is_still_seen():
    everything = [due(1, 5 * DAY), *(due(n, 41 * DAY, opens=40 * DAY) for n in range(2, 7))]
    foresight = foresee(everything, NOW, pace(per_run=2))
    assert len(foresight.missed) == 3
    assert foresight.per_run == 5


def test_today_has_only_what_is_left_of_it():
    everything = [due(n, 2 * DAY) for n in range(6)]
    foresight = foresee(everything, NOW, pace(per_run=4, per_day=4, left=1))
    assert sorted(foresight.run_of.values()) == [1, 2, 2, 2, 2]
    assert (len(foresight.missed), foresight.per_day) == (1, 5)


def test_what_today_has_used_already_is_part_of_the_limit_that_would_do():
    foresight = foresee([due(1, HOUR)], NOW, pace(per_run=1, per_day=1, left=0))
    assert (missed(foresight), foresight.per_day, foresight.limit) == (["1"], 2, Reason.DAY_LIMIT)
    assert "MAX_RENEWALS_PER_DAY must be at least 2 (it is 1)" in foresight.sentence


def test_of_several_runs_a_day_each_has_its_limit_and_all_share_the_days():
    foresight = foresee([due(n, 3 * DAY) for n in range(10)], MIDNIGHT, pace(per_run=2, per_day=5, runs=4))
    by_run = [sum(run == number for run in foresight.run_of.values()) for number in range(1, 9)]
    assert by_run == [2, 2, 1, 0, 2, 2, 1, 0]


def test_the_day_of_the_limit_ends_at_midnight_and_not_a_day_after_the_first_run():
    start = MIDNIGHT - 6 * HOUR
    foresight = foresee([due(n, 9 * DAY) for n in range(6)], start, pace(per_run=2, per_day=2, runs=4))
    assert sorted(foresight.run_of.values()) == [1, 1, 2, 2, 6, 6], "18:00, 00:00, and then only 00:00 of the next day"


def test_nobody_looks_further_ahead_than_the_horizon():
    far = [due(n, HORIZON + 20 * DAY, opens=HORIZON + DAY) for n in range(50)]
    assert foresee(far, NOW, pace(per_run=1)).sentence == ""


# --- by simulation ----------------------------------------------------------------------------------------------------

HOURS = st.integers(-24, 70 * 24)
RANKS = st.sampled_from([0, 0, AFTER_ORDERS])
EVERYTHING = st.lists(st.tuples(HOURS, st.integers(0, 20 * 24), RANKS), max_size=25).map(
    lambda spans: [due(n, (begin + lasts) * HOUR, begin * HOUR, rank) for n, (begin, lasts, rank) in enumerate(spans)]
)
CROWDED = st.lists(st.tuples(st.integers(-24, 72), st.integers(1, 96), RANKS), max_size=25).map(
    lambda spans: [due(n, (begin + lasts) * HOUR, begin * HOUR, rank) for n, (begin, lasts, rank) in enumerate(spans)]
)
PACES = st.builds(pace, st.integers(0, 5), st.integers(0, 8), st.integers(1, 4), st.integers(0, 3))
STARTS = st.integers(0, 23).map(lambda hour: NOW.replace(hour=hour))


@PROPERTY
@given(EVERYTHING | CROWDED, STARTS, PACES)
def test_it_comes_out_as_in_a_simulation(everything, start, how):
    how = how._replace(left_today=min(how.left_today, how.per_day))
    run_of, lost = simulated(everything, start, how)
    foresight = foresee(everything, start, how)
    assert foresight.run_of == run_of
    assert set(missed(foresight)) == lost
    assert [one.ends for one in foresight.missed] == sorted(one.ends for one in foresight.missed)


@PROPERTY
@given(CROWDED, STARTS, PACES)
def test_the_limits_that_are_named_are_enough_and_no_higher_than_they_must_be(everything, start, how):
    how = how._replace(left_today=min(how.left_today, how.per_day))
    foresight = foresee(everything, start, how)

    def lost_with(per_run: int, per_day: int) -> int:
        used = how.per_day - how.left_today
        return len(simulated(everything, start, Pace(per_run, per_day, how.runs_per_day, max(0, per_day - used)))[1])

    unavoidable = lost_with(PLENTY, PLENTY)
    assert lost_with(foresight.per_run, foresight.per_day) == (
        unavoidable if foresight.sentence else len(foresight.missed)
    )
    if not foresight.sentence:
        assert len(foresight.missed) == unavoidable
        assert (foresight.per_run, foresight.per_day) == (how.per_run, how.per_day)
        return
    assert len(foresight.missed) > unavoidable
    assert foresight.per_run >= how.per_run
    assert foresight.per_day >= how.per_day
    if foresight.per_day > how.per_day:
        assert lost_with(PLENTY, foresight.per_day - 1) > unavoidable
    if foresight.per_run > how.per_run:
        assert lost_with(foresight.per_run - 1, foresight.per_day) > unavoidable
