"""The messages about deployments, and their ids. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.outbox.cloud_event import MOST_BOUND, MessageType, as_many_as_fit, certificate_of, cloud_event

MOST_RESOURCES = 100
"""So many are named at most: a queue takes no message of any length."""


class DeployedResource(NamedTuple):
    """One resource, and what became of it."""

    product: str
    region: str
    resource: str
    """By what a person finds it in its product."""
    domain: str
    """As CAS shows it; may be empty."""
    outcome: str
    """deployed, failed, reverted, unfinished or missed."""
    serves: str | None = None
    """new, old, other or unreachable; None if the domain was not asked."""

    @property
    def is_well(self) -> bool:
        """Whether nobody need look at it."""
        return self.outcome == "deployed" and self.serves in {"new", None}


class Deployment(NamedTuple):
    """What a message tells of."""

    new: Renewable
    """What the new certificate is of; its `ends` is the new certificate's."""
    certificate_id: str
    """Of the new certificate; empty if it could not be told."""
    replaced_id: str
    """Likewise."""
    job_id: str | None
    """None if there was nothing to deploy, or no job could be made."""
    resources: Sequence[DeployedResource] = ()
    elsewhere: Sequence[Mapping[str, str]] = ()
    """Where the replaced one is bound that `DEPLOY_TO` does not name: each with Product, Region, Resource, Domain."""

    @property
    def subject(self) -> str:
        """The new certificate's id, or what it is of if that is not known."""
        return self.certificate_id or self.new.id


class Trouble(NamedTuple):
    """Why a certificate is not deployed everywhere, or not what is served."""

    reason: str
    """A `Reason`, or an error code of CAS."""
    is_final: bool = True
    """Whether the function does nothing more about it; else it may still end well."""


def deployed_id(certificate_id: str) -> str:
    """Return the id of the message that a certificate is deployed."""
    return f"{certificate_id}-deployed"


def deploy_failed_id(subject: str, trouble: Trouble) -> str:
    """Return the id of the message that a certificate is not deployed everywhere: one is final, the others say why."""
    return f"{subject}-deploy-failed" + ("" if trouble.is_final else f"-{trouble.reason}")


def deployed_message(deployment: Deployment, at: datetime, account_id: str) -> str:
    """Write the message that a certificate has taken another one's place; `at`: when the job was seen to have ended.

    `subject` is the new certificate's id. `data` has CertificateId, ReplacedCertificateId, OrderId (the new order; null
    for an instance), Domain, ProductCode, InstanceId, CertEndTime of the new one, JobId (null if there was nothing to
    deploy), Resources (Product, Region, Resource, Domain, Outcome, Serves; those that somebody should look at first,
    `MOST_RESOURCES` at most), ResourcesInAll (how many there are), and StillBound (Product, Region, Resource, Domain:
    where the replaced certificate is bound that `DEPLOY_TO` does not name, `MOST_BOUND` at most).
    """
    id_ = deployed_id(deployment.certificate_id)
    return cloud_event(id_, MessageType.DEPLOYED, deployment.subject, at, account_id, _data(deployment))


def deploy_failed_message(deployment: Deployment, trouble: Trouble, at: datetime, account_id: str) -> str:
    """Write the message that a certificate is not deployed everywhere, or not served.

    As `deployed_message`, and `data` has Reason; Final: whether the function does nothing more about it; and WayBack:
    for a person, how the console brings the replaced certificate back, null if there was no job. Where it could not be
    told which certificate replaces which, both ids are null and `subject` is the new order's or the instance's id.
    """
    id_ = deploy_failed_id(deployment.subject, trouble)
    said = {"Reason": str(trouble.reason), "Final": trouble.is_final, "WayBack": _way_back(deployment)}
    data = _data(deployment) | said
    return cloud_event(id_, MessageType.DEPLOY_FAILED, deployment.subject, at, account_id, data)


def _way_back(deployment: Deployment) -> str | None:
    """Return what a person does in the console: nothing is rolled back by itself."""
    if deployment.job_id is None:
        return None
    return (
        f"Certificate Management Service console, deployment job {deployment.job_id}: roll a resource back, and it has "
        f"certificate {deployment.replaced_id} again"
    )


def _data(deployment: Deployment) -> dict[str, Any]:
    first = sorted(deployment.resources, key=lambda one: one.is_well)[:MOST_RESOURCES]
    return {
        "CertificateId": deployment.certificate_id or None,
        "ReplacedCertificateId": deployment.replaced_id or None,
        "OrderId": deployment.new.id if deployment.new.kind is Kind.ORDER else None,
        **certificate_of(deployment.new),
        "JobId": deployment.job_id,
        "Resources": as_many_as_fit(
            [
                {
                    "Product": one.product,
                    "Region": one.region,
                    "Resource": one.resource,
                    "Domain": one.domain,
                    "Outcome": str(one.outcome),
                    "Serves": None if one.serves is None else str(one.serves),
                }
                for one in first
            ]
        ),
        "ResourcesInAll": len(deployment.resources),
        "StillBound": as_many_as_fit([dict(one) for one in deployment.elsewhere[:MOST_BOUND]]),
    }
