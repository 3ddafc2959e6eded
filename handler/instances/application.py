"""An application for the next certificate of an instance, one at a time. Who is notified of it is not its business."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handler.errors import CasError, CasOutcomeUnknown, CasRefused
from handler.instances.instance import Instance
from handler.instances.service import InstanceService
from handler.instances.settle import is_applied, is_clear
from handler.journal.attempts import Attempts
from handler.journal.entries import Applied, Claimed
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal
from handler.outcomes import Outcome
from handler.result import Line
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log

STATUS_NOT_SUPPORT = "OperationDenied.StatusNotSupport"
"""What CAS answers to an application while another one is in review, and in other states that allow none."""


class Application:
    """Applies for what the policy allows, each under a claim in the journal."""

    def __init__(
        self,
        service: InstanceService,
        journal: Journal,
        notes: OpenNotes,
        settle: timedelta,
        time: Countdown,
        log: Log,
    ) -> None:
        """Use these services, until the time is over. `settle`: what was read longer ago is not acted on."""
        self._settle = settle
        self._service = service
        self._attempts = Attempts(journal, time, log)
        self._notes = notes
        self._time = time
        self._log = log

    def has_time(self) -> bool:
        """Tell whether one more application can be finished before the invocation ends."""
        return self._attempts.has_time()

    def about_to(self, batch: Iterable[Instance]) -> None:
        """Note for which instances is to be applied next. Raises JournalUnavailable."""
        self._notes.write([instance.id for instance in batch], self._time.deadline)

    def make(self, instance: Instance, renewal: Renewal, read_at: datetime) -> tuple[Line, Renewal]:
        """Apply for an instance that the policy allows, whose journal lets it be claimed, and that is noted.

        `instance`: as it was read, after `read_at`; much later nothing is applied for by it. Returns its line and the
        renewal as it then is: APPLIED and nobody notified, if an application is in; with `trouble`, if that could not
        be recorded. Raises JournalUnavailable if the claim cannot be written: then no application went in.
        """
        base, now = instance.certificate_id, self._time.now()
        claim = Claimed(instance.renewable, self._time.deadline, now, frozenset(), certificate_id=base)

        def apply(seconds: float) -> Applied:
            try:
                request_id = self._service.apply(instance.id, seconds)
            except CasRefused as refused:
                if refused.code != STATUS_NOT_SUPPORT:
                    raise
                return self._read_again(instance.id, base, refused)
            self._log.info("applied", order_id=instance.id, cas_request_id=request_id)
            return Applied("answer", request_id)

        return self._attempts.make(renewal, claim, apply, Outcome.APPLIED, read_at + self._settle)

    def _read_again(self, instance_id: str, base: str, refused: CasRefused) -> Applied:
        """Tell whether CAS refused since an application is in already. Raises `refused` if it is not."""
        try:
            shown = self._service.detail(instance_id).instance
        except CasError as failure:
            raise CasOutcomeUnknown(refused.code, f"{refused.message}; and then {failure}") from failure
        if shown is None or not is_clear(shown, instance_id):
            raise CasOutcomeUnknown(refused.code, f"{refused.message}; and then CAS showed no state of the instance")
        if is_applied(shown, base):
            return Applied("settled")
        raise refused
