"""What nothing will replace, among all that was issued, and how near its end is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rules import HISTORY
from handler.watch.standing import THRESHOLDS, Standing, latest_ends, nearest_unprotected_days, unreplaced
from tests.examples import DAY, HOUR, MILLISECOND, NOW, PROPERTY, SECOND

FOURTEEN_DAYS = 14 * DAY


def standing(
    names: str = "www.example.com",
    *,
    left: timedelta = 10 * DAY,
    why_not: str | None = "uploaded",
    id_: str = "9000000",
    kind: Kind = Kind.CERTIFICATE,
    **more: Any,
) -> Standing:
    """A certificate that ends in that time."""
    of = Renewable(kind, id_, domain=names, ends=NOW + left)
    return Standing(of, frozenset(names.split(",")), NOW + left, why_not, **more)


# --- thresholds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "threshold"),
    [
        (60 * DAY, None),
        (14 * DAY + MILLISECOND, None),
        (14 * DAY, 14),
        (7 * DAY + MILLISECOND, 14),
        (7 * DAY, 7),
        (3 * DAY + MILLISECOND, 7),
        (3 * DAY, 3),
        (DAY + MILLISECOND, 3),
        (DAY, 1),
        (MILLISECOND, 1),
        (timedelta(0), 0),
        (-MILLISECOND, 0),
        (-29 * DAY, 0),
    ],
)
def test_a_threshold_is_reached_at_its_very_moment(left, threshold):
    assert standing(left=left).threshold(NOW, FOURTEEN_DAYS) == threshold


@pytest.mark.parametrize(
    ("within", "reached"),
    [(1, [1, 0]), (2, [1, 0]), (3, [3, 1, 0]), (6, [3, 1, 0]), (7, [7, 3, 1, 0]), (13, [7, 3, 1, 0])]
    + [(days, [14, 7, 3, 1, 0]) for days in (14, 15, 60, 365)],
)
def test_of_the_thresholds_only_those_within_the_setting_count(within, reached):
    far_to_near = [
        threshold
        for left in range(20 * 24, -24, -1)
        if (threshold := standing(left=left * HOUR).threshold(NOW, within * DAY)) is not None
    ]
    assert list(dict.fromkeys(far_to_near)) == reached


@PROPERTY
@given(st.integers(-40 * 86400, 400 * 86400), st.integers(1, 365))
def test_no_threshold_is_ahead_and_none_nearer_is_left_out(seconds, within):
    threshold = standing(left=seconds * SECOND).threshold(NOW, within * DAY)
    passed = [days for days in THRESHOLDS if days <= within and seconds <= days * 86400]
    assert threshold == (min(passed) if passed else None)


@pytest.mark.parametrize(
    ("left", "days"), [(DAY, 1), (DAY - MILLISECOND, 0), (timedelta(0), 0), (-MILLISECOND, -1), (-DAY, -1)]
)
def test_days_left_are_whole_and_negative_as_soon_as_it_has_ended(left, days):
    assert standing(left=left).days_left(NOW) == days


# --- unreplaced -------------------------------------------------------------------------------------------------------


def ids(found: list[Standing]) -> list[str]:
    return [one.renewable.id for one in found]


def test_what_says_that_nothing_will_replace_it_is_found_the_first_to_end_first():
    far, near = standing("a.example.com", left=9 * DAY, id_="1"), standing("b.example.com", left=-5 * DAY, id_="2")
    will_be = standing("c.example.com", why_not=None, id_="3")
    assert unreplaced([far, will_be, near], NOW) == [near, far]


@pytest.mark.parametrize(
    ("other", "is_found"),
    [
        (standing(left=11 * DAY, id_="2"), False),
        (standing(left=11 * DAY, id_="2", why_not=None), False),
        (standing(left=10 * DAY + MILLISECOND, id_="2", kind=Kind.INSTANCE), False),
        (standing(left=11 * DAY, id_="2", why_not=None, only_replaces=True), False),
        (standing(left=9 * DAY, id_="2"), True),
        (standing("www.example.com,example.com", left=99 * DAY, id_="2", why_not=None), True),
        (standing("example.com", left=99 * DAY, id_="2", why_not=None), True),
        (standing("*.example.com", left=99 * DAY, id_="2", why_not=None), True),
    ],
)
def test_a_certificate_of_the_very_same_names_that_ends_later_replaces_it(other, is_found):
    assert ("9000000" in ids(unreplaced([standing(), other], NOW))) == is_found
    assert ("9000000" in ids(unreplaced([other, standing()], NOW))) == is_found


def test_of_two_that_end_together_both_are_found():
    assert ids(unreplaced([standing(id_="2"), standing(id_="1")], NOW)) == ["1", "2"]


def test_a_month_after_its_end_it_is_history():
    last = standing(left=-HISTORY + MILLISECOND)
    assert unreplaced([last], NOW) == [last]
    assert unreplaced([standing(left=-HISTORY)], NOW) == []


STANDINGS = st.lists(
    st.builds(
        lambda names, days, why, id_: standing(names, left=days * DAY, why_not=why, id_=str(id_)),
        st.sampled_from(["a.example.com", "b.example.com", "a.example.com,b.example.com"]),
        st.integers(-40, 40),
        st.sampled_from([None, "uploaded", "revoked"]),
        st.integers(1, 9),
    ),
    max_size=8,
)


@PROPERTY
@given(STANDINGS)
def test_each_that_is_found_is_the_last_of_its_names_and_of_those_none_is_missing(everything):
    found = unreplaced(everything, NOW)
    for one in everything:
        later = [other for other in everything if other.names == one.names and other.ends > one.ends]
        wanted = one.why_not is not None and one.ends > NOW - HISTORY and not later
        assert (one in found) == wanted
    assert [one.ends for one in found] == sorted(one.ends for one in found)


# --- the metric -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=5.5), 5.5),
        (timedelta(0), 0.0),
        (-timedelta(hours=6), -0.2),
        (-timedelta(days=29, hours=23), -30.0),
        (-HISTORY, None),
        (-40 * DAY, None),
    ],
)
def test_the_nearest_end_is_negative_for_a_month_and_then_forgotten(left, days):
    assert nearest_unprotected_days([standing(left=left)], NOW) == days


def test_of_each_set_of_names_the_last_end_counts_and_of_all_sets_the_nearest():
    everything = [
        standing("a.example.com", left=-3 * DAY),
        standing("a.example.com", left=50 * DAY, why_not=None),
        standing("b.example.com", left=20 * DAY, why_not=None),
        standing("b.example.com", left=7 * DAY),
    ]
    assert nearest_unprotected_days(everything, NOW) == 20.0
    assert latest_ends(everything) == {
        frozenset({"a.example.com"}): NOW + 50 * DAY,
        frozenset({"b.example.com"}): NOW + 20 * DAY,
    }


def test_an_account_without_certificates_has_no_nearest_end():
    assert nearest_unprotected_days([], NOW) is None


def test_what_was_history_counts_for_nothing_beside_what_is_in_force():
    old: datetime = NOW - 31 * DAY
    assert nearest_unprotected_days([standing("a.example.com", left=old - NOW), standing(left=3 * DAY)], NOW) == 3.0
