"""What an id of the cloud is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.ids import id_in
from tests.examples import PROPERTY


@PROPERTY
@given(st.integers(1, 2**63 - 1))
def test_a_positive_integer_of_64_bits_is_an_id_as_a_number_and_as_its_digits(number):
    assert id_in(number) == id_in(str(number)) == str(number)


def test_zeros_before_it_are_no_part_of_an_id():
    assert id_in("00123451222") == "123451222"


@pytest.mark.parametrize(
    "value",
    [0, -1, 2**63, 1.0, True, None, "", "0", " 1", "+1", "1.0", "١٢٣", "²", "9" * 20, "1" * 5000, b"1", [1], {}],
)
def test_whatever_else_is_none(value):
    assert id_in(value) is None
