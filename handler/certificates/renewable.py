"""What every kind of thing that can be renewed has in common."""

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from handler.certificates.domains import names_in


class Kind(str, Enum):
    """What is renewed."""

    ORDER = "order"
    """A certificate order (V1): a renewal purchases another order."""
    INSTANCE = "instance"
    """A certificate instance (V2): a subscription in which one certificate follows another."""
    CERTIFICATE = "certificate"
    """A certificate behind which there is neither, such as an uploaded one: it is watched only."""


class Renewable(NamedTuple):
    """One thing that can be renewed: what journal, messages, result and report say of it, whatever its kind."""

    kind: Kind
    id: str
    domain: str = ""
    """As CAS shows it: one name, or several in one text; empty while none is bound."""
    product: str = ""
    """The product code, such as `digicert-dv-1`."""
    instance: str = ""
    """The resource id in CAS, such as `cas-cn-example01`."""
    ends: datetime | None = None
    """When its certificate expires; None while it has none, or nothing tells."""
    is_known: bool = True
    """Whether more than the id is known; a journal that cannot be read tells nothing else."""

    @property
    def domains(self) -> tuple[str, ...]:
        """All of its names, each once, in canonical spelling."""
        return names_in(self.domain)
