"""Instances whose next certificate is awaited: applied for by this function or somebody else, or hosted.

Before the newest certificate of such an instance ends, it is recorded which one is to be replaced. Each run then looks
whether the next one is there, and alerts if it does not come. Nothing is applied for here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from handler.certificates.rules import HISTORY, Rules
from handler.errors import JournalConflict, JournalUnavailable, PublishFailed
from handler.instances.instance import Instance
from handler.instances.policy import is_awaited, names_of, window_opens
from handler.instances.progress import next_in_row
from handler.journal.entries import Entry, Followed, Observed
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders.progress import Progress
from handler.outbox.instance_messages import instance_issued_id
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome
from handler.result import RunResult
from handler.run.issued import Issues
from handler.run.reviews import Reviews
from handler.run.services import Services
from handler.run.standings import is_excepted

HOSTED_FROM = timedelta(days=37)
"""What is hosted is followed from so long before the end on: the platform acts 30 days before it at the earliest, and a
run must have seen by then what it replaces."""


class FollowInstances:
    """Follows instances, each until its next certificate is there."""

    def __init__(
        self,
        services: Services,
        journal: Journal,
        notes: OpenNotes,
        outbox: Outbox,
        issues: Issues,
        result: RunResult,
    ) -> None:
        """`issues`: takes note of what is there. `result`: gets a line for what was applied for, or needs records."""
        self._time = services.time
        self._settings = services.settings
        self._journal = journal
        self._notes = notes
        self._outbox = outbox
        self._issues = issues
        self._result = result
        self._reviews = Reviews(services, journal, outbox, result)
        self.renewals: dict[str, Renewal] = {}
        """Those that were looked at, as they are now, by id."""

    def watch(self, instances: Iterable[Instance], followed: Mapping[str, Renewal]) -> Iterator[str]:
        """Look at each; `followed`: the journals of those that are followed already. Yields what went wrong."""
        shown = {instance.id: instance for instance in instances}
        begun = dict(followed)
        rules = self._settings.rules
        fresh = [instance for instance in shown.values() if instance.id not in begun and self._begins(instance, rules)]
        try:
            begun.update(self._begin(fresh))
        except JournalUnavailable as failure:
            yield str(failure)
        for id_, renewal in begun.items():
            if not self._time.may_write():
                return
            if renewal.hold is not None:
                if renewal.claim is None:
                    yield f"instance {id_}: {renewal.hold.reason}: {renewal.trouble or 'its journal makes no sense'}"
                continue
            if renewal.trouble:
                continue  # its journal lacks what is known of it, and must not go on without that
            self.renewals[id_] = renewal
            try:
                self._look_at(renewal, shown.get(id_))
            except JournalConflict:
                continue  # another run is looking at it too
            except (PublishFailed, JournalUnavailable) as failure:
                yield f"instance {id_}: {failure}"

    def _begins(self, instance: Instance, rules: Rules) -> bool:
        """Tell whether an instance is to be followed from now on."""
        if not instance.certificate_id or instance.ends is None or is_excepted(names_of(instance), rules):
            return False
        opens, now = window_opens(instance, rules), self._time.now()
        if instance.is_hosted:
            opens = min(opens or now, instance.ends - HOSTED_FROM)
        return is_awaited(instance) and opens is not None and opens <= now < instance.ends + HISTORY

    def _begin(self, instances: list[Instance]) -> Iterator[tuple[str, Renewal]]:
        if not instances:
            return
        # Noted first: what is recorded without a note would not be found again.
        self._notes.write([instance.id for instance in instances], self._time.deadline)
        for instance in instances:
            if not self._time.may_write():
                return
            renewal = self._journal.read_or_hold(instance.id)
            if renewal.is_open:
                continue  # its note was lost; by the new one the next run finds it
            is_base = renewal.base is not None and renewal.base.certificate_id == instance.certificate_id
            if renewal.state is State.DONE and is_base:
                continue  # the next one is there by what the journal says, and this list is older than that
            if renewal.state not in {State.FOLLOWED, State.APPLIED}:
                base = Followed(instance.renewable, instance.certificate_id)
                try:
                    renewal = self._journal.record(renewal, base, self._time.now())
                except JournalConflict:
                    continue
            yield instance.id, renewal

    def _look_at(self, renewal: Renewal, instance: Instance | None) -> None:
        now, base = self._time.now(), renewal.base
        if base is None or renewal.state not in {State.FOLLOWED, State.APPLIED, State.DONE}:
            return
        ends = base.renewable.ends
        if renewal.state is not State.DONE and instance is not None:
            issued = next_in_row(renewal, instance)
            if issued is not None:
                renewal = self._record(renewal, issued)
        if renewal.state is State.DONE:
            self._notify_issued(renewal, instance)
            return
        if instance is not None and instance.certificate_id not in {"", base.certificate_id}:
            # For other names: what is followed from now on is that certificate. One that ends sooner than the base was
            # there before it, in a list that is older.
            if renewal.state is State.FOLLOWED or (instance.ends and ends and instance.ends > ends):
                self._record(renewal, Followed(instance.renewable, instance.certificate_id))
            return
        if ends is None or now > ends + HISTORY:
            self._record(renewal, Observed(Progress.ABANDONED))
            return
        if instance is not None and self._is_attended(renewal, instance):
            renewal = self.renewals[renewal.id] = self._reviews.attend(renewal, instance)
            if renewal.state is State.DONE:
                self._notify_issued(renewal, None)

    def _is_attended(self, renewal: Renewal, instance: Instance) -> bool:
        """Tell whether people hear of what is in its way: not of what the operator has closed his eyes to."""
        is_waiting = renewal.state is State.APPLIED or is_awaited(instance)
        return is_waiting and not is_excepted(names_of(instance), self._settings.rules)

    def _notify_issued(self, renewal: Renewal, instance: Instance | None) -> None:
        if instance_issued_id(renewal) in renewal.notified:
            return
        # A list may show the certificate before it, or already the one after it.
        shows = instance is not None and instance.certificate_id == renewal.succeeded().id
        new = instance.renewable if instance is not None and shows else renewal.renewable
        self.renewals[renewal.id] = self._outbox.notify_instance_issued(
            renewal, new, self._issues.of_instance(renewal, new)
        )
        if renewal.applied_at is not None:
            self._result.put(line_of(renewal, Outcome.APPLIED, message_id=instance_issued_id(renewal)))

    def _record(self, renewal: Renewal, entry: Entry) -> Renewal:
        renewal = self.renewals[renewal.id] = self._journal.record(renewal, entry, self._time.now())
        return renewal
