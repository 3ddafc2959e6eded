"""What an id of the cloud is: a positive integer of 64 bits, or the short text that names an instance."""

import re
from typing import Any

_LONG = 2**63 - 1
_INSTANCE_ID = re.compile("(?![0-9]+$)[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""No more than this, since the id becomes part of names: of a journal, and of messages. One of digits alone would be
that of an order."""
_V2_INSTANCE_ID = re.compile("cas_(?:dv|ov|ev)-[A-Za-z0-9_.-]+")


def id_in(value: Any) -> str | None:
    """Return the order or certificate id that a value is, as its digits; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_LONG)):
        value = int(value)
    return str(value) if type(value) is int and 0 < value <= _LONG else None


def instance_id_in(value: Any) -> str | None:
    """Return the instance id that a value is, such as `cas_dv-cn-example01`; None if it is none."""
    return value if isinstance(value, str) and _INSTANCE_ID.fullmatch(value) else None


def is_surely_v2(instance_id: str) -> bool:
    """Tell whether an instance id is one of V2 by its looks: `cas_`, the certificate's type, and the rest.

    Others, such as `cas-cn-example01`, may be of V2, or stand with a V1 order.
    """
    return _V2_INSTANCE_ID.fullmatch(instance_id) is not None
