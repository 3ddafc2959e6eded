"""An order book is read again until one reading proves the one before it whole."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from handler.certificates.csr import Csr
from handler.errors import CasOutcomeUnknown, CasRefused
from handler.orders.book import OrderBook
from handler.orders.reading import BOOK_ATTEMPTS, whole_book
from handler.orders.service import OrderService
from tests.examples import NEW, NOW, OLD, OTHER, SECOND, order


class Readings:
    """An `OrderService` whose next readings are known."""

    def __init__(self, *readings: Sequence[str] | Exception) -> None:
        self.left = list(readings)
        self.now = NOW

    def order_book(self) -> OrderBook:
        self.now += SECOND
        reading = self.left.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return OrderBook([order(order_id) for order_id in reading], self.now, listed=reading)

    def order_of_certificate(self, certificate_id: str) -> str | None:
        raise AssertionError(certificate_id)

    def purchase(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        raise AssertionError(order_id)

    def probe(self) -> None:
        raise AssertionError


def read(service: Readings) -> OrderBook:
    port: OrderService = service  # this is all that another service must be
    return whole_book(port, port.order_book())


def test_the_newer_orders_hold_since_the_older_reading():
    found = read(Readings((OLD,), (OLD, NEW)))
    assert found.ids == {OLD, NEW}
    assert found.read_at == NOW + SECOND


def test_a_list_that_changed_is_read_until_it_holds_still_and_holds_since_the_last_but_one_reading():
    service = Readings((OLD, OTHER), (OLD, NEW), (OLD, NEW), (NEW,))
    found = read(service)
    assert found.ids == {OLD, NEW}
    assert found.read_at == NOW + timedelta(seconds=2)
    assert len(service.left) == 1


def test_a_list_that_never_holds_still_is_none():
    service = Readings(*[(OLD,), (OTHER,)] * BOOK_ATTEMPTS)
    with pytest.raises(CasRefused, match=r"list-changing: the order list did not hold still in 4 readings"):
        read(service)
    assert len(service.left) == 2 * BOOK_ATTEMPTS - (BOOK_ATTEMPTS + 1)


def test_what_keeps_it_from_being_read_is_passed_on():
    with pytest.raises(CasOutcomeUnknown, match="no-answer"):
        read(Readings((OLD,), CasOutcomeUnknown("no-answer", "ReadTimeout")))
