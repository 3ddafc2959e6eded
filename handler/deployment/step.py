"""What comes next for a new certificate: a job is made, started, waited for, or it is over. Pure.

At most one job is made for a certificate, and it is started at most once. Each of the two is written down before the
call (`record`), so of two runs one does it; and an answer that was lost is settled by looking, never by trying. A job
that somebody else made under the name is started only if it does what ours would do.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.deployment.became import Deployed, left, what_became
from handler.deployment.job import Counts, Job, Put, Worker
from handler.deployment.plan import Plan, is_chosen
from handler.deployment.record import Attempt, Record
from handler.deployment.resource import Resource
from handler.outcomes import Reason
from handler.runtime.clock import SKEW

LONGEST = timedelta(days=1)
"""A job that takes longer is told."""
REFUSED_FOR = timedelta(hours=20)
"""What was refused is tried again no sooner: a repetition by the platform does not, tomorrow's timer does."""
MOST_LOST = 3
"""After so many answers that were lost without a trace nobody tries again."""


class Picture(NamedTuple):
    """What was read."""

    old_id: str
    """The certificate that is replaced."""
    new_id: str
    products: Collection[str]
    """Of `DEPLOY_TO`."""
    plan: Plan = Plan()
    job: Job | None = None
    """The one that is written down, else the one that counts of those of the name; None if there is none."""
    is_vague: bool = False
    """Whether the job is listed, and its id finds none: so what it does now nobody knows."""
    workers: tuple[Worker, ...] = ()
    counts: Counts = Counts(None, None, None, None)
    contact: str = ""
    """For the job that is to be made; empty if there is none."""

    @property
    def left(self) -> tuple[Deployed, ...]:
        """Return what is to get the new certificate and has the old one."""
        return left(self.plan.resources)

    def became(self, known: frozenset[str]) -> tuple[Deployed, ...]:
        """Return what became of the new certificate's resources; `known`: what the job was made with."""
        ours = [worker for worker in self.workers if worker.certificate_id in {self.new_id, ""}]
        return what_became(ours, self.plan.resources, known)


class Make(NamedTuple):
    """Write the attempt down, then make a job for these. Who finds that another run was first does nothing."""

    resources: tuple[Resource, ...]
    contact: str
    """Whom CAS notifies of it."""


class Schedule(NamedTuple):
    """Write it down, then start this job."""

    job: Job


class Wait(NamedTuple):
    """A later run looks again."""

    reason: str
    job: Job | None = None


class Done(NamedTuple):
    """All has got the new certificate, or there was nothing to do."""

    job: Job | None = None
    resources: tuple[Deployed, ...] = ()


class Failed(NamedTuple):
    """A person must be told."""

    reason: str
    job: Job | None = None
    resources: tuple[Deployed, ...] = ()
    is_final: bool = True
    """Whether nothing more will come of it; else later runs go on to look, and it may still end well."""


Step = Make | Schedule | Wait | Done | Failed


def next_step(picture: Picture, record: Record, now: datetime, settle: timedelta) -> Step:
    """Return what is to be done now. `settle`: how long CAS may take to show what was done."""
    job = picture.job
    if job is None:
        step = _without_a_job(picture, record, now, settle)
    elif picture.is_vague:
        step = Wait(Reason.SETTLING, job)
    elif job.is_waiting:
        step = _to_be_started(picture, record, job, now, settle)
    else:
        step = _under_way_or_over(picture, record, job)
    return told_if_late(step, picture, record, now)


def told_if_late(step: Step, picture: Picture, record: Record, now: datetime) -> Step:
    """Return the step, or that people must hear of it: whatever it is that is waited for, it has taken a day."""
    job = picture.job
    since = record.since or (job.created if job else None) or now
    if not isinstance(step, Wait) or now <= since + LONGEST:
        return step
    is_begun = job is not None and not job.is_waiting
    resources = picture.became(record.resource_ids) if is_begun else picture.left
    return Failed(Reason.JOB_TOO_SLOW, step.job, resources, is_final=False)


def _without_a_job(picture: Picture, record: Record, now: datetime, settle: timedelta) -> Step:
    if record.job_id:
        return _gone(picture, record, now, settle)
    not_yet = _not_yet(record.make, picture, now, settle)
    is_left = picture.plan.resources or picture.plan.unreadable
    # What is in the way of a job is in the way of nothing once people have bound the new one themselves.
    if not_yet is not None and (is_left or isinstance(not_yet, Wait)):
        return not_yet
    if picture.plan.resources and not picture.contact:
        return Failed(Reason.NO_CONTACT, None, picture.left, is_final=False)
    if picture.plan.resources:
        return Make(picture.plan.resources, picture.contact)
    return Failed(Reason.ROW_UNREADABLE) if picture.plan.unreadable else Done()


def _gone(picture: Picture, record: Record, now: datetime, settle: timedelta) -> Step:
    """Return what follows from a job that was there: a new one may show late, and what is over may be cleared away."""
    if record.job_at is not None and now <= record.job_at + SKEW + settle:
        return Wait(Reason.SETTLING)
    is_over = record.started_at is not None and not picture.plan.resources and not picture.plan.unreadable
    return Done() if is_over else Failed(Reason.JOB_GONE, None, picture.left)


def _not_yet(attempt: Attempt, picture: Picture, now: datetime, settle: timedelta) -> Wait | Failed | None:
    """Return why a call is not to be made now; None if it may be."""
    if attempt.until is not None:
        if now <= attempt.until + SKEW:
            return Wait(Reason.IN_PROGRESS, picture.job)
        if now <= attempt.until + SKEW + settle:
            return Wait(Reason.SETTLING, picture.job)
    if attempt.lost >= MOST_LOST:
        return Failed(Reason.ANSWERS_LOST, picture.job, picture.left, is_final=False)
    if attempt.refused_at is not None and now < attempt.refused_at + REFUSED_FOR:
        return Failed(attempt.refused_with, picture.job, picture.left, is_final=False)
    return None


def _to_be_started(picture: Picture, record: Record, job: Job, now: datetime, settle: timedelta) -> Step:
    """Start a job if it does what ours would do, and does it to nothing that has changed since it was made."""
    if record.started_at is not None:
        if now <= record.started_at + SKEW + settle:
            return Wait(Reason.DEPLOYING, job)
        return Failed(Reason.JOB_STOPPED, job, picture.left, is_final=False)
    if job.certificate_type == "upload":
        return Failed(Reason.UPLOADED, job, picture.left)
    if not _is_ours(picture, record, job):
        return Failed(Reason.FOREIGN_JOB, job, picture.left)
    if _takes_something_back(picture, record):
        return Failed(Reason.RESOURCE_REBOUND, job, picture.left)
    return _not_yet(record.start, picture, now, settle) or Schedule(job)


def _is_ours(picture: Picture, record: Record, job: Job) -> bool:
    """Tell whether a job that waits would do what ours does, and nothing else.

    The workers tell. If there are none before a job is started, which nobody says, the journal must: this is the job
    that was answered, or one that was made no earlier than the attempt whose answer was lost.
    """
    if picture.workers:
        return all(
            worker.certificate_id == picture.new_id
            and worker.former_certificate_id in {picture.old_id, ""}
            and is_chosen(worker.product, picture.products)
            for worker in picture.workers
        )
    if job.id == record.job_id:
        return True
    begun, created = record.make.begun, job.created
    return record.make.lost > 0 and begun is not None and created is not None and created >= begun - SKEW


def _takes_something_back(picture: Picture, record: Record) -> bool:
    """Tell whether a job would touch what is no longer bound to the old certificate: a person has bound that.

    Where a worker says no id, or there are no workers yet, the journal says what the job is about.
    """
    touched = {worker.resource_id for worker in picture.workers} or {""}
    if "" in touched:
        if not record.resource_ids:
            return True
        touched = touched - {""} | record.resource_ids
    return not touched <= picture.plan.ids


def _under_way_or_over(picture: Picture, record: Record, job: Job) -> Step:
    workers, counts = picture.workers, picture.counts
    is_whole = bool(workers) and counts.workers in {None, len(workers)}
    is_through = all(worker.put is not Put.UNFINISHED for worker in workers)
    if not (is_whole and is_through and (job.has_ended or counts.all_ended)):
        return Wait(Reason.DEPLOYING, job)
    resources = picture.became(record.resource_ids)
    if any(worker.certificate_id not in {picture.new_id, ""} for worker in workers):
        return Failed(Reason.FOREIGN_JOB, job, resources)
    if any(one.put is not Put.DEPLOYED for one in resources):
        return Failed(Reason.RESOURCES_LEFT, job, resources)
    if picture.plan.unreadable:  # what has no legible row may still have the old one
        return Failed(Reason.ROW_UNREADABLE, job, resources)
    return Done(job, resources)
