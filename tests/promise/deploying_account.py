"""An account with several certificates that are replaced, where they are bound, and what people do there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from handler.deployment.job import job_name
from tests.stubs.backend import ApiError
from tests.stubs.certificate import Certificate
from tests.stubs.cloud import Cloud
from tests.stubs.jobs import Job, Worker
from tests.stubs.resources import Resource

FLAWS = ("names", "fewer", "uploaded", "old-uploaded", "revoked", "several")
"""Why nobody may deploy a new certificate, see `Account.issue`."""
PRODUCTS = ("CDN", "CDN", "OSS", "ALB", "SLB")
"""Of the resources of each certificate: the first two look alike, and the third has no domain."""
CHOICES = ("CDN,OSS", "*", "CDN", "oss,ALB", "")
"""What the operator may choose, the usual first."""


def is_chosen(product: str, choice: str) -> bool:
    """Whether the operator has chosen a product."""
    return choice == "*" or product.lower() in choice.lower().split(",")


@dataclass
class Pair:
    """One certificate, and the one that takes its place."""

    kind: str
    """hosted, applied or order."""
    of: str
    """Its instance, or its order."""
    domain: str
    old: int
    flaw: str = ""
    """Why the new one may not take its place."""
    new: int | None = None
    """Once it is issued."""
    new_order: str = ""
    issued_at: datetime | None = None
    bound: list[int] = field(default_factory=list)
    """The resources that have the old one from the beginning, or since a person has bound it to them."""

    @property
    def ids(self) -> set[str]:
        """By what a message may call the new one."""
        return {str(self.new), self.new_order} - {"None", ""}


class Account:
    """What is there, and what people do."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.pairs: list[Pair] = []
        self.touched: dict[int, str] = {}
        """The resources that a person has done something to, and what: nobody else answers for these."""
        self.may_have: dict[int, set[int]] = {}
        """The certificates that each resource may have by now."""
        self.others = cloud.cas.certificates.upload("www.example.com", days_left=300)
        self.bind_new(self.others, "CDN")
        upload = cloud.cas.certificates.of(self.others)
        bought = replace(upload, certificate_id=cloud.cas.certificates.new_id(), source="BUY", instance_id="cas-other")
        self.another = cloud.cas.certificates.keep(bought).certificate_id

    def add(self, kind: str, flaw: str, products: Sequence[str], days_left: float = 25) -> Pair:
        """Put a certificate into the account that is about to be replaced, and bind it."""
        cas = self.cloud.cas
        domain = f"n{len(self.pairs)}.example.com"
        if kind == "order":
            order = cas.add_order(domain=domain, days_left=days_left, instance_id=f"cas-old-{len(self.pairs)}")
            of, old = str(order), cas.order(order).certificate_id
        else:
            of = cas.instances.add(domain, days_left, hosted=kind == "hosted")
            old = cas.instances.of(of).certificate_id
        assert old
        pair = Pair(kind, of, domain, old, flaw)
        pair.bound = [
            self.bind_new(old, product, "" if product == "OSS" else domain if product != "ALB" else f"{domain},")
            for product in products
        ]
        self.pairs.append(pair)
        return pair

    def bind_new(self, certificate: int, product: str, domain: str = "www.example.com") -> int:
        """A person puts a certificate onto a new resource."""
        resource = self.cloud.cas.resources.add(certificate, product, domain)
        self.may_have[resource] = {certificate}
        return resource

    def issue(self, pair: Pair) -> None:
        """The authority issues the next certificate, with what is wrong about it, if it was applied for."""
        cas = self.cloud.cas
        if pair.new is not None:
            return
        if pair.kind == "order":
            bought = cas.bought(pair.of)
            if not bought:
                return
            order = cas.order(bought[0].new_order_id)
            pair.new_order = str(order.order_id)
            order.bound_domain = {"names": f"{pair.domain},more.example.com", "fewer": "else.example.com"}.get(
                pair.flaw, pair.domain
            )
            cas.apply(order.order_id)
            cas.issue(order.order_id)
            pair.new = order.certificate_id
            if pair.flaw == "several":
                self._issue_another(order.certificate())
            elif pair.flaw == "revoked":
                order.fixed_status = "REVOKED"
        else:
            pair.new = cas.instances.issue(pair.of)
            new = cas.certificates.of(pair.new)
            if pair.flaw in {"names", "fewer"}:
                new.names.append("more.example.com")
            elif pair.flaw == "uploaded":
                new.source = "UPLOAD"
            elif pair.flaw == "old-uploaded":
                cas.certificates.of(pair.old).source = "UPLOAD"
            elif pair.flaw == "revoked":
                cas.certificates.revoke(pair.new)
        pair.issued_at = self.cloud.clock.now()

    def _issue_another(self, first: Certificate) -> None:
        certificates = self.cloud.cas.certificates
        certificates.keep(
            Certificate(certificates.new_id(), first.names, first.not_before, first.not_after, "BUY", first.instance_id)
        )

    # What there is

    def jobs(self, pair: Pair) -> list[Job]:
        """The jobs of the name that the function's has."""
        return [job for job in self.cloud.cas.deployments.jobs() if job.name == job_name(str(pair.new))]

    def workers(self, job: Job) -> list[Worker]:
        """All workers of a job, whether or not they show."""
        return self.cloud.cas.deployments.every_worker(job.job_id)

    def find(self, resource: int) -> Resource | None:
        """A resource, if nobody has deleted it."""
        return self.cloud.cas.resources.find(resource)

    # What people do

    def rebind(self, resource: int) -> None:
        """Bind a resource elsewhere; what is under way at that time may still take that back."""
        self.cloud.cas.resources.bind(resource, self.others)
        under_way = {
            worker.certificate_id
            for job in self.cloud.cas.deployments.jobs()
            if job.status in {"scheduling", "processing"}
            for worker in self.workers(job)
            if worker.resource_id == resource
        }
        self.may_have[resource] = {self.others} | under_way
        self.touched[resource] = "rebound"

    def add_resource(self, pair: Pair, product: str) -> None:
        """Bind the old certificate to another resource, which shows late."""
        resources = self.cloud.cas.resources
        before, resources.show_after = resources.show_after, 5000
        pair.bound.append(self.bind_new(pair.old, product, pair.domain))
        resources.show_after = before

    def delete_resource(self, resource: int) -> None:
        """Delete a resource in its product."""
        self.cloud.cas.resources.remove(resource)
        self.touched[resource] = "deleted"

    def make_job(self, pair: Pair, content: str, begins: str) -> None:
        """Make a job of the name that the function's has; `begins`: at once, later or never."""
        assert pair.new
        there = [one for one in pair.bound if self.find(one)]
        wanted: dict[str, tuple[int, list[int]]] = {
            "the same": (pair.new, [one for one in there if is_chosen(self._product(one), CHOICES[0])]),
            "less": (pair.new, [one for one in there if self._product(one) == "CDN"][:1]),
            "more": (pair.new, there),
            "of another": (self.another, there[:1]),
            "elsewhere": (pair.new, [one for one in self.may_have if self.find(one)][:1]),
        }
        certificate, resources = wanted[content]
        if not resources:
            return
        deployments = self.cloud.cas.deployments
        job = deployments.job(
            deployments.create_in_console(job_name(str(pair.new)), certificate, resources, begins == "at once")
        )
        if begins == "later":
            job.status = "pending"
        if begins == "at once":
            self.answers_for(job)

    def answers_for(self, job: Job) -> None:
        """A person has started a job: what it does is no business of ours."""
        for worker in self.workers(job):
            self.touched[worker.resource_id] = "put into a person's job"
            self.may_have[worker.resource_id].add(worker.certificate_id)

    def start_job(self, job: Job) -> None:
        """Start a job in the console."""
        if job.status in {"editing", "pending"}:
            self.cloud.cas.deployments.start(job)
            self.answers_for(job)

    def put_back(self, job: Job) -> bool:
        """Let a job wait again; whether that could be done."""
        try:
            self.cloud.cas.deployments.put_back(job.job_id)
        except ApiError:
            return False
        return True

    def delete(self, job: Job) -> bool:
        """Delete a job; whether that could be done."""
        if job.status in {"scheduling", "processing"}:
            return False
        self.cloud.cas.deployments.delete(job.job_id)
        return True

    def roll_back(self, job: Job, which: int) -> None:
        """Bring the old certificate back to one of the resources of a job that has ended."""
        ended = [worker for worker in self.workers(job) if worker.status in {"success", "error"}]
        if job.status in {"success", "error"} and ended:
            worker = ended[which % len(ended)]
            self.cloud.cas.deployments.roll_back(worker)
            self.touched[worker.resource_id] = "rolled back"
            self.may_have[worker.resource_id].add(worker.former_certificate_id)

    def _product(self, resource: int) -> str:
        found = self.find(resource)
        return found.product if found else ""
