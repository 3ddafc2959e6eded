"""One run, from what was asked to what came of it: read once, take up what is open, decide, act."""

from collections import deque
from collections.abc import Mapping
from itertools import islice

from handler.ask import Ask, Check, Nothing, Release, Renew, Resolve
from handler.by_hand import release, resolve_held
from handler.check import check
from handler.csr import Csr
from handler.errors import CasError, EventRefused, JournalUnavailable
from handler.invocation import Invocation
from handler.journal import Snapshot
from handler.open_work import publish_open, take_up
from handler.orders import Order, OrderBook
from handler.overview import nearest_unprotected_days, oldest_open_seconds, write_report
from handler.policy import reason_not_to_renew, superseding
from handler.renewal import SHORTEST_TIMEOUT, has_time, renew
from handler.resolution import resolve
from handler.result import OrderResult, Outcome, RunResult, already_renewed, of_order, of_work
from handler.work import State, Work


def run(ask: Ask, invocation: Invocation, result: RunResult) -> None:
    """Do what was asked, and write into `result` what came of it as it comes, failures included.

    Raises EventRefused where only the order book or the journal can tell that the event asks for something that is
    not allowed; nothing was bought then.
    """
    result.trigger = ask.trigger
    what = ask.what
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
    book = invocation.cas.order_book()
    by_hand = resolve_held(invocation, said, book) if isinstance(said, Resolve) else release(invocation, said)
    result.add([by_hand])
    _sum_up(invocation, result, book, invocation.journal.open_work(invocation.clock.now(), tidy=False))


def _renew(invocation: Invocation, asked: Renew, result: RunResult) -> None:
    try:
        book = invocation.cas.order_book()
        now = invocation.clock.now()
        orders, missing = resolve(asked.selection, book, invocation.cas, invocation.settings.rules, now)
    except CasError:
        # What is already bought can be told without CAS.
        if not result.dry_run:
            result.add(publish_open(invocation))
        raise
    if asked.csr is not None:
        _require_one(asked.csr, orders)
    taken_up = take_up(invocation, book, dry_run=result.dry_run)
    result.errors.extend(taken_up.errors)
    told = {line.order_id for line in taken_up.lines}
    result.add(line for line in missing if line.order_id is None or line.order_id not in told)
    settled = told - set(taken_up.unbought)
    plan: list[tuple[Order, Work]] = []
    decided: list[OrderResult] = []
    for order in orders:
        if order.id not in settled:
            decision = _decide(invocation, order, book, taken_up.works)
            if isinstance(decision, Work):
                plan.append((order, decision))
            else:
                decided.append(decision)
    handled = {line.order_id for line in decided} | {order.id for order, _ in plan}
    result.add(line for line in taken_up.lines if line.order_id not in handled)
    result.add(decided)
    if result.dry_run:
        result.add(_would_renew(invocation, plan))
    else:
        _act(invocation, asked, book, plan, result)
    _sum_up(invocation, result, book, taken_up.works)


def _sum_up(invocation: Invocation, result: RunResult, book: OrderBook, works: Mapping[str, Work]) -> None:
    """Say in what state the account is now."""
    now = invocation.clock.now()
    result.metrics["oldest_open_work_seconds"] = oldest_open_seconds(works.values(), now)
    result.metrics["nearest_unprotected_days"] = nearest_unprotected_days(book, invocation.settings.rules, now)
    write_report(invocation, result, book, works)


def _require_one(csr: Csr, orders: list[Order]) -> None:
    if len(orders) > 1:
        found = ", ".join(order.id for order in orders)
        raise EventRefused("csr", f"a CSR goes with exactly one order, and here are {found}: name one in order_ids")
    for order in orders:
        csr.require_domain(order.domain, "csr")


def _decide(invocation: Invocation, order: Order, book: OrderBook, known: Mapping[str, Work]) -> OrderResult | Work:
    """Return the line of an order that is not to be renewed now, or the journal of one that is."""
    now = invocation.clock.now()
    reason = reason_not_to_renew(order, invocation.settings.rules, now)
    if reason is not None:
        return of_order(order, Outcome.SKIPPED, reason)
    try:
        work = known.get(order.id) or invocation.journal.read(order.id)
    except JournalUnavailable as failure:
        return _unwritable(invocation, order, failure)
    if work.state is State.DONE:
        return already_renewed(work)
    if work.is_open:
        return of_order(order, Outcome.DEFERRED, "in-progress")
    if superseding(order, book) is not None:
        return of_order(order, Outcome.SKIPPED, "superseded")
    # A refusal that could not even be told is not tried again: what came of it could not be told either.
    if work.refusal is not None and (now < work.refusal.retry_at or work.is_unfinished):
        return of_work(work, Outcome.REFUSED, work.refusal.code)
    return work


def _would_renew(invocation: Invocation, plan: list[tuple[Order, Work]]) -> list[OrderResult]:
    most = invocation.settings.max_renewals_per_run
    return [
        of_order(order, Outcome.WOULD_RENEW) if i < most else of_order(order, Outcome.DEFERRED, "run-limit")
        for i, (order, _) in enumerate(plan)
    ]


def _act(
    invocation: Invocation, asked: Renew, book: OrderBook, plan: list[tuple[Order, Work]], result: RunResult
) -> None:
    """Renew what is planned, one order at a time, until the fuse blows, the time is up or nothing can succeed."""
    left = deque(plan)
    allowance = invocation.settings.max_renewals_per_run
    bought_now: set[str] = set()
    stopped = "run-stopped" if any(line.stops_run for line in result.orders) else None
    while left and allowance > 0 and not stopped:
        batch = list(islice(left, allowance))
        if not has_time(invocation):
            if invocation.timeout() < SHORTEST_TIMEOUT:
                invocation.log.problem("timeout-too-short", seconds=invocation.timeout(), at_least=SHORTEST_TIMEOUT)
            stopped = "no-time-left"
            break
        try:
            invocation.journal.about_to_claim([order.id for order, _ in batch], invocation.deadline)
        except JournalUnavailable as failure:
            result.add(_unwritable(invocation, order, failure) for order, _ in left)
            return
        for order, work in batch:
            left.popleft()
            line = _renew_one(invocation, asked, book, bought_now, order, work)
            result.add([line])
            # A lost answer may have cost as much as a renewal.
            allowance -= line.outcome in {Outcome.RENEWED, Outcome.UNKNOWN}
            if line.stops_run:
                stopped = "run-stopped"
                break
    result.add(of_order(order, Outcome.DEFERRED, stopped or "run-limit") for order, _ in left)


def _renew_one(
    invocation: Invocation, asked: Renew, book: OrderBook, bought_now: set[str], order: Order, work: Work
) -> OrderResult:
    seen = Snapshot(book.read_at, book.existing(order.product_code, order.domain) | bought_now)
    try:
        line = renew(invocation, order, work, seen, asked.csr)
    except JournalUnavailable as failure:
        return _unwritable(invocation, order, failure)
    if line.new_order_id:
        bought_now.add(line.new_order_id)
    return line


def _unwritable(invocation: Invocation, order: Order, failure: JournalUnavailable) -> OrderResult:
    invocation.log.problem("journal-unavailable", order_id=order.id, message=str(failure))
    line = of_order(order, Outcome.DEFERRED, "journal-unavailable")
    return line._replace(failed=True)
