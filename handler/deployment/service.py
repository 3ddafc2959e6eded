"""What deploying needs of the certificate service: a port, filled in `handler.cloud`."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from handler.deployment.certificate import IssuedCertificate
from handler.deployment.job import Counts, Job, Worker
from handler.deployment.resource import Resource


class ResourceList(NamedTuple):
    """Every resource that CAS showed."""

    resources: tuple[Resource, ...] = ()
    nameless: tuple[str, ...] = ()
    """What can be shown of the rows that had no id."""


class DeploymentService(Protocol):
    """Certificates, resources and deployment jobs of one account. Every method raises CasError when it cannot.

    A list that settles whether something is made is known to be whole: it was read until two readings were the same,
    row by row. One that moved all the time raises CasOutcomeUnknown.
    """

    def certificate(self, certificate_id: str) -> IssuedCertificate:
        """Look at one certificate; never at its private key. CasRefused if CAS knows no such one."""

    def certificates_of(self, instance: str) -> tuple[IssuedCertificate, ...]:
        """Read the certificates that were issued for an order or an instance; `instance`: its `InstanceId`."""

    def resources(self, certificate_id: str) -> ResourceList:
        """Read where a certificate is bound, all pages."""

    def contacts(self) -> tuple[str, ...]:
        """Read the ids of the account's contacts, in the order of CAS."""

    def jobs_named(self, name: str) -> tuple[Job, ...]:
        """Read all jobs, all pages, and return those of exactly that name, the first that was made first."""

    def job(self, job_id: str) -> Job | None:
        """Look at one job; None if CAS knows no such one."""

    def counts(self, job_id: str) -> Counts:
        """Ask how many of the workers of a job have ended."""

    def workers(self, job_id: str) -> tuple[Worker, ...]:
        """Read the workers of a job, all pages."""

    def create(
        self, name: str, certificate_id: str, resource_ids: Sequence[str], contact_id: str, seconds: float
    ) -> str:
        """Make a job, which does nothing until it is scheduled; return its id. Never repeated by itself.

        `seconds`: how long it may take. Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when no job was
        made, CasOutcomeUnknown when that cannot be said.
        """

    def schedule(self, job_id: str, seconds: float) -> None:
        """Start a job that waits. Never repeated by itself; raises as `create` does."""

    def probe_deployments(self) -> None:
        """Ask for one job, to see whether that works."""
