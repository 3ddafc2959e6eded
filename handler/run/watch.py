"""What nothing will replace: told in time, as often as is useful, and seen until a month after the end."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.errors import JournalConflict, JournalUnavailable, PublishFailed
from handler.journal.alerts import Alerts
from handler.journal.days import DayCount
from handler.outbox.publisher import Outbox
from handler.outbox.watch_messages import Expiring
from handler.outcomes import Outcome, Reason
from handler.result import Line, RunResult, key_of
from handler.runtime.countdown import Countdown
from handler.watch.foresight import Due, Foresight
from handler.watch.standing import Standing

ALARM_FROM = timedelta(days=3)
"""So long before the end the run begins to fail for it, once a day."""
ALARM_UNTIL = timedelta(days=3)
"""So long after the end it goes on to; from then on only result, report and metrics say so."""
MOST_FAILURES = 3
"""So many alerts that could not be sent are named in the result."""
_FORESIGHT = "foresight"
"""For what the run fails if limits are too low, beside ids."""
FORESEEN = (60, 30)
"""Days before the end at which people are alerted of what will be missed, before the thresholds of everything else."""


class Seen(NamedTuple):
    """What a run has found that nothing will replace."""

    unreplaced: tuple[Standing, ...] = ()
    standings: tuple[Standing, ...] = ()
    """Everything that was issued, side by side."""
    foresight: Foresight | None = None
    """None if nothing waits."""


class Watch:
    """Notifies of what nothing will replace."""

    def __init__(
        self, outbox: Outbox, alerts: Alerts, days: DayCount, time: Countdown, within: timedelta, result: RunResult
    ) -> None:
        """`within`: `STALLED_WITHIN_DAYS`, from when on people hear of it."""
        self._outbox = outbox
        self._alerts = alerts
        self._days = days
        self._time = time
        self._within = within
        self._result = result

    def put_lines(self, seen: Seen) -> None:
        """Say in the result what nothing will replace, in the place of a line that says that it was skipped."""
        now = self._time.now()
        for standing in seen.unreplaced:
            line = self._result.lines.get(key_of(standing.renewable))
            if standing.ends - now > self._within:
                continue
            # An order for which another was paid, and nobody has applied, stays `superseded`, whatever people are told.
            if line is None or (line.outcome is Outcome.SKIPPED and line.reason != Reason.SUPERSEDED):
                self._result.put(Line(Outcome.EXPIRING, standing.why_not, standing.renewable))

    def new_alerts(self, seen: Seen) -> list[Expiring]:
        """Return what people have not been notified of yet. Raises JournalUnavailable."""
        due = list(self._due(seen))
        if not due:
            return []
        sent = self._alerts.all_sent(self._time.now())
        return [expiring for expiring in due if expiring.noted_as not in sent]

    def alert(self, new: Iterable[Expiring]) -> None:
        """Send alerts, as long as there is time; what cannot be sent now is sent by the next run."""
        failures: list[str] = []
        for expiring in new:
            if not self._time.may_write():
                break
            try:
                self._outbox.alert_expiring(expiring)
            except (PublishFailed, JournalUnavailable) as failure:
                failures.append(f"{expiring.renewable.kind.value} {expiring.renewable.id}: {failure}")
                if isinstance(failure, PublishFailed) and failure.misconfigured:
                    break
        self._result.errors += failures[:MOST_FAILURES]
        if len(failures) > MOST_FAILURES:
            self._result.errors.append(f"{len(failures) - MOST_FAILURES} more alerts could not be sent")

    def alarm(self, seen: Seen) -> None:
        """Let the run fail for what ends within days, and for what will be missed: once a day for each."""
        now, begins = self._time.now(), min(ALARM_FROM, self._within)
        near = {
            key_of(standing.renewable) for standing in seen.unreplaced if -ALARM_UNTIL <= standing.ends - now <= begins
        }
        said = seen.foresight.sentence if seen.foresight else ""
        wanted = near | ({_FORESIGHT} if said else set())
        if not wanted:
            return
        try:
            fresh = wanted - self._days.look(now).alarmed
            if fresh:
                # A run that fails anyway is repeated as ever: what CAS refused for a moment, the next attempt may buy.
                self._days.alarm(now, fresh, alone=not self._result.needs_attention)
        except (JournalUnavailable, JournalConflict) as failure:
            # Rather too often than not at all.
            fresh = wanted
            self._result.errors.append(str(failure))
        for key in near & fresh:
            line = self._result.lines.get(key)
            if line is not None:
                self._result.put(line._replace(failed=True))
        if _FORESIGHT in fresh:
            self._result.errors.append(said)
        elif said:
            self._result.add_note(said)

    def _due(self, seen: Seen) -> Iterable[Expiring]:
        now = self._time.now()
        # Where no limit is to blame each speaks for itself.
        missed = seen.foresight.missed if seen.foresight and seen.foresight.sentence else ()
        missed_ids = {key_of(due.renewable) for due in missed}
        of_first = key_of(missed[0].renewable) if missed else ""
        for standing in seen.unreplaced:
            of, days = standing.renewable, standing.threshold(now, self._within)
            is_missed = key_of(of) in missed_ids
            left_alone = standing.is_deferred and not is_missed and standing.ends - now > ALARM_FROM
            speaks_for_all = key_of(of) == of_first
            if days is not None and not (left_alone or speaks_for_all or standing.is_followed):
                yield _expiring(standing, days, now)
        if missed:
            yield self._first_missed(missed, seen, now)

    def _first_missed(self, missed: tuple[Due, ...], seen: Seen, now: datetime) -> Expiring:
        """Return the alert that speaks for all that will be missed."""
        first, rest = missed[0], len(missed) - 1
        standing = next((one for one in seen.unreplaced if one.renewable == first.renewable), None)
        left = first.ends - now
        days = standing.threshold(now, self._within) if standing is not None else None
        if days is None:
            days = min((days for days in FORESEEN if left <= timedelta(days=days)), default=FORESEEN[0])
        reason = seen.foresight.limit if seen.foresight else Reason.RUN_LIMIT
        return Expiring(first.renewable, days, left // timedelta(days=1), reason, deferred=rest)


def _expiring(standing: Standing, days: int, now: datetime) -> Expiring:
    why_not = standing.why_not or ""
    return Expiring(standing.renewable, days, standing.days_left(now), why_not, standing.products)
