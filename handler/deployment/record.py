"""What the log of a new certificate says of its job: whether it was made, and whether it was started. Pure.

Both calls are of one kind: each takes effect at most once, has no token, and its answer can be lost. So an attempt is
written down before the call, and what came of it afterwards; until that is there the answer counts as lost.
"""

from datetime import datetime
from typing import NamedTuple

from handler.outcomes import Word


class Call(Word):
    """Which of the two."""

    MAKE = "make"
    START = "start"


class Attempt(NamedTuple):
    """A call that is to take effect once, whichever run makes it. All is empty before the first time."""

    begun: datetime | None = None
    """When the first time was written down of those that may have taken effect."""
    until: datetime | None = None
    """The last moment at which the newest can have taken effect; None if its answer is known."""
    lost: int = 0
    """How many times, the newest included, ended without an answer."""
    refused_with: str = ""
    """What the newest was refused with; empty if it was not, or for a reason that passes by itself."""
    refused_at: datetime | None = None

    def begins(self, deadline: datetime, at: datetime) -> "Attempt":
        """Return it once more, which takes effect by `deadline` or never."""
        return Attempt(self.begun or at, deadline, self.lost + 1)

    def was_lost(self, at: datetime) -> "Attempt":
        """Return it without an answer: what was sent by now arrives, or never will."""
        return self._replace(until=at)

    def was_refused(self, code: str, at: datetime, *, waits: bool) -> "Attempt":
        """Return it refused; `waits`: it would be refused again until somebody changes something."""
        lost = max(0, self.lost - 1)
        begun = self.begun if lost else None
        return Attempt(begun, None, lost, code if waits else "", at if waits else None)


class Record(NamedTuple):
    """What is written down of the job."""

    make: Attempt = Attempt()
    resource_ids: frozenset[str] = frozenset()
    """What was to be put into the job, by any attempt that may have made it."""
    job_id: str = ""
    """As it was answered, or found."""
    job_at: datetime | None = None
    """When that was written down."""
    start: Attempt = Attempt()
    started_at: datetime | None = None
    """When the start was answered, or the job seen to have begun: it is never started again."""

    def of(self, call: Call) -> Attempt:
        """Return how one of the two calls stands."""
        return self.make if call is Call.MAKE else self.start

    def with_attempt(self, call: Call, attempt: Attempt) -> "Record":
        """Return the record with another state of one of the two calls."""
        return self._replace(make=attempt) if call is Call.MAKE else self._replace(start=attempt)

    @property
    def since(self) -> datetime | None:
        """Return from when on the job has had time to end; None if nothing can have been made."""
        return self.started_at or self.start.begun or self.make.begun
