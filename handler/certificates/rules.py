"""The operator's rules: what may be renewed, and which names they allow. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from handler.certificates.domains import could_match, is_name, matches, names_in

HISTORY = timedelta(days=30)
"""What has ended longer ago is of no interest any more."""


class Rules(NamedTuple):
    """What the operator allows."""

    within: timedelta
    """An order whose certificate ends later than this from now is left alone; exactly then, it is not."""
    statuses: frozenset[str]
    domains: tuple[str, ...]
    """Patterns; nothing else may be renewed, whoever asks."""
    domains_except: tuple[str, ...]
    """Patterns of what may not, although `domains` allows it."""
    may_apply: bool = False
    """Whether the next certificate of a V2 instance may be applied for (`INSTANCES=apply`)."""


def are_names(domain: str) -> bool:
    """Tell whether the text of a domain field has names and nothing else; no list of domains can speak of another."""
    names = names_in(domain)
    return bool(names) and all(map(is_name, names))


def is_allowed(domain: str, rules: Rules) -> bool:
    """Tell whether the rules allow the text of a domain field: every name in it is a name, allowed, not excepted."""
    return are_names(domain) and all(
        matches(name, rules.domains) and not could_match(name, rules.domains_except) for name in names_in(domain)
    )


def opening_of_window(starts: datetime | None, ends: datetime | None, rules: Rules) -> datetime | None:
    """Return from when on the certificate that lasts from `starts` to `ends` may be followed by another.

    That is `within` before its end, and never before half of its lifetime is over: with a window longer than the
    lifetime, each run would replace what the run before has got. None if nothing tells.
    """
    if ends is None:
        return None
    opens = ends - rules.within
    return opens if starts is None else max(opens, starts + (ends - starts) / 2)
