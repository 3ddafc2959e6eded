"""The time, handed in everywhere, so that a test can be at any moment and never waits."""

import time
from datetime import datetime, timedelta, timezone
from typing import Protocol

from handler.certificates.rows import YEARS

SKEW = timedelta(seconds=60)
"""How far the clocks of two instances may be apart."""


class Clock(Protocol):
    """What the function needs of time."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)


def rfc3339(moment: datetime) -> str:
    """Write an aware moment as `2026-11-21T03:00:07Z`, with microseconds only when it has any."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Read what `rfc3339` wrote; ValueError for anything else, and for moments outside of `YEARS`."""
    moment = datetime.fromisoformat(text[:-1] + "+00:00") if text.endswith("Z") else None
    if moment is None or moment.year not in YEARS:
        msg = f"{text!r} is not a moment in UTC such as 2026-11-21T03:00:07Z"
        raise ValueError(msg)
    return moment
