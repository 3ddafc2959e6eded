"""The certificate orders of an account, as one snapshot, and whether the snapshot is known to be whole."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from handler.certificates.domains import canonical
from handler.certificates.renewable import Renewable
from handler.journal.pictures import Picture
from handler.orders.order import ISSUED, Order


class OrderBook:
    """Every CPACK and BUY order that CAS showed, and since when the picture holds.

    One reading of a list that takes several pages may have a hole: when a row leaves a page that has been read, the
    rest moves up by one, and the order at the boundary is never seen. So a single reading is good enough to see what
    is due, and not to buy or to settle; see `proves_whole`.
    """

    def __init__(  # noqa: PLR0913 (all that is known of one reading)
        self,
        orders: Iterable[Order],
        read_at: datetime,
        *,
        listed: Sequence[str] | None = None,
        is_tidy: bool = True,
        is_short: bool = False,
        nameless: Sequence[str] = (),
        empty_lists: Iterable[str] = (),
    ) -> None:
        """`read_at`: the moment *before* the first page was asked for. Whatever was visible then is in the book.

        `listed`: the ids as they came, repetitions included. `is_tidy`: no row came twice, and on every page the total
        was the number of rows that came. `is_short`: some total was larger, so that every reading may hide the
        same orders; such a book is good enough to buy by, and not to say that an order was never bought. `nameless`:
        what can be shown of the rows that have no order id. `empty_lists`: the types of which CAS has shown no order.
        """
        self.read_at = read_at
        self.is_tidy = is_tidy
        self.is_short = is_short
        self.nameless = tuple(nameless)
        self.empty_lists = frozenset(empty_lists)
        self._orders = {order.id: order for order in orders}
        self._listed = tuple(self._orders) if listed is None else tuple(listed)
        self._rivals: dict[tuple[str, str], list[Order]] = defaultdict(list)
        for order in self:
            self._rivals[order.product, canonical(order.domain)].append(order)

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
        self._rivals[order.product, canonical(order.domain)].append(order)

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
            is_short=self.is_short,
            nameless=self.nameless,
            empty_lists=self.empty_lists,
        )

    def get(self, order_id: str) -> Order | None:
        """Return the order of that id, None if CAS showed none."""
        return self._orders.get(order_id)

    def renewable(self, order_id: str) -> Renewable | None:
        """Return what CAS shows of that order that every kind has, None if it shows none."""
        order = self.get(order_id)
        return order.renewable if order else None

    def of_domain(self, domain: str) -> list[Order]:
        """Return the orders of that very domain, in any spelling; a wildcard covers only itself."""
        name = canonical(domain)
        return [order for order in self if order.domain and canonical(order.domain) == name]

    def of_instance(self, instance_id: str) -> list[Order]:
        """Return the orders of that resource id."""
        return [order for order in self if order.renewable.instance == instance_id]

    def existing(self, product: str, domain: str) -> frozenset[str]:
        """Return the ids of the orders that exist and so cannot be what a renewal of (product, domain) makes.

        Those are its rivals, and whatever may yet become one: an order of the product that has no certificate can
        lose its domain again, when its application is cancelled, and so can one whose certificate was revoked.
        """
        unbound = {order.id for order in self if order.product == product and order.status not in ISSUED}
        return frozenset(unbound | {order.id for order in self.rivals(product, domain)})

    def namesakes(self, product: str, domain: str) -> list[Order]:
        """Return the orders of that product and that very domain."""
        return self._rivals.get((product, canonical(domain)), [])

    def rivals(self, product: str, domain: str) -> list[Order]:
        """Return the orders that a renewal of (product, domain) could be: same product, same or empty domain."""
        names = {canonical(domain), ""}
        return [order for name in sorted(names) for order in self._rivals.get((product, name), ())]
