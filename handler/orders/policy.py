"""May this order be renewed? A chain of small checks, each of which returns its reason for "no".

A new reason is a member of `Reason`, a function here, and a line in `CHECKS`, in the place where it should win over the
later ones.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from handler.certificates.domains import canonical, names_in
from handler.certificates.rules import Rules, are_names, is_allowed, opening_of_window
from handler.orders.book import OrderBook
from handler.orders.order import LIVE, PENDING, Order
from handler.outcomes import Reason


def domain_unknown(order: Order, _rules: Rules, _now: datetime) -> bool:
    """No list of domains can speak of an order that shows no domain, or something that is none."""
    return not are_names(order.domain)


def domain_not_allowed(order: Order, rules: Rules, _now: datetime) -> bool:
    """The operator's own list decides, whoever asks: every name of the order is known, allowed and not excepted."""
    return not is_allowed(order.domain, rules)


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
    return order.status == "EXPIRED" or (order.ends is not None and order.ends <= now)


def not_expiring(order: Order, rules: Rules, _now: datetime) -> bool:
    """The status is not one that the operator lets us renew, or nothing tells how long the certificate lasts.

    CAS itself says WILLEXPIRED near the end; of an ISSUED certificate the dates alone can tell.
    """
    undated = order.ends is None or order.starts is None
    return order.status not in rules.statuses or (undated and order.status != "WILLEXPIRED")


def outside_window(order: Order, rules: Rules, now: datetime) -> bool:
    """It is too early: see `window_opens`."""
    opens = window_opens(order, rules)
    return opens is not None and now < opens


def row_unreadable(order: Order, _rules: Rules, _now: datetime) -> bool:
    """CAS shows something of the order that makes no sense, so nobody can tell what a renewal would be."""
    return bool(order.odd)


CHECKS: dict[Reason, Callable[[Order, Rules, datetime], bool]] = {
    Reason.ROW_UNREADABLE: row_unreadable,
    Reason.DOMAIN_UNKNOWN: domain_unknown,
    Reason.DOMAIN_NOT_ALLOWED: domain_not_allowed,
    Reason.UPLOADED: uploaded,
    Reason.FREE_CERTIFICATE: free_certificate,
    Reason.MULTI_DOMAIN: multi_domain,
    Reason.HOSTED: hosted,
    Reason.EXPIRED: expired,
    Reason.NOT_EXPIRING: not_expiring,
    Reason.OUTSIDE_WINDOW: outside_window,
}


def reason_not_to_renew(order: Order, rules: Rules, now: datetime) -> Reason | None:
    """Return the reason of the first check that forbids the renewal, None if all allow it."""
    return next((reason for reason, forbids in CHECKS.items() if forbids(order, rules, now)), None)


def window_opens(order: Order, rules: Rules) -> datetime | None:
    """Return from when on an order may be renewed; None if nothing tells."""
    return opening_of_window(order.starts, order.ends, rules)


def superseding(order: Order, book: OrderBook) -> Order | None:
    """Return a newer order that already stands in for this one (reason `superseded`), None if there is none."""
    return next(stand_ins(order, book), None)


def stand_ins(order: Order, book: OrderBook) -> Iterator[Order]:
    """Yield every order that stands in for this one.

    Newer, same product, same domain, and either on its way to a certificate or valid for longer. Asked only
    of orders that our own journal does not know as renewed: our own successors look just like this.
    """
    if not order.domain:
        return
    for other in book.namesakes(order.product, order.domain):
        if other.id == order.id or not _newer(other, order):
            continue
        if other.status in PENDING or (other.status in LIVE and _ends_later(other, order)):
            yield other


def in_sight(order: Order, rules: Rules, now: datetime) -> bool:
    """Tell whether a scan speaks of this order: its certificate is in force and may be renewed by now.

    Of a row that makes no sense it always speaks, unless its status says that there is nothing to renew.
    """
    if order.odd:
        return not order.status or order.status in LIVE
    if order.status not in LIVE:
        return False
    return order.status in rules.statuses if order.ends is None else not outside_window(order, rules, now)


def _newer(other: Order, order: Order) -> bool:
    if other.bought_at is not None and order.bought_at is not None and other.bought_at != order.bought_at:
        return other.bought_at > order.bought_at
    return int(other.id) > int(order.id)


def _ends_later(other: Order, order: Order) -> bool:
    return other.ends is not None and (order.ends is None or other.ends > order.ends)
