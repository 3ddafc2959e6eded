"""What watching instances needs of the certificate service: a port, filled in `handler.cloud`."""

from typing import NamedTuple, Protocol

from handler.instances.detail import Detail
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
        """Look at one instance."""

    def probe_instances(self) -> None:
        """Ask for one instance, to see whether that works."""
