"""The list of orders: when two readings of it prove that nothing was missed."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.journal.pictures import Picture
from handler.orders.book import OrderBook
from handler.orders.order import Order
from tests.examples import NEW, NOW, OLD, OTHER, PROPERTY, book, order, pending

THIRD = "123451444"


def reading(*ids: str, is_tidy: bool = True) -> OrderBook:
    return OrderBook([order(order_id) for order_id in ids], NOW, listed=ids, is_tidy=is_tidy)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (reading(), reading()),
        (reading(OLD, OTHER), reading(OLD, OTHER)),
        (reading(OLD, OTHER), reading(NEW, OTHER, OLD)),
        (reading(OLD, OTHER), reading(OTHER, OLD, is_tidy=False)),
        (reading(OLD, OLD, is_tidy=False), reading(OLD, OLD, is_tidy=False)),
    ],
    ids=["empty", "the same", "one more, moved", "the later one untidy", "always untidy in the same way"],
)
def test_a_reading_all_of_whose_orders_are_seen_again_is_whole(earlier, later):
    assert later.proves_whole(earlier)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (reading(OLD, OTHER), reading(OLD)),
        (reading(OLD), reading()),
        (reading(OLD, OTHER), reading(OLD, THIRD)),
        (reading(OLD, OTHER, is_tidy=False), reading(OTHER, OLD)),
        (reading(OLD, OLD, is_tidy=False), reading(OLD, is_tidy=False)),
        (reading(OLD, is_tidy=False), reading(OLD, OTHER)),
    ],
    ids=["one gone", "all gone", "one for another", "untidy and moved", "untidy in another way", "untidy and one more"],
)
def test_any_other_reading_proves_nothing(earlier, later):
    assert not later.proves_whole(earlier)


def test_a_picture_has_every_order_and_the_lists_that_are_empty():
    assert book(order(OLD), pending(NEW), empty_lists={"BUY"}).picture == Picture(
        frozenset({OLD, NEW}), frozenset({"BUY"})
    )


def test_the_same_orders_as_a_picture_of_another_moment_keep_all_that_is_known_of_the_list():
    seen = OrderBook([order(OLD)], NOW, listed=[OLD, ""], is_tidy=False, nameless=["5"], empty_lists={"BUY"})
    again = seen.as_of(NOW - timedelta(minutes=1))
    assert again.read_at == NOW - timedelta(minutes=1)
    assert (again.ids, again.is_tidy, again.nameless) == (seen.ids, False, ("5",))
    assert again.empty_lists == {"BUY"}
    assert again.proves_whole(seen)


def test_an_order_that_a_run_has_made_is_in_its_book():
    seen = book(order(OLD))
    seen.add(pending(NEW))
    assert seen.ids == {OLD, NEW}
    assert [found.id for found in seen.namesakes(order().product, order().domain)] == [OLD, NEW]


def test_what_exists_includes_what_may_lose_its_domain_again():
    rows: list[Order] = [order(OLD), pending(NEW, domain="shop.example.com"), pending(OTHER, product="ov-single")]
    rows.append(order(THIRD, domain="c.example.com", status="REVOKED"))
    assert book(*rows).existing(order().product, order().domain) == {OLD, NEW, THIRD}


# --------------------------------------------------------------------------------- a list that changes while it is read

SIZE = 2
"""Rows of a page."""
CHANGES = st.lists(
    st.tuples(st.sampled_from(["nothing", "remove", "insert", "move"]), st.integers(0, 9), st.integers(0, 9)),
    max_size=2,
)


class Paged:
    """A list in pages, with changes between any two of them."""

    def __init__(self, count: int) -> None:
        self.rows = [str(number) for number in range(100, 100 + count)]
        self.ever_gone: set[str] = set()
        self._next = 500

    def change(self, what: str, at: int, to: int) -> None:
        if what == "insert":
            self.rows.insert(at % (len(self.rows) + 1), str(self._next))
            self._next += 1
        elif what != "nothing" and self.rows:
            row = self.rows.pop(at % len(self.rows))
            if what == "move":
                self.rows.insert(to % (len(self.rows) + 1), row)
            else:
                self.ever_gone.add(row)

    def read(self, data: st.DataObject, *, moves: bool) -> OrderBook:
        """Read all pages as the function does: until one is not full, or empty."""
        listed: list[str] = []
        totals = set()
        for page in range(20):
            found = self.rows[page * SIZE : (page + 1) * SIZE]
            listed += found
            totals.add(len(self.rows))
            if not found or (len(found) < SIZE and len(listed) >= len(self.rows)):
                break
            for what, at, to in data.draw(CHANGES):
                self.change("nothing" if what == "move" and not moves else what, at, to)
        tidy = totals == {len(listed)} and len(set(listed)) == len(listed)
        return OrderBook([order(row) for row in listed], NOW, listed=listed, is_tidy=tidy)


def check(data: st.DataObject, *, moves: bool) -> None:
    world = Paged(data.draw(st.integers(0, 7)))
    at_first = set(world.rows)
    earlier = world.read(data, moves=moves)
    later = world.read(data, moves=moves)
    # Of a list that is never tidy only the rows themselves can tell, and moves can make the same hole twice.
    if later.proves_whole(earlier) and (earlier.is_tidy or not moves):
        there_all_the_time = at_first & set(world.rows) - world.ever_gone
        assert there_all_the_time <= later.ids


@settings(PROPERTY, max_examples=400)
@given(st.data())
def test_whatever_goes_and_comes_while_it_is_read_a_list_that_is_proved_whole_has_all_that_was_there(data):
    check(data, moves=False)


@settings(PROPERTY, max_examples=400)
@given(st.data())
def test_whatever_moves_between_pages_too_a_tidy_list_that_is_proved_whole_has_all_that_was_there(data):
    check(data, moves=True)


def test_the_hole_that_a_single_reading_may_have_is_noticed():
    """A row of the first page goes after that was read: the first of the second page moves up, and is never seen."""
    holed, again = reading("1", "2", "4"), reading("2", "3", "4")
    assert not again.proves_whole(holed)
