"""What earlier runs left open of instances: applications with a lost answer, or of which nobody is notified yet."""

from collections.abc import Iterable, Iterator

from handler.certificates.renewable import Renewable
from handler.errors import CasError, JournalConflict, JournalUnavailable
from handler.instances.instance import Instance
from handler.instances.service import InstanceService
from handler.instances.settle import is_applied, is_clear, verdict
from handler.journal.entries import Applied, Held, Refused
from handler.journal.journal import Journal
from handler.journal.lines import held_line, line_of
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outbox.instance_messages import applied_id
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.run.recover import UNKNOWN_TOO_LONG
from handler.run.services import Services


class InstanceRecovery:
    """Settles, notifies or reports open applications. Each is recorded as soon as it is settled."""

    def __init__(self, services: Services, journal: Journal, outbox: Outbox) -> None:
        """Use these services, until the time is over."""
        self._service: InstanceService = services.instances
        self._journal = journal
        self._outbox = outbox
        self._time = services.time
        self._settle = services.settings.settle
        self._log = services.log
        self.renewals: dict[str, Renewal] = {}
        """Those that were taken up, as they are now, by id."""

    def take_up(self, renewals: Iterable[Renewal]) -> Iterator[Line]:
        """Take up all that is open of these; yields a line for each.

        One with the reason `nothing-bought` says that no application went in: it may be applied for in this very run.
        """
        for renewal in renewals:
            self.renewals[renewal.id] = renewal
            if renewal.state is State.APPLIED and applied_id(renewal) not in renewal.notified:
                yield self._notify(renewal)
            elif renewal.is_open:
                yield self._take_up(renewal)

    def _take_up(self, renewal: Renewal) -> Line:
        now = self._time.now()
        if renewal.claim_is_odd(now):
            return self._held(renewal._replace(hold=Held(Reason.CLAIM_FROM_THE_FUTURE)), None)
        if renewal.is_in_progress(now):
            return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        if not self._time.may_purchase():
            return line_of(renewal, Outcome.DEFERRED, Reason.NO_TIME_LEFT)
        shown = self._look_at(renewal)
        if renewal.state is not State.HELD:
            said = verdict(renewal, shown, now, self._settle, self._time.now())
        elif renewal.claim is None or shown is None or not _shows_application(renewal, shown):
            return self._held(renewal, shown)
        else:
            said = Applied("settled")  # time has told
        return self._carry_out(renewal, said, shown)

    def _look_at(self, renewal: Renewal) -> Instance | None:
        try:
            return self._service.detail(renewal.id).instance
        except CasError as failure:
            self._log.problem("not-read", order_id=renewal.id, message=str(failure))
            return None

    def _carry_out(self, renewal: Renewal, said: Applied | Refused | Held | None, shown: Instance | None) -> Line:
        if not self._time.may_write():
            return line_of(renewal, Outcome.DEFERRED, Reason.NO_TIME_LEFT)
        if said is None:
            if self._time.now() - renewal.last_effect() > UNKNOWN_TOO_LONG:
                self.renewals[renewal.id] = self._outbox.alert_failed(renewal, _renewable(shown))
            return line_of(renewal, Outcome.DEFERRED, Reason.SETTLING)
        try:
            settled = self._journal.record(renewal, said, self._time.now())
        except JournalConflict:
            return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)
        except JournalUnavailable as failure:
            self._log.problem("journal-unavailable", order_id=renewal.id, message=str(failure))
            return self._held(renewal._replace(hold=Held(failure.reason), trouble=str(failure)), shown)
        self.renewals[renewal.id] = settled
        if settled.state is State.HELD:
            return self._held(settled, shown)
        if settled.state is State.REFUSED:
            return line_of(settled, Outcome.DEFERRED, Reason.NOTHING_BOUGHT)
        return self._notify(settled)

    def _notify(self, renewal: Renewal) -> Line:
        if not self._time.may_write():
            return line_of(renewal, Outcome.DEFERRED, Reason.NO_TIME_LEFT)
        line, self.renewals[renewal.id] = self._outbox.notify_applied(renewal)
        return line

    def _held(self, renewal: Renewal, shown: Instance | None) -> Line:
        """Return the line of what needs a decision, and alert people, unless they know."""
        self.renewals[renewal.id] = self._outbox.alert_failed(renewal, _renewable(shown))
        return held_line(renewal, _renewable(shown))


def _shows_application(renewal: Renewal, shown: Instance) -> bool:
    return is_clear(shown, renewal.id) and is_applied(shown, renewal.claimed().certificate_id)


def _renewable(shown: Instance | None) -> Renewable | None:
    return shown.renewable if shown else None
