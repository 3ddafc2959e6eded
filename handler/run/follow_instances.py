"""Instances whose next certificate somebody else gets: the platform that hosts them, or whoever has applied.

Before the newest certificate of such an instance ends, it is recorded which one is to be replaced. Each run then looks
whether the next one is there, and alerts if it does not come. Nothing is applied for here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from handler.certificates.rules import Rules
from handler.errors import CasError, JournalConflict, JournalUnavailable, PublishFailed
from handler.instances.instance import Instance
from handler.instances.policy import awaited_from, is_awaited, window_opens
from handler.instances.service import InstanceService
from handler.journal.entries import Followed, Issued, Observed
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders.progress import Progress
from handler.outbox.publisher import Outbox
from handler.outbox.watch_messages import Review, instance_issued_id
from handler.run.standings import is_excepted, names_of
from handler.runtime.countdown import Countdown
from handler.watch.standing import HISTORY

HOSTED_FROM = timedelta(days=37)
"""What is hosted is followed from so long before the end on: the platform acts 30 days before it at the earliest, and a
run must have seen by then what it replaces."""


class FollowInstances:
    """Follows instances, each until its next certificate is there."""

    def __init__(
        self, service: InstanceService, journal: Journal, notes: OpenNotes, outbox: Outbox, time: Countdown
    ) -> None:
        """`service` is asked for the detail of an instance that does not get on."""
        self._service = service
        self._journal = journal
        self._notes = notes
        self._outbox = outbox
        self._time = time

    def watch(
        self, instances: Iterable[Instance], followed: Mapping[str, Renewal], rules: Rules, stalled_within: timedelta
    ) -> Iterator[str]:
        """Look at each; `followed`: the journals of those that are followed already. Yields what went wrong."""
        shown = {instance.id: instance for instance in instances}
        begun = dict(followed)
        fresh = [instance for instance in shown.values() if instance.id not in begun and self._begins(instance, rules)]
        try:
            begun.update(self._begin(fresh))
        except JournalUnavailable as failure:
            yield str(failure)
        for id_, renewal in begun.items():
            if not self._time.may_write():
                return
            if renewal.hold is not None:
                yield f"instance {id_}: {renewal.hold.reason}: {renewal.trouble or 'its journal makes no sense'}"
                continue
            try:
                self._look_at(renewal, shown.get(id_), stalled_within)
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
            if renewal.state is State.HELD:
                continue
            if renewal.state is not State.FOLLOWED:
                base = Followed(instance.renewable, instance.certificate_id)
                try:
                    renewal = self._journal.record(renewal, base, self._time.now())
                except JournalConflict:
                    continue
            yield instance.id, renewal

    def _look_at(self, renewal: Renewal, instance: Instance | None, stalled_within: timedelta) -> None:
        now, base = self._time.now(), renewal.base
        if base is None or renewal.state not in {State.FOLLOWED, State.DONE}:
            return
        ends = base.renewable.ends
        if renewal.state is State.FOLLOWED and instance is not None and _is_next(instance, renewal):
            renewal = self._journal.record(renewal, Issued(instance.certificate_id, instance.ends or now), now)
        if renewal.state is State.DONE:
            if instance_issued_id(renewal) not in renewal.notified:
                new = instance.renewable if instance is not None else renewal.renewable
                self._outbox.notify_instance_issued(renewal, new)
            return
        if instance is not None and instance.certificate_id not in {"", base.certificate_id}:
            # For other names: what is followed from now on is that certificate.
            self._journal.record(renewal, Followed(instance.renewable, instance.certificate_id), now)
            return
        if ends is None or now > ends + HISTORY:
            self._journal.record(renewal, Observed(Progress.ABANDONED), now)
            return
        if instance is None or ends - now > stalled_within:
            return
        if is_awaited(instance):
            self._outbox.alert_instance_stalled(renewal, lambda: self._review(instance))

    def _review(self, instance: Instance) -> Review:
        stage = awaited_from(instance)
        try:
            detail = self._service.detail(instance.id)
        except CasError as failure:
            return Review(stage, instance.pending_result or f"the detail could not be read: {failure}")
        said = detail.pending_result or instance.pending_result
        return Review(stage, said, [record.to_dict() for record in detail.records])


def _is_next(instance: Instance, renewal: Renewal) -> bool:
    """Tell whether the newest certificate follows the base: another one, for longer, of the same names."""
    base = renewal.base
    if base is None or instance.certificate_id in {"", base.certificate_id} or instance.ends is None:
        return False
    lasts_longer = base.renewable.ends is None or instance.ends > base.renewable.ends
    return lasts_longer and set(base.renewable.domains) <= set(instance.renewable.domains) | set(names_of(instance))
