"""Who looks at every call of every run, and knows what is true: what may be made, started and told of deployments.

What a run was shown is what was true when CAS answered it rightly (`Call.is_answered`), as far as it shows by then.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from tests.promise.deploying_account import Account, Pair, is_chosen
from tests.stubs.cloud import QUEUE, Cloud
from tests.stubs.jobs import Job, Worker
from tests.stubs.resources import Resource

CREATE, START = "CreateDeploymentJob", "UpdateDeploymentJobStatus"
RESOURCES, WORKERS, JOBS = "ListCloudResources", "ListWorkerResource", "ListDeploymentJob"
DEPLOYED, FAILED = "cas.certificate.deployed", "cas.certificate.deploy-failed"
ISSUED = {"cas.instance.issued", "cas.order.issued"}
WELL = {"success", "rollback_error"}
"""The states of a worker whose resource has the new certificate."""
Key = tuple[str, str, str]
"""By what a message names a resource: product, region and name."""


class Run(NamedTuple):
    """What a run was started with."""

    name: str
    choice: str
    """DEPLOY_TO."""
    is_dry: bool
    beside: frozenset[str]
    """The runs that had not ended when it began."""


class Told(NamedTuple):
    """A message, by whom and when."""

    message: dict[str, Any]
    run: Run
    at: datetime

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.message["data"]
        return found

    @property
    def fact(self) -> tuple[Any, ...]:
        """What it says, but for how each resource is by then."""
        names = ("Reason", "CertificateId", "ReplacedCertificateId", "JobId")
        return (self.message["type"], *(self.data.get(name) for name in names))

    @property
    def left(self) -> list[Key]:
        """The resources that it names as not having the new certificate."""
        left = [one for one in self.data["Resources"] if one["Outcome"] != "deployed"]
        return [(one["Product"], one["Region"], one["Resource"]) for one in left]


class Witness:
    """A hook of the cloud. What it finds is in `broken`: what it raised would end in the handler."""

    def __init__(self, cloud: Cloud, account: Account) -> None:
        self.broken: list[str] = []
        self.made: dict[int, list[int]] = {}
        """By new certificate, the jobs that the function has ever made."""
        self.bound_then: dict[int, tuple[str, set[int]]] = {}
        """By new certificate, when its job was made: DEPLOY_TO, and what it chose of what showed the old one."""
        self.told: list[Told] = []
        self.noticed: dict[str, Run] = {}
        """By instance or order, the run that told that its next certificate is issued."""
        self._cloud = cloud
        self._account = account
        self._runs: dict[str, Run] = {}
        self._alive: set[str] = set()
        self._troubled: set[str] = set()
        """The runs that died, or whose journal or queue did not answer, since they have told or started something."""
        self._shown: dict[tuple[str, int], dict[int, int]] = {}
        """By run and old certificate, what it was last shown: which certificate each resource had."""
        self._jobs_shown: dict[str, set[int]] = {}
        """By run, the jobs that there were when it last read their list."""
        self._has_ended_well: set[int] = set()
        """The jobs of which somebody was shown that all workers had ended well."""
        self._nothing_left: set[tuple[int, int | None]] = set()
        """Old certificates, and the job that did it: somebody was shown that all that is chosen has the new one."""
        self._making: dict[str, int] = {}
        self._known: set[int] = set()
        """The jobs that a run knows to be made and could write down."""
        self._confirming: dict[str, int] = {}
        self._confirmed: dict[int, str] = {}
        """The jobs whose start was confirmed to a run that could write it down."""
        self._seen_messages = 0

    # What the machine tells it

    def begins(self, name: str, choice: str, *, is_dry: bool) -> None:
        """A run begins."""
        self._runs[name] = Run(name, choice, is_dry, frozenset(self._alive))
        self._alive.add(name)

    def ends(self, name: str, *, died: bool) -> None:
        """A run has ended, or was ended."""
        self._alive.discard(name)
        if died:
            self._troubled.add(name)
            self._forget(name)
        else:
            self._goes_on(name)

    def hold(self) -> None:
        """Raise what has been found."""
        assert not self.broken, self.broken[0]
        for resource in self._cloud.cas.resources.all():
            may_have = self._account.may_have.setdefault(resource.resource_id, {resource.certificate_id})
            what = f"{resource.product} {resource.resource_id}"
            assert resource.certificate_id in may_have, f"{what} has {resource.certificate_id}, which nobody put there"

    # What it sees

    def __call__(self, phase: str, service: str, action: str) -> None:
        run = self._runs.get(threading.current_thread().name)
        if run is None:
            return
        if phase == "before":
            if service != "oss":
                self._goes_on(run.name)
            return
        if service in {"oss", "smq"} and not self._backend_answered(service):
            self._troubled.add(run.name)
            self._forget(run.name)
        if service == "smq":
            self._look_at_messages(run)
        elif service == "cas":
            self._look(run, action)

    def _goes_on(self, run: str) -> None:
        """It has had the time to write down what it was answered."""
        if run in self._confirming:
            self._confirmed[self._confirming.pop(run)] = run
        if run in self._making:
            self._known.add(self._making.pop(run))

    def _forget(self, run: str) -> None:
        """It could not write down what it was answered."""
        self._confirming.pop(run, None)
        self._making.pop(run, None)

    def _backend_answered(self, service: str) -> bool:
        return (self._cloud.oss if service == "oss" else self._cloud.smq).calls[-1].is_answered

    def _breaks(self, run: Run, what: str) -> None:
        self.broken.append(f"{run.name} (DEPLOY_TO={run.choice}{', dry' * run.is_dry}) {what}")

    def _look(self, run: Run, action: str) -> None:
        call = self._cloud.cas.calls[-1]
        if action == CREATE:
            self._look_at_making(run)
        elif action == START:
            self._look_at_starting(run, int(call.params["JobId"]))
        elif action in {RESOURCES, WORKERS, JOBS} and call.is_answered:
            self._learn(run, action, call.params)

    def _learn(self, run: Run, action: str, params: dict[str, str]) -> None:
        cas = self._cloud.cas
        if action == JOBS:
            now = self._cloud.clock.now()
            self._jobs_shown[run.name] = {job.job_id for job in cas.deployments.jobs() if job.visible_at <= now}
        elif action == WORKERS:
            job = int(params["JobId"])
            states = {worker.status for worker in cas.deployments.workers(job)}
            if states and states <= WELL:
                self._has_ended_well.add(job)
        else:
            old = int(params["CertIds"].strip("[]"))
            self._shown[run.name, old] = {one.resource_id: self._shows(one) for one in self._visible()}
            self._see_what_is_left(run, old)

    def _see_what_is_left(self, run: Run, old: int) -> None:
        left = {one.resource_id for one in self._bound_to(old, run.choice)}
        if not left:
            self._nothing_left.add((old, None))
        for job in self._has_ended_well:
            done = {worker.resource_id for worker in self._workers(job) if worker.status in WELL}
            if left <= done:
                self._nothing_left.add((old, job))

    def _look_at_making(self, run: Run) -> None:
        known = {job for jobs in self.made.values() for job in jobs}
        existing = {job.job_id for job in self._cloud.cas.deployments.jobs()}
        for job in self._cloud.cas.deployments.jobs():
            if job.by != "api" or job.job_id in known:
                continue
            (new,) = job.certificate_ids
            made = self.made.setdefault(new, [])
            # One that somebody has deleted before any run could know of it has left no trace.
            before = [one for one in made if one in self._known or one in existing]
            made.append(job.job_id)
            pair = self._pair_of(new)
            if before:
                self._breaks(run, f"made job {job.job_id} for {new}, and before that {before}")
            if self._cloud.cas.calls[-1].is_answered:
                self._making[run.name] = job.job_id
            if run.is_dry:
                self._breaks(run, f"made job {job.job_id}")
            if pair is None or pair.flaw:
                self._breaks(run, f"made a job for {new}, which must not be deployed: {pair and pair.flaw}")
                continue
            there = [one.job_id for one in self._account.jobs(pair) if one is not job]
            if self._jobs_shown.get(run.name, set()) & set(there):
                self._breaks(run, f"made job {job.job_id} beside {there}")
            self._check_content(run, job, pair, "made")
            chosen = {one.resource_id for one in self._bound_to(pair.old, run.choice)}
            self.bound_then[new] = (run.choice, chosen)

    def _look_at_starting(self, run: Run, job_id: int) -> None:
        call, cas = self._cloud.cas.calls[-1], self._cloud.cas
        if run.is_dry:
            self._breaks(run, f"started job {job_id}")
        if job_id in self._confirmed:
            self._breaks(run, f"started job {job_id} again, whose start was confirmed to {self._confirmed[job_id]}")
        job = next((one for one in cas.deployments.jobs() if one.job_id == job_id), None)
        if job is None or call.refusal or (call.fault and not call.fault.happens):
            return
        pair = self._pair_of(job.certificate_ids[0]) if len(job.certificate_ids) == 1 else None
        if pair is None or pair.flaw:
            self._breaks(run, f"started job {job_id} for {job.certificate_ids}, which must not be deployed")
        else:
            self._check_content(run, job, pair, "started")
        for worker in self._account.workers(job):
            self._account.may_have[worker.resource_id].add(worker.certificate_id)
        if call.is_answered:
            self._confirming[run.name] = job_id

    def _check_content(self, run: Run, job: Job, pair: Pair, verb: str) -> None:
        """A job may do this and nothing else: what is chosen and bound to the old one gets the new one."""
        shown = self._shown.get((run.name, pair.old))
        for worker in self._account.workers(job):
            what = f"{verb} job {job.job_id}: {worker.product} {worker.resource_id} would get {worker.certificate_id}"
            if worker.certificate_id != pair.new:
                self._breaks(run, what)
            elif not is_chosen(worker.product, run.choice):
                self._breaks(run, f"{what}, which is not chosen")
            elif shown is None:
                self._breaks(run, f"{what}, and nobody had looked where {pair.old} is bound")
            elif shown.get(worker.resource_id) != pair.old:
                self._breaks(run, f"{what} instead of {shown.get(worker.resource_id)}, not of {pair.old}")

    def _look_at_messages(self, run: Run) -> None:
        bodies = self._cloud.smq._queues[QUEUE]
        for body in bodies[self._seen_messages :]:
            message = json.loads(body)
            if message["type"] in {DEPLOYED, FAILED}:
                told = Told(message, run, self._cloud.clock.now())
                for problem in self._problems(told):
                    self._breaks(run, f"told {message['id']}: {problem} ({body})")
                self.told.append(told)
            elif message["type"] in ISSUED:
                replaced = message["data"].get("RenewedOrderId") or message["data"].get("InstanceId")
                self.noticed.setdefault(str(replaced), run)
            if run.is_dry:
                self._breaks(run, f"told {message['id']}")
        self._seen_messages = len(bodies)

    def _problems(self, told: Told) -> Iterable[str]:
        id_ = told.message["id"]
        pair = self._pair_in(id_)
        if pair is None:
            yield "its id has no new certificate or order"
            return
        yield from self._problems_of_id(told, pair)
        for other in self.told:
            if other.message["id"] == id_ and other.fact != told.fact:
                yield f"it was {other.fact} before"
            elif other.message["id"] == id_ and not self._may_repeat(other.run, told.run):
                yield f"{other.run.name} had told it before"
            elif other.message["id"] != id_ and other.fact == told.fact and self._pair_in(other.message["id"]) is pair:
                yield f"it was told before under another id, {other.message['id']}"
        if pair.flaw and told.message["type"] == DEPLOYED:
            yield f"it must not be deployed: {pair.flaw}"
        if told.message["type"] == DEPLOYED:
            yield from self._problems_of_deployed(told, pair)

    def _problems_of_id(self, told: Told, pair: Pair) -> Iterable[str]:
        id_, data = told.message["id"], told.data
        if told.message["type"] == DEPLOYED:
            if id_ != f"{pair.new}-deployed":
                yield "its id is another one"
        elif id_.startswith(f"{pair.new}-"):
            if not id_.startswith(f"{pair.new}-deploy-failed"):
                yield "its id is another one"
        elif not id_.startswith(f"{pair.new_order}-deploy-failed-"):
            yield "its id is another one"
        if id_.startswith(f"{pair.new}-"):
            named = data["CertificateId"], data["ReplacedCertificateId"]
            if named != (str(pair.new), str(pair.old)):
                yield f"{pair.new} is in the place of {pair.old}, and not {named}"

    def _problems_of_deployed(self, told: Told, pair: Pair) -> Iterable[str]:
        job = int(told.data["JobId"]) if told.data["JobId"] else None
        if job is not None and job not in self._has_ended_well:
            states = {worker.resource_id: worker.status for worker in self._workers(job)}
            yield f"nobody was shown that job {job} ended well: {states}"
        elif (pair.old, job) not in self._nothing_left:
            yield f"nobody was shown that nothing chosen is left on {pair.old}"

    def _may_repeat(self, first: Run, second: Run) -> bool:
        """Whether the second could not know that the first had told it."""
        overlap = first.name in second.beside or second.name in first.beside
        return overlap or first.name in self._troubled

    # What is true

    def _pair_in(self, id_: str) -> Pair | None:
        """The pair of which a message's id speaks."""
        return next((one for one in self._account.pairs if any(id_.startswith(f"{x}-deploy") for x in one.ids)), None)

    def _pair_of(self, new: int) -> Pair | None:
        return next((pair for pair in self._account.pairs if pair.new == new), None)

    def _workers(self, job_id: int) -> list[Worker]:
        return self._cloud.cas.deployments.every_worker(job_id)

    def _visible(self) -> list[Resource]:
        now = self._cloud.clock.now()
        return [one for one in self._cloud.cas.resources.all() if one.visible_at <= now]

    def _shows(self, resource: Resource) -> int:
        return self._cloud.cas.resources.shown_certificate(resource)

    def _bound_to(self, certificate: int, choice: str) -> list[Resource]:
        """What shows as bound to a certificate, of the chosen products."""
        visible = [one for one in self._visible() if self._shows(one) == certificate]
        return [one for one in visible if is_chosen(one.product, choice) and one.cloud_name == "aliyun"]
