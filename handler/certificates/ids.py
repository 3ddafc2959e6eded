"""What an id of the cloud is: a positive integer of 64 bits, written as a number or as a string of digits."""

from typing import Any

_LONG = 2**63 - 1


def id_in(value: Any) -> str | None:
    """Return the order or certificate id that a value is, as its digits; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_LONG)):
        value = int(value)
    return str(value) if type(value) is int and 0 < value <= _LONG else None
