"""The applications of one run: for instances that the policy allows, under the fuse and the clock."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from handler.errors import CasError, CasMisconfigured, JournalUnavailable
from handler.instances.application import Application
from handler.instances.eligibility import why_not_now
from handler.instances.instance import Instance
from handler.instances.policy import reason_in_detail, reason_not_to_apply
from handler.instances.settle import is_clear
from handler.journal.entries import Held
from handler.journal.lines import held_line
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line, RunResult
from handler.run.fuse import Fuse
from handler.run.services import Services


class Wanted(NamedTuple):
    """An instance for which is to be applied, as far as the list and its journal tell."""

    instance: Instance
    renewal: Renewal


class Applicant:
    """Applies for what is wanted, one instance at a time, until a limit is reached or nothing can succeed."""

    def __init__(self, services: Services, application: Application, outbox: Outbox, result: RunResult) -> None:
        """`result`: gets a line for each."""
        self._service = services.instances
        self._rules = services.settings.rules
        self._time = services.time
        self._log = services.log
        self._application = application
        self._outbox = outbox
        self._result = result
        self.renewals: dict[str, Renewal] = {}
        """Those that were applied for, as they are now, by id."""

    def make(self, wanted: Iterable[Wanted], fuse: Fuse) -> None:
        """Apply for these; each gets a line in the result."""
        left = deque(wanted)
        # What CAS has against purchases need not be against applications.
        stopped = Reason.RUN_STOPPED if self._result.cannot_publish else None
        try:
            while left and not stopped:
                stopped = fuse.blows(len(left)) if self._application.has_time() else Reason.NO_TIME_LEFT
                if not stopped:
                    stopped = self._make_some(left, fuse)
        except JournalUnavailable as failure:
            self._result.put_all(self._unwritable(one, failure) for one in left)
            left.clear()
        fuse.give_back()
        self._result.put_all(Line(Outcome.DEFERRED, stopped, one.instance.renewable) for one in left)

    def look_closely(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        """Return those that their detail lets be applied for; the others get their line. For a dry run."""
        found = []
        for one in wanted:
            shown = self._shown(one)
            if isinstance(shown, Line):
                self._result.put(shown)
            else:
                found.append(one)
        return found

    def _make_some(self, left: deque[Wanted], fuse: Fuse) -> Reason | None:
        """Apply for as many as the fuse has; return the reason if none can be applied for any more."""
        batch = [left[i] for i in range(min(fuse.left, len(left)))]
        self._application.about_to(one.instance for one in batch)
        for one in batch:
            left.popleft()
            line = self._make_one(one)
            self._result.put(line)
            if line.outcome in {Outcome.APPLIED, Outcome.UNKNOWN}:
                fuse.spend()
            if line.stops_run:
                return Reason.RUN_STOPPED
        return None

    def _make_one(self, one: Wanted) -> Line:
        read_at = self._time.now()
        shown = self._shown(one)
        if isinstance(shown, Line):
            return shown
        try:
            line, renewal = self._application.make(shown, one.renewal, read_at)
        except JournalUnavailable as failure:
            return self._unwritable(one, failure)
        if line.outcome is Outcome.APPLIED:
            line, renewal = self._outbox.notify_applied(renewal)
        if renewal.state is State.REFUSED and line.outcome is Outcome.REFUSED:
            renewal = self._outbox.alert_failed(renewal, shown.renewable)
        self.renewals[renewal.id] = renewal
        return line

    def _shown(self, one: Wanted) -> Instance | Line:
        """Read the instance itself, since a list can be old; return the line instead if it is not to be applied for."""
        listed = one.instance
        try:
            detail = self._service.detail(listed.id)
        except CasError as failure:
            self._result.errors.append(f"instance {listed.id}: {failure}")
            stops = isinstance(failure, CasMisconfigured)
            return Line(Outcome.DEFERRED, failure.code, listed.renewable, stops_run=stops)
        shown = detail.instance
        if shown is None or not is_clear(shown, listed.id):
            return Line(Outcome.SKIPPED, Reason.ROW_UNREADABLE, listed.renewable)
        if shown.certificate_id != listed.certificate_id:
            return Line(Outcome.DEFERRED, Reason.SETTLING, listed.renewable)  # the list is older than its next one
        # The detail need not have the domains of the certificate.
        shown = shown._replace(renewable=shown.renewable._replace(domain=listed.renewable.domain))
        reason = reason_not_to_apply(shown, self._rules, self._time.now()) or reason_in_detail(detail)
        if reason is not None:
            return Line(Outcome.SKIPPED, reason, shown.renewable)
        return why_not_now(shown, one.renewal, self._time.now()) or shown

    def _unwritable(self, one: Wanted, failure: JournalUnavailable) -> Line:
        of = one.instance.renewable
        self._log.problem("journal-unavailable", order_id=of.id, message=str(failure))
        held = one.renewal._replace(state=State.HELD, hold=Held(failure.reason), trouble=str(failure))
        if failure.reason != JournalUnavailable.reason:
            self._outbox.alert_failed(held, of)
        return held_line(held, of)
