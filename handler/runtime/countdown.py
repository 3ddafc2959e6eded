"""The time of one invocation: what time it is, when the platform ends it, and what may still be begun before that."""

from datetime import datetime, timedelta

from handler.runtime.clock import Clock

RESERVE_SECONDS = 5
"""Kept for recording and publishing."""
LEAST_CALL_SECONDS = 10
"""A purchase with less time than this for its answer is not started."""
SHORTEST_TIMEOUT = LEAST_CALL_SECONDS + RESERVE_SECONDS
"""In seconds: a function with a shorter one would defer every renewal, for ever."""
LONGEST_RUN = timedelta(days=1)
"""What Function Compute allows a function at most."""


class Countdown:
    """A `Clock` that knows when the invocation ends."""

    def __init__(self, clock: Clock, started: datetime, timeout: int) -> None:
        """`timeout`: how many seconds after `started` the platform ends the invocation."""
        self._clock = clock
        self.timeout = timeout
        self.deadline = started + timedelta(seconds=timeout)
        """When the platform ends the invocation; nobody calls CAS to purchase after it."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        self._clock.sleep(seconds)

    def seconds_left(self) -> float:
        """Return how long the invocation may still last."""
        return (self.deadline - self.now()).total_seconds()

    def may_write(self) -> bool:
        """Tell whether another entry or message can be written before the invocation ends."""
        return self.seconds_left() > RESERVE_SECONDS

    def may_purchase(self) -> bool:
        """Tell whether a purchase started now would end before the invocation does."""
        return self.seconds_left() >= SHORTEST_TIMEOUT
