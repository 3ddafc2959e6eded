"""What a browser gets: which of two certificates a domain serves, seen from outside. Pure but for its port."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from handler.certificates.domains import canonical, is_name, names_in
from handler.deployment.certificate import IssuedCertificate
from handler.outcomes import Reason, Word
from handler.runtime.countdown import RESERVE_SECONDS, Countdown

SECONDS = 3.0
"""So long at most one domain is asked, its address looked up included."""
MOST = 50
"""So many domains at most are asked in a run."""
TOO_LONG = timedelta(days=3)
"""After the job the old certificate is served no longer than this, or a person is told."""
_SAME_END = timedelta(minutes=1)


class Serves(Word):
    """What a domain serves."""

    NEW = "new"
    OLD = "old"
    OTHER = "other"
    """Neither of the two."""
    UNREACHABLE = "unreachable"
    """Nobody answered, in time and over TLS; or its address is none that may be asked."""


class Served(NamedTuple):
    """The certificate that a domain serves, as far as it can be compared."""

    serial: int
    ends: datetime
    names: frozenset[str]
    """Canonical."""


class Unreachable(NamedTuple):
    """Why a domain was not seen."""

    why: str


class Prober(Protocol):
    """Asks domains for their certificates. `handler.probe` has the one that does."""

    def ask(self, domain: str, seconds: float) -> Served | Unreachable:
        """Ask a domain, in canonical spelling; it takes no longer than `seconds`, and nothing is raised."""


def verdict(answer: Served | Unreachable, old: IssuedCertificate, new: IssuedCertificate) -> Serves:
    """Tell which of the two was served.

    The serial number says it. Where CAS shows none for one of the two, a certificate is that one if it has its names,
    ends with it to the minute, and is not the other.
    """
    if isinstance(answer, Unreachable):
        return Serves.UNREACHABLE
    serials = {Serves.OLD: serials_in(old.serial), Serves.NEW: serials_in(new.serial)}
    found = [which for which, known in serials.items() if answer.serial in known]
    if not found:
        both = {Serves.OLD: old, Serves.NEW: new}
        found = [which for which, one in both.items() if not serials[which] and _looks_like(answer, one)]
    return found[0] if len(found) == 1 else Serves.OTHER


def serials_in(text: str) -> frozenset[int]:
    """Return the numbers that a serial number may be: hexadecimal, in any of its spellings, or decimal.

    Nobody says how CAS writes it. Two certificates whose numbers are the same in the two readings there are none.
    """
    digits = text.strip().lower().removeprefix("0x")
    for between in (":", " ", "-"):
        digits = digits.replace(between, "")
    found = set[int]()
    for base in (16, 10):
        try:
            found.add(int(digits, base))
        except ValueError:
            continue
    return frozenset(number for number in found if number > 0)


def names_to_ask(domain: str) -> tuple[str, ...]:
    """Return the names in a resource's domain that can be asked: no wildcard, and nothing that is no name."""
    return tuple(name for name in names_in(domain) if is_name(name) and not name.startswith("*"))


def ask_all(
    prober: Prober, domains: Iterable[str], old: IssuedCertificate, new: IssuedCertificate, time: Countdown
) -> dict[str, Serves]:
    """Ask the names in all these domains, each once, as long as there is time; return what was found out by name.

    `domains`: of resources, as CAS shows them. What was not asked is left out.
    """
    names = list(dict.fromkeys(name for domain in domains for name in names_to_ask(domain)))[:MOST]
    found: dict[str, Serves] = {}
    for name in names:
        if time.seconds_left() < SECONDS + RESERVE_SECONDS:
            break
        found[name] = verdict(prober.ask(name, SECONDS), old, new)
    return found


def serves(domain: str, found: Mapping[str, Serves]) -> Serves | None:
    """Return what a resource of that domain serves, of several names the worst; None if none of them was asked."""
    answers = {found[name] for name in names_to_ask(domain) if name in found}
    return next((one for one in (Serves.OLD, Serves.OTHER, Serves.UNREACHABLE, Serves.NEW) if one in answers), None)


def looks_again(found: Iterable[Serves]) -> bool:
    """Tell whether a later run must look again: some domain that answers serves the old certificate."""
    return Serves.OLD in set(found)


def trouble(found: Iterable[Serves], ended: datetime, now: datetime) -> Reason | None:
    """Return why a person must be told of what is served: the old one still is, long after the job; else None.

    `ended`: when the job was seen to have ended.
    """
    return Reason.OLD_ONE_SERVED if looks_again(found) and now >= ended + TOO_LONG else None


def _looks_like(answer: Served, known: IssuedCertificate) -> bool:
    if known.ends is None or _canonical(answer.names) != known.names:
        return False
    return abs(answer.ends - known.ends) <= _SAME_END


def _canonical(names: Collection[str]) -> frozenset[str]:
    return frozenset(map(canonical, names))
