"""The certificate instances of CAS (V2), only looked at: the `InstanceService` of the deployed function."""

from handler.cloud.cas_client import Cas
from handler.cloud.cas_lists import CasList
from handler.errors import CasOutcomeUnknown
from handler.instances.detail import Detail, detail_in
from handler.instances.row import instance_in
from handler.instances.service import InstanceList
from handler.outcomes import ListFault

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

    def probe_instances(self) -> None:
        """Ask for one instance, to see whether that works. Raises CasError."""
        self._list.probe()
