"""Reading a row field by field: what is absent is nothing, what makes no sense is nothing and named."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.rows import YEARS, Row
from tests.examples import NOW, PROPERTY
from tests.unit.v2_rows import GONE, JSON, milliseconds, seconds

NONSENSE: dict[str, list[Any]] = {
    "text": [0, 5, 1.5, False, [], ["x"], {}],
    "texts": ["CDN", 0, False, {}, {"CDN": 1}, ["CDN", None], [["CDN"]], [1]],
    "id": ["x", -1, 1.5, True, [], {}, 2**63, "9" * 5000, " 1", "١٢"],
    "moment": ["soon", "2026-11-21", -1, 1, 10**30, 1e400, float("nan"), True, [], {}, "9" * 5000],
}
NOTHING: dict[str, Any] = {"text": "", "texts": (), "id": "", "moment": None}
READERS = ["text", "texts", "id", "milliseconds", "moment"]


def read(how: str, value: Any) -> tuple[Any, tuple[str, ...]]:
    """What a reader returns for a value, and which fields it calls odd."""
    row = Row({} if value is GONE else {"Field": value})
    return getattr(row, how)("Field"), row.odd


@pytest.mark.parametrize(
    ("how", "value", "found"),
    [
        ("text", "www.example.com", "www.example.com"),
        ("text", " ", " "),
        ("texts", ["CDN", "ALB"], ("CDN", "ALB")),
        ("texts", [], ()),
        ("id", 20000001, "20000001"),
        ("id", "20000001", "20000001"),
        ("id", 2**53 + 1, "9007199254740993"),
        ("milliseconds", milliseconds(NOW), NOW),
        ("milliseconds", str(milliseconds(NOW)), NOW),
        ("moment", milliseconds(NOW), NOW),
        ("moment", str(milliseconds(NOW)), NOW),
        ("moment", seconds(NOW), NOW),
        ("moment", str(seconds(NOW)), NOW),
        ("moment", float(seconds(NOW)), NOW),
    ],
)
def test_a_field_is_read_as_what_it_is(how: str, value: Any, found: Any):
    assert read(how, value) == (found, ())


@pytest.mark.parametrize("how", NOTHING)
@pytest.mark.parametrize("absent", [GONE, None, ""])
def test_what_is_absent_is_nothing_and_not_odd(how: str, absent: Any):
    assert read(how, absent) == (NOTHING[how], ())


@pytest.mark.parametrize(("how", "nothing"), [("id", ""), ("moment", None), ("milliseconds", None)])
@pytest.mark.parametrize("absent", [0, "0", False])
def test_an_id_or_a_moment_of_nought_is_one_that_there_is_not(how: str, nothing: Any, absent: Any):
    assert read(how, absent) == (nothing, ())


@pytest.mark.parametrize(("how", "value"), [(how, value) for how, values in NONSENSE.items() for value in values])
def test_what_makes_no_sense_is_nothing_and_named(how: str, value: Any):
    assert read(how, value) == (NOTHING[how], ("Field",))


@pytest.mark.parametrize("year", [YEARS[0], 2026, 2055, YEARS[-1]])
def test_a_moment_is_the_same_in_either_unit(year: int):
    moment = datetime(year, 6, 1, 12, 30, 15, tzinfo=timezone.utc)
    assert read("moment", seconds(moment)) == read("moment", milliseconds(moment)) == (moment, ())


def test_a_moment_keeps_its_milliseconds_where_it_has_some():
    assert read("moment", milliseconds(NOW) + 7)[0] == NOW.replace(microsecond=7000)


def test_seconds_are_none_where_milliseconds_are_documented():
    assert read("milliseconds", seconds(NOW)) == (None, ("Field",))


def test_each_field_that_makes_no_sense_is_named_in_the_order_in_which_it_was_asked_for():
    row = Row({"A": 5, "B": "text", "C": [1], "D": 5})
    assert [row.text("C"), row.text("B"), row.text("A")] == ["", "text", ""]
    assert row.odd == ("C", "A")


@PROPERTY
@given(st.sampled_from(READERS), JSON)
def test_whatever_a_value_is_it_is_taken_or_it_is_nothing(how: str, value: Any):
    found, odd = read(how, value)
    assert odd in {(), ("Field",)}
    assert not (found and odd)
    if how in {"milliseconds", "moment"} and found is not None:
        assert found.year in YEARS
