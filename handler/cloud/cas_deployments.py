"""Cloud resources and deployment jobs of CAS: the `DeploymentService` of the deployed function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from handler.certificates.ids import id_in
from handler.cloud.cas_client import Cas
from handler.cloud.cas_lists import CasList
from handler.deployment.certificate import IssuedCertificate, certificate_in
from handler.deployment.contact import contact_in
from handler.deployment.job import Counts, Job, Worker, counts_in, job_in, worker_in
from handler.deployment.resource import resource_in
from handler.deployment.service import ResourceList
from handler.errors import CasOutcomeUnknown, CasRefused
from handler.outcomes import ListFault, Reason

_PAGES = {"ListCloudResources": 20, "ListContact": 20, "ListDeploymentJob": 50, "ListWorkerResource": 50}
"""The defaults of CAS; how much more it would allow is not documented."""
_CERTIFICATES_A_PAGE = 100

_Item = TypeVar("_Item")
_Row = TypeVar("_Row", IssuedCertificate, Worker)


class CasDeployments:
    """The deployments of one account."""

    def __init__(self, client: Cas) -> None:
        """`client`: shared with the other services of CAS, since what it allows is for all of them together."""
        self._client = client
        self._jobs = CasList(
            "deployment jobs",
            lambda page: client.read("ListDeploymentJob", page),
            "Data",
            job_in,
            _PAGES["ListDeploymentJob"],
            "Total",
        )

    def certificate(self, certificate_id: str) -> IssuedCertificate:
        """Look at one certificate; the answer has no private key. CasRefused if CAS knows no such one."""
        answer = self._client.read("GetCertificateDetail", {"CertificateId": certificate_id})
        found = _read(answer, certificate_in, f"certificate {certificate_id}")
        if found.id != certificate_id:
            raise _another(f"certificate {certificate_id}", found.id)
        return found

    def certificates_of(self, instance: str) -> tuple[IssuedCertificate, ...]:
        """Read the certificates that were issued for an order or an instance. Raises CasError."""
        client, of = self._client, {"InstanceId": instance}
        certificates = CasList(
            f"certificates of {instance}",
            lambda page: client.read("ListCertificates", {**of, **page}),
            "CertificateList",
            certificate_in,
            _CERTIFICATES_A_PAGE,
        )
        return _all_readable(certificates, f"certificate of {instance}")

    def resources(self, certificate_id: str) -> ResourceList:
        """Read where a certificate is bound. Raises CasError."""
        # The list in brackets is how the SDK writes it.
        client, of = self._client, {"CertIds": f"[{certificate_id}]", "CloudName": "aliyun"}
        resources = CasList(
            f"resources of certificate {certificate_id}",
            lambda page: client.read("ListCloudResources", {**of, **page}),
            "Data",
            resource_in,
            _PAGES["ListCloudResources"],
            "Total",
        )
        return ResourceList(*resources.read_whole())

    def contacts(self) -> tuple[str, ...]:
        """Read the ids of the account's contacts, in the order of CAS. Raises CasError."""
        client = self._client
        contacts = CasList(
            "contacts", lambda page: client.read("ListContact", page), "ContactList", contact_in, _PAGES["ListContact"]
        )
        items, _ = contacts.read_tidily()
        return tuple(item.id for item in items)

    def jobs_named(self, name: str) -> tuple[Job, ...]:
        """Read all jobs, and return those of that name, the first that was made first. Raises CasError.

        The list is asked for without a filter: one that CAS took otherwise than it says would hide a job.
        """
        jobs, nameless = self._jobs.read_whole()
        if any(name in shown for shown in nameless):
            raise _unreadable(f"the job {name} has no id")
        return tuple(sorted((job for job in jobs if job.name == name), key=lambda job: int(job.id)))

    def job(self, job_id: str) -> Job | None:
        """Look at one job; None if CAS knows no such one. Raises any other CasError."""
        try:
            answer = self._client.read("DescribeDeploymentJob", {"JobId": job_id})
        except CasRefused as refused:
            if "NotFound" in refused.code:
                return None
            raise
        found = _read(answer, job_in, f"job {job_id}")
        if found.id != job_id:
            raise _another(f"job {job_id}", found.id)
        return found

    def counts(self, job_id: str) -> Counts:
        """Ask how many of the workers of a job have ended. Raises CasError."""
        return counts_in(self._client.read("DescribeDeploymentJobStatus", {"JobId": job_id}))

    def workers(self, job_id: str) -> tuple[Worker, ...]:
        """Read the workers of a job. Raises CasError."""
        client, of = self._client, {"JobId": job_id}
        workers = CasList(
            f"workers of job {job_id}",
            lambda page: client.read("ListWorkerResource", {**of, **page}),
            "Data",
            worker_in,
            _PAGES["ListWorkerResource"],
            "Total",
        )
        return _all_readable(workers, f"worker of job {job_id}")

    def create(
        self, name: str, certificate_id: str, resource_ids: Sequence[str], contact_id: str, seconds: float
    ) -> str:
        """Make a job, which does nothing until it is scheduled; return its id. Raises CasError: see the port."""
        query = {
            "Name": name,
            "JobType": "user",
            "CertIds": certificate_id,
            "ResourceIds": ",".join(resource_ids),
            "ContactIds": contact_id,
        }
        answer = self._client.call_once("CreateDeploymentJob", query, seconds)
        job_id = id_in(answer.get("JobId"))
        if job_id is None:
            raise CasOutcomeUnknown(Reason.NO_JOB_ID, f"CAS accepted the job {name} and named no id")
        return job_id

    def schedule(self, job_id: str, seconds: float) -> None:
        """Start a job that waits. Raises CasError: see the port."""
        query = {"JobId": job_id, "Status": "scheduling"}
        self._client.call_once("UpdateDeploymentJobStatus", query, seconds)

    def probe_deployments(self) -> None:
        """Ask for one job, to see whether that works. Raises CasError."""
        self._jobs.probe()


def _read(answer: Mapping[str, Any], read: Callable[[object], _Item | str], what: str) -> _Item:
    found = read(answer)
    if isinstance(found, str):
        raise CasOutcomeUnknown(ListFault.EMPTY_ANSWER, f"CAS answered nothing about {what}: {found}")
    return found


def _all_readable(rows: CasList[_Row], what: str) -> tuple[_Row, ...]:
    """Return the rows of a list. One that cannot be read could be any, so nothing is decided without it."""
    items, nameless = rows.read_whole()
    if nameless:
        raise _unreadable(f"a {what} has no id: {nameless[0]}")
    return items


def _another(asked: str, answered: str) -> CasOutcomeUnknown:
    return CasOutcomeUnknown(ListFault.EMPTY_ANSWER, f"CAS was asked for {asked} and answered with {answered}")


def _unreadable(said: str) -> CasOutcomeUnknown:
    return CasOutcomeUnknown(Reason.ROW_UNREADABLE, said)
