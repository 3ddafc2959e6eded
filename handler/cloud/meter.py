"""How many calls a run made to each service, and how long it waited for them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from handler.runtime.clock import Clock


class Meter:
    """Counts calls as this program makes them; what an SDK repeats by itself is one call that took longer."""

    def __init__(self, clock: Clock) -> None:
        """Begin at nought."""
        self._clock = clock
        self._calls: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def call(self, service: str) -> Iterator[None]:
        """Count what happens inside as one call."""
        began = self._clock.now()
        try:
            yield
        finally:
            self._calls[service] += 1
            self._seconds[service] += (self._clock.now() - began).total_seconds()

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return calls and seconds by service."""
        return {
            service: {"calls": calls, "seconds": round(self._seconds[service], 3)}
            for service, calls in sorted(self._calls.items())
        }
