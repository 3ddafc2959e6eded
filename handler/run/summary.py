"""The state of the account as a run leaves it: for the report, and for the metrics in the log."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from handler.certificates.domains import canonical
from handler.certificates.rules import Rules
from handler.journal.work import State, Work
from handler.orders.book import ISSUED, LIVE, OrderBook
from handler.orders.policy import domain_not_allowed, in_sight, reason_not_to_renew, superseding
from handler.orders.purchase import SHORTEST_TIMEOUT
from handler.report.data import Need, Report, ReportOrder, Stage, to_json
from handler.report.page import page
from handler.result import OrderResult, Outcome, RunResult, of_order, of_work
from handler.run.follow import is_watched, stage_of
from handler.run.invocation import Invocation

_STAGES = {
    "": Stage.RENEWED,
    "PAYED": Stage.APPLICATION,
    "NOTACTIVATED": Stage.APPLICATION,
    "CHECKING": Stage.REVIEW,
    "CHECKED_FAIL": Stage.REVIEW_FAILED,
    "ISSUED": Stage.ISSUED,
    "REPLACED": Stage.ISSUED,
}
"""By how far the new order is (`lifecycle.stage_of`); whatever else it is, it will not become a certificate."""
_NEEDS = {Stage.HELD: Need.SETTLE, Stage.APPLICATION: Need.APPLY, Stage.REVIEW_FAILED: Need.MEND}
_BY_HAND = frozenset({"free-certificate", "multi-domain", "uploaded", "expired"})
_SETTLING = frozenset({"settling", "in-progress"})


def sum_up(invocation: Invocation, result: RunResult, book: OrderBook, works: Mapping[str, Work]) -> None:
    """Say in what state the account is now, in the metrics and in the report beside the journal.

    `works`: what the run knows of orders whose journal it has read. Whatever is wrong with a report is logged and goes
    no further: what the run has bought must be told, and nothing depends on the report.
    """
    now = invocation.clock.now()
    result.metrics["oldest_open_work_seconds"] = oldest_open_seconds(works.values(), now)
    result.metrics["nearest_unprotected_days"] = nearest_unprotected_days(book, invocation.settings.rules, now)
    try:
        report = _report(invocation, result, book, works)
        invocation.store.put("report.json", to_json(report).encode())
        invocation.store.put("report.html", page(report).encode("utf-8", "backslashreplace"))
    except Exception as failure:  # noqa: BLE001 (see above)
        invocation.log.problem("report-not-written", message=f"{type(failure).__name__}: {failure}")


def nearest_unprotected_days(book: OrderBook, rules: Rules, now: datetime) -> float | None:
    """Return in how many days the first domain is without a certificate in force; negative once it is.

    Of each domain that the function may renew, the certificate that lasts longest counts. None if there is none.
    """
    ends: dict[str, datetime] = {}
    for order in book:
        if order.status in LIVE and order.cert_end is not None and not domain_not_allowed(order, rules, now):
            name = canonical(order.domain)
            ends[name] = max(order.cert_end, ends.get(name, order.cert_end))
    return round((min(ends.values()) - now) / timedelta(days=1), 1) if ends else None


def oldest_open_seconds(works: Iterable[Work], now: datetime) -> float | None:
    """Return for how long the oldest open work has been in its state; None if nothing is open."""
    ages = [(now - work.since_at).total_seconds() for work in works if work.is_open and work.since_at]
    return round(max(ages), 1) if ages else None


def _report(invocation: Invocation, result: RunResult, book: OrderBook, works: Mapping[str, Work]) -> Report:
    now, settings = invocation.clock.now(), invocation.settings
    lines = {line.order_id: line for line in result.orders if line.order_id and line.reason != "not-found"}
    unfinished = {order_id: _of_work(work) for order_id, work in works.items() if work.is_unfinished}
    others = _others(invocation, book, now, {*lines, *unfinished})
    orders = [_of_line(invocation, line, book, works, now) for line in {**others, **unfinished, **lines}.values()]
    return Report(
        written_at=now,
        account_id=invocation.account_id,
        region=invocation.region,
        request_id=result.request_id,
        trigger=result.trigger,
        dry_run=result.dry_run,
        window_days=settings.rules.within.days,
        counts=result.counts(),
        errors=tuple(result.errors),
        orders=tuple(order if order.order_id in lines else order._replace(outcome=None) for order in orders),
    )


def _others(invocation: Invocation, book: OrderBook, now: datetime, known: set[str]) -> dict[str, OrderResult]:
    """Return a line for each order in sight of which the run had nothing to say, because it was not asked."""
    lines = {}
    for order in book:
        if order.id not in known and in_sight(order, invocation.settings.rules, now):
            reason = reason_not_to_renew(order, invocation.settings.rules, now)
            work = _journal_of(invocation, order.id) if reason is None else Work(order.id)
            recorded = work.state is not State.NONE
            lines[order.id] = _of_work(work) if recorded else of_order(order, Outcome.SKIPPED, reason)
    return lines


def _journal_of(invocation: Invocation, order_id: str) -> Work:
    """Read a journal for the report alone, which is not worth the last seconds of a run."""
    if invocation.seconds_left() < SHORTEST_TIMEOUT:
        msg = "no time is left to read where the other orders stand"
        raise TimeoutError(msg)
    return invocation.journal.read_or_hold(order_id)


def _of_work(work: Work) -> OrderResult:
    """Return a line that says of an order what its journal does."""
    if work.renewal is not None:
        return of_work(work, Outcome.ALREADY_RENEWED)
    if work.state is State.HELD:
        reason, candidates = work.hold
        return of_work(work, Outcome.HELD, reason, candidates=candidates)
    if work.refusal is not None and work.refusal.is_failure:
        return of_work(work, Outcome.REFUSED, work.refusal.code)
    return of_work(work, Outcome.DEFERRED, "settling" if work.is_open else None)


def _of_line(
    invocation: Invocation, line: OrderResult, book: OrderBook, works: Mapping[str, Work], now: datetime
) -> ReportOrder:
    order_id = line.order_id or ""
    order = book.get(order_id)
    work = works.get(order_id)
    stage, need = _stage(invocation, line, book, work, now)
    product = order.product_code if order else work.claim.product_code if work and work.claim else ""
    return ReportOrder(
        order_id=order_id,
        domain=line.domain or "",
        product_code=product,
        cert_end=line.cert_end,
        stage=stage,
        outcome=line.outcome.value,
        reason=line.reason,
        new_order_id=line.new_order_id,
        candidates=line.candidates,
        need=need,
    )


def _stage(
    invocation: Invocation, line: OrderResult, book: OrderBook, work: Work | None, now: datetime
) -> tuple[Stage, Need | None]:
    if line.new_order_id:
        if work is not None and is_watched(work):
            far = stage_of(work, book, now, invocation.settings.settle)
        else:
            new = book.get(line.new_order_id)
            far = "" if new is None else "ISSUED" if new.status in ISSUED else new.status
        stage = _STAGES.get(far)
        return (stage, _NEEDS.get(stage)) if stage else (Stage.RENEWED, Need.LOST)
    if line.reason == "superseded":
        order = book.get(line.order_id or "")
        other = superseding(order, book) if order else None
        if other is None:  # what was bought for another order stands in, and the book does not show for what it is
            return Stage.RENEWED, None
        return _STAGES.get("ISSUED" if other.status in LIVE else other.status, Stage.EXPIRING), None
    if line.outcome is Outcome.HELD:
        return Stage.HELD, Need.SETTLE
    if line.outcome is Outcome.UNKNOWN or line.reason in _SETTLING:
        return Stage.SETTLING, None
    if line.outcome is Outcome.REFUSED:
        return Stage.EXPIRING, Need.REFUSED
    return Stage.EXPIRING, Need.BY_HAND if line.reason in _BY_HAND else None
