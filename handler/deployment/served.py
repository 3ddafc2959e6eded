"""What a browser gets: which of two certificates a domain serves, seen from outside.

Pure but for its port, and for the threads that ask at the same time.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
AT_ONCE = 8
"""So many domains are asked at the same time: silent ones would use up a run's time one after another."""
TOO_LONG = timedelta(days=3)
"""After the job the old certificate is served no longer than this, or a person is told; then nobody looks any more."""
_SAME_END = timedelta(minutes=1)
_SERIAL = re.compile("(-?)(0x)?([0-9a-f](?:[: -]?[0-9a-f]){0,63})")
"""One of the standard has 40 digits at most."""
_BETWEEN = re.compile("[: -]")


class Serves(Word):
    """What a domain serves."""

    NEW = "new"
    OLD = "old"
    OTHER = "other"
    """Neither of the two."""
    UNREACHABLE = "unreachable"
    """Nobody answered, in time and over TLS 1.2 or later; or its address is none that may be asked."""


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
        """Ask a domain, in canonical spelling; it takes no longer than `seconds`, and nothing is raised.

        Several threads ask at the same time.
        """


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

    Nobody says how CAS writes it, and a text of digits alone can be both. So a certificate's own number is always among
    them; and should that of another be the wrong reading of this one, `verdict` finds both, and says neither.
    """
    found = _SERIAL.fullmatch(text.strip().lower())
    if found is None:
        return frozenset()
    sign, is_hexadecimal, digits = found.groups()
    bases = (16, 10) if digits.isdecimal() and not is_hexadecimal else (16,)
    return frozenset(int(sign + _BETWEEN.sub("", digits), base) for base in bases) - {0}


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

    def asked(name: str) -> Serves | None:
        if time.seconds_left() < SECONDS + RESERVE_SECONDS:
            return None
        return verdict(prober.ask(name, SECONDS), old, new)

    answers = zip(names, _at_once(asked, names), strict=True)
    return {name: answer for name, answer in answers if answer is not None}


def _at_once(ask: Callable[[str], Serves | None], names: Sequence[str]) -> list[Serves | None]:
    """Ask about several names at the same time; return the answers in the order of the names."""
    if len(names) <= 1:  # so it is with most certificates
        return list(map(ask, names))
    # Imported here: only a run that probes needs it, and a cold start should not pay for the others.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            answers = pool.map(ask, names)
        except RuntimeError:  # no more threads are to be had
            pool.shutdown(wait=False, cancel_futures=True)
            answers = map(ask, names)
        return list(answers)


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
