"""May this order be renewed? A chain of small checks, each of which returns its reason for "no".

A new reason is a new function here and its name in `CHECKS`, in the place where it should win over the later ones.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.domains import canonical, could_match, is_name, matches, names_in
from handler.orders import LIVE, PENDING, Order, OrderBook


class Rules(NamedTuple):
    """What the operator allows."""

    within: timedelta
    """An order whose certificate ends later than this from now is left alone; exactly then, it is not."""
    statuses: frozenset[str]
    domains: tuple[str, ...]
    domains_except: tuple[str, ...]


def domain_unknown(order: Order, _rules: Rules, _now: datetime) -> bool:
    """No list of domains can speak of an order that shows no domain, or something that is none."""
    names = names_in(order.domain)
    return not names or not all(map(is_name, names))


def domain_not_allowed(order: Order, rules: Rules, now: datetime) -> bool:
    """The operator's own list decides, whoever asks: every name of the order is known, allowed and not excepted."""
    return domain_unknown(order, rules, now) or not all(
        matches(name, rules.domains) and not could_match(name, rules.domains_except) for name in names_in(order.domain)
    )


def uploaded(order: Order, _rules: Rules, _now: datetime) -> bool:
    """An uploaded certificate was bought elsewhere."""
    return order.source_type.lower() == "upload"


def free_certificate(order: Order, _rules: Rules, _now: datetime) -> bool:
    """CAS renews no free or test certificates."""
    return order.cert_type.upper() == "FREE"


def multi_domain(order: Order, _rules: Rules, _now: datetime) -> bool:
    """CAS renews no multi-domain or hybrid-domain certificates."""
    # A name with a separator beside it counts as several: nothing would tell the renewal by such a text.
    several = names_in(order.domain) not in {(), (canonical(order.domain),)}
    return several or order.domain_type.upper() in {"MULTIPLE", "M_WILDCARD", "MIX"}


def hosted(order: Order, _rules: Rules, _now: datetime) -> bool:
    """The platform renews a hosted order by itself; a second renewal would be bought twice."""
    return order.trustee_status.lower() == "trustee"


def expired(order: Order, _rules: Rules, now: datetime) -> bool:
    """An expired certificate cannot be renewed, only bought anew."""
    return order.status == "EXPIRED" or (order.cert_end is not None and order.cert_end <= now)


def not_expiring(order: Order, rules: Rules, _now: datetime) -> bool:
    """The status is not one that the operator lets us renew, or nothing tells when the certificate ends."""
    return order.status not in rules.statuses or (order.cert_end is None and order.status != "WILLEXPIRED")


def outside_window(order: Order, rules: Rules, now: datetime) -> bool:
    """The certificate ends later than the operator wants to pay for now."""
    return order.cert_end is not None and order.cert_end - now > rules.within


CHECKS: dict[str, Callable[[Order, Rules, datetime], bool]] = {
    "domain-unknown": domain_unknown,
    "domain-not-allowed": domain_not_allowed,
    "uploaded": uploaded,
    "free-certificate": free_certificate,
    "multi-domain": multi_domain,
    "hosted": hosted,
    "expired": expired,
    "not-expiring": not_expiring,
    "outside-window": outside_window,
}


def reason_not_to_renew(order: Order, rules: Rules, now: datetime) -> str | None:
    """Return the slug of the first check that forbids the renewal, None if all allow it."""
    return next((reason for reason, forbids in CHECKS.items() if forbids(order, rules, now)), None)


def superseding(order: Order, book: OrderBook) -> Order | None:
    """Return a newer order that already stands in for this one (reason `superseded`), None if there is none."""
    return next(stand_ins(order, book), None)


def stand_ins(order: Order, book: OrderBook) -> Iterator[Order]:
    """Yield every order that stands in for this one.

    Newer, same product, same domain, and either on its way to a certificate or valid for longer. Asked only
    of orders that our own journal does not know as renewed: our own successors look just like this.
    """
    name = canonical(order.domain)
    for other in book.rivals(order.product_code, order.domain):
        if other.id == order.id or canonical(other.domain) != name or not _newer(other, order):
            continue
        if other.status in PENDING or (other.status in LIVE and _ends_later(other, order)):
            yield other


def in_sight(order: Order, rules: Rules, now: datetime) -> bool:
    """Tell whether a scan speaks of this order: its certificate is in force and ends within the window."""
    if order.status not in LIVE:
        return False
    return order.status in rules.statuses if order.cert_end is None else order.cert_end - now <= rules.within


def _newer(other: Order, order: Order) -> bool:
    if other.bought_at is not None and order.bought_at is not None and other.bought_at != order.bought_at:
        return other.bought_at > order.bought_at
    return int(other.id) > int(order.id)


def _ends_later(other: Order, order: Order) -> bool:
    return other.cert_end is not None and (order.cert_end is None or other.cert_end > order.cert_end)
