"""Pictures: what existed before a purchase, so that a later run can see what is new since."""

from typing import NamedTuple


class Picture(NamedTuple):
    """What existed at a moment: enough to tell later what is new, and whether a list has gone missing."""

    ids: frozenset[str]
    """Of all orders of the account."""
    empty_lists: frozenset[str]
    """The types of which there was no order."""
    nameless: frozenset[str] = frozenset()
    """What could be shown of the rows that had no order id."""
