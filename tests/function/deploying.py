"""A new certificate deployed on the local cloud: the real client, the real decisions, and a journal in memory.

What a run does with them, at its shortest: it looks, decides, writes the attempt down, and acts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from handler.cloud.cas_client import CasClient
from handler.cloud.cas_deployments import CasDeployments
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.deployment.job import job_name
from handler.deployment.look import Choices, look
from handler.deployment.step import Attempt, Done, Failed, Make, Schedule, Step, Wait, next_step
from handler.errors import CasBusy, CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused
from tests.stubs.cloud import Cloud
from tests.stubs.jobs import Job

SETTLE = timedelta(minutes=15)
RUN = timedelta(minutes=5)
MOST_STEPS = 6


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
        self.choices = Choices(products or ("*",))
        instance = cloud.cas.instances.add("www.example.com")
        self.old = cloud.cas.instances.of(instance).certificate_id or 0
        self.resources = [cloud.cas.resources.add(self.old, product) for product in bound_to]
        self.new = cloud.cas.instances.issue(instance)
        self.attempt = Attempt()
        """What is written down: it outlives every run."""
        self.before_acting: Callable[[], None] | None = None
        """What happens once, between the decision and the act."""

    def run(self) -> Step:
        """One run: it goes on until there is nothing to do but to wait, or an answer is lost twice."""
        step: Step = Wait("nothing was read")
        for _ in range(MOST_STEPS):
            step = self.decide()
            if self.before_acting:
                happens, self.before_acting = self.before_acting, None
                happens()
            if isinstance(step, Make):
                if not self.make(step):
                    return self.decide()
            elif isinstance(step, Schedule):
                self.attempt = self.attempt._replace(job_id=step.job.id)
                if not self.schedule(step):
                    return self.decide()
            else:
                break
        return step

    def decide(self) -> Step:
        """Look and decide; a run that cannot look waits for the next."""
        try:
            picture = look(self.service, str(self.old), str(self.new), self.choices, self.attempt)
        except CasError as error:
            return Wait(error.code)
        return next_step(picture, self.attempt, self.cloud.clock.now(), SETTLE)

    def make(self, step: Make) -> bool:
        """Write the attempt down, and make the job. Whether it is known what came of it."""
        now = self.cloud.clock.now()
        ids = [resource.id for resource in step.resources]
        self.attempt = self.attempt._replace(
            begun=self.attempt.begun or now, resource_ids=frozenset(ids), until=now + RUN, refused_at=None
        )
        try:
            made = self.service.create(job_name(str(self.new)), str(self.new), ids, step.contact, 30)
        except CasOutcomeUnknown:
            self.attempt = self.attempt._replace(until=self.cloud.clock.now(), lost=self.attempt.lost + 1)
            return False
        except (CasRefused, CasMisconfigured) as refused:
            at = self.cloud.clock.now()
            self.attempt = self.attempt._replace(until=None, refused_with=refused.code, refused_at=at)
            return False
        except CasBusy:
            self.attempt = self.attempt._replace(until=None)
            return False
        self.attempt = self.attempt._replace(job_id=made, until=None)
        return True

    def schedule(self, step: Schedule) -> bool:
        """Start the job. Whether it is known to be started."""
        try:
            self.service.schedule(step.job.id, 30)
        except CasError:
            return False
        return True

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
