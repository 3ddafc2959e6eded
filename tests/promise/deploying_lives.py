"""At most one job for a new certificate, nothing outside DEPLOY_TO changed, each fact told once: on bad days.

Runs die at any call, two go on at once, any deployment call goes wrong, and people make jobs of the same name or bind
resources elsewhere. Drawn by a seed, so that what fails can be repeated.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import Any

from handler.deployment.job import job_name
from tests.deployed import TIMER, Function
from tests.points import Crash
from tests.promise.interleaving import PausedInvocation
from tests.stubs.cloud import QUEUE, Cloud, local_cloud
from tests.stubs.deployment_api import DeploymentApi
from tests.stubs.faults import Fault
from tests.stubs.jobs import Job
from tests.stubs.misbehaviour import RandomFaults

SETTINGS: dict[str, Any] = {"DEPLOY_TO": "CDN,OSS", "PROBE": "off"}
CALLS = frozenset({*DeploymentApi.operations, "GetCertificateDetail", "ListCertificates", "ListContact"})
CALM_RUNS = 9
"""So many, eight hours apart, end whatever was begun."""


class Life:
    """One certificate that is replaced, and what befalls its deployment."""

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.cloud = cloud
        self.random = random.Random(seed)  # noqa: S311
        self.function = Function(cloud, **SETTINGS)
        instance = cloud.cas.instances.add("www.example.com", 20, hosted=True)
        self.old = cloud.cas.instances.of(instance).certificate_id or 0
        self.others = cloud.cas.certificates.upload("www.example.com")
        self.chosen = [cloud.cas.resources.add(self.old, product) for product in ("CDN", "OSS", "CDN")]
        self.left_alone = [cloud.cas.resources.add(self.old, product) for product in ("ALB", "SLB")]
        self.function.tick()
        self.new = cloud.cas.instances.issue(instance)
        self.faults = RandomFaults(seed, 0.3)
        self.rebound: set[int] = set()
        self.people_made = 0
        cloud.cas.fault_sources.append(self._fault)

    def _fault(self, action: str) -> Fault | None:
        return self.faults(action) if action in CALLS else None

    def step(self) -> None:
        """Something happens."""
        acts = [self.run, self.dies, self.dies, self.two_at_once, self.two_at_once, self.rebind, self.person]
        self.random.choice(acts)()
        self.cloud.clock.advance(seconds=self.random.choice((1, 60, 1000, 4000, 40_000)))

    def run(self) -> None:
        self.function.tick()

    def dies(self) -> None:
        left = self.random.randint(1, 60)

        def hook(*_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash

        self.cloud.hooks.append(hook)
        with contextlib.suppress(Crash):
            self.function.tick()
        self.cloud.hooks.remove(hook)

    def two_at_once(self) -> None:
        runs = [PausedInvocation(self.cloud, TIMER, f"run-{n}", 300, **SETTINGS) for n in range(2)]
        while any(not one.finished for one in runs):
            one = self.random.choice([one for one in runs if not one.finished])
            if self.random.random() < 0.01:
                one.kill()
            else:
                one.step(self.random.randint(1, 6))
        assert [one.bug for one in runs] == [None, None]

    def rebind(self) -> None:
        """A person binds a resource elsewhere, as long as no job could take that back unasked."""
        if self.random.random() < 0.8 or any(job.status != "editing" for job in self.jobs):
            return
        resource = self.random.choice(self.chosen)
        self.cloud.cas.resources.bind(resource, self.others)
        self.rebound.add(resource)

    def person(self) -> None:
        """A person makes a job of the very name, which does the same or something else."""
        if self.random.random() < 0.8:
            return
        self.people_made += 1
        resources = self.random.choice((self.chosen, self.chosen[:1]))
        resources = [one for one in resources if one not in self.rebound]
        if resources:
            name = job_name(str(self.new))
            self.cloud.cas.deployments.create_in_console(name, self.new, resources, start=self.random.random() < 0.5)

    def calm(self) -> None:
        """Nothing goes wrong any more, until it is over."""
        self.cloud.cas.fault_sources.clear()
        for _ in range(CALM_RUNS):
            self.function.tick()
            self.cloud.clock.advance(seconds=8 * 3600)

    @property
    def jobs(self) -> list[Job]:
        name = job_name(str(self.new))
        return [job for job in self.cloud.cas.deployments.jobs() if job.name == name]

    def check(self) -> None:
        """What holds at every moment."""
        assert sum(job.by == "api" for job in self.jobs) <= 1
        started = [job for job in self.jobs if job.scheduled_at is not None]
        assert len(started) <= 1 + self.people_made
        bound = self.cloud.cas.resources.of
        assert {bound(one).certificate_id for one in self.left_alone} == {self.old}
        assert {bound(one).certificate_id for one in self.chosen} <= {self.old, self.new, self.others}
        assert {bound(one).certificate_id for one in self.rebound} <= {self.others}

    def told(self) -> Counter[str]:
        """How often each message about the deployment was sent."""
        return Counter(
            message["id"]
            for message in self.cloud.smq.messages(QUEUE)
            if message["type"].startswith("cas.certificate.deploy")
        )


def live(seed: int) -> None:
    """A life on bad days, and then on calm ones."""
    with local_cloud() as cloud:
        life = Life(cloud, seed)
        for _ in range(8):
            life.step()
            life.check()
        life.calm()
        life.check()
        told = life.told()
        assert set(told) <= {f"{life.new}-deployed", f"{life.new}-deploy-failed"}
        assert told, "people hear of it"
        life.calm()
        assert life.told() == told, "and of each fact once"
        if not life.rebound and not life.people_made and f"{life.new}-deploy-failed" not in told:
            assert {cloud.cas.resources.of(one).certificate_id for one in life.chosen} == {life.new}


def two_runs(points: int) -> None:
    """Two runs at once, of which the first stands still after so many points."""
    with local_cloud() as cloud:
        life = Life(cloud, 0)
        cloud.cas.fault_sources.clear()
        first = PausedInvocation(cloud, TIMER, "first", 300, **SETTINGS)
        first.step(points)
        PausedInvocation(cloud, TIMER, "second", 300, **SETTINGS).finish()
        first.finish()
        life.check()
        life.calm()
        life.check()
        assert len(life.jobs) == 1
        assert len(cloud.cas.calls_of("UpdateDeploymentJobStatus")) == 1
        assert set(life.told()) == {f"{life.new}-deployed"}


def other_names() -> None:
    """The next certificate has a name more than the one that it replaces."""
    with local_cloud() as cloud:
        life = Life(cloud, 0)
        cloud.cas.fault_sources.clear()
        cloud.cas.certificates.of(life.new).names.append("more.example.com")
        life.calm()
        assert life.jobs == []
        assert set(life.told()) == {f"{life.new}-deploy-failed"}


def everything() -> None:
    """All of it, for the mutants. Raises what it finds."""
    other_names()
    for points in range(0, 60, 4):
        two_runs(points)
    for seed in range(30):
        live(seed)
