"""The commands: what an event may ask of the function, whichever trigger it came by."""

from typing import NamedTuple

from handler.certificates.csr import Csr
from handler.certificates.renewable import Kind


class Selection(NamedTuple):
    """Which orders and instances are meant; nothing named means a scan."""

    order_ids: tuple[str, ...] = ()
    certificate_ids: tuple[str, ...] = ()
    instance_ids: tuple[str, ...] = ()
    """Of V2 instances, and of what a V1 order has as its instance: the id alone does not tell which."""
    domains: tuple[str, ...] = ()

    @property
    def is_scan(self) -> bool:
        """Whether nothing is named, so that everything is looked at."""
        return not (self.order_ids or self.certificate_ids or self.instance_ids or self.domains)


class Renew(NamedTuple):
    """Renew what the policy allows of the selection."""

    selection: Selection
    csr: Csr | None = None
    """Only with a selection of one order or one domain."""
    dry_run: bool = False
    note: str | None = None
    """What to say of how the event was understood; it goes into the result."""


class Nothing(NamedTuple):
    """The event asks for nothing; `why` goes into the result."""

    why: str


class Check(NamedTuple):
    """Tell whether everything that the function needs works from here."""


class Resolve(NamedTuple):
    """A person says which order is the successor of a held one."""

    order_id: str
    new_order_id: str


class Release(NamedTuple):
    """A person says that nothing was bought for a held order, or that a held instance may be applied for again."""

    id: str
    kind: Kind = Kind.ORDER
    """What the id is of: an order or an instance."""


class Command(NamedTuple):
    """One event, understood."""

    trigger: str
    """`timer`, `cloudmonitor` or `manual`."""
    what: Renew | Nothing | Check | Resolve | Release
