"""One run, from a command to what came of it: read, take up what is open, decide, act."""

from datetime import datetime
from typing import NamedTuple

from handler.certificates.csr import Csr
from handler.certificates.domains import canonical
from handler.command import Check, Command, Nothing, Release, Renew, Resolve, Selection
from handler.errors import CasError, EventRefused, JournalUnavailable
from handler.journal.journal import OpenWork
from handler.orders.book import Order, OrderBook
from handler.orders.decision import Known, why_not_now
from handler.orders.policy import reason_not_to_renew
from handler.orders.reading import whole_book
from handler.orders.selection import orders_meant, with_orders_of_certificates
from handler.result import OrderResult, Outcome, RunResult, of_order, of_row
from handler.run.by_hand import release, resolve_held
from handler.run.invocation import Invocation
from handler.run.recover import has_lost, publish_open, take_up
from handler.run.renew import Purchases
from handler.run.self_check import check
from handler.run.summary import sum_up


def run(command: Command, invocation: Invocation, result: RunResult) -> None:
    """Do what was asked, and write into `result` what came of it as it comes, failures included.

    Raises EventRefused where only the order book or the journal can tell that the event asks for something that is
    not allowed; nothing was bought then.
    """
    result.trigger = command.trigger
    what = command.what
    try:
        if isinstance(what, Nothing):
            result.note = what.why
        elif isinstance(what, Check):
            result.checks = check(invocation)
        elif isinstance(what, (Resolve, Release)):
            _settle_by_hand(invocation, what, result)
        else:
            result.dry_run = result.dry_run or what.dry_run
            result.note = what.note
            _renew(invocation, what, result)
    except (CasError, JournalUnavailable) as failure:
        result.errors.append(str(failure))
    result.metrics["services"] = invocation.meter.to_dict()


def _settle_by_hand(invocation: Invocation, said: Resolve | Release, result: RunResult) -> None:
    book = whole_book(invocation.cas, invocation.cas.order_book())
    result.put(resolve_held(invocation, said, book) if isinstance(said, Resolve) else release(invocation, said, book))
    left = invocation.journal.open_work(invocation.clock.now(), tidy=False)
    sum_up(invocation, result, book, left.works)


def _renew(invocation: Invocation, asked: Renew, result: RunResult) -> None:
    try:
        selection, unknown = with_orders_of_certificates(asked.selection, invocation.cas)
        scan = asked.selection.is_scan
        seen = _look(invocation, None if scan else selection, tidy=not result.dry_run)
    except CasError:
        # What is already bought can be told without CAS.
        if not result.dry_run:
            result.put_all(publish_open(invocation))
        raise
    if asked.csr is not None:
        _require_one(asked.csr, seen.orders)
    taken_up = take_up(invocation, seen.left, seen.book, seen.now, dry_run=result.dry_run)
    result.errors.extend(taken_up.errors)
    result.put_all(taken_up.lines)
    for line in [*unknown, *seen.missing, *(of_row(shown) for shown in seen.book.nameless if scan)]:
        result.put_if_absent(line)
    now, rules = invocation.clock.now(), invocation.settings.rules
    known = Known([*seen.known.works.values(), *taken_up.works.values()], now)
    settled = {line.order_id for line in taken_up.lines} - set(taken_up.unbought)
    plan = []
    for order in seen.orders:
        if order.id in settled:
            continue
        why_not = why_not_now(order, seen.book, known, rules, now)
        if why_not is None:
            plan.append(order)
        else:
            result.put(why_not)
    book = seen.book
    if result.dry_run:
        result.put_all(_would_renew(invocation, plan))
    else:
        purchases = Purchases(invocation, asked.csr, book, known, result)
        purchases.make(plan)
        book = purchases.book
    sum_up(invocation, result, book, known.works)


class _Seen(NamedTuple):
    """What a run knows before it does anything."""

    book: OrderBook
    left: OpenWork
    orders: list[Order]
    """Those that are meant, the first to expire first."""
    missing: list[OrderResult]
    known: Known
    now: datetime
    """The moment for which it was decided whether anything is to be settled."""


def _look(invocation: Invocation, selection: Selection | None, *, tidy: bool) -> _Seen:
    """Read the orders, the open work and the journals of the orders that are meant; no selection means a scan.

    If anything is to be settled or bought, the book comes back known to be whole; else one reading must do, since most
    runs have nothing to do. Raises CasError or JournalUnavailable.
    """
    book = invocation.cas.order_book()
    now, rules = invocation.clock.now(), invocation.settings.rules
    left = invocation.journal.open_work(now, tidy=tidy)
    known = Known(left.works.values(), now)
    orders, missing = _meant(invocation, selection, book, known, left)
    something_to_buy = any(why_not_now(order, book, known, rules, now) is None for order in orders)
    if something_to_buy or has_lost(left.works.values(), now) or not book.is_tidy:
        book = whole_book(invocation.cas, book)
        orders, missing = _meant(invocation, selection, book, known, left)
    return _Seen(book, left, orders, missing, known, now)


def _meant(
    invocation: Invocation, selection: Selection | None, book: OrderBook, known: Known, left: OpenWork
) -> tuple[list[Order], list[OrderResult]]:
    """Return the orders that are meant and lines for what means none; `known` and `left` get their journals."""
    now, rules = invocation.clock.now(), invocation.settings.rules
    orders, missing = orders_meant(selection, book, rules, now)
    for order in orders:
        if order.id not in known.works and reason_not_to_renew(order, rules, now) is None:
            work = invocation.journal.read_or_hold(order.id)
            known.learn(work, now)
            if work.is_open:  # its note is lost
                left.works[order.id] = work
    return orders, missing


def _require_one(csr: Csr, orders: list[Order]) -> None:
    if len(orders) > 1:
        found = ", ".join(order.id for order in orders)
        raise EventRefused("csr", f"a CSR goes with exactly one order, and here are {found}: name one in order_ids")
    for order in orders:
        csr.require_domain(order.domain, "csr")


def _would_renew(invocation: Invocation, plan: list[Order]) -> list[OrderResult]:
    """Return the lines that a run would begin with; it would buy one for several of the same product and domain."""
    per_run, per_day = invocation.settings.max_renewals_per_run, invocation.settings.max_renewals_per_day
    planned: set[tuple[str, str]] = set()
    lines = []
    for order in plan:
        what = order.product_code, canonical(order.domain)
        if what in planned:
            lines.append(of_order(order, Outcome.SKIPPED, "superseded"))
        elif len(planned) >= min(per_run, per_day):
            lines.append(of_order(order, Outcome.DEFERRED, "run-limit" if per_run <= per_day else "day-limit"))
        else:
            planned.add(what)
            lines.append(of_order(order, Outcome.WOULD_RENEW))
    return lines
