"""The spending fuse: how many renewals a run may still purchase, under its own limit and that of the day.

Applications for instances count as renewals: they cost nothing that anybody has written down, and are bounded alike.
"""

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.days import DayCount
from handler.outcomes import Reason
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log


class Fuse:
    """The limits of one run. What it may purchase is reserved before, and what it did not use is given back."""

    def __init__(self, days: DayCount, per_run: int, per_day: int, time: Countdown, log: Log) -> None:
        """`per_run`, `per_day`: `MAX_RENEWALS_PER_RUN` and `MAX_RENEWALS_PER_DAY`."""
        self._days = days
        self._per_run = per_run
        self._per_day = per_day
        self._time = time
        self._log = log
        self._day = time.now()
        self._has_reserved = False
        self.left = 0
        """How many may still be purchased of what is reserved."""
        self.spent = 0
        """How many renewals may have been purchased: a lost answer may have cost as much as a renewal."""

    def blows(self, wanted: int) -> Reason | None:
        """Tell which limit is reached, None if one more renewal may be purchased.

        The first time, and the first time after `give_back`, up to `wanted` are reserved. Raises JournalUnavailable if
        the count of the day cannot be kept.
        """
        if not self._has_reserved:
            self.left = self._days.reserve(self._day, min(wanted, self._per_run - self.spent), self._per_day)
            self._has_reserved = True
        if self.left > 0:
            return None
        return Reason.RUN_LIMIT if self.spent >= self._per_run else Reason.DAY_LIMIT

    def spend(self) -> None:
        """Count one renewal that may have been purchased."""
        self.left -= 1
        self.spent += 1

    def give_back(self) -> None:
        """Give back what was reserved and not used; the next kind of renewal may reserve it."""
        left, self.left, self._has_reserved = self.left, 0, False
        if left <= 0:
            return
        try:
            self._days.give_back(self._day, self._time.now(), left)
        except (JournalUnavailable, JournalConflict) as failure:
            # Then the day has fewer renewals than it might: the limit is kept all the same.
            self._log.problem("journal-unavailable", message=str(failure))
