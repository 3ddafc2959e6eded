"""The count of a day, `days/<date>`: what may still be purchased on a UTC day, over all runs."""

from datetime import datetime

from handler.errors import JournalConflict, JournalUnavailable, JournalUnreadable
from handler.journal.fields import json_object
from handler.journal.journal import journal_line
from handler.journal.store import Store

RESERVE_ATTEMPTS = 5
"""So often a run tries to be the next who writes to the count of a day."""


class DayCount:
    """The counts of all days."""

    def __init__(self, store: Store, run: str) -> None:
        """`run`: the request id; goes into every entry."""
        self._store = store
        self._run = run

    def reserve(self, now: datetime, wanted: int, most: int) -> int:
        """Take up to `wanted` of the `most` renewals of this UTC day, and return how many were left to take.

        At most two calls, unless other runs take some at the very same time. What a run takes and does not use, it
        gives back (`give_back`), unless it dies. Raises JournalUnavailable if the count cannot be kept.
        """
        if not wanted or not most:
            return 0
        try:
            return self._reserve(f"days/{now:%Y-%m-%d}", now, wanted, most)
        except JournalUnreadable as failure:
            # It is the day's count that makes no sense, and no order's journal: none is to be held for it.
            raise JournalUnavailable(str(failure)) from failure

    def give_back(self, day: datetime, now: datetime, unused: int) -> None:
        """Return what was reserved on `day` and not used. Raises JournalUnavailable or JournalConflict."""
        key = f"days/{day:%Y-%m-%d}"
        line = journal_line("returned", {"count": -unused}, self._run, now)
        self._store.append(key, self._store.read_log(key).position, line)

    def _reserve(self, key: str, now: datetime, wanted: int, most: int) -> int:
        for _ in range(RESERVE_ATTEMPTS):
            log = self._store.read_log(key)
            granted = max(0, min(wanted, most - sum(_count_in(key, line) for line in log.entries)))
            if not granted:
                return 0
            line = journal_line("reserved", {"count": granted}, self._run, now)
            try:
                self._store.append(key, log.position, line)
            except JournalConflict:
                continue
            return granted
        msg = f"{key}: other runs wrote to it in {RESERVE_ATTEMPTS} tries to count the renewals of the day"
        raise JournalUnavailable(msg)


def _count_in(key: str, line: bytes) -> int:
    count = json_object(line).get("count")
    if type(count) is int:
        return count
    msg = f"{key} has a line that counts nothing"
    raise JournalUnreadable(msg)
