"""The certificate orders of an account, as one snapshot, and whether the snapshot is known to be whole."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from handler.certificates.domains import canonical

LIVE = frozenset({"ISSUED", "WILLEXPIRED"})
"""Statuses of an order whose certificate is in force."""

PENDING = frozenset({"PAYED", "CHECKING"})
"""Statuses of an order that is on its way to a certificate."""

ISSUED = LIVE | {"EXPIRED"}
"""Statuses of an order whose certificate was issued and never taken back."""


class Order(NamedTuple):
    """A row of `ListUserCertificateOrder`, type CPACK or BUY (CAS API 2020-04-07)."""

    id: str
    domain: str
    """Empty while CAS has bound none."""
    status: str
    """PAYED, CHECKING, CHECKED_FAIL, ISSUED, WILLEXPIRED, EXPIRED, NOTACTIVATED or REVOKED."""
    product_code: str
    instance_id: str
    cert_type: str
    """DV, OV, EV or FREE."""
    domain_type: str
    """ONE, MULTIPLE, WILDCARD, M_WILDCARD or MIX."""
    source_type: str
    trustee_status: str
    """`trustee`: hosted, the platform renews it by itself."""
    bought_at: datetime | None
    cert_end: datetime | None
    """When the certificate expires; None until it is issued."""
    cert_start: datetime | None = None
    """When it began to be in force; None until it is issued."""
    odd: tuple[str, ...] = ()
    """The fields of the row that made no sense, such as a text for `CertEndTime`; here they are empty."""


class Picture(NamedTuple):
    """What existed at a moment: enough to tell later what is new, and whether a list has gone missing."""

    ids: frozenset[str]
    """Of all orders of the account."""
    empty_lists: frozenset[str]
    """The types of which there was no order."""
    nameless: frozenset[str] = frozenset()
    """What could be shown of the rows that had no order id."""


class OrderBook:
    """Every CPACK and BUY order that CAS showed, and since when the picture holds.

    One reading of a list that takes several pages may have a hole: when a row leaves a page that has been read, the
    rest moves up by one, and the order at the boundary is never seen. So a single reading is good enough to see what
    is due, and not to buy or to settle; see `proves_whole`.
    """

    def __init__(
        self,
        orders: Iterable[Order],
        read_at: datetime,
        *,
        listed: Sequence[str] | None = None,
        is_tidy: bool = True,
        nameless: Sequence[str] = (),
        empty_lists: Iterable[str] = (),
    ) -> None:
        """`read_at`: the moment *before* the first page was asked for. Whatever was visible then is in the book.

        `listed`: the ids as they came, repetitions included. `is_tidy`: no row came twice, and on every page the total
        was the number of rows that came. `nameless`: what can be shown of the rows that have no order id.
        `empty_lists`: the types of which CAS has shown no order.
        """
        self.read_at = read_at
        self.is_tidy = is_tidy
        self.nameless = tuple(nameless)
        self.empty_lists = frozenset(empty_lists)
        self._orders = {order.id: order for order in orders}
        self._listed = tuple(self._orders) if listed is None else tuple(listed)
        self._rivals: dict[tuple[str, str], list[Order]] = defaultdict(list)
        for order in self:
            self._rivals[order.product_code, canonical(order.domain)].append(order)

    def __iter__(self) -> Iterator[Order]:
        """Iterate over the orders, in the order of the list."""
        return iter(self._orders.values())

    def __len__(self) -> int:
        """Return how many orders there are."""
        return len(self._orders)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all orders."""
        return frozenset(self._orders)

    @property
    def picture(self) -> Picture:
        """What exists, as a later run needs it."""
        return Picture(self.ids, self.empty_lists, frozenset(self.nameless))

    def add(self, order: Order) -> None:
        """Add an order that this run has made since the book was read."""
        self._orders[order.id] = order
        self._rivals[order.product_code, canonical(order.domain)].append(order)

    def proves_whole(self, earlier: "OrderBook") -> bool:
        """Tell whether this reading, made right after the earlier one, proves that the earlier one had no hole.

        An order is missed only if a row goes away from a page that has been read. That row was seen and does not come
        back, so a tidy reading all of whose orders are seen again has no hole. A list that is never tidy (a total that
        is simply wrong, a row that always comes twice) is whole if both readings are the same, row by row.
        """
        return (earlier.is_tidy and earlier.ids <= self.ids) or earlier._listed == self._listed  # noqa: SLF001

    def as_of(self, read_at: datetime) -> "OrderBook":
        """Return the same orders, as a picture that holds since `read_at`."""
        return OrderBook(
            self,
            read_at,
            listed=self._listed,
            is_tidy=self.is_tidy,
            nameless=self.nameless,
            empty_lists=self.empty_lists,
        )

    def get(self, order_id: str) -> Order | None:
        """Return the order of that id, None if CAS showed none."""
        return self._orders.get(order_id)

    def of_domain(self, domain: str) -> list[Order]:
        """Return the orders of that very domain, in any spelling; a wildcard covers only itself."""
        name = canonical(domain)
        return [order for order in self if order.domain and canonical(order.domain) == name]

    def of_instance(self, instance_id: str) -> list[Order]:
        """Return the orders of that resource id."""
        return [order for order in self if order.instance_id == instance_id]

    def existing(self, product_code: str, domain: str) -> frozenset[str]:
        """Return the ids of the orders that exist and so cannot be what a renewal of (product, domain) makes.

        Those are its rivals, and whatever may yet become one: an order of the product that has no certificate can
        lose its domain again, when its application is cancelled, and so can one whose certificate was revoked.
        """
        unbound = {order.id for order in self if order.product_code == product_code and order.status not in ISSUED}
        return frozenset(unbound | {order.id for order in self.rivals(product_code, domain)})

    def namesakes(self, product_code: str, domain: str) -> list[Order]:
        """Return the orders of that product and that very domain."""
        return self._rivals.get((product_code, canonical(domain)), [])

    def rivals(self, product_code: str, domain: str) -> list[Order]:
        """Return the orders that a renewal of (product, domain) could be: same product, same or empty domain."""
        names = {canonical(domain), ""}
        return [order for name in sorted(names) for order in self._rivals.get((product_code, name), ())]
