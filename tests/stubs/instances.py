"""The V2 operations on instances: list, look at one, apply, and how the application is getting on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal

from tests.stubs.authority import Authority
from tests.stubs.backend import ApiError
from tests.stubs.cas_api import invalid, required
from tests.stubs.certificate import Certificate
from tests.stubs.certificates import Certificates
from tests.stubs.instance import Instance
from tests.stubs.instance_account import InstanceAccount
from tests.stubs.listing import Listing
from tests.stubs.shapes import Common

_FIELDS = {"CertificateType": "certificate_type", "Brand": "brand", "InstanceType": "kind", "VersionType": "version"}
"""The filters of ListInstances that look for an equal field."""


class Instances(InstanceAccount):
    """What the API says of the instances."""

    settings: ClassVar = (
        "repeats_records",
        "task_words",
        "unknown_code",
        "application_takes",
        "list_behind",
        "detail_behind",
        "certificate_behind",
        "pending_has_certificate",
        "detail_has_domain",
        "not_supported_status",
    )

    def __init__(
        self,
        common: Common,
        certificates: Certificates,
        authority: Authority,
        products: Callable[[], Mapping[int, Sequence[str]]],
    ) -> None:
        """`products`: in use where, by certificate id."""
        super().__init__(common, certificates, authority)
        self.pages = Listing("InstanceList")
        self.details = Listing("")
        """Of GetInstanceDetail only `odd_row`."""
        self.repeats_records = False
        """Whether the DomainValidationList has its first entry twice."""
        self.list_behind: float = 0
        """So many seconds old is what ListInstances shows of applications and certificates."""
        self.detail_behind: float = 0
        """The same of GetInstanceDetail."""
        self.certificate_behind: float = 0
        """Seconds for which an instance still shows the certificate before, `normal` as it is already."""
        self.pending_has_certificate = True
        """Whether an instance in review shows its newest certificate."""
        self.detail_has_domain = False
        """Whether GetInstanceDetail has a CertificateDomain, as the list has."""
        self.not_supported_status = 400
        """With which HTTP status an application is refused while another is outstanding."""
        self.task_words: Literal["lower", "upper"] = "lower"
        """How TaskStatus is written, which is not settled."""
        self.unknown_code = "NotFound"
        """The code for an instance that there is not; InvalidInstanceId.NotFound is the other one that is known."""
        self.application_takes: float = 0
        """Seconds from the arrival of ApplyCertificate to its effect, in which its caller may have given up or died."""
        self._products = products

    def list_instances(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ListInstances."""
        now, shapes, products = self._common.clock.now(), self._common.shapes, self._products()

        def row(instance: Instance) -> dict[str, Any]:
            shown, newest = self._shown(instance, self.list_behind)
            return shown.row(now, newest, list(products.get(shown.certificate_id or 0, ())), shapes)

        found = self._matching(params)
        hosted = sum(instance.hosted for instance in found)
        page = self.pages.page(params, found, lambda instance: instance.instance_id, row)
        return page | {"EnableReissueCount": hosted, "DisableReissueCount": len(found) - hosted}

    def get_instance_detail(self, params: Mapping[str, str]) -> dict[str, Any]:
        """GetInstanceDetail; never a private key."""
        instance = self._asked(params, "InstanceId")
        shown, newest = self._shown(instance, self.detail_behind)
        records = self._authority.records(instance)
        if self.repeats_records:
            records = records[:1] + records
        detail = shown.detail(self._common.clock.now(), newest, records, self._common.shapes)
        if self.detail_has_domain and newest:
            detail["CertificateDomain"] = ",".join(newest.names)
        return self.details.altered(instance.instance_id, detail)

    def apply_certificate(self, params: Mapping[str, str]) -> dict[str, Any]:
        """ApplyCertificate: each call that is not refused is an application, also the second after an issue."""
        self._common.clock.sleep(self.application_takes)
        self._common.pass_time()
        instance = self._asked(params, "InstanceId")
        if instance.application or self._status(instance) in {"expired", "refund", "closed"}:
            raise ApiError("OperationDenied.StatusNotSupport", self.not_supported_status, "当前状态不支持该操作。")
        needed = [instance.contacts, instance.names, instance.validation_method]
        if instance.csr_method == "upload":
            needed.append(instance.csr)
        if not all(needed):
            raise ApiError("MissingParameter", 400, "缺少必要的参数。")
        self._authority.submit(instance, "api", self._common.clock.now())
        return {}

    def get_task_attribute(self, params: Mapping[str, str]) -> dict[str, Any]:
        """GetTaskAttribute: whether the newest application for an instance was submitted, not whether it is issued."""
        if params.get("TaskType") not in {None, "", "ApplyCertificate"}:
            raise invalid("TaskType")
        application = self._authority.newest(self._asked(params, "TaskId"))
        if application is None:
            raise ApiError("NotFound", 404, "The task does not exist.")
        seconds = (self._common.clock.now() - application.at).total_seconds()
        status = "failed" if application.failure else "success"
        if not application.failure and seconds < self._authority.submission_takes:
            status = "processing"
        words = status.upper() if self.task_words == "upper" else status
        return {"TaskStatus": words, "TaskMessage": application.failure}

    def get_instance_summary(self, params: Mapping[str, str]) -> dict[str, Any]:
        """GetInstanceSummary."""
        kind = params.get("InstanceType")
        counted = [instance for instance in self._newest_first if not kind or instance.kind == kind]
        states = [self._status(instance) for instance in counted]
        return {
            "AutoReissueCount": self._authority.hosting_units,
            "CertificateCount": 0,
            "InactiveCount": states.count("inactive"),
            "TotalCount": len(counted),
            "WillExpireCount": states.count("willExpire"),
        }

    operations: ClassVar = {
        "ListInstances": list_instances,
        "GetInstanceDetail": get_instance_detail,
        "ApplyCertificate": apply_certificate,
        "GetTaskAttribute": get_task_attribute,
        "GetInstanceSummary": get_instance_summary,
    }

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {
            "settings": {name: getattr(self, name) for name in self.settings},
            "pages": self.pages.to_json(),
            "details": self.details.to_json(),
            "made": self._made,
            "newest_first": [instance.to_json() for instance in self._newest_first],
        }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the state by what `to_json` gave."""
        for name, value in state["settings"].items():
            setattr(self, name, value)
        self.pages.from_json(state["pages"])
        self.details.from_json(state["details"])
        self._made = state["made"]
        self._newest_first = [Instance.from_json(instance) for instance in state["newest_first"]]
        self._authority.instances = {instance.instance_id: instance for instance in self._newest_first}

    def _shown(self, instance: Instance, behind: float) -> tuple[Instance, Certificate | None]:
        """An instance as it was so many seconds ago, and the certificate that it showed then."""
        now = self._common.clock.now() - timedelta(seconds=behind)
        shown = instance.as_of(now)
        if self.certificate_behind:
            before = instance.as_of(now - timedelta(seconds=self.certificate_behind)).certificate_id
            shown = replace(shown, certificate_id=before)
        is_pending = shown.pending_from is not None and shown.pending_from <= now
        if is_pending and not self.pending_has_certificate:
            shown = replace(shown, certificate_id=None)
        newest = self._certificates.find(shown.certificate_id) if shown.certificate_id else None
        return shown, newest

    def _asked(self, params: Mapping[str, str], name: str) -> Instance:
        instance = self._authority.instances.get(required(params, name))
        if instance is None:
            raise ApiError(self.unknown_code, 404, "The instance does not exist.")
        return instance

    def _matching(self, params: Mapping[str, str]) -> list[Instance]:
        if params.get("ServerDeployFlag"):
            raise NotImplementedError("ListInstances with ServerDeployFlag")
        found = self._newest_first
        for name, field in _FIELDS.items():
            if wanted := params.get(name):
                found = [instance for instance in found if getattr(instance, field) == wanted]
        if hosted := params.get("AutoReissueFlag"):
            found = [instance for instance in found if instance.hosted == (hosted == "1")]
        if keyword := params.get("Keyword"):
            found = [instance for instance in found if keyword in f"{instance.domain} {instance.instance_id}"]
        if params.get("ResourceGroupId") not in {None, "", "rg-example"}:
            return []
        if status := params.get("Status"):
            found = [instance for instance in found if self._status(instance) == status]
        if status := params.get("CertificateStatus"):
            found = [instance for instance in found if self._certificate_status(instance) == status]
        return found

    def _certificate_status(self, instance: Instance) -> str:
        newest = self._certificates.find(instance.certificate_id) if instance.certificate_id else None
        shapes = self._common.shapes
        return newest.status(self._common.clock.now(), shapes.certificate_expiring_days) if newest else ""
