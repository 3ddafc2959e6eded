"""Time, handed in: one clock that stands still until told otherwise, and the real one."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Protocol

START = datetime(2026, 11, 21, 3, 0, 0, tzinfo=timezone.utc)


class Clock(Protocol):
    """What the stubs need of a clock."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class FakeClock:
    """A clock that moves only when told to. Sleeping moves it and never waits. Safe to share between threads."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move `seconds` ahead at once."""
        self.advance(seconds=seconds)

    def advance(self, seconds: float = 0, days: float = 0) -> None:
        """Move ahead."""
        with self._lock:
            self._now += timedelta(days=days, seconds=seconds)


class SkewedClock:
    """The clock of an instance that is so many seconds ahead of the cloud's; behind it, if below zero."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        """The time as that instance has it, aware and in UTC."""
        return self._clock.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, for everybody."""
        self._clock.sleep(seconds)


class SystemClock:
    """The real time, for stubs that serve other processes."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Really wait."""
        time.sleep(seconds)
