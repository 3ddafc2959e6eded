"""The count of a day, `days/<date>`: what may still be purchased on a UTC day, over all runs, and who was alarmed."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from handler.errors import JournalConflict, JournalUnavailable, JournalUnreadable
from handler.journal.fields import json_object
from handler.journal.journal import journal_line
from handler.journal.store import Store

RESERVE_ATTEMPTS = 5
"""So often a run tries to be the next who writes to the count of a day."""


class Day(NamedTuple):
    """What the log of a day says."""

    used: int = 0
    """How many renewals are reserved or purchased."""
    runs: int = 0
    """How many runs have reserved any."""
    alarmed: frozenset[str] = frozenset()
    """For what some run of the day has failed, so that the platform's alarm rings."""


class DayCount:
    """The counts of all days."""

    def __init__(self, store: Store, run: str, event: str = "") -> None:
        """`run`: the request id; goes into every entry. `event`: by what a repetition of the same event is known."""
        self._store = store
        self._run = run
        self._event = event

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

    def look(self, day: datetime) -> Day:
        """Return what the log of a UTC day says. Raises JournalUnavailable."""
        facts = [json_object(line) for line in self._store.read_log(f"days/{day:%Y-%m-%d}").entries]
        counts = [count for fact in facts if type(count := fact.get("count")) is int]
        runs = {str(fact.get("run")) for fact in facts if fact.get("entry") == "reserved"}
        alarmed = [ids for fact in facts if isinstance(ids := fact.get("alarmed"), list)]
        return Day(sum(counts), len(runs), frozenset(str(id_) for ids in alarmed for id_ in ids))

    def alarm(self, now: datetime, ids: Collection[str], *, alone: bool) -> None:
        """Record that this run fails for these. Raises JournalUnavailable or JournalConflict.

        `alone`: it fails for nothing else, so that whoever repeats its event is to purchase nothing (`reserve`).
        """
        key = f"days/{now:%Y-%m-%d}"
        fields = {"count": 0, "alarmed": sorted(ids), "event": self._event if alone else ""}
        line = journal_line("alarmed", fields, self._run, now)
        self._store.append(key, self._store.read_log(key).position, line)

    def _reserve(self, key: str, now: datetime, wanted: int, most: int) -> int:
        for _ in range(RESERVE_ATTEMPTS):
            log = self._store.read_log(key)
            if self._event and any(_is_alarm_of(line, self._event) for line in log.entries):
                return 0  # the platform repeats the event of a run that has failed so that people look
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


def _is_alarm_of(line: bytes, event: str) -> bool:
    fact = json_object(line)
    return fact.get("entry") == "alarmed" and fact.get("event") == event


def _count_in(key: str, line: bytes) -> int:
    count = json_object(line).get("count")
    if type(count) is int:
        return count
    msg = f"{key} has a line that counts nothing"
    raise JournalUnreadable(msg)
