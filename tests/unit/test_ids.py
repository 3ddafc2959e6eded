"""What an id of the cloud is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.ids import id_in, instance_id_in, is_surely_v2
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


def test_an_order_id_is_no_instance_id_so_that_the_journals_of_both_never_share_a_name():
    assert instance_id_in("123451222") is None
    assert instance_id_in("123451222a") == "123451222a"


@pytest.mark.parametrize(
    ("instance_id", "surely"),
    [
        ("cas_dv-cn-example01", True),
        ("cas_ov-cn-20260605a05", True),
        ("cas_ev-sg-1", True),
        ("cas-cn-example01", False),
        ("cas-ivauto-1a2b", False),
        ("cas-upload-895441", False),
        ("cas_deployment-cn-1", False),
        ("lb_dv-cn-1", False),
        ("cas_dv-", False),
        ("cas_dv-a b", False),
    ],
)
def test_an_id_with_the_type_of_a_certificate_in_it_is_surely_that_of_a_v2_instance(instance_id, surely):
    assert is_surely_v2(instance_id) == surely
