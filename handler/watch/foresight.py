"""Will all that is due be renewed in time, under the limits and at the pace of the runs? Pure."""

import heapq
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.certificates.renewable import Renewable
from handler.outcomes import Reason

HORIZON = timedelta(days=60)
"""Nobody looks further ahead: by then the limits, and the certificates, are others."""
AFTER_ORDERS = 1
"""The rank of what a run comes to once all orders have had their turn."""
ENOUGH = 100_000
"""A limit that is none."""


class Due(NamedTuple):
    """What waits for its renewal, or will."""

    renewable: Renewable
    opens: datetime
    """From when on it may be renewed."""
    ends: datetime
    """From when on it may no longer."""
    rank: int = 0
    """Within a run what has a lower one comes first."""


class Pace(NamedTuple):
    """How many renewals there may be."""

    per_run: int
    per_day: int
    runs_per_day: int
    left_today: int
    """What the UTC day still has, of `per_day`."""


class Foresight(NamedTuple):
    """What will come of it."""

    run_of: dict[str, int]
    """By id, in which run it is renewed; 1 is the first."""
    missed: tuple[Due, ...]
    """What ends before its turn comes, the first to end first."""
    per_run: int
    """What `MAX_RENEWALS_PER_RUN` must be at least so that nothing is missed; as it is, if no limit is to blame."""
    per_day: int
    """The same of `MAX_RENEWALS_PER_DAY`."""
    pace: Pace
    """As it is."""

    @property
    def limit(self) -> Reason:
        """The limit that is to blame first."""
        return Reason.RUN_LIMIT if self.per_run > self.pace.per_run else Reason.DAY_LIMIT

    @property
    def sentence(self) -> str:
        """What a person must know; empty if no limit is to blame."""
        wanted = [
            f"{name} must be at least {needed} (it is {has})"
            for name, needed, has in (
                ("MAX_RENEWALS_PER_RUN", self.per_run, self.pace.per_run),
                ("MAX_RENEWALS_PER_DAY", self.per_day, self.pace.per_day),
            )
            if needed > has
        ]
        if not self.missed or not wanted:
            return ""
        first = self.missed[0]
        pace = f"{self.pace.runs_per_day} runs" if self.pace.runs_per_day > 1 else "one run"
        return (
            f"{len(self.missed)} of the renewals that are due will come too late at {pace} a day, the "
            f"first that of {first.renewable.id} ({first.renewable.domain}), which ends "
            f"{first.ends:%Y-%m-%d}: {' and '.join(wanted)}"
        )


def foresee(due: Iterable[Due], now: datetime, pace: Pace) -> Foresight:
    """Play the runs from the first one, at `now`, until all is renewed or missed."""
    waiting = sorted(due, key=lambda one: (one.opens, one.ends, one.renewable.id))
    run_of, missed = _play(waiting, now, pace)
    per_run, per_day = pace.per_run, pace.per_day
    best = len(_play(waiting, now, _unlimited(pace))[1])
    if len(missed) > best:
        # What today has used already comes on top of all that waits.
        most = len(waiting) + pace.per_day - pace.left_today
        per_day = _least(
            waiting, now, best, most, lambda n: pace._replace(per_run=ENOUGH, per_day=n, left_today=_left(pace, n))
        )
        per_day = max(per_day, pace.per_day)
        raised = pace._replace(per_day=per_day, left_today=_left(pace, per_day))
        per_run = max(_least(waiting, now, best, len(waiting), lambda n: raised._replace(per_run=n)), pace.per_run)
    return Foresight(run_of, tuple(missed), per_run, per_day, pace)


def _left(pace: Pace, per_day: int) -> int:
    """Return what today would have left with another limit."""
    return max(0, per_day - (pace.per_day - pace.left_today))


def _unlimited(pace: Pace) -> Pace:
    return pace._replace(per_run=ENOUGH, per_day=ENOUGH, left_today=ENOUGH)


def _least(waiting: Sequence[Due], now: datetime, best: int, most: int, paced: Callable[[int], Pace]) -> int:
    """Return the smallest limit, of those up to `most`, with which no more are missed than without any."""
    low, high = 0, max(1, most)
    while low < high:
        middle = (low + high) // 2
        if len(_play(waiting, now, paced(middle))[1]) <= best:
            high = middle
        else:
            low = middle + 1
    return low


def _play(waiting: Sequence[Due], now: datetime, pace: Pace) -> tuple[dict[str, int], list[Due]]:
    """Return in which run each is renewed, and what is missed."""
    run_of: dict[str, int] = {}
    missed: list[Due] = []
    open_: list[tuple[int, datetime, str, Due]] = []
    between = timedelta(days=1) / max(1, pace.runs_per_day)
    last = math.ceil(HORIZON / between)
    left, day, upcoming = pace.left_today, now.date(), 0
    for number in range(1, last + 1):
        at = now + (number - 1) * between
        if at.date() != day:
            left, day = pace.per_day, at.date()
        while upcoming < len(waiting) and waiting[upcoming].opens <= at:
            one = waiting[upcoming]
            heapq.heappush(open_, (one.rank, one.ends, one.renewable.id, one))
            upcoming += 1
        room = min(pace.per_run, left)
        while open_ and (room > 0 or open_[0][1] <= at):
            *_, one = heapq.heappop(open_)
            if one.ends <= at:
                missed.append(one)
                continue
            run_of[one.renewable.id] = number
            room, left = room - 1, left - 1
        if not open_ and upcoming == len(waiting):
            break
    end = now + HORIZON
    missed += [one for *_, one in open_ if one.ends <= end]
    return run_of, sorted(missed, key=lambda one: (one.ends, one.renewable.id))
