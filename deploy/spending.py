"""Whether an event can spend money: what it asks for, told from its bytes before it is sent."""

from __future__ import annotations

from typing import NamedTuple

from handler.command import Check, Nothing, Release, Renew, Resolve
from handler.errors import EventRefused
from handler.triggers.events import command_in

ANY_NAME = ("*",)
"""The patterns of the deployed function are not known here, so every name counts as one about expiry."""


class Verdict(NamedTuple):
    """What an event may cost."""

    can_spend: bool
    """Whether it can, as far as this checkout knows; what it does not know, it takes for yes."""
    why: str
    """A sentence without its full stop."""


def verdict(event: bytes) -> Verdict:
    """Tell whether an event can spend money once the deployed function gets it, whatever its settings are."""
    try:
        what: object = command_in(event, ANY_NAME).what
    except EventRefused as refused:
        why = f"this checkout would refuse the event ({refused}), and the deployed function may not"
        return Verdict(can_spend=True, why=why)
    match what:
        case Renew(dry_run=True):
            return Verdict(can_spend=False, why="it asks for a dry run")
        case Renew(selection=selection):
            which = "everything that is due" if selection.is_scan else "what it names, as far as that is due"
            return Verdict(can_spend=True, why=f"it renews {which}, unless DRY_RUN of the function is true")
        case Check():
            return Verdict(can_spend=False, why="it is the self-check")
        case Nothing(why=why):
            return Verdict(can_spend=False, why=f"it asks for nothing: {why}")
        case Resolve():
            return Verdict(can_spend=False, why="it says what was bought already, and publishes it")
        case Release():
            return Verdict(can_spend=True, why="after it the next run may buy the same renewal again")
    return Verdict(can_spend=True, why="nobody knows here what it asks for")
