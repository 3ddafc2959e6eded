"""Reading the order book so that it can be relied upon: whole, and not stale."""

from datetime import datetime, timedelta

from handler.errors import CasRefused
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.service import OrderService
from handler.outcomes import ListFault
from handler.runtime.clock import Clock

BOOK_ATTEMPTS = 3
"""So often a list that changes is read once more."""


def whole_book(orders: OrderService, book: OrderBook) -> OrderBook:
    """Read again until a reading proves the one before it whole (`OrderBook.proves_whole`).

    Returns the newer rows as a picture that holds since the older reading. Reading everything twice is only for the
    runs that purchase or settle something; an overlap of the pages would cost every run more, and rest on a page size
    that CAS need not keep to. Raises CasError, also if the list never holds still.
    """
    for _ in range(BOOK_ATTEMPTS):
        again = orders.order_book()
        if again.proves_whole(book):
            return again.as_of(book.read_at)
        book = again
    raise CasRefused(ListFault.LIST_CHANGING, f"the order list did not hold still in {BOOK_ATTEMPTS + 1} readings")


class CurrentBook:
    """The whole order book of a run that purchases, kept current while it does."""

    def __init__(self, orders: OrderService, book: OrderBook, clock: Clock, settle: timedelta) -> None:
        """`settle`: `SETTLE_SECONDS`, for so long a picture is good enough to purchase by."""
        self.book = book
        self._orders = orders
        self._clock = clock
        self._settle = settle
        self._made: list[Order] = []

    def now(self) -> datetime:
        """Return the moment for which is decided by the book."""
        return self._clock.now()

    def is_stale(self) -> bool:
        """Tell whether so much may have happened since the book was read that it must be read again."""
        return self.now() - self.book.read_at > self._settle

    def read_again(self) -> None:
        """Read the book again. Raises CasError."""
        self.book = whole_book(self._orders, self._orders.order_book())
        for made in self._made:
            if self.book.get(made.id) is None:
                self.book.add(made)

    def add_successor(self, old: Order, successor_id: str) -> None:
        """Add the order that this run has purchased for an old one; CAS may show it late."""
        renewable = old.renewable._replace(id=successor_id, ends=None)
        new = old._replace(renewable=renewable, status="PAYED", bought_at=self.now(), starts=None)
        self._made.append(new)
        self.book.add(new)
