"""One attempt at a step that must not be made twice: claim, call, record. Who is notified of it is not its business."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from handler.errors import (
    CasBusy,
    CasError,
    CasMisconfigured,
    CasRefused,
    CasThrottled,
    JournalConflict,
    JournalUnavailable,
)
from handler.journal.entries import Claimed, Entry, Refused, Unknown
from handler.journal.entry_kinds import Written
from handler.journal.fold import after
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.renewal import Renewal
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.runtime.countdown import RESERVE_SECONDS, SHORTEST_TIMEOUT, Countdown
from handler.runtime.log import Log

TRY_AGAIN_AFTER = timedelta(hours=20)
"""A useless refusal is repeated by tomorrow's timer, and not by the platform's retry of today's."""
MAX_PAUSE_SECONDS = 30
BUSY_ATTEMPTS = 3
"""Throttling passes while one waits; the service's other kinds of busy may last for hours."""

Call = Callable[[float], Entry]
"""Makes the call within so many seconds, and returns the entry that says what it came to. Raises CasError."""


class Attempts:
    """Makes attempts, each under a claim in the journal."""

    def __init__(self, journal: Journal, time: Countdown, log: Log) -> None:
        """Use these services, until the time is over."""
        self._journal = journal
        self._time = time
        self._log = log

    def has_time(self) -> bool:
        """Tell whether one more attempt can be finished before the invocation ends."""
        if self._time.timeout < SHORTEST_TIMEOUT:
            self._log.problem("timeout-too-short", seconds=self._time.timeout, at_least=SHORTEST_TIMEOUT)
        return self._time.may_purchase()

    def make(
        self, renewal: Renewal, claim: Claimed, call: Call, done: Outcome, until: datetime | None = None
    ) -> tuple[Line, Renewal]:
        """Claim, call and record; nothing is called after `until`, when what was seen before is too old to act on.

        Returns its line, `done` if the call came to what was wanted, and the renewal as it then is; with `trouble`, if
        that could not be recorded. Raises JournalUnavailable if the claim cannot be written: then nothing was called.
        """
        of = claim.renewable
        if not self._time.may_purchase():
            return Line(Outcome.DEFERRED, Reason.NO_TIME_LEFT, of), renewal
        try:
            claimed = self._journal.record(renewal, claim, self._time.now())
        except JournalConflict:
            return Line(Outcome.DEFERRED, Reason.IN_PROGRESS, of), renewal
        return self._call(claimed, call, done, until or self._time.deadline)

    def _call(self, renewal: Renewal, call: Call, done: Outcome, until: datetime) -> tuple[Line, Renewal]:
        attempt = 0
        while True:
            attempt += 1
            # Asked again before every call: writing the claim or waiting may have taken long.
            if not self._time.may_purchase() or self._time.now() > until:
                return self._nothing_happened(renewal, Reason.NO_TIME_LEFT, "", Outcome.DEFERRED)
            try:
                entry = call(self._time.seconds_left() - RESERVE_SECONDS)
            except CasBusy as busy:
                pause = _pause(busy, attempt)
                patient = isinstance(busy, CasThrottled) or attempt < BUSY_ATTEMPTS
                ends = min(self._time.deadline - timedelta(seconds=SHORTEST_TIMEOUT), until)
                if not patient or self._time.now() + timedelta(seconds=pause) > ends:
                    return self._nothing_happened(renewal, busy.code, busy.message, Outcome.REFUSED)
                self._time.sleep(pause)
            except CasError as failure:
                return self._failed(renewal, failure)
            else:
                return self._happened(renewal, entry, done)

    def _failed(self, renewal: Renewal, failure: CasError) -> tuple[Line, Renewal]:
        if isinstance(failure, CasRefused):
            return self._nothing_happened(renewal, failure.code, failure.message, Outcome.REFUSED, TRY_AGAIN_AFTER)
        if isinstance(failure, CasMisconfigured):
            line, renewal = self._nothing_happened(renewal, failure.code, failure.message, Outcome.REFUSED)
            return line._replace(stops_run=True), renewal
        recorded = self._record(renewal, Unknown(failure.code, failure.message))
        return line_of(renewal, Outcome.UNKNOWN, failure.code), recorded or renewal

    def _nothing_happened(
        self, renewal: Renewal, code: str, message: str, outcome: Outcome, wait: timedelta = timedelta(0)
    ) -> tuple[Line, Renewal]:
        is_failure = outcome is Outcome.REFUSED
        refused = Refused(code, message, self._time.now() + wait, is_failure=is_failure)
        return line_of(renewal, outcome, code), self._record(renewal, refused) or renewal

    def _happened(self, renewal: Renewal, entry: Entry, done: Outcome) -> tuple[Line, Renewal]:
        recorded = self._record(renewal, entry)
        if recorded is None:
            # It must not be lost with the journal: people are notified of it now, and again, with the same id, by the
            # run that finds it by reading.
            then = after(renewal, Written(entry, self._time.now()))
            recorded = then._replace(trouble="what the call came to could not be recorded")
        return line_of(recorded, done), recorded

    def _record(self, renewal: Renewal, entry: Entry) -> Renewal | None:
        """Write what a call came to; None if it could not be written.

        The claim then stands alone, and a later run settles it by reading, as if this one had died.
        """
        try:
            return self._journal.record(renewal, entry, self._time.now())
        except (JournalConflict, JournalUnavailable) as failure:
            self._log.problem("journal-unavailable", message=str(failure), kind=type(failure).__name__)
            return None


def _pause(busy: CasBusy, attempt: int) -> float:
    asked = busy.retry_after if isinstance(busy, CasThrottled) else None
    ceiling = min(MAX_PAUSE_SECONDS, 2.0 ** min(attempt, 10))  # beyond some 1,000 attempts a float overflows
    return asked or ceiling * random.uniform(0.5, 1)  # noqa: S311 (spreads calls, guards nothing)
