"""One thing that a browser may be served, of whatever kind, as far as watching needs it. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.certificates.renewable import Renewable
from handler.certificates.rules import HISTORY

THRESHOLDS = (14, 7, 3, 1, 0)
"""Days before the end at which people are alerted."""


class Standing(NamedTuple):
    """A certificate that was issued and not revoked, and whether something will replace it."""

    renewable: Renewable
    names: frozenset[str]
    """Canonical."""
    ends: datetime
    why_not: str | None
    """Why nothing will replace it, a `Reason` or an error code; None if something will."""
    products: tuple[str, ...] = ()
    """The cloud products on which it is in use, if that is known."""
    is_deferred: bool = False
    """Nothing but a limit, or a lost answer, stands between it and its renewal, so a later run may be in time."""
    is_followed: bool = False
    """Somebody is to get its successor, and people are alerted each day that it does not come."""
    only_replaces: bool = False
    """Another standing speaks for this certificate; it only tells until when these names have one."""

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it ends; negative once it has."""
        return (self.ends - now) // timedelta(days=1)

    def threshold(self, now: datetime, within: timedelta) -> int | None:
        """Return the nearest of `THRESHOLDS` within that time that has been reached; None before the first."""
        left = self.ends - now
        reached = [days for days in THRESHOLDS if left <= timedelta(days=days) <= within]
        return min(reached, default=None)


def latest_ends(standings: Iterable[Standing]) -> dict[frozenset[str], datetime]:
    """Return when the last certificate for each set of names ends."""
    latest: dict[frozenset[str], datetime] = {}
    for standing in standings:
        latest[standing.names] = max(standing.ends, latest.get(standing.names, standing.ends))
    return latest


def unreplaced(standings: Iterable[Standing], now: datetime) -> list[Standing]:
    """Return what nothing will replace, the first to end first; what is history is left out.

    Something will if it says so itself, or if a certificate of the very same names ends later.
    """
    everything = list(standings)
    latest = latest_ends(everything)
    found = [
        standing
        for standing in everything
        if standing.why_not is not None and standing.ends > now - HISTORY and latest[standing.names] == standing.ends
    ]
    return sorted(found, key=lambda standing: (standing.ends, standing.renewable.kind.value, standing.renewable.id))


def nearest_unprotected_days(standings: Iterable[Standing], now: datetime) -> float | None:
    """Return in how many days the first set of names is without a certificate in force; negative once it is.

    Of each set of names the certificate that lasts longest counts. None if there is none.
    """
    spoken_of = [standing for standing in standings if not standing.only_replaces]
    ends = [end for end in latest_ends(spoken_of).values() if end > now - HISTORY]
    return round((min(ends) - now) / timedelta(days=1), 1) if ends else None
