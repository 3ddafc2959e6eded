"""The certificate instances of CAS (V2): the `InstanceService` of the deployed function."""

from handler.cloud.cas_client import Cas
from handler.cloud.cas_lists import CasList
from handler.errors import CasOutcomeUnknown
from handler.instances.detail import Detail, Task, detail_in, task_in
from handler.instances.row import instance_in
from handler.instances.service import InstanceList
from handler.outcomes import ListFault, Reason

PAGE = 100
"""The most that CAS allows."""


class CasInstances:
    """The certificate instances of one account."""

    def __init__(self, client: Cas) -> None:
        """`client`: shared with the other services of CAS, since what it allows is for all of them together."""
        self._client = client
        self._list = CasList(
            "instances", lambda page: client.read("ListInstances", page), "InstanceList", instance_in, PAGE
        )

    def instances(self) -> InstanceList:
        """Read every instance, all pages, until the list has held still. Raises CasError."""
        return InstanceList(*self._list.read_tidily())

    def detail(self, instance_id: str) -> Detail:
        """Look at one instance. Raises CasRefused if CAS knows no such one, and any other CasError.

        Its answer has no private key, whatever is asked; there is nothing else to ask for than the instance.
        """
        answer = self._client.read("GetInstanceDetail", {"InstanceId": instance_id})
        if not answer.keys() - {"RequestId"}:
            raise CasOutcomeUnknown(ListFault.EMPTY_ANSWER, f"CAS answered nothing about {instance_id}")
        return detail_in(answer)

    def task(self, instance_id: str) -> Task:
        """Ask how the submission of the newest application for an instance went. Raises CasError."""
        return task_in(self._client.read("GetTaskAttribute", {"TaskId": instance_id, "TaskType": "ApplyCertificate"}))

    def apply(self, instance_id: str, seconds: float) -> str:
        """Apply for the next certificate of an instance. Returns the request id.

        `seconds`: how long it may take. Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when no
        application went in, CasOutcomeUnknown when that cannot be said.
        """
        request_id = self._client.call_once("ApplyCertificate", {"InstanceId": instance_id}, seconds).get("RequestId")
        if not isinstance(request_id, str) or not request_id:
            # There is nothing else in the answer that says that somebody has understood what was asked.
            raise CasOutcomeUnknown(Reason.NO_ANSWER, f"CAS answered nothing to the application for {instance_id}")
        return request_id

    def probe_instances(self) -> None:
        """Ask for one instance, to see whether that works. Raises CasError."""
        self._list.probe()
