"""However CAS writes the serial numbers of two certificates, the one is never taken for the other."""

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from handler.deployment.certificate import IssuedCertificate
from handler.deployment.served import Served, Serves, serials_in, verdict
from tests.examples import DAY, NOW, PROPERTY

NAMES = frozenset({"www.example.com"})
OLD = IssuedCertificate("1", "www.example.com", "a", "willExpire", "BUY", NOW + 9 * DAY, "")
NEW = IssuedCertificate("2", "www.example.com", "a", "issued", "BUY", NOW + 99 * DAY, "")
LONGEST = 2 ** (8 * 20)
"""What the standard allows, and more than any authority uses."""


def grouped(number, between, size=2):
    digits = f"{abs(number):x}"
    digits = digits.zfill(-(-len(digits) // size) * size)
    groups = between.join(digits[at : at + size] for at in range(0, len(digits), size))
    return f"-{groups}" if number < 0 else groups


SPELLINGS: dict[str, Callable[[int], str]] = {
    "hexadecimal": lambda number: f"{number:x}",
    "capitals": lambda number: f"{number:X}",
    "with 0x": lambda number: f"{number:#x}",
    "with 0X": lambda number: f"{number:#X}",
    "32 digits": lambda number: f"{number:032x}",
    "40 digits": lambda number: f"{number:040X}",
    "colons": lambda number: grouped(number, ":"),
    "capitals and colons": lambda number: grouped(number, ":").upper(),
    "colons, by four": lambda number: grouped(number, ":", 4),
    "blanks": lambda number: f" {grouped(number, ' ')} ",
    "dashes": lambda number: grouped(number, "-"),
    "decimal": str,
}
spellings = st.sampled_from(sorted(SPELLINGS))
numbers = st.integers(-LONGEST, LONGEST).filter(bool)
digits_alone = st.text("0123456789", min_size=1, max_size=40).map(lambda text: int(text, 16)).filter(bool)
"""Their hexadecimal text can be read as a decimal one."""
any_numbers = numbers | st.integers(-300, 300).filter(bool) | digits_alone


@st.composite
def confusable(draw):
    """Two numbers: read the wrong way, the text of the one is the other."""
    text = draw(st.text("0123456789", min_size=2, max_size=40).filter(lambda text: text.lstrip("0")[1:]))
    both = [int(text, 16), int(text)]
    return tuple(both if draw(st.booleans()) else reversed(both))


pairs = st.tuples(any_numbers, any_numbers) | confusable()


def seen(number, old, new):
    return verdict(Served(number, NOW + 99 * DAY, NAMES), OLD._replace(serial=old), NEW._replace(serial=new))


@PROPERTY
@given(any_numbers, spellings)
@example(0x123456, "hexadecimal")
@example(-1, "colons")
def test_a_number_is_read_in_every_spelling(number, spelling):
    assert number in serials_in(SPELLINGS[spelling](number))


@PROPERTY
@given(any_numbers, spellings)
def test_only_digits_alone_are_read_two_ways(number, spelling):
    text = SPELLINGS[spelling](number)
    found = serials_in(text)
    assert found == {number} or (text.strip().lstrip("-").isdecimal() and len(found) == 2)


@PROPERTY
@given(pairs, spellings, spellings)
@example((10, 16), "decimal", "hexadecimal")
def test_the_one_is_never_taken_for_the_other_and_at_worst_for_neither(both, spelling_of_old, spelling_of_new):
    old, new = both
    assume(old != new)
    texts = SPELLINGS[spelling_of_old](old), SPELLINGS[spelling_of_new](new)
    neither = {Serves.OTHER} if serials_in(texts[0]) & serials_in(texts[1]) else set()
    assert seen(new, *texts) in {Serves.NEW} | neither
    assert seen(old, *texts) in {Serves.OLD} | neither


real = st.integers(2**126, 2**128 - 1)
"""Sixteen bytes, of which the first is not 0: as authorities make them."""


@PROPERTY
@given(st.tuples(real, real), spellings, spellings)
def test_real_numbers_are_told_apart_in_every_spelling(both, spelling_of_old, spelling_of_new):
    old, new = both
    assume(old != new)
    texts = SPELLINGS[spelling_of_old](old), SPELLINGS[spelling_of_new](new)
    assert (seen(old, *texts), seen(new, *texts)) == (Serves.OLD, Serves.NEW)
    assert seen((old + new) | 2**130, *texts) is Serves.OTHER


def test_a_number_of_digits_alone_is_read_both_ways():
    assert serials_in("0123456789") == {0x0123456789, 123456789}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "unknown",
        "-5x",
        "0",
        "00",
        "-",
        ":",
        "0x",
        "0x0x5",
        "1_000",
        "+5",
        "１２",
        "٣",
        "12::34",
        "1" * 65,
        ":12",
    ],
)
def test_what_is_no_serial_number_is_none(text):
    assert serials_in(text) == set()


@PROPERTY
@given(st.text(max_size=80))
def test_whatever_is_written_there_is_read_or_is_none(text):
    assert 0 not in serials_in(text)
