"""A new certificate deployed on the local cloud, run by run: the real client and decisions, a journal in memory."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace
from typing import cast

from handler.certificates.renewable import Kind, Renewable
from handler.cloud.cas_client import CasClient
from handler.cloud.cas_deployments import CasDeployments
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.deployment.course import Course, Courses
from handler.deployment.job import job_name
from handler.deployment.replacement import Replacement
from handler.deployment.step import Done, Failed, Step, Wait
from handler.deployment.twins import Twins
from handler.errors import CasError
from handler.run.deploy import Deployer
from handler.run.services import Services
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from tests.examples import settings
from tests.memory_store import MemoryStore
from tests.points import Crash, crash_at
from tests.stubs.cloud import Cloud
from tests.stubs.jobs import Job

TIMEOUT = 300


def service_of(cloud: Cloud) -> CasDeployments:
    """The service as the door makes it."""
    return CasDeployments(
        CasClient("https://cas.aliyuncs.com", Credentials(**vars(cloud.credentials)), cloud.clock, Meter(cloud.clock))
    )


class Deploying:
    """An instance whose certificate was followed by another, and what is deployed of it, run by run."""

    def __init__(self, cloud: Cloud, *products: str, bound_to: tuple[str, ...] = ("CDN", "ALB")) -> None:
        """`products`: of `DEPLOY_TO`. `bound_to`: the products of the resources that have the old certificate."""
        self.cloud = cloud
        self.service = service_of(cloud)
        self.settings = settings()._replace(deploy_to=products or ("*",))
        instance = cloud.cas.instances.add("www.example.com")
        self.old = cloud.cas.instances.of(instance).certificate_id or 0
        self.resources = [cloud.cas.resources.add(self.old, product) for product in bound_to]
        self.new = cloud.cas.instances.issue(instance)
        new = Renewable(Kind.INSTANCE, instance, "www.example.com", "", instance)
        self.replacement = Replacement(
            instance, new, cloud.clock.now(), old_id=str(self.old), new_id=str(self.new), deploys=True
        )
        self.courses = Courses(MemoryStore(), "run")

    def run(self) -> Step:
        """One run, as far as it gets; one that cannot look waits for the next."""
        time = Countdown(self.cloud.clock, self.cloud.clock.now(), TIMEOUT)
        log = Log(io.StringIO(), self.cloud.clock, "run", str)
        needed = SimpleNamespace(deployments=self.service, settings=self.settings, time=time, log=log)
        deployer = Deployer(cast("Services", needed), self.courses)
        try:
            of = Twins(self.service.certificate(str(self.old)), self.service.certificate(str(self.new)))
            step, *_ = deployer.go_on(self.replacement, of, self.course, None)
        except CasError as error:
            return Wait(error.code)
        return step

    def dies(self, phase: str, action: str) -> None:
        """One run, which dies immediately before or after the effect of a call."""
        crash_at(self.cloud, phase, "cas", action)
        with contextlib.suppress(Crash):
            self.run()

    def until_over(self, runs: int = 12) -> Step:
        """Run, half an hour apart, until it is over."""
        step: Step = Wait("")
        for _ in range(runs):
            step = self.run()
            if isinstance(step, Done | Failed):
                break
            self.cloud.clock.advance(seconds=1800)
        return step

    @property
    def course(self) -> Course:
        """What is written down: it outlives every run."""
        return self.courses.read(str(self.new))

    @property
    def jobs(self) -> list[Job]:
        """The jobs of the certificate that there are."""
        return [job for job in self.cloud.cas.deployments.jobs() if job.name == job_name(str(self.new))]

    @property
    def bound(self) -> list[int]:
        """What each resource has now."""
        return [self.cloud.cas.resources.of(resource).certificate_id for resource in self.resources]

    @property
    def started(self) -> int:
        """How often a job was asked to start."""
        return len(self.cloud.cas.calls_of("UpdateDeploymentJobStatus"))
