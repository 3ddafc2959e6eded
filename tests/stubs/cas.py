"""Certificate Management Service, API version 2020-04-07: the parts of its stub put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from tests.stubs.authority import Authority
from tests.stubs.certificate import Certificate
from tests.stubs.certificates import Certificates
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.deployment_api import DeploymentApi
from tests.stubs.deployments import Deployments
from tests.stubs.instances import Instances
from tests.stubs.order_lists import FAKE_PRIVATE_KEY, OrderLists
from tests.stubs.renewals import FIRST_RENEWAL_ID, Purchase, Renewals
from tests.stubs.resources import Resources

__all__ = ["FAKE_PRIVATE_KEY", "FIRST_RENEWAL_ID", "CasStub", "Purchase"]


class CasStub(OrderLists, Renewals):
    """One account: its V1 orders are here, all else is in the part that is named after it.

    What is not among the operations is `NotStubbed`, above all everything that this project must never call:
    revoking, cancelling, deleting, refunding, and changing an instance.
    """

    actions: ClassVar = frozenset(
        {
            "ListUserCertificateOrder",
            "RenewCertificateOrderForPackageRequest",
            "GetUserCertificateDetail",
            *Certificates.operations,
            *Instances.operations,
            *Resources.operations,
            *DeploymentApi.operations,
        }
    )
    settings: ClassVar = (
        "page_limit",
        "quota",
        "pending_domain",
        "pending_source",
        "visible_after",
        "total_count_off_by",
        "next_order_id",
        "next_renewal_id",
    )

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        super().__init__(clock, credentials)
        self.authority = Authority(self._common, self.certificates)
        self.instances = Instances(self._common, self.certificates, self.authority, self.resources.products)
        self.deployments = Deployments(self._common, self.certificates, self.resources)
        self.deployment_api = DeploymentApi(self._common, self.certificates, self.resources, self.deployments)
        self._common.happening.extend([self.authority.pass_time, self.deployments.pass_time])
        self._parts: dict[str, Any] = {
            "certificates": self.certificates,
            "resources": self.resources,
            "authority": self.authority,
            "instances": self.instances,
            "deployments": self.deployments,
            "deployment_api": self.deployment_api,
        }
        self._operations: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "ListUserCertificateOrder": self._list,
            "RenewCertificateOrderForPackageRequest": lambda params: {"OrderId": self._renew_checked(params)},
            "GetUserCertificateDetail": self._certificate,
        }
        for part in self._parts.values():
            self._operations |= {
                action: operation.__get__(part) for action, operation in getattr(part, "operations", {}).items()
            }

    def to_json(self) -> dict[str, Any]:
        with self._lock:
            return (
                super().to_json()
                | self._orders_to_json()
                | {
                    "renewable_statuses": sorted(self.renewable_statuses),
                    "purchases": [purchase.to_json() for purchase in self.purchases],
                    "shapes": self.shapes.to_json(),
                    "parts": {name: part.to_json() for name, part in self._parts.items()},
                }
            )

    def from_json(self, state: Mapping[str, Any]) -> None:
        with self._lock:
            super().from_json(state)
            self._orders_from_json(state)
            self.renewable_statuses = set(state["renewable_statuses"])
            self.purchases = [Purchase.from_json(purchase) for purchase in state["purchases"]]
            self.shapes.from_json(state.get("shapes", {}))
            for name, part in state.get("parts", {}).items():
                self._parts[name].from_json(part)
            for upload in state.get("uploads", ()):  # a state from before there were other certificates than those
                self.certificates.keep(_upload(upload))

    def _operate(self, action: str, params: Mapping[str, str]) -> dict[str, Any]:
        self._common.pass_time()
        return self._operations[action](params)


def _upload(state: Mapping[str, Any]) -> Certificate:
    start, end = (datetime.fromisoformat(state[name]) for name in ("cert_start", "cert_end"))
    number = state["certificate_id"]
    return Certificate(number, [state["common_name"]], start, end, "UPLOAD", f"cas-upload-{number:x}")
