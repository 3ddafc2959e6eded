"""Reading what the next step depends on: no more than it needs, through the port."""

from collections.abc import Collection, Iterable

from handler.deployment.job import job_name
from handler.deployment.plan import planned
from handler.deployment.service import DeploymentService
from handler.deployment.step import Attempt, Picture, chosen


def look(service: DeploymentService, old_id: str, new_id: str, products: Collection[str], attempt: Attempt) -> Picture:
    """Read the jobs for a new certificate, and the workers and resources if they matter. Raises CasError.

    `products`: of `DEPLOY_TO`. `attempt`: what the journal knows. The jobs are read first: what is listed afterwards is
    no older than they are.
    """
    jobs = service.jobs_named(job_name(new_id))
    if attempt.job_id and attempt.job_id not in {job.id for job in jobs}:
        known = service.job(attempt.job_id)  # a list may show a new job late, its id finds it at once
        jobs = (*jobs, known) if known else jobs
    picture = Picture(old_id, new_id, products, jobs=jobs)
    job = chosen(jobs, attempt.job_id)
    if job is not None:
        picture = picture._replace(workers=service.workers(job.id), counts=service.counts(job.id))
    if job is None or job.is_waiting or job.has_ended or picture.counts.all_ended:
        listed = service.resources(old_id)
        picture = picture._replace(plan=planned(old_id, listed.resources, listed.nameless, products))
    return picture


def contact(configured: str, contacts: Iterable[str]) -> str | None:
    """Return the contact for a job: the one of `DEPLOY_CONTACT`, else the account's first; None if it has none."""
    return configured or next(iter(contacts), None)
