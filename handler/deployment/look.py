"""Reading what the next step depends on: no more than it needs, through the port."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from handler.deployment.job import Job, job_name
from handler.deployment.plan import planned
from handler.deployment.record import Record
from handler.deployment.service import DeploymentService, ResourceList
from handler.deployment.step import Picture
from handler.errors import CasRefused


class Choices(NamedTuple):
    """What the operator has chosen."""

    products: Collection[str]
    """Of `DEPLOY_TO`."""
    contact: str = ""
    """Of `DEPLOY_CONTACT`; empty for the first one of the account."""


def look(service: DeploymentService, old_id: str, new_id: str, choices: Choices, record: Record) -> Picture:
    """Read the job for a new certificate, its workers, and what is bound to the old one. Raises CasError.

    The job is read first: what is listed afterwards is no older than it is.
    """
    job, is_vague = _job(service, job_name(new_id), record.job_id)
    picture = Picture(old_id, new_id, choices.products, job=job, is_vague=is_vague)
    if job is not None and not is_vague:
        picture = picture._replace(workers=service.workers(job.id), counts=service.counts(job.id))
    listed = listed_for(service, old_id, may_be_gone=record.since is not None)
    picture = picture._replace(plan=planned(old_id, listed.resources, listed.nameless, choices.products))
    if job is None and picture.plan.resources and not record.job_id:
        picture = picture._replace(contact=choices.contact or next(iter(service.contacts()), ""))
    return picture


def listed_for(service: DeploymentService, certificate_id: str, *, may_be_gone: bool) -> ResourceList:
    """Read where a certificate is bound. Raises CasError.

    `may_be_gone`: that CAS knows no such certificate means that nothing is bound to it. Only of one whose resources
    were read before: else it may as well be the way in which we ask.
    """
    try:
        return service.resources(certificate_id)
    except CasRefused as refused:
        if may_be_gone and "NotFound" in refused.code:
            return ResourceList()
        raise


def chosen(jobs: Iterable[Job]) -> Job | None:
    """Return of several jobs of the name the one that counts: one that runs or has run, else the first made.

    People make some, and CAS has no rule against it. What runs cannot be stopped, so no other is started beside it.
    """
    return min(jobs, key=lambda job: (job.is_waiting, int(job.id)), default=None)


def _job(service: DeploymentService, name: str, job_id: str) -> tuple[Job | None, bool]:
    """Return the job that counts, and whether its id finds none. A list shows a new job late, its id at once."""
    if job_id:
        known = service.job(job_id)
        if known is not None:
            return known, False
    jobs = service.jobs_named(name)
    job = chosen([job for job in jobs if job_id in {"", job.id}])
    if job is None or not job.is_waiting:
        return job, False
    known = service.job(job.id)  # it is started by what it is now, not by what a list says of it
    return (job, True) if known is None else (known, False)
