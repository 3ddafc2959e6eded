"""Reading what the next step depends on: no more than it needs, through the port."""

from collections.abc import Collection
from typing import NamedTuple

from handler.deployment.job import job_name
from handler.deployment.plan import planned
from handler.deployment.service import DeploymentService
from handler.deployment.step import Attempt, Picture, chosen


class Choices(NamedTuple):
    """What the operator has chosen."""

    products: Collection[str]
    """Of `DEPLOY_TO`."""
    contact: str = ""
    """Of `DEPLOY_CONTACT`; empty for the first one of the account."""


def look(service: DeploymentService, old_id: str, new_id: str, choices: Choices, attempt: Attempt) -> Picture:
    """Read the jobs for a new certificate, and the workers and resources if they matter. Raises CasError.

    `attempt`: what the journal knows. The jobs are read first: what is listed afterwards is no older than they are.
    """
    jobs = service.jobs_named(job_name(new_id))
    if attempt.job_id and attempt.job_id not in {job.id for job in jobs}:
        known = service.job(attempt.job_id)  # a list may show a new job late, its id finds it at once
        jobs = (*jobs, known) if known else jobs
    job = chosen(jobs, attempt.job_id)
    if job is not None and job.is_waiting:  # it is started by what it is now, not by what a list says of it
        known = service.job(job.id)
        others = tuple(one for one in jobs if one is not job)
        jobs = (known, *others) if known else others
        job = chosen(jobs, attempt.job_id)
    picture = Picture(old_id, new_id, choices.products, jobs=jobs)
    if job is not None:
        picture = picture._replace(workers=service.workers(job.id), counts=service.counts(job.id))
    if job is None or job.is_waiting or job.has_ended or picture.counts.all_ended:
        listed = service.resources(old_id)
        picture = picture._replace(plan=planned(old_id, listed.resources, listed.nameless, choices.products))
    if job is None and picture.plan.resources:
        picture = picture._replace(contact=choices.contact or next(iter(service.contacts()), ""))
    return picture
