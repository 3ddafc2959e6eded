"""When is an order book known to be whole? When another reading proves it, so it is read until one does."""

from handler.errors import CasRefused
from handler.orders.book import OrderBook
from handler.orders.service import OrderService

BOOK_ATTEMPTS = 3


def whole_book(orders: OrderService, book: OrderBook) -> OrderBook:
    """Read again until a reading proves the one before it whole (`OrderBook.proves_whole`).

    `book`: a reading made just before. Returns the newer rows as a picture that holds since the older reading. Reading
    everything twice is only for the runs that buy or settle something; an overlap of the pages would cost every run
    more, and rest on a page size that CAS need not keep to. Raises CasError, also if the list never holds still.
    """
    for _ in range(BOOK_ATTEMPTS):
        again = orders.order_book()
        if again.proves_whole(book):
            return again.as_of(book.read_at)
        book = again
    code = "list-changing"
    raise CasRefused(code, f"the order list did not hold still in {BOOK_ATTEMPTS + 1} readings")
