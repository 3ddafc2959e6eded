"""Deployment jobs and their workers, one for each resource, and how CAS shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tests.stubs.record import Record
from tests.stubs.resources import USER_ID

JobStatus = Literal["editing", "pending", "scheduling", "processing", "success", "error"]


@dataclass
class Worker(Record):
    """The part of a job that puts one certificate onto one resource."""

    worker_id: int
    job_id: int
    certificate_id: int
    resource_id: int
    former_certificate_id: int
    """What the resource had when the job was created."""
    product: str
    domain: str
    region: str
    instance_id: str
    listener_id: str
    modified_at: datetime
    status: str = "editing"
    """As of a job, and rollback, rollback_success, rollback_error."""

    def row(self) -> dict[str, Any]:
        """Its row in ListWorkerResource; there is no text of an error."""
        return {
            "CertDomain": self.domain,
            "CertId": self.certificate_id,
            "CertName": f"cert-{self.certificate_id}",
            "CloudName": "aliyun",
            "CloudProduct": self.product,
            "CloudRegion": self.region,
            "DefaultResource": False,
            "GmtModified": seconds(self.modified_at),
            "Id": self.worker_id,
            "InstanceId": self.instance_id,
            "JobId": self.job_id,
            "ListenerId": self.listener_id,
            "RegionId": self.region,
            "ResourceCertId": self.former_certificate_id,
            "ResourceDomain": self.domain,
            "ResourceId": self.resource_id,
            "Status": self.status,
            "UserId": USER_ID,
        }


@dataclass
class Job(Record):
    """One deployment job."""

    job_id: int
    name: str
    certificate_ids: list[int]
    contact_ids: list[int]
    by: Literal["api", "console"]
    created_at: datetime
    visible_at: datetime
    """When ListDeploymentJob begins to show it."""
    modified_at: datetime
    certificate_domain: str = ""
    certificate_type: str = "buy"
    products: list[str] = field(default_factory=list)
    status: JobStatus = "editing"
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stalls: bool = False
    """Whether its last worker never ends."""
    rolled_back: bool = False

    def row(self) -> dict[str, Any]:
        """Its row in ListDeploymentJob. The times are texts, in seconds."""
        return {
            "CertDomain": self.certificate_domain,
            "CertType": self.certificate_type,
            "Del": 0,
            "EndTime": seconds(self.ended_at),
            "GmtCreate": seconds(self.created_at),
            "GmtModified": seconds(self.modified_at),
            "Id": self.job_id,
            "InstanceId": f"cas_deployment-cn-{self.job_id:x}",
            "JobType": "user",
            "Name": self.name,
            "ProductName": ",".join(self.products),
            "Rollback": int(self.rolled_back),
            "ScheduleTime": seconds(self.scheduled_at),
            "StartTime": seconds(self.started_at),
            "Status": self.status,
            "UserId": USER_ID,
        }

    def counts(self, workers: Sequence[Worker], bought: int) -> dict[str, Any]:
        """What DescribeDeploymentJobStatus says; `bought`: how many of the workers take an uploaded certificate."""
        states = [worker.status for worker in workers]
        products = [worker.product for worker in workers]
        return {
            "BuyCount": 0,
            "CertCount": len(self.certificate_ids),
            "CostCount": bought,
            "FailedCount": states.count("error"),
            "MatchWorkerCount": len(workers),
            "ProductWorkerCount": [
                {"ProductName": product, "Count": products.count(product)} for product in sorted(set(products))
            ],
            "ResourceCount": len({worker.resource_id for worker in workers}),
            "RollbackCount": sum(state.startswith("rollback") for state in states),
            "RollbackFailedCount": states.count("rollback_error"),
            "RollbackSuccessCount": states.count("rollback_success"),
            "SuccessCount": states.count("success"),
            "UseCount": bought,
            "WorkerCount": len(workers),
        }


def seconds(moment: datetime | None) -> str:
    """A moment as the deployment operations write it; empty if there is none."""
    return str(int(moment.timestamp())) if moment else ""
