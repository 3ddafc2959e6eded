"""The log of a new certificate, `deployments/<its id>`: what was begun, what came of it, and who is notified.

It grows by compare-and-append, as every journal does: `deploying` is there before a job is made, so of two runs one
makes it, and what a run that died has left open is settled by looking for the job. The format is for ever.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from handler.deployment.job import Put
from handler.deployment.step import Attempt, Deployed, Done, Failed
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
    attempt: Attempt = Attempt()
    starting_until: datetime | None = None
    """The last moment at which a run that was about to start the job can have done so."""
    ended: Ended | None = None
    is_served: bool = False
    """Whether nobody need look any more what is served."""
    told: frozenset[str] = frozenset()
    """The ids of the messages that are on the queue."""

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

    def refused(self, course: Course, code: str, now: datetime, *, waits: bool) -> Course:
        """Write that no job was made; `waits`: that it would be refused again until somebody changes something."""
        return self._append(course, "refused", {"code": code, "waits": waits}, now)

    def unknown(self, course: Course, code: str, now: datetime) -> Course:
        """Write that the answer was lost."""
        return self._append(course, "unknown", {"code": code}, now)

    def job(self, course: Course, job_id: str, now: datetime) -> Course:
        """Write which job it is, as it was answered or found."""
        return self._append(course, "job", {"job_id": job_id}, now)

    def starting(self, course: Course, deadline: datetime, now: datetime) -> Course:
        """Write that the job is about to be started."""
        return self._append(course, "starting", {"deadline": rfc3339(deadline)}, now)

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
    attempt = course.attempt
    return course._replace(
        attempt=attempt._replace(
            begun=attempt.begun or at,
            resource_ids=frozenset(texts(facts["resources"])),
            until=from_rfc3339(facts["deadline"]),
            # Until its answer is written down it counts as lost: the run may die.
            lost=attempt.lost + 1,
            refused_with="",
            refused_at=None,
        )
    )


def _refused(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    closed = course.attempt._replace(until=None, lost=max(0, course.attempt.lost - 1))
    if facts["waits"]:
        closed = closed._replace(refused_with=text(facts["code"]), refused_at=at)
    return course._replace(attempt=closed)


def _unknown(course: Course, _facts: Mapping[str, Any], at: datetime) -> Course:
    return course._replace(attempt=course.attempt._replace(until=at))


def _job(course: Course, facts: Mapping[str, Any], _at: datetime) -> Course:
    return course._replace(attempt=course.attempt._replace(job_id=text(facts["job_id"]), until=None))


def _starting(course: Course, facts: Mapping[str, Any], _at: datetime) -> Course:
    return course._replace(starting_until=from_rfc3339(facts["deadline"]))


def _ended(course: Course, facts: Mapping[str, Any], at: datetime) -> Course:
    is_well = facts["entry"] == Placed.DEPLOYED
    resources = tuple(_resource(*texts(row)) for row in facts["resources"])
    reason = "" if is_well else text(facts["reason"])
    final = is_well or bool(facts["final"])
    return course._replace(ended=Ended(is_well, final, at, reason, text(facts["job_id"]), resources))


def _resource(product: str, region: str, name: str, domain: str, put: str) -> Deployed:
    return Deployed(product, region, name, domain, Put(put))


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
    Placed.DEPLOYED.value: _ended,
    Placed.DEPLOY_FAILED.value: _ended,
    "served": _served,
    "told": _told,
}
"""What each entry does to the course, by its name."""
