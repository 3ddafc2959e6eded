"""The V2 instances of one run: what was left open is taken up, then applied for what is due, then followed."""

from collections.abc import Iterator, Mapping

from handler.certificates.renewable import Kind
from handler.command import Selection
from handler.instances.application import Application
from handler.instances.eligibility import why_not_now
from handler.instances.instance import Instance
from handler.instances.policy import names_of, reason_not_to_apply
from handler.instances.selection import selected
from handler.journal.journal import Journal
from handler.journal.lines import held_line, line_of
from handler.journal.open_notes import OpenNotes, OpenWork
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders.eligibility import Known
from handler.orders.progress import Progress
from handler.outbox.instance_messages import instance_issued_id
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line, RunResult
from handler.run.apply_instances import Applicant, Wanted
from handler.run.follow_instances import FollowInstances
from handler.run.fuse import Fuse
from handler.run.issued import Issues
from handler.run.lists import Lists
from handler.run.services import Services
from handler.run.settle_instances import InstanceRecovery
from handler.run.unfinished import is_followed


class Instances:
    """The steps of a run that are about instances."""

    def __init__(
        self,
        services: Services,
        journal: Journal,
        notes: OpenNotes,
        outbox: Outbox,
        known: Known,
        result: RunResult,
    ) -> None:
        """`known` learns what comes of each."""
        self._rules = services.settings.rules
        self._time = services.time
        self._journal = journal
        self._known = known
        self._result = result
        self._recovery = InstanceRecovery(services, journal, outbox)
        application = Application(
            services.instances, journal, notes, services.settings.settle, services.time, services.log
        )
        self._applicant = Applicant(services, application, outbox, result)
        self.issues = Issues(services)
        """What was issued in this run."""
        self._follow = FollowInstances(services, journal, notes, outbox, self.issues, result)

    def recover(self, left: OpenWork) -> None:
        """Take up what earlier runs left open; of what is in review say so. A dry run leaves all of it as it is."""
        of_instances = [renewal for renewal in left.renewals.values() if renewal.kind is Kind.INSTANCE]
        if not self._result.dry_run:
            self._take_up(of_instances)
        for renewal in (self._known.renewals.get(one.id, one) for one in of_instances):
            if renewal.state is State.APPLIED:
                self._result.put_if_absent(line_of(renewal, Outcome.APPLIED, renewal.progress or None))

    def publish(self, left: OpenWork) -> None:
        """Notify of applications of which nobody has been notified; needs no list."""
        self._take_up([one for one in left.renewals.values() if one.state is State.APPLIED])

    def missing(self, lines: list[Line], selection: Selection | None, lists: Lists) -> list[Line]:
        """Return the lines of what means no order, but for what means an instance."""
        meant = selected(selection, lists.instances.instances) if lines else []
        found = {name for one in meant for name in (f"instance {one.id}", f"certificate {one.certificate_id}")}
        names = {name for one in meant for name in names_of(one)}
        return [line for line in lines if line.asked_for not in found and not _is_for(line, names)]

    def wanted(self, selection: Selection | None, lists: Lists) -> list[Wanted]:
        """Return the instances for which is to be applied, the first to expire first; the others get their line.

        In a scan the watch speaks of those that the policy leaves alone.
        """
        found = [one for one in self._allowed(selection, lists) if not self._result.has_final_line(one.instance.id)]
        found.sort(key=lambda one: (one.instance.ends or self._time.now(), one.instance.id))
        return self._applicant.look_closely(found) if self._result.dry_run else found

    def apply(self, wanted: list[Wanted], fuse: Fuse) -> None:
        """Apply for these, under the fuse."""
        self._applicant.make(wanted, fuse)
        self._learn(self._applicant.renewals)

    def follow(self, lists: Lists, left: OpenWork) -> None:
        """Look whether the next certificates are there of what was applied for, or is hosted; not in a dry run."""
        if self._result.dry_run:
            return
        followed = {
            id_: self._known.renewals.get(id_, renewal)
            for id_, renewal in left.renewals.items()
            if renewal.kind is Kind.INSTANCE
        }
        # Those whose note is lost were read since they may be due; see `_waits`.
        followed.update({id_: one for id_, one in self._known.renewals.items() if is_followed(one)})
        followed.update({id_: one for id_, one in self._applicant.renewals.items() if one.state is State.APPLIED})
        self._result.errors.extend(self._follow.watch(lists.instances.instances, followed))
        self._learn(self._follow.renewals)

    def _take_up(self, renewals: list[Renewal]) -> None:
        self._result.put_all(self._recovery.take_up(renewals))
        self._learn(self._recovery.renewals)

    def _learn(self, renewals: Mapping[str, Renewal]) -> None:
        for renewal in renewals.values():
            self._known.learn(renewal)

    def _allowed(self, selection: Selection | None, lists: Lists) -> Iterator[Wanted]:
        """Yield what the policy allows and the journals do; the others get their line."""
        now = self._time.now()
        for instance in selected(selection, lists.instances.instances):
            reason = reason_not_to_apply(instance, self._rules, now)
            if reason is not None:
                if selection is not None:
                    self._result.put_if_absent(Line(Outcome.SKIPPED, reason, instance.renewable))
                continue
            renewal = self._known_or_read(instance.id)
            why_not = self._waits(instance, renewal) or why_not_now(instance, renewal, now)
            if renewal.hold is not None:
                self._result.put_if_absent(held_line(renewal, instance.renewable))
            elif why_not is not None:
                self._result.put_if_absent(why_not)
            else:
                yield Wanted(instance, renewal)

    def _known_or_read(self, instance_id: str) -> Renewal:
        """Return the journal of an instance; what is open in it although no note names it is taken up."""
        renewal = self._known.renewals.get(instance_id)
        if renewal is not None:
            return renewal
        renewal = self._journal.read_or_hold(instance_id)
        self._known.learn(renewal)
        if renewal.is_open and not self._result.dry_run:
            self._take_up([renewal])
        return self._known.renewals[instance_id]

    def _waits(self, instance: Instance, renewal: Renewal) -> Line | None:
        """Return a line if the certificate before is there and nobody knows: the claim would make that forgotten."""
        is_told = renewal.state is not State.DONE or instance_issued_id(renewal) in renewal.notified
        is_seen = renewal.state not in {State.FOLLOWED, State.APPLIED} or renewal.progress == Progress.ABANDONED
        if is_told and (is_seen or (renewal.base and renewal.base.certificate_id == instance.certificate_id)):
            return None
        return line_of(renewal, Outcome.DEFERRED, Reason.IN_PROGRESS)


def _is_for(line: Line, names: set[str]) -> bool:
    domains = line.renewable.domains if line.renewable else ()
    return bool(domains) and names.issuperset(domains)
