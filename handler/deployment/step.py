"""What comes next for a new certificate: a job is made, started, waited for, or it is over. Pure.

At most one job is made for a certificate, and it is started at most once. An attempt to make it is written down before
the call (`Attempt`), so of two runs one makes it; and an answer that was lost is settled by looking for the job's name,
never by trying. A job that somebody else made under that name is started only if it does what ours would do.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.deployment.job import Counts, Job, Put, Worker
from handler.deployment.plan import Plan, is_chosen
from handler.deployment.resource import Resource
from handler.outcomes import Reason
from handler.runtime.clock import SKEW

LONGEST = timedelta(days=1)
"""A job that takes longer is told."""
REFUSED_FOR = timedelta(hours=20)
"""What was refused is tried again no sooner: a repetition by the platform does not, tomorrow's timer does."""
MOST_LOST = 3
"""After so many answers that were lost without a trace nobody tries again."""


class Attempt(NamedTuple):
    """What the journal knows of the job for a new certificate. All is empty before the first attempt."""

    begun: datetime | None = None
    """When the first attempt was written down."""
    resource_ids: frozenset[str] = frozenset()
    """What the newest attempt was to put into the job."""
    until: datetime | None = None
    """The last moment at which the newest attempt can have taken effect; None if its answer is known."""
    lost: int = 0
    """How many attempts, the newest included, ended without an answer."""
    job_id: str = ""
    """As it was answered, or found."""
    refused_with: str = ""
    """What the newest attempt was refused with."""
    refused_at: datetime | None = None


class Picture(NamedTuple):
    """What was read."""

    old_id: str
    """The certificate that is replaced."""
    new_id: str
    products: Collection[str]
    """Of `DEPLOY_TO`."""
    plan: Plan = Plan()
    jobs: tuple[Job, ...] = ()
    """Those of the name, and the one that the journal knows."""
    workers: tuple[Worker, ...] = ()
    """Of the job that `chosen` returns; so is what follows."""
    counts: Counts = Counts(None, None, None, None)
    contact: str = ""
    """For the job that is to be made; empty if there is none."""


class Deployed(NamedTuple):
    """What became of one resource."""

    product: str
    region: str
    name: str
    domain: str
    put: Put


class Make(NamedTuple):
    """Write the attempt down, then make a job for these. Who finds that another run was first does nothing."""

    resources: tuple[Resource, ...]
    contact: str
    """Whom CAS notifies of it."""


class Schedule(NamedTuple):
    """Start this job. When its answer is lost: look again."""

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


def chosen(jobs: Iterable[Job], job_id: str = "") -> Job | None:
    """Return the job that counts: the one that the journal knows, else one that runs or has run, else the first made.

    There can be several of the name: people make some, and CAS has no rule against it. What runs cannot be stopped, so
    no other is started beside it.
    """
    return min(jobs, key=lambda job: (job.id != job_id, job.is_waiting, int(job.id)), default=None)


def next_step(picture: Picture, attempt: Attempt, now: datetime, settle: timedelta) -> Step:
    """Return what is to be done now. `settle`: how long CAS may take to show a new job."""
    job = chosen(picture.jobs, attempt.job_id)
    if attempt.job_id and (job is None or job.id != attempt.job_id):
        return Failed(Reason.JOB_GONE, None, _left(picture))
    if job is None:
        return _without_a_job(picture, attempt, now, settle)
    if job.is_waiting:
        return _to_be_started(picture, attempt, job, now)
    return _under_way_or_over(picture, attempt, job, now)


def _without_a_job(picture: Picture, attempt: Attempt, now: datetime, settle: timedelta) -> Step:
    if attempt.until is not None:
        if now <= attempt.until + SKEW:
            return Wait(Reason.IN_PROGRESS)
        if now <= attempt.until + SKEW + settle:
            return Wait(Reason.SETTLING)
    if attempt.lost >= MOST_LOST:
        return Failed(Reason.ANSWERS_LOST, None, _left(picture))
    if attempt.refused_at is not None and now < attempt.refused_at + REFUSED_FOR:
        return Wait(attempt.refused_with)
    if picture.plan.resources and not picture.contact:
        return Failed(Reason.NO_CONTACT, None, _left(picture), is_final=False)
    if picture.plan.resources:
        return Make(picture.plan.resources, picture.contact)
    return Failed(Reason.ROW_UNREADABLE) if picture.plan.unreadable else Done()


def _to_be_started(picture: Picture, attempt: Attempt, job: Job, now: datetime) -> Step:
    """Start a job if it does what ours would do, and does it to nothing that has changed since it was made."""
    if job.certificate_type == "upload":
        return Failed(Reason.UPLOADED, job, _left(picture))
    if not _is_ours(picture, attempt, job):
        return Failed(Reason.FOREIGN_JOB, job, _left(picture))
    # What is no longer bound to the old one was bound by a person, and the job would take that back.
    touched = {worker.resource_id for worker in picture.workers} or attempt.resource_ids
    if not touched <= picture.plan.ids:
        return Failed(Reason.RESOURCE_REBOUND, job, _left(picture))
    if now > (attempt.begun or job.created or now) + LONGEST:
        # Whatever keeps it from being started, people must hear of it; they may start it themselves.
        return Failed(Reason.JOB_TOO_SLOW, job, _left(picture), is_final=False)
    return Schedule(job)


def _is_ours(picture: Picture, attempt: Attempt, job: Job) -> bool:
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
    if job.id == attempt.job_id:
        return True
    is_lost = attempt.until is not None or attempt.lost > 0
    return is_lost and attempt.begun is not None and job.created is not None and job.created >= attempt.begun - SKEW


def _under_way_or_over(picture: Picture, attempt: Attempt, job: Job, now: datetime) -> Step:
    resources = _what_became(picture)
    listed, counts = picture.workers, picture.counts
    is_whole = bool(listed) and counts.workers in {None, len(listed)}
    is_over = is_whole and (job.has_ended or counts.all_ended) and not _has(Put.UNFINISHED, resources)
    if is_over:
        if any(one.put is not Put.DEPLOYED for one in resources):
            return Failed(Reason.RESOURCES_LEFT, job, resources)
        if picture.plan.unreadable:  # what has no legible row may still have the old one
            return Failed(Reason.ROW_UNREADABLE, job, resources)
        return Done(job, resources)
    if now > (attempt.begun or job.created or now) + LONGEST:
        return Failed(Reason.JOB_TOO_SLOW, job, resources, is_final=False)
    return Wait(Reason.DEPLOYING, job)


def _has(put: Put, resources: Iterable[Deployed]) -> bool:
    return any(one.put is put for one in resources)


def _what_became(picture: Picture) -> tuple[Deployed, ...]:
    """Return what became of the job's resources, and what it missed: those that show only after it was made."""
    found = [Deployed(one.product, one.region, one.name, one.domain, one.put) for one in picture.workers]
    ids = {one.resource_id for one in picture.workers}
    places = {_place(one) for one in picture.workers}
    missed = [one for one in picture.plan.resources if one.id not in ids and _place(one) not in places]
    return (*found, *map(_missed, missed))


def _place(one: Worker | Resource) -> tuple[str, str, str, str, str]:
    """Return by what a resource is the same, should a worker know it by another id than the list of resources."""
    return one.product.casefold(), one.region, one.domain, one.instance, one.listener


def _left(picture: Picture) -> tuple[Deployed, ...]:
    return tuple(map(_missed, picture.plan.resources))


def _missed(one: Resource) -> Deployed:
    return Deployed(one.product, one.region, one.name, one.domain, Put.MISSED)
