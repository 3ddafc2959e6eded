"""Which orders a selection means. Pure, but for the look behind a certificate id."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from handler.certificates.csr import Csr
from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rules import Rules
from handler.command import Selection
from handler.errors import CasRefused, EventRefused
from handler.orders.book import OrderBook
from handler.orders.order import LIVE, Order
from handler.orders.policy import in_sight
from handler.orders.service import OrderService
from handler.outcomes import Outcome, Reason
from handler.result import Line


def with_orders_of_certificates(selection: Selection, orders: OrderService) -> tuple[Selection, list[Line]]:
    """Put the orders behind certificates in the place of the certificates; return a line for each that has none.

    One call a certificate. Raises CasError, but for a certificate that CAS does not know.
    """
    order_ids, missing = list(selection.order_ids), []
    for certificate_id in selection.certificate_ids:
        line = Line(Outcome.SKIPPED, Reason.NOT_FOUND, asked_for=f"certificate {certificate_id}")
        try:
            behind = orders.order_of_certificate(certificate_id)
        except CasRefused:
            missing.append(line)
        else:
            if behind is None:
                missing.append(line._replace(reason=Reason.UPLOADED))
            else:
                order_ids.append(behind)
    return selection._replace(order_ids=tuple(dict.fromkeys(order_ids))), missing


def selected(
    selection: Selection | None, book: OrderBook, rules: Rules, now: datetime
) -> tuple[list[Order], list[Line]]:
    """Return the orders that a selection means, the first to expire first, and a line for whatever means none.

    No selection means a scan. Of certificates it means nothing: see `with_orders_of_certificates`.
    """
    found: dict[str, Order] = {}
    missing: list[Line] = []
    if selection is None:
        found = {order.id: order for order in book if in_sight(order, rules, now)}
    for line, orders in _named(selection or Selection(), book):
        found.update((order.id, order) for order in orders)
        if not orders:
            missing.append(line)
    latest = max((order.ends for order in found.values() if order.ends), default=now)
    return sorted(found.values(), key=lambda order: (order.ends or latest, int(order.id))), missing


def _named(selection: Selection, book: OrderBook) -> Iterator[tuple[Line, list[Order]]]:
    """Yield the orders that each thing named means, with the line to give if there are none."""
    nothing = Line(Outcome.SKIPPED, Reason.NOT_FOUND)
    for order_id in selection.order_ids:
        unseen = Renewable(Kind.ORDER, order_id, is_known=False)
        yield nothing._replace(renewable=unseen), _one(book, order_id)
    for instance_id in selection.instance_ids:
        yield nothing._replace(asked_for=f"instance {instance_id}"), book.of_instance(instance_id)
    for domain in selection.domains:
        orders = book.of_domain(domain)
        # A domain has a history of orders; those whose certificate is in force are meant, if there are any.
        live = [order for order in orders if order.status in LIVE]
        unseen = Renewable(Kind.ORDER, "", domain=domain)
        yield nothing._replace(renewable=unseen, asked_for=f"domain {domain}"), live or orders


def _one(book: OrderBook, order_id: str) -> list[Order]:
    order = book.get(order_id)
    return [order] if order else []


def require_one(csr: Csr, orders: Sequence[Order]) -> None:
    """Raise EventRefused unless a CSR is for what it came with: one order, for exactly its domain."""
    if len(orders) > 1:
        found = ", ".join(order.id for order in orders)
        raise EventRefused("csr", f"a CSR goes with exactly one order, and here are {found}: name one in order_ids")
    for order in orders:
        csr.require_domain(order.domain, "csr")
