"""May this order be purchased now? The policy, and what the journals know. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handler.certificates.domains import canonical
from handler.certificates.renewable import Kind
from handler.certificates.rules import Rules
from handler.journal.lines import already_renewed, line_of
from handler.journal.renewal import Renewal
from handler.journal.states import MAY_HAVE_PURCHASED, State
from handler.orders.book import OrderBook
from handler.orders.order import PENDING, Order
from handler.orders.policy import reason_not_to_renew, superseding
from handler.orders.quota import is_account_wide
from handler.outcomes import Outcome, Reason
from handler.result import Line

SHOWN_WITHIN = timedelta(days=1)
"""A new order that CAS has not shown by then is gone, since `SETTLE_SECONDS` is at most a day."""


class Known:
    """What the journals of this run's renewals say, kept up to date while it acts."""

    def __init__(self, renewals: Iterable[Renewal] = ()) -> None:
        """`renewals`: every journal that was read."""
        self.renewals: dict[str, Renewal] = {}
        self.covered_until: dict[frozenset[str], datetime] = {}
        """Until when a certificate that is no order's, of exactly these names, is in force."""
        self._unsettled: dict[tuple[str, str], set[str]] = {}
        self._renewed: dict[tuple[str, str], set[str]] = {}
        self._refusals: dict[str, tuple[str, datetime]] = {}
        for renewal in renewals:
            self.learn(renewal)

    def learn(self, renewal: Renewal) -> None:
        """Take in how a renewal stands."""
        self.renewals[renewal.id] = renewal
        if renewal.claim is None or renewal.kind is not Kind.ORDER:
            return
        of = renewal.claim.renewable
        what = of.product, canonical(of.domain)
        _put(self._unsettled.setdefault(what, set()), renewal.id, is_in=renewal.state in MAY_HAVE_PURCHASED)
        _put(self._renewed.setdefault(what, set()), renewal.id, is_in=renewal.successor is not None)
        if renewal.refusal is not None and is_account_wide(renewal.refusal.code):
            code, until = renewal.refusal.code, renewal.refusal.retry_at
            if of.product not in self._refusals or self._refusals[of.product][1] < until:
                self._refusals[of.product] = code, until

    def of(self, order: Order) -> Renewal:
        """Return the journal of an order."""
        return self.renewals.get(order.id) or Renewal(order.id)

    def unsettled_rival(self, order: Order) -> bool:
        """Tell whether the renewal of another order, of the same product and domain, may have been purchased or not.

        If it was, it stands in for this order, too.
        """
        return bool(self._unsettled.get((order.product, canonical(order.domain)), set()) - {order.id})

    def is_covered(self, order: Order, book: OrderBook, now: datetime) -> bool:
        """Tell whether what was purchased for another order, of the same product and domain, stands in for this one.

        The book alone cannot tell, as long as it does not show the successor, or shows it without its domain.
        """
        others = self._renewed.get((order.product, canonical(order.domain)), set()) - {order.id}
        for successor in (self.renewals[other].succeeded() for other in others):
            shown = book.get(successor.id)
            if order.bought_at is not None and successor.at < order.bought_at:
                continue
            if now < successor.at + SHOWN_WITHIN if shown is None else shown.status in PENDING:
                return True
        return False

    def is_covered_elsewhere(self, order: Order) -> bool:
        """Tell whether a certificate that is no order's has exactly its names, and for longer."""
        until = self.covered_until.get(frozenset(order.renewable.domains))
        return until is not None and order.ends is not None and until > order.ends

    def refusal_for_all(self, order: Order, now: datetime) -> str | None:
        """Return the code with which CAS has refused another order and would refuse every order of the product."""
        code, until = self._refusals.get(order.product, ("", now))
        return code if now < until else None


def _put(ids: set[str], id_: str, *, is_in: bool) -> None:
    (ids.add if is_in else ids.discard)(id_)


def why_not_now(order: Order, book: OrderBook, known: Known, rules: Rules, now: datetime) -> Line | None:
    """Return the line of an order that is not to be purchased now, None if it is."""
    reason = reason_not_to_renew(order, rules, now)
    if reason is not None:
        return Line(Outcome.SKIPPED, reason, order.renewable)
    renewal = known.of(order)
    if renewal.state is State.DONE:
        return already_renewed(renewal)
    if renewal.is_open:
        return Line(Outcome.DEFERRED, Reason.IN_PROGRESS, order.renewable)
    if known.is_covered_elsewhere(order):
        return Line(Outcome.SKIPPED, Reason.COVERED, order.renewable)
    if superseding(order, book) is not None or known.is_covered(order, book, now):
        return Line(Outcome.SKIPPED, Reason.SUPERSEDED, order.renewable)
    if renewal.refusal is not None and now < renewal.refusal.retry_at:
        return line_of(renewal, Outcome.REFUSED, renewal.refusal.code)
    if known.unsettled_rival(order):
        return Line(Outcome.DEFERRED, Reason.SETTLING, order.renewable)
    refused = known.refusal_for_all(order, now)
    return None if refused is None else Line(Outcome.DEFERRED, refused, order.renewable)
