"""How a renewal shows in the result, from what its journal says. Pure."""

from typing import Any

from handler.certificates.renewable import Renewable
from handler.journal.renewal import Renewal
from handler.outcomes import Outcome, Reason
from handler.result import Line


def line_of(renewal: Renewal, outcome: Outcome, reason: str | None = None, **more: Any) -> Line:
    """Return the line of a renewal, with its successor where it has one; `more`: further fields of `Line`."""
    successor_id = renewal.successor.id if renewal.successor else None
    return Line(outcome, reason, renewal.renewable, successor_id, **more)


def already_renewed(renewal: Renewal) -> Line:
    """Return the line of a renewal that is done."""
    return line_of(renewal, Outcome.ALREADY_RENEWED, message_id=renewal.pair)


def held_line(renewal: Renewal, shown: Renewable | None) -> Line:
    """Return the line of a renewal that needs a decision; of one whose journal is out of reach, if so.

    `shown`: what CAS shows of it, for what the journal cannot tell.
    """
    reason, candidates = renewal.hold or ("", ())
    if reason == Reason.JOURNAL_UNAVAILABLE:
        line = line_of(renewal, Outcome.DEFERRED, reason, failed=True)
    else:
        line = line_of(renewal, Outcome.HELD, reason, candidates=candidates)
    return line if renewal.claim or shown is None else line._replace(renewable=shown)
