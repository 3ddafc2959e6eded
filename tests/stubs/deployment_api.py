"""The operations on cloud resources and deployment jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tests.stubs.backend import ApiError
from tests.stubs.cas_api import invalid, numbers, positive, required
from tests.stubs.certificates import Certificates
from tests.stubs.deployments import Deployments
from tests.stubs.jobs import Job, Worker, seconds
from tests.stubs.listing import Listing
from tests.stubs.resources import Resource, Resources
from tests.stubs.shapes import Common

LONGEST_NAME = 63


class DeploymentApi:
    """What the API says of deployments. There is no idempotency token: each job that is asked for is made."""

    def __init__(
        self, common: Common, certificates: Certificates, resources: Resources, deployments: Deployments
    ) -> None:
        self.resource_pages = Listing("Data", "Total", size=20, maximum=None)
        self.job_pages = Listing("Data", "Total", size=50, maximum=None)
        self.worker_pages = Listing("Data", "Total", size=50, maximum=None)
        self._common = common
        self._certificates = certificates
        self._resources = resources
        self._deployments = deployments

    def list_cloud_resources(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ListCloudResources: where certificates are bound now. Resources that are new are not there yet."""
        wanted = set(numbers(params, "CertIds")) if params.get("CertIds") else None
        if params.get("SecretId"):
            raise NotImplementedError("ListCloudResources with SecretId")
        now = self._common.clock.now()
        product, cloud, keyword = (params.get(name, "") for name in ("CloudProduct", "CloudName", "Keyword"))
        shown = self._resources.shown_certificate
        found = [
            resource
            for resource in reversed(self._resources.all())
            if resource.visible_at <= now
            and (wanted is None or shown(resource) in wanted)
            and product in {"", resource.product}
            and cloud in {"", resource.cloud_name}
            and keyword in f"{resource.domain} {resource.instance_id}"
        ]

        def row(resource: Resource) -> dict[str, Any]:
            certificate = self._certificates.find(shown(resource))
            return resource.row(shown(resource)) | {
                "CertEndTime": seconds(certificate.not_after if certificate else None),
                "CertStartTime": seconds(certificate.not_before if certificate else None),
                "GmtCreate": seconds(resource.visible_at),
                "GmtModified": seconds(resource.bound_at or resource.visible_at),
            }

        return self.resource_pages.page(params, found, lambda resource: resource.resource_id, row)

    def create_deployment_job(self, params: Mapping[str, str]) -> dict[str, Any]:
        """CreateDeploymentJob: makes a job that waits to be started."""
        name = required(params, "Name")
        if len(name) > LONGEST_NAME:
            raise invalid("Name")
        if required(params, "JobType") != "user":
            raise invalid("JobType")
        if params.get("ScheduleTime"):
            raise NotImplementedError("CreateDeploymentJob with ScheduleTime")
        certificates = [self._certificates.find(number) for number in numbers(params, "CertIds")]
        resources = [self._resources.find(number) for number in numbers(params, "ResourceIds")]
        contact_ids = numbers(params, "ContactIds")
        known = [certificate for certificate in certificates if certificate]
        if len(known) < len(certificates):
            raise ApiError("InvalidCertId.NotFound", 404, "The certificate does not exist.")
        there = [resource for resource in resources if resource]
        if len(there) < len(resources):
            raise ApiError("InvalidResourceId.NotFound", 404, "The resource does not exist.")
        if not all(resource.supports_certificates for resource in there):
            raise ApiError("ResourceNotSupportCert", 400, "The resource does not support the certificate.")
        if not {contact.contact_id for contact in self._resources.contacts}.issuperset(contact_ids):
            raise invalid("ContactIds")
        return {"JobId": self._deployments.create(name, known, there, contact_ids, by="api").job_id}

    def update_deployment_job_status(self, params: Mapping[str, str]) -> dict[str, Any]:
        """UpdateDeploymentJobStatus(scheduling): starts a job that is not yet under way."""
        job, status = self._job(params, self._deployments.job), required(params, "Status")
        if status in {"pending", "editing"}:
            raise NotImplementedError(f"UpdateDeploymentJobStatus to {status}")
        if status != "scheduling":
            raise invalid("Status")
        self._deployments.start(job)
        return {}

    def describe_deployment_job(self, params: Mapping[str, str]) -> dict[str, Any]:
        """DescribeDeploymentJob."""
        job = self._deployments.shown(self._job(params))
        contacts = [contact for contact in self._resources.contacts if contact.contact_id in job.contact_ids]
        rows = [contact.row() for contact in contacts]
        listed = [
            {"Id": str(row["ContactId"]), "Name": row["Name"], "Email": row["Email"], "Mobile": row["Mobile"]}
            for row in rows
        ]
        return job.row() | {"CasContacts": listed, "Config": "{}"}

    def describe_deployment_job_status(self, params: Mapping[str, str]) -> dict[str, Any]:
        """DescribeDeploymentJobStatus: how many workers have ended, and how."""
        job = self._job(params)
        workers = self._deployments.workers(job.job_id)
        return job.counts(workers, self._deployments.costing(workers))

    def list_deployment_job(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ListDeploymentJob, newest first."""
        status, now = params.get("Status", ""), self._common.clock.now()
        certificate_id = positive(params, "CertId") if params.get("CertId") else None
        found = [
            job
            for job in map(self._deployments.shown, reversed(self._deployments.jobs()))
            if job.visible_at <= now
            and status in {"", job.status}
            and params.get("JobType", "") in {"", "user"}
            and (certificate_id is None or certificate_id in job.certificate_ids)
            and params.get("InstanceId", "") in {"", job.row()["InstanceId"]}
        ]
        return self.job_pages.page(params, found, lambda job: job.job_id, Job.row)

    def list_worker_resource(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ListWorkerResource: what became of each resource of a job."""
        status, product = params.get("Status", ""), params.get("CloudProduct", "")
        found = [
            worker
            for worker in self._deployments.workers(self._job(params).job_id)
            if status in {"", worker.status} and product in {"", worker.product}
        ]

        def row(worker: Worker) -> dict[str, Any]:
            unsaid = set() if self._deployments.workers_know_resources else {"ResourceId"}
            return {name: value for name, value in worker.row().items() if name not in unsaid}

        return self.worker_pages.page(params, found, lambda worker: worker.worker_id, row)

    def update_worker_resource_status(self, params: Mapping[str, str]) -> dict[str, Any]:
        """UpdateWorkerResourceStatus(rollback): brings the former certificate back."""
        job, worker_id = self._job(params), positive(params, "WorkerId")
        workers = [worker for worker in self._deployments.workers(job.job_id) if worker.worker_id == worker_id]
        if not workers:
            raise ApiError("NotFound", 404, "The worker does not exist.")
        if required(params, "Status") != "rollback":
            raise NotImplementedError(f"UpdateWorkerResourceStatus to {params['Status']}")
        self._deployments.roll_back(workers[0])
        return {}

    operations: ClassVar = {
        "ListCloudResources": list_cloud_resources,
        "CreateDeploymentJob": create_deployment_job,
        "UpdateDeploymentJobStatus": update_deployment_job_status,
        "DescribeDeploymentJob": describe_deployment_job,
        "DescribeDeploymentJobStatus": describe_deployment_job_status,
        "ListDeploymentJob": list_deployment_job,
        "ListWorkerResource": list_worker_resource,
        "UpdateWorkerResourceStatus": update_worker_resource_status,
    }

    def to_json(self) -> dict[str, Any]:
        """The oddities of the lists as a JSON object; the rest is in the other parts."""
        return {name: getattr(self, name).to_json() for name in ("resource_pages", "job_pages", "worker_pages")}

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the oddities by what `to_json` gave."""
        for name, pages in state.items():
            getattr(self, name).from_json(pages)

    def _job(self, params: Mapping[str, str], find: Callable[[int], Job] | None = None) -> Job:
        try:
            return (find or self._deployments.found)(positive(params, "JobId"))
        except KeyError:
            raise ApiError("NotFound", 404, "The deployment job does not exist.") from None
