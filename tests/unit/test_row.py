"""From a row of the list to an order: what makes no sense costs its own order at most."""

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind, Renewable
from handler.orders.order import Order
from handler.orders.policy import in_sight, reason_not_to_renew, superseding
from handler.orders.row import order_in
from tests.examples import NOW, PROPERTY, book, rules

END = datetime(2026, 12, 11, 15, 0, tzinfo=timezone.utc)
MILLISECONDS = int(END.timestamp() * 1000)
ROW: dict[str, Any] = {
    "OrderId": 123451222,
    "Domain": "www.example.com",
    "Status": "WILLEXPIRED",
    "ProductCode": "digicert-dv-1",
    "InstanceId": "cas-cn-example01",
    "CertType": "DV",
    "DomainType": "ONE",
    "SourceType": "cpack",
    "TrusteeStatus": "unTrustee",
    "BuyDate": MILLISECONDS - 1000,
    "CertEndTime": MILLISECONDS,
    "CertStartTime": MILLISECONDS - 2000,
}
TEXTS = [name for name, value in ROW.items() if isinstance(value, str)]
MOMENTS = ["BuyDate", "CertEndTime", "CertStartTime"]


def read(**changed: Any) -> Order:
    found = order_in({**ROW, **changed})
    assert isinstance(found, Order)
    return found


def field(order: Order, name: str) -> Any:
    """What an order has of a field of the row."""
    of_any_kind = {"Domain": "domain", "ProductCode": "product", "InstanceId": "instance", "CertEndTime": "ends"}
    if name in of_any_kind:
        return getattr(order.renewable, of_any_kind[name])
    names = {"BuyDate": "bought_at", "CertStartTime": "starts"}
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
    return getattr(order, names.get(name, snake))


def test_every_field_of_a_row_is_taken():
    order = read()
    assert order.id == "123451222"
    assert {name: field(order, name) for name in TEXTS} == {name: ROW[name] for name in TEXTS}
    assert (order.ends, order.odd) == (END, ())
    assert [field(order, name) for name in MOMENTS] == [
        datetime.fromtimestamp(ROW[name] / 1000, timezone.utc) for name in MOMENTS
    ]


@pytest.mark.parametrize(
    ("given_id", "order_id"),
    [
        (1, "1"),
        (2**53 + 1, "9007199254740993"),
        (2**63 - 1, "9223372036854775807"),
        ("123", "123"),
        ("00123", "123"),
    ],
)
def test_an_order_id_is_a_whole_number_in_any_spelling(given_id, order_id):
    assert read(OrderId=given_id).id == order_id


@pytest.mark.parametrize(
    "given_id",
    [None, 0, -1, 2**63, 1.0, 1.5, True, "", "x", "-1", "1.0", " 1", "١٢", "9" * 5000, [1], {"id": 1}, float("nan")],
)
def test_a_row_without_an_order_id_is_shown_and_nothing_else(given_id):
    shown = order_in({**ROW, "OrderId": given_id})
    assert isinstance(shown, str)
    assert shown.startswith("OrderId ")
    assert len(shown) <= 80


@pytest.mark.parametrize("row", [None, 5, "text", [], [ROW], True, 1.5, "x" * 5000])
def test_what_is_no_row_is_shown(row):
    shown = order_in(row)
    assert isinstance(shown, str)
    assert len(shown) <= 80


def test_a_row_that_has_nothing_but_an_id_is_an_order_that_nothing_is_known_of():
    bare = order_in({"OrderId": 5})
    assert bare == Order(Renewable(Kind.ORDER, "5", "", "", "", None), "", "", "", "", "", None, None, ())


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("nonsense", [0, 5, 1.5, False, [], ["x"], {}])
def test_a_text_that_is_none_is_empty_and_named(name, nonsense):
    order = read(**{name: nonsense})
    assert (field(order, name), order.odd) == ("", (name,))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("absent", [None, ""])
def test_a_text_that_is_absent_is_empty_and_not_odd(name, absent):
    order = read(**{name: absent})
    assert (field(order, name), order.odd) == ("", ())


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize(
    "nonsense",
    ["soon", "2026-12-11", -1, 1, 10**30, -(10**30), 1e400, float("nan"), True, [], [5], {}, "9" * 5000],
)
def test_a_moment_that_makes_no_sense_is_none_and_named(name, nonsense):
    order = read(**{name: nonsense})
    assert (field(order, name), order.odd) == (None, (name,))


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize("absent", [None, "", 0, "0", False])
def test_a_moment_that_is_absent_is_none_and_not_odd(name, absent):
    order = read(**{name: absent})
    assert (field(order, name), order.odd) == (None, ())


@pytest.mark.parametrize("written", [MILLISECONDS, str(MILLISECONDS), float(MILLISECONDS)])
def test_a_moment_may_be_written_as_a_number_or_as_a_text(written):
    assert read(CertEndTime=written).ends == END


def test_an_order_of_which_something_makes_no_sense_is_spoken_of_and_not_renewed():
    odd = read(CertEndTime="soon")
    assert in_sight(odd, rules(), NOW)
    assert reason_not_to_renew(odd, rules(), NOW) == "row-unreadable"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NEARLY = st.fixed_dictionaries(
    {}, optional={name: JSON | st.just(value) | st.integers(0, 2**64) for name, value in ROW.items()}
)


@PROPERTY
@given(NEARLY | JSON)
def test_whatever_a_row_is_it_gives_an_order_or_a_text(row):
    found = order_in(row)
    assert isinstance(found, (Order, str))
    if isinstance(found, Order):
        assert 0 < int(found.id) < 2**63
        assert set(found.odd) <= set(ROW)
        assert all(not field(found, name) for name in found.odd)
        # And whatever it is, the rest of the function can take it.
        reason_not_to_renew(found, rules(), NOW)
        in_sight(found, rules(), NOW)
        superseding(found, book(found))
