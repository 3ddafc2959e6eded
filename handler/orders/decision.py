"""May this order be bought now? The policy, and what the journal knows. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handler.certificates.domains import canonical
from handler.certificates.rules import Rules
from handler.journal.work import MAY_HAVE_BOUGHT, State, Work
from handler.orders.book import PENDING, Order, OrderBook
from handler.orders.policy import reason_not_to_renew, superseding
from handler.orders.quota import is_account_wide
from handler.result import OrderResult, Outcome, already_renewed, of_order, of_work

SHOWN_WITHIN = timedelta(days=1)
"""A new order that CAS has not shown by then is gone, since `SETTLE_SECONDS` is at most a day."""


class Known:
    """What the journals of this run's orders say, kept up to date while it acts."""

    def __init__(self, works: Iterable[Work], now: datetime) -> None:
        """`works`: every journal that was read."""
        self.works: dict[str, Work] = {}
        self._unsettled: dict[tuple[str, str], set[str]] = {}
        self._renewed: dict[tuple[str, str], set[str]] = {}
        self._refusals: dict[str, str] = {}
        for work in works:
            self.learn(work, now)

    def learn(self, work: Work, now: datetime) -> None:
        """Take in how an order stands."""
        self.works[work.order_id] = work
        if work.claim is None:
            return
        what = work.claim.product_code, canonical(work.claim.domain)
        _put(self._unsettled.setdefault(what, set()), work.order_id, is_in=work.state in MAY_HAVE_BOUGHT)
        _put(self._renewed.setdefault(what, set()), work.order_id, is_in=work.renewal is not None)
        if work.refusal is not None and is_account_wide(work.refusal.code) and now < work.refusal.retry_at:
            self._refusals[work.claim.product_code] = work.refusal.code

    def of(self, order: Order) -> Work:
        """Return the journal of an order."""
        return self.works.get(order.id) or Work(order.id)

    def unsettled_rival(self, order: Order) -> bool:
        """Tell whether the renewal of another order, of the same product and domain, may have been bought or not.

        If it was, it stands in for this order, too.
        """
        return bool(self._unsettled.get((order.product_code, canonical(order.domain)), set()) - {order.id})

    def is_covered(self, order: Order, book: OrderBook, now: datetime) -> bool:
        """Tell whether what was bought for another order, of the same product and domain, stands in for this one.

        The book alone cannot tell, as long as it does not show the new order, or shows it without its domain.
        """
        others = self._renewed.get((order.product_code, canonical(order.domain)), set()) - {order.id}
        for renewal in (self.works[other].renewed() for other in others):
            new = book.get(renewal.new_order_id)
            if order.bought_at is not None and renewal.at < order.bought_at:
                continue
            if now < renewal.at + SHOWN_WITHIN if new is None else new.status in PENDING:
                return True
        return False

    def refusal_for_all(self, order: Order) -> str | None:
        """Return the code with which CAS has refused another order and would refuse every order of the product."""
        return self._refusals.get(order.product_code)


def _put(order_ids: set[str], order_id: str, *, is_in: bool) -> None:
    (order_ids.add if is_in else order_ids.discard)(order_id)


def why_not_now(order: Order, book: OrderBook, known: Known, rules: Rules, now: datetime) -> OrderResult | None:
    """Return the line of an order that is not to be bought now, None if it is."""
    reason = reason_not_to_renew(order, rules, now)
    if reason is not None:
        return of_order(order, Outcome.SKIPPED, reason)
    work = known.of(order)
    if work.state is State.DONE:
        return already_renewed(work)
    if work.is_open:
        return of_order(order, Outcome.DEFERRED, "in-progress")
    if superseding(order, book) is not None or known.is_covered(order, book, now):
        return of_order(order, Outcome.SKIPPED, "superseded")
    if work.refusal is not None and now < work.refusal.retry_at:
        return of_work(work, Outcome.REFUSED, work.refusal.code)
    if known.unsettled_rival(order):
        return of_order(order, Outcome.DEFERRED, "settling")
    refused = known.refusal_for_all(order)
    return None if refused is None else of_order(order, Outcome.DEFERRED, refused)
