"""What instances need of the certificate service: a port, filled in `handler.cloud`."""

from typing import NamedTuple, Protocol

from handler.instances.detail import Detail, Task
from handler.instances.instance import Instance


class InstanceList(NamedTuple):
    """Every instance that CAS showed."""

    instances: tuple[Instance, ...] = ()
    nameless: tuple[str, ...] = ()
    """What can be shown of the rows that had no instance id."""


class InstanceService(Protocol):
    """The certificate instances of one account. Every method raises CasError when it cannot do its work."""

    def instances(self) -> InstanceList:
        """Read every instance, all pages."""

    def detail(self, instance_id: str) -> Detail:
        """Look at one instance. Raises CasRefused if there is no such one."""

    def task(self, instance_id: str) -> Task:
        """Ask how the submission of the newest application for an instance went."""

    def apply(self, instance_id: str, seconds: float) -> str:
        """Apply for the next certificate of an instance, once. Returns the request id.

        `seconds`: how long it may take. Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when no
        application went in, CasOutcomeUnknown when that cannot be said.
        """

    def probe_instances(self) -> None:
        """Ask for one instance, to see whether that works."""
