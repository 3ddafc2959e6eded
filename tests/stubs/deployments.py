"""Deployment jobs: made, started, carried out by the clock, rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from tests.stubs.backend import ApiError
from tests.stubs.certificate import Certificate
from tests.stubs.certificates import Certificates
from tests.stubs.jobs import Job, Worker
from tests.stubs.resources import Resource, Resources
from tests.stubs.shapes import Common

FIRST_JOB_ID = 61_001


class Deployments:
    """All deployment jobs of the account, and what becomes of them while nobody calls (see `pass_time`).

    A job is `editing` until somebody starts it; it is `scheduling` for `scheduling_takes` and `processing` until its
    workers, which end one after the other, each after `takes`, have all ended.
    """

    settings: ClassVar = (
        "scheduling_takes",
        "takes",
        "stalls",
        "partly_failed",
        "show_after",
        "found_after",
        "starts_show_after",
        "spent",
        "workers_wait",
        "workers_know_resources",
        "last_job_id",
        "last_worker_id",
    )

    def __init__(self, common: Common, certificates: Certificates, resources: Resources) -> None:
        self.scheduling_takes: float = 5
        self.takes: float = 10
        """Seconds a worker."""
        self.stalls = False
        """Whether jobs that are made from now on stay in `processing`: their last worker never ends."""
        self.partly_failed: Literal["success", "error"] = "error"
        """What a job is of whose workers only some failed, which is not documented."""
        self.show_after: float = 0
        """Seconds until ListDeploymentJob shows a new job."""
        self.found_after: float = 0
        """Seconds until a new job is found by its id; it can be started at once."""
        self.starts_show_after: float = 0
        """Seconds for which a job that was started is still shown as `editing`."""
        self.workers_know_resources = True
        """Whether ListWorkerResource says the ids of the resources, which is not documented."""
        self.last_job_id = FIRST_JOB_ID - 1
        """What was deleted has had its id."""
        self.last_worker_id = 10 * FIRST_JOB_ID - 1
        self.workers_wait = False
        """Whether workers show only once their job has been started, which is not documented."""
        self.spent = 0
        """How many deployments of uploaded certificates were carried out, each for money."""
        self._common = common
        self._certificates = certificates
        self._resources = resources
        self._jobs: dict[int, Job] = {}
        self._workers: dict[int, Worker] = {}

    def jobs(self) -> list[Job]:
        """All jobs as they are now, oldest first."""
        self._common.pass_time()
        return list(self._jobs.values())

    def job(self, job_id: int) -> Job:
        """The job with that id as it is now; KeyError if there is none."""
        self._common.pass_time()
        return self._jobs[job_id]

    def workers(self, job_id: int) -> list[Worker]:
        """The workers of a job as they are now, as far as they show."""
        is_waiting = self.shown(self.job(job_id)).status == "editing"
        if self.workers_wait and is_waiting:
            return []
        workers = self.every_worker(job_id)
        return [replace(worker, status="editing") for worker in workers] if is_waiting else workers

    def every_worker(self, job_id: int) -> list[Worker]:
        """The workers of a job as they are now, whether or not they show."""
        self._common.pass_time()
        return [worker for worker in self._workers.values() if worker.job_id == job_id]

    def shown(self, job: Job) -> Job:
        """The job as whoever asks gets to see it."""
        late = timedelta(seconds=self.starts_show_after)
        if job.scheduled_at is None or self._common.clock.now() >= job.scheduled_at + late:
            return job
        return replace(job, status="editing", scheduled_at=None, started_at=None, ended_at=None)

    def found(self, job_id: int) -> Job:
        """The job that is found by that id; KeyError if there is none, or not yet."""
        job = self.job(job_id)
        if self._common.clock.now() < job.created_at + timedelta(seconds=self.found_after):
            raise KeyError(job_id)
        return job

    def create_in_console(self, name: str, certificate_id: int, resource_ids: Sequence[int], start: bool = True) -> int:
        """A person makes a job, and starts it; return its id."""
        self._common.pass_time()
        resources = [self._resources.of(resource_id) for resource_id in resource_ids]
        job = self.create(name, [self._certificates.of(certificate_id)], resources, (), by="console")
        if start:
            self.start(job)
        return job.job_id

    def create(
        self,
        name: str,
        certificates: Sequence[Certificate],
        resources: Iterable[Resource],
        contact_ids: Sequence[int],
        by: Literal["api", "console"],
    ) -> Job:
        """Make a job with one worker a resource. A name may be there many times."""
        with self._common.lock:
            now = self._common.clock.now()
            self.last_job_id += 1
            job = Job(
                job_id=self.last_job_id,
                name=name,
                certificate_ids=[certificate.certificate_id for certificate in certificates],
                contact_ids=list(contact_ids),
                by=by,
                created_at=now,
                visible_at=now + timedelta(seconds=self.show_after),
                modified_at=now,
                certificate_domain=",".join(certificates[0].names),
                certificate_type={"UPLOAD": "upload", "TEST": "free", "BUY": "buy"}[certificates[0].source],
                stalls=self.stalls,
            )
            self._jobs[job.job_id] = job
            for resource in resources:
                self._add_worker(job, resource, _fitting(certificates, resource))
            job.products = sorted({worker.product for worker in self._workers.values() if worker.job_id == job.job_id})
            return job

    def start(self, job: Job) -> None:
        """Let a job begin that is not yet under way. Raises ApiError for any other."""
        if job.status not in {"editing", "pending"}:
            raise ApiError("OperationDenied.StatusNotSupport", 400, "当前状态不支持该操作。")
        job.status, job.scheduled_at = "scheduling", self._common.clock.now()
        job.modified_at = job.scheduled_at

    def put_back(self, job_id: int) -> None:
        """A person lets a job wait again that is about to begin. Raises ApiError for any other."""
        job = self.job(job_id)
        if job.status not in {"pending", "scheduling"}:
            raise ApiError("OperationDenied.StatusNotSupport", 400, "当前状态不支持该操作。")
        job.status, job.scheduled_at, job.modified_at = "editing", None, self._common.clock.now()

    def delete(self, job_id: int) -> None:
        """A person deletes a job that is not under way."""
        self._common.pass_time()
        with self._common.lock:
            del self._jobs[job_id]
            self._workers = {number: one for number, one in self._workers.items() if one.job_id != job_id}

    def roll_back(self, worker: Worker) -> None:
        """Begin to bring the former certificate back. Raises ApiError unless the worker succeeded or failed."""
        if worker.status not in {"success", "error"}:
            raise ApiError("OperationDenied.StatusNotSupport", 400, "当前状态不支持该操作。")
        worker.status, worker.modified_at = "rollback", self._common.clock.now()
        self._jobs[worker.job_id].rolled_back = True

    def costing(self, workers: Iterable[Worker]) -> int:
        """How many of the workers take an uploaded certificate, and so cost money."""
        return sum(self._source(worker) == "UPLOAD" for worker in workers)

    def pass_time(self) -> None:
        """Let everything happen that should have, up to now."""
        now = self._common.clock.now()
        for job in self._jobs.values():
            if job.status in {"scheduling", "processing"}:
                self._go_on(job, now)
            if job.rolled_back:
                self._go_back(job, now)

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {
            "settings": {name: getattr(self, name) for name in self.settings},
            "jobs": [job.to_json() for job in self._jobs.values()],
            "workers": [worker.to_json() for worker in self._workers.values()],
        }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the state by what `to_json` gave."""
        for name, value in state["settings"].items():
            setattr(self, name, value)
        self._jobs = {job.job_id: job for job in map(Job.from_json, state["jobs"])}
        self._workers = {worker.worker_id: worker for worker in map(Worker.from_json, state["workers"])}

    def _add_worker(self, job: Job, resource: Resource, certificate: Certificate) -> None:
        self.last_worker_id += 1
        self._workers[self.last_worker_id] = Worker(
            worker_id=self.last_worker_id,
            job_id=job.job_id,
            certificate_id=certificate.certificate_id,
            resource_id=resource.resource_id,
            former_certificate_id=resource.certificate_id,
            product=resource.product,
            domain=resource.domain,
            region=resource.region,
            instance_id=resource.instance_id,
            listener_id=resource.listener_id,
            modified_at=job.created_at,
        )

    def _source(self, worker: Worker) -> str | None:
        certificate = self._certificates.find(worker.certificate_id)
        return certificate.source if certificate else None

    def _go_on(self, job: Job, now: datetime) -> None:
        assert job.scheduled_at
        starts_at = job.scheduled_at + timedelta(seconds=self.scheduling_takes)
        if now < starts_at:
            return
        job.status, job.started_at, job.modified_at = "processing", starts_at, starts_at
        workers = [worker for worker in self._workers.values() if worker.job_id == job.job_id]
        for number, worker in enumerate(workers, start=1):
            ends_at = starts_at + timedelta(seconds=self.takes * number)
            if worker.status in {"editing", "processing"}:
                worker.status = "processing"
                if ends_at <= now and not (job.stalls and worker is workers[-1]):
                    self._end(worker, ends_at)
        states = {worker.status for worker in workers}
        if "processing" not in states:
            failed = self.partly_failed if len(states) > 1 else "error"
            job.status = failed if "error" in states else "success"
            job.ended_at = job.modified_at = starts_at + timedelta(seconds=self.takes * len(workers))

    def _end(self, worker: Worker, at: datetime) -> None:
        resource = self._resources.find(worker.resource_id)
        certificate = self._certificates.find(worker.certificate_id)
        succeeds = resource is not None and not resource.fails and certificate is not None
        worker.status, worker.modified_at = "success" if succeeds else "error", at
        if succeeds:
            self._resources.deploy(worker.resource_id, worker.certificate_id, at)
            self.spent += self._source(worker) == "UPLOAD"

    def _go_back(self, job: Job, now: datetime) -> None:
        for worker in self._workers.values():
            ends_at = worker.modified_at + timedelta(seconds=self.takes)
            if worker.job_id != job.job_id or worker.status != "rollback" or now < ends_at:
                continue
            resource = self._resources.find(worker.resource_id)
            succeeds = resource is not None and not resource.fails
            worker.status, worker.modified_at = "rollback_success" if succeeds else "rollback_error", ends_at
            if succeeds:
                self._resources.deploy(worker.resource_id, worker.former_certificate_id, ends_at)


def _fitting(certificates: Sequence[Certificate], resource: Resource) -> Certificate:
    """The certificate that has the resource's name, else the first."""
    return next((certificate for certificate in certificates if resource.domain in certificate.names), certificates[0])
