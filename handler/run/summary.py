"""The state of the account as a run leaves it: for the report, and for the metrics in the log."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from handler.certificates.renewable import Kind, Renewable
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.order import ISSUED, LIVE, Order
from handler.orders.policy import in_sight, reason_not_to_renew, superseding
from handler.orders.progress import Progress, progress_of
from handler.outcomes import Outcome, Placed, Reason
from handler.report.data import Need, Report, ReportLine, Stage, to_json
from handler.report.page import page
from handler.result import Line, RunResult, key_of
from handler.run.services import Services
from handler.run.standings import is_excepted
from handler.run.unfinished import is_unfinished, is_watched
from handler.run.watch import Seen
from handler.runtime.countdown import SHORTEST_TIMEOUT
from handler.watch.standing import nearest_unprotected_days

_STAGES: dict[str, Stage] = {
    Progress.NOT_SHOWN: Stage.RENEWED,
    Progress.PAYED: Stage.APPLICATION,
    Progress.NOTACTIVATED: Stage.APPLICATION,
    Progress.CHECKING: Stage.REVIEW,
    Progress.CHECKED_FAIL: Stage.REVIEW_FAILED,
    Progress.ISSUED: Stage.ISSUED,
    Progress.REPLACED: Stage.ISSUED,
}
"""By the progress of the successor; whatever else it is, it will not become a certificate."""
_NEEDS = {Stage.HELD: Need.SETTLE, Stage.APPLICATION: Need.APPLY, Stage.REVIEW_FAILED: Need.MEND}
_BY_HAND = frozenset({Reason.FREE_CERTIFICATE, Reason.MULTI_DOMAIN, Reason.UPLOADED, Reason.EXPIRED})
_BY_SOMEBODY: dict[str | None, Stage] = {Reason.HOSTED: Stage.HOSTED, Reason.IN_REVIEW: Stage.REVIEW}
"""Where an instance stands whose next certificate somebody else gets."""
_SETTLING = frozenset({Reason.SETTLING, Reason.IN_PROGRESS})
_STUCK = frozenset(
    {Reason.SUBMISSION_FAILED, Reason.AUTHORITY_SAYS, Reason.REVIEW_TOO_LONG, Reason.NOT_ISSUED, Reason.NAMES_CHANGED}
)
"""What is in the way of an application that does not get on."""


class Summary:
    """Sums up one run, from what it has read anyway."""

    def __init__(self, services: Services, journal: Journal, result: RunResult) -> None:
        """`result`: what the run has to say, complete but for its metrics."""
        self._services = services
        self._journal = journal
        self._result = result
        self._settings = services.settings
        self._now = services.time.now()

    def write(self, book: OrderBook, renewals: Mapping[str, Renewal], seen: Seen) -> None:
        """Say in what state the account is now, in the metrics and in the report beside the journal.

        `renewals`: what the run knows of those whose journal it has read. Whatever is wrong with a report is logged and
        goes no further: what the run has purchased must be told, and nothing depends on the report.
        """
        metrics, store = self._result.metrics, self._services.store
        metrics["oldest_open_work_seconds"] = oldest_open_seconds(renewals.values(), self._now)
        placings = [line.placing for line in self._result.lines.values() if line.placing is not None]
        metrics["deployments"] = dict(Counter(one.stage.value for one in placings))
        metrics["replaced_still_bound"] = sum(bool(one.still_bound) for one in placings)
        metrics["nearest_unprotected_days"] = nearest_unprotected_days(seen.standings, self._now)
        try:
            report = self._report(book, renewals, seen)
            store.put("report.json", to_json(report).encode())
            store.put("report.html", page(report).encode("utf-8", "backslashreplace"))
        except Exception as failure:  # noqa: BLE001 (see above)
            self._services.log.problem("report-not-written", message=f"{type(failure).__name__}: {failure}")

    def _report(self, book: OrderBook, renewals: Mapping[str, Renewal], seen: Seen) -> Report:
        said = {key: line for key, line in self._result.lines.items() if line.renewable and line.renewable.id}
        lines = {key: line for key, line in said.items() if line.reason != Reason.NOT_FOUND}
        unfinished = {
            id_: _line_of(renewal)
            for id_, renewal in renewals.items()
            if is_unfinished(renewal) and renewal.kind is Kind.ORDER
        }
        others = self._others(book, {*lines, *unfinished})
        every = [line for line in {**others, **unfinished, **lines}.values() if not self._is_excepted(line)]
        products = {key_of(standing.renewable): standing.products for standing in seen.standings}
        ended = {key_of(standing.renewable) for standing in seen.unreplaced if standing.ends <= self._now}
        shown = [self._shown(line, book, renewals, products, ended) for line in every]
        identity = self._services.identity
        return Report(
            written_at=self._now,
            account_id=identity.account_id,
            region=identity.region,
            request_id=identity.request_id,
            trigger=self._result.trigger,
            dry_run=self._result.dry_run,
            window_days=self._settings.rules.within.days,
            counts=self._result.counts(),
            errors=tuple(self._result.errors),
            foresight=seen.foresight.sentence if seen.foresight else "",
            lines=tuple(line if key_of(line.renewable) in lines else line._replace(outcome=None) for line in shown),
        )

    def _is_excepted(self, line: Line) -> bool:
        names = line.renewable.domains if line.renewable else ()
        return bool(names) and is_excepted(names, self._settings.rules)

    def _others(self, book: OrderBook, known: set[str]) -> dict[str, Line]:
        """Return a line for each order in sight of which the run had nothing to say, because it was not asked."""
        lines = {}
        for order in book:
            if order.id not in known and in_sight(order, self._settings.rules, self._now):
                reason = reason_not_to_renew(order, self._settings.rules, self._now)
                renewal = self._read(order.id) if reason is None else Renewal(order.id)
                recorded = renewal.state is not State.NONE
                lines[order.id] = _line_of(renewal) if recorded else Line(Outcome.SKIPPED, reason, order.renewable)
        return lines

    def _read(self, order_id: str) -> Renewal:
        """Read a journal for the report alone, which is not worth the last seconds of a run."""
        if self._services.time.seconds_left() < SHORTEST_TIMEOUT:
            msg = "no time is left to read where the other orders stand"
            raise TimeoutError(msg)
        return self._journal.read_or_hold(order_id)

    def _shown(
        self,
        line: Line,
        book: OrderBook,
        renewals: Mapping[str, Renewal],
        products: Mapping[str, tuple[str, ...]],
        ended: Collection[str],
    ) -> ReportLine:
        of = line.renewable or Renewable(Kind.ORDER, line.key)
        order, renewal = book.get(of.id), renewals.get(of.id)
        stage, need = self._stage(line, of.id, book, renewal)
        if line.placing is not None:
            stage = Stage.DEPLOYED if line.placing.stage is Placed.DEPLOYED else stage
            need = Need.STILL_BOUND if line.placing.needs_person else need
        product = order.product if order else renewal.renewable.product if renewal else of.product
        return ReportLine(
            renewable=of._replace(product=product),
            stage=stage,
            outcome=line.outcome.value,
            reason=line.reason,
            successor_id=line.successor_id,
            candidates=line.candidates,
            records=line.records,
            placing=line.placing,
            need=Need.ENDED if key_of(of) in ended else need,
            products=products.get(key_of(of), ()),
        )

    def _stage(self, line: Line, id_: str, book: OrderBook, renewal: Renewal | None) -> tuple[Stage, Need | None]:
        if line.successor_id and line.renewable is not None and line.renewable.kind is Kind.INSTANCE:
            return Stage.ISSUED, None
        if line.successor_id:
            stage = _STAGES.get(self._progress(line.successor_id, book, renewal))
            return (stage, _NEEDS.get(stage)) if stage else (Stage.RENEWED, Need.LOST)
        if line.reason == Reason.SUPERSEDED:
            return _stage_of_stand_in(book.get(id_), book), None
        return _stage_said(line)

    def _progress(self, successor_id: str, book: OrderBook, renewal: Renewal | None) -> str:
        if renewal is not None and is_watched(renewal):
            return progress_of(renewal, book, self._now, self._settings.settle)
        new = book.get(successor_id)
        if new is None:
            return Progress.NOT_SHOWN
        return Progress.ISSUED if new.status in ISSUED else new.status


def _stage_of_stand_in(order: Order | None, book: OrderBook) -> Stage:
    """Return how far the order is that stands in for this one."""
    other = superseding(order, book) if order else None
    if other is None:  # what was purchased for another order stands in, and the book does not show for what
        return Stage.RENEWED
    return _STAGES.get(Progress.ISSUED if other.status in LIVE else other.status, Stage.EXPIRING)


def _stage_said(line: Line) -> tuple[Stage, Need | None]:
    """Return where a line without a successor stands, and what a person must do, by what the run said of it."""
    is_instance = line.renewable is not None and line.renewable.kind is Kind.INSTANCE
    if line.outcome is Outcome.HELD:
        return Stage.HELD, Need.SETTLE
    if line.outcome is Outcome.UNKNOWN or line.reason in _SETTLING:
        return Stage.SETTLING, None
    if line.outcome is Outcome.REFUSED:
        return Stage.EXPIRING, Need.REFUSED
    needed = Need.VALIDATE if line.records else None
    if line.outcome is Outcome.APPLIED:
        is_stuck = line.reason in _STUCK
        return Stage.REVIEW_FAILED if is_stuck else Stage.REVIEW, Need.STUCK if is_stuck else needed
    if is_instance and line.reason in _BY_SOMEBODY:
        return _BY_SOMEBODY[line.reason], needed
    is_by_hand = line.outcome is Outcome.EXPIRING or line.reason in _BY_HAND
    return Stage.EXPIRING, Need.BY_HAND if is_by_hand else None


def oldest_open_seconds(renewals: Iterable[Renewal], now: datetime) -> float | None:
    """Return for how long the oldest open work has been in its state; None if nothing is open."""
    ages = [(now - renewal.since_at).total_seconds() for renewal in renewals if renewal.is_open and renewal.since_at]
    return round(max(ages), 1) if ages else None


def _line_of(renewal: Renewal) -> Line:
    """Return a line that says of a renewal what its journal does."""
    if renewal.successor is not None:
        return line_of(renewal, Outcome.ALREADY_RENEWED)
    if renewal.state is State.HELD:
        reason, candidates = renewal.hold or ("", ())
        return line_of(renewal, Outcome.HELD, reason, candidates=candidates)
    if renewal.refusal is not None and renewal.refusal.is_failure:
        return line_of(renewal, Outcome.REFUSED, renewal.refusal.code)
    return line_of(renewal, Outcome.DEFERRED, Reason.SETTLING if renewal.is_open else None)
