"""Patterns of the settings that match nothing: most are slips, and nothing else tells of them. Pure."""

from collections.abc import Callable, Collection, Iterable

from handler.certificates.domains import could_match, matches, names_in
from handler.certificates.renewable import Kind
from handler.certificates.rules import Rules
from handler.orders.book import OrderBook
from handler.run.lists import Lists


def idle_patterns(book: OrderBook, lists: Lists, rules: Rules, watch: Collection[Kind]) -> list[str]:
    """Return a sentence for each setting with patterns that match nothing of all that was read.

    Nothing is said of an account with nothing to renew, or where a list could not be read: it could have what is meant.
    """
    renewable = {name for order in book for name in order.renewable.domains}
    for instance in lists.instances.instances:
        renewable.update(instance.renewable.domains, names_in(instance.configured))
    if not renewable or lists.problems:
        return []
    found = []
    for setting, patterns, covers, kinds in (
        ("RENEW_DOMAINS", rules.domains, matches, (Kind.ORDER, Kind.INSTANCE)),
        ("RENEW_DOMAINS_EXCEPT", rules.domains_except, could_match, tuple(Kind)),
    ):
        names = renewable
        if Kind.CERTIFICATE in kinds and patterns:
            names = renewable | {name for one in lists.certificates.certificates for name in one.renewable.domains}
        idle = _idle(patterns, names, covers)
        if idle:
            *others, last = [kind.value for kind in kinds if kind in watch]
            looked_at = f"{', '.join(others)} or {last}" if others else last
            found.append(f"{setting}: no {looked_at} of this account matches {', '.join(idle)}")
    return found


def _idle(patterns: Iterable[str], names: Iterable[str], covers: Callable[[str, Iterable[str]], bool]) -> list[str]:
    """Return the patterns that cover none of the names."""
    idle = list(patterns)
    for name in names:
        if not idle:
            break
        idle = [pattern for pattern in idle if not covers(name, (pattern,))]
    return idle
