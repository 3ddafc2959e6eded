"""The log of a new certificate, `deployments/<its id>`: what was begun, what came of it, and who is notified.

It grows by compare-and-append, as every journal does: `deploying` is there before a job is made and `starting` before
it is started, so of two runs one does it, and what a run that died has left open is settled by looking for the job. The
format is for ever. What `deploying` says of the replaced certificate is for people who read it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from handler.deployment.became import Deployed
from handler.deployment.job import Put
from handler.deployment.record import Call, Record
from handler.deployment.served import Serves
from handler.deployment.step import Done, Failed
from handler.errors import JournalUnreadable
from handler.journal.fields import json_object, text, texts
from handler.journal.journal import journal_line
from handler.journal.store import Store
from handler.outcomes import Placed
from handler.runtime.clock import from_rfc3339, rfc3339


class Ended(NamedTuple):
    """How it ended, for good or as far as it is known."""

    is_well: bool
    is_final: bool
    at: datetime
    """When it was seen."""
    reason: str = ""
    job_id: str = ""
    resources: tuple[Deployed, ...] = ()


class Course(NamedTuple):
    """What a log says. All is empty before the first entry."""

    new_id: str
    position: int = 0
    """Where the log ends, as `Store.append` wants to hear it."""
    record: Record = Record()
    ended: Ended | None = None
    served: Mapping[str, Serves] = MappingProxyType({})
    """What each name that was asked was last seen to serve."""
    is_served: bool = False
    """Whether nobody need look any more what is served."""
    told: frozenset[str] = frozenset()
    """The ids of the messages that are on the queue."""

    @property
    def is_begun(self) -> bool:
        """Whether something may have been made, or it is over."""
        return self.record.since is not None or self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether no job is to be made, started or followed any more."""
        return self.ended is not None and self.ended.is_final


class Courses:
    """The logs of all new certificates, over any store; every method raises JournalUnavailable if it cannot."""

    def __init__(self, store: Store, run: str) -> None:
        """`run`: the request id; goes into every entry."""
        self._store = store
        self._run = run

    def read(self, new_id: str) -> Course:
        """Read the log of a new certificate."""
        log = self._store.read_log(_key(new_id))
        course = Course(new_id)
        for line in log.entries:
            course = _after(course, line)
        return course._replace(position=log.position)

    def deploying(
        self, course: Course, old_id: str, resource_ids: Iterable[str], deadline: datetime, now: datetime
    ) -> Course:
        """Write that a job is about to be made. Raises JournalConflict if another run was first; so do the others."""
        fields = {"replaced": old_id, "resources": sorted(resource_ids), "deadline": rfc3339(deadline)}
        return self._append(course, "deploying", fields, now)

    def refused(self, course: Course, call: Call, code: str, now: datetime, *, waits: bool) -> Course:
        """Write that no job was made, or started; `waits`: it would be refused until somebody changes something."""
        return self._append(course, "refused", {"call": call, "code": code, "waits": waits}, now)

    def unknown(self, course: Course, call: Call, code: str, now: datetime) -> Course:
        """Write that the answer was lost."""
        return self._append(course, "unknown", {"call": call, "code": code}, now)

    def job(self, course: Course, job_id: str, now: datetime) -> Course:
        """Write which job it is, as it was answered or found."""
        return self._append(course, "job", {"job_id": job_id}, now)

    def starting(self, course: Course, deadline: datetime, now: datetime) -> Course:
        """Write that the job is about to be started."""
        return self._append(course, "starting", {"deadline": rfc3339(deadline)}, now)

    def started(self, course: Course, now: datetime) -> Course:
        """Write that the job was started: CAS said so, or shows it."""
        return self._append(course, "started", {}, now)

    def ended(self, course: Course, step: Done | Failed, now: datetime) -> Course:
        """Write how it ended."""
        fields: dict[str, Any] = {
            "job_id": step.job.id if step.job else "",
            "resources": [[one.product, one.region, one.name, one.domain, one.put.value] for one in step.resources],
        }
        if isinstance(step, Failed):
            fields |= {"reason": str(step.reason), "final": step.is_final}
        return self._append(
            course, (Placed.DEPLOYED if isinstance(step, Done) else Placed.DEPLOY_FAILED).value, fields, now
        )

    def asked(self, course: Course, found: Mapping[str, Serves], now: datetime) -> Course:
        """Write what names are seen to serve."""
        return self._append(course, "asked", {"serves": {name: word.value for name, word in found.items()}}, now)

    def served(self, course: Course, now: datetime) -> Course:
        """Write that nobody need look any more what is served."""
        return self._append(course, "served", {}, now)

    def told(self, course: Course, message_id: str, now: datetime) -> Course:
        """Write that a message is on the queue."""
        return self._append(course, "told", {"message_id": message_id}, now)

    def _append(self, course: Course, name: str, fields: dict[str, Any], now: datetime) -> Course:
        line = journal_line(name, fields, self._run, now)
        position = self._store.append(_key(course.new_id), course.position, line)
        return _after(course, line)._replace(position=position)


def _key(new_id: str) -> str:
    return f"deployments/{new_id}"


def _after(course: Course, line: bytes) -> Course:
    """Return the course after one more entry. Raises JournalUnreadable for one that makes no sense."""
    facts = json_object(line)
    try:
        return _AFTER[text(facts["entry"])](course, facts, from_rfc3339(facts["at"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"the journal of deployment {course.new_id} has an entry that cannot be read: {error!r}"
        raise JournalUnreadable(msg) from None


def _deploying(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    record = course.record
    # A job of an attempt before, whose answer was lost, may be found yet.
    earlier = record.resource_ids if record.make.lost else frozenset[str]()
    make = record.make.begins(from_rfc3339(facts["deadline"]), at)
    ids = earlier | frozenset(texts(facts["resources"]))
    return course._replace(record=record._replace(make=make, resource_ids=ids))


def _refused(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    call = Call(facts["call"])
    attempt = course.record.of(call).was_refused(text(facts["code"]), at, waits=bool(facts["waits"]))
    return course._replace(record=course.record.with_attempt(call, attempt))


def _unknown(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    call = Call(facts["call"])
    return course._replace(record=course.record.with_attempt(call, course.record.of(call).was_lost(at)))


def _job(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    record = course.record
    make = record.make._replace(until=None)
    return course._replace(record=record._replace(make=make, job_id=text(facts["job_id"]), job_at=at))


def _starting(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    start = course.record.start.begins(from_rfc3339(facts["deadline"]), at)
    return course._replace(record=course.record._replace(start=start))


def _started(course: Course, _facts: Mapping[str, Any], at: datetime) -> Course:
    start = course.record.start._replace(until=None)
    return course._replace(record=course.record._replace(start=start, started_at=at))


def _ended(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    is_well = facts["entry"] == Placed.DEPLOYED
    resources = tuple(_resource(*texts(row)) for row in facts["resources"])
    reason = "" if is_well else text(facts["reason"])
    final = is_well or bool(facts["final"])
    return course._replace(ended=Ended(is_well, final, at, reason, text(facts["job_id"]), resources))


def _resource(product: str, region: str, name: str, domain: str, put: str) -> Deployed:
    return Deployed(product, region, name, domain, Put(put))


def _asked(course: Course, facts: Mapping[str, Any], _at: datetime) -> Course:
    found = {text(name): Serves(word) for name, word in facts["serves"].items()}
    return course._replace(served={**course.served, **found})


def _served(course: Course, _facts: Mapping[str, Any], _at: datetime) -> Course:
    return course._replace(is_served=True)


def _told(course: Course, facts: Mapping[str, Any], _at: datetime) -> Course:
    return course._replace(told=course.told | {text(facts["message_id"])})


_AFTER: dict[str, Callable[[Course, Mapping[str, Any], datetime], Course]] = {
    "deploying": _deploying,
    "refused": _refused,
    "unknown": _unknown,
    "job": _job,
    "starting": _starting,
    "started": _started,
    Placed.DEPLOYED.value: _ended,
    Placed.DEPLOY_FAILED.value: _ended,
    "asked": _asked,
    "served": _served,
    "told": _told,
}
"""What each entry does to the course, by its name."""
