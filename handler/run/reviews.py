"""Applications that are in review: is the next certificate there, what is in its way, and who must do what about it?"""

from datetime import timedelta
from typing import NamedTuple

from handler.errors import CasError
from handler.instances.detail import Task
from handler.instances.instance import Instance
from handler.instances.policy import awaited_from
from handler.instances.progress import RECORDS_AFTER, Shown, next_among, next_in_row, trouble
from handler.instances.settle import is_clear
from handler.journal.entries import Observed
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outbox.instance_messages import Records, Review, applied_id, instance_stalled_id
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line, RunResult
from handler.run.services import Services


class _Seen(NamedTuple):
    """An instance, looked at closely."""

    shown: Instance
    """As its detail has it; as the list does if that could not be read."""
    said: str
    """What the authority said, free text; or else why the application was not submitted."""
    records: Records
    failure: str = ""
    """Why the detail could not be read."""


class Reviews:
    """Attends to instances whose next certificate is awaited and not there."""

    def __init__(self, services: Services, journal: Journal, outbox: Outbox, result: RunResult) -> None:
        """`result`: gets a line for each that was applied for, or that waits for records."""
        self._instances = services.instances
        self._certificates = services.certificates
        self._settings = services.settings
        self._time = services.time
        self._log = services.log
        self._journal = journal
        self._outbox = outbox
        self._result = result

    def attend(self, renewal: Renewal, instance: Instance) -> Renewal:
        """Look closely at one, tell what is in its way, and return how it then is.

        It is DONE if the next certificate is there although the list does not show it; nobody is notified of that yet.
        Raises PublishFailed, JournalUnavailable or JournalConflict.
        """
        is_ours = renewal.state is State.APPLIED
        if not is_ours:
            renewal = self._note_review(renewal, instance)
        waited = self._waited(renewal)
        is_near = instance.ends is not None and instance.ends - self._time.now() <= self._settings.stalled_within
        seen: _Seen | None = None
        stage: Reason | None = None
        if waited >= RECORDS_AFTER and (is_ours or instance.is_pending):
            seen = self._look_closely(instance)
            if is_ours:
                task = self._task(renewal.id)
                if task is not None and task.has_failed:
                    seen = seen._replace(said=seen.said or task.said)
                renewal, stage = self._judge(renewal, seen, task, is_near=is_near)
                if renewal.state is State.DONE:
                    return renewal
            if seen.records:
                renewal = self._outbox.alert_validation(renewal, seen.records)
            self._put_line(renewal, instance, stage, seen.records)
        # What has just been applied for does not stall: it would take from the day its one alert.
        if stage is None and (not is_near or (is_ours and waited < RECORDS_AFTER)):
            return renewal
        on = self._time.now() if is_near else renewal.progress_at or self._time.now()
        waits = stage or (Reason.IN_REVIEW if is_ours else awaited_from(instance))
        return self._outbox.alert_instance_stalled(renewal, on, lambda: self._review(waits, instance, seen))

    def _waited(self, renewal: Renewal) -> timedelta:
        now = self._time.now()
        since = renewal.applied_at if renewal.state is State.APPLIED else renewal.progress_at
        return now - (since or now)

    def _note_review(self, renewal: Renewal, instance: Instance) -> Renewal:
        """Record since when somebody else's application is in review: nothing else tells that."""
        stage = Reason.IN_REVIEW if instance.is_pending else ""
        if renewal.progress == stage:
            return renewal
        return self._journal.record(renewal, Observed(stage), self._time.now())

    def _look_closely(self, instance: Instance) -> _Seen:
        try:
            detail = self._instances.detail(instance.id)
        except CasError as failure:
            self._log.problem("not-read", order_id=instance.id, message=str(failure))
            return _Seen(instance, instance.pending_result, (), f"the detail could not be read: {failure}")
        clear = detail.instance if detail.instance and is_clear(detail.instance, instance.id) else None
        # The list is older.
        said = detail.pending_result if clear else detail.pending_result or instance.pending_result
        return _Seen(clear or instance, said, [record.to_dict() for record in detail.records])

    def _judge(
        self, renewal: Renewal, seen: _Seen, task: Task | None, *, is_near: bool
    ) -> tuple[Renewal, Reason | None]:
        """Record whether the next certificate of an application of ours is there, and else what is in its way.

        `is_near`: people are alerted daily anyway.
        """
        now = self._time.now()
        stage = trouble(renewal, seen.shown, seen.said, task, self._settings.settle, now)
        issued = None
        if stage is not None or not seen.shown.is_pending or next_in_row(renewal, seen.shown) is not None:
            # The instance need not show what it has issued as soon as that is there, nor for which names it is.
            issued = next_among(renewal, self._issued_by(renewal.id))
        if issued is not None:
            return self._journal.record(renewal, issued, now), None
        # What is new on a day that has its message already is recorded, and told, on the next.
        is_told = not is_near and stage is not None and instance_stalled_id(renewal, now) in renewal.notified
        if renewal.progress != (stage or "") and not is_told:
            renewal = self._journal.record(renewal, Observed(stage or ""), now)
        return renewal, stage

    def _task(self, instance_id: str) -> Task | None:
        try:
            return self._instances.task(instance_id)
        except CasError as failure:
            self._log.problem("not-read", order_id=instance_id, message=str(failure))
            return None

    def _issued_by(self, instance_id: str) -> list[Shown]:
        try:
            found = self._certificates.of_instance(instance_id).certificates
        except CasError as failure:
            self._log.problem("not-read", order_id=instance_id, message=str(failure))
            return []
        return [Shown(one.renewable, one.status == "revoked", one.starts) for one in found]

    def _put_line(self, renewal: Renewal, instance: Instance, stage: Reason | None, records: Records) -> None:
        # Nothing is long in review by itself that waits for records.
        waits = bool(records) and stage in {None, Reason.REVIEW_TOO_LONG}
        reason = Reason.NEEDS_RECORDS if waits else stage
        shown = tuple(records)
        if renewal.state is State.APPLIED:
            self._result.put(line_of(renewal, Outcome.APPLIED, reason, message_id=applied_id(renewal), records=shown))
        elif records:
            self._result.put(Line(Outcome.SKIPPED, awaited_from(instance), instance.renewable, records=shown))

    def _review(self, stage: Reason, instance: Instance, seen: _Seen | None) -> Review:
        seen = seen or self._look_closely(instance)
        return Review(stage, seen.said or seen.failure, seen.records)
