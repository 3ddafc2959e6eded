"""The states of a renewal, and the entries of its journal that lead from one to the next.

    (none) ──claimed──▶ CLAIMED ──renewed──▶ RENEWED ──published──▶ DONE
                          │  ▲
                          │  └── claimed (next attempt) ──┐
                          ├──refused──▶ REFUSED ──────────┘   nothing was purchased
                          └──unknown──▶ UNKNOWN               it may have happened
    CLAIMED and UNKNOWN, once settled by reading, go on with `renewed`, `refused` or `held`; a HELD renewal waits for a
    person, who goes on with `renewed` or `released`. What a person said can be taken back, the first until it is
    published, the second until the next claim.

What follows the purchase is added to the same journal, and changes no state: `observed`, how far the successor is, and
`told`, which other messages are on the queue.

An instance for whose next certificate the platform or somebody else has applied is only followed:

    (none) ──followed──▶ FOLLOWED ──issued──▶ DONE ──followed──▶ …

One for which this function applies is claimed as an order is, once for each certificate that is to be replaced:

    CLAIMED ──applied──▶ APPLIED ──issued──▶ DONE ──claimed──▶ …
       └──refused, unknown, held, released: as above, and a person may release what was applied for, too
"""

from enum import Enum


class State(Enum):
    """Where a renewal stands."""

    NONE = "none"
    """Nothing is recorded."""
    CLAIMED = "claimed"
    """A run is about to purchase, or has died with the claim."""
    REFUSED = "refused"
    """Nothing was purchased; from then on, or from later on, it may be claimed again."""
    UNKNOWN = "unknown"
    """The answer was lost: it may have been purchased."""
    HELD = "held"
    """It needs a decision."""
    RENEWED = "renewed"
    """There is a successor, and the message about it is not known to be on the queue."""
    DONE = "done"
    """The message about the successor is on the queue; of an instance, the next certificate is there."""
    APPLIED = "applied"
    """An application for the next certificate of an instance is in, and that is not there yet."""
    FOLLOWED = "followed"
    """An instance whose next certificate somebody else gets."""


OPEN = frozenset({State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED})
"""The states that some later run must do something about."""

MAY_HAVE_PURCHASED = frozenset({State.CLAIMED, State.UNKNOWN, State.HELD})
"""The states in which nobody has said yet what came of the call."""
