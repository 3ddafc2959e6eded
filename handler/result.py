"""What a run did, as the platform's log, the caller and the alarm get it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from handler.errors import JournalUnavailable
from handler.journal.work import Work
from handler.orders.book import Order
from handler.runtime.clock import rfc3339


class Outcome(str, Enum):
    """How an order came out of a run."""

    RENEWED = "renewed"
    ALREADY_RENEWED = "already-renewed"
    WOULD_RENEW = "would-renew"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"


MOST_CANDIDATES = 100
"""So many are listed of the orders that might be a successor: nobody looks through more, and a message and a log line
have a limit. The journal and report.json have all."""

FAILURES = frozenset({Outcome.REFUSED, Outcome.UNKNOWN, Outcome.HELD})
"""Outcomes after which somebody must be told."""


class OrderResult(NamedTuple):
    """One order's line of the result."""

    outcome: Outcome
    reason: str | None = None
    """A slug or an error code; None only where the outcome says it all."""
    order_id: str | None = None
    domain: str | None = None
    cert_end: datetime | None = None
    new_order_id: str | None = None
    message_id: str | None = None
    """The CloudEvent's id, once the message is on the queue."""
    candidates: tuple[str, ...] = ()
    """The orders that might be the successor, where a person must choose."""
    asked_for: str | None = None
    """What the event named, where no order was found for it."""
    failed: bool = False
    """Somebody must be told although the outcome alone does not say so."""
    stops_run: bool = False
    """No other order can fare better."""

    @property
    def needs_attention(self) -> bool:
        """Whether the run must end as failed."""
        return self.failed or self.outcome in FAILURES

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """Return the line; `days_left` counts whole days from now to the end of the old certificate.

        Of very many candidates it lists the first, and under `candidates_in_all` says how many there are.
        """
        line: dict[str, Any] = {
            "order_id": self.order_id,
            "domain": self.domain,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "new_order_id": self.new_order_id,
            "message_id": self.message_id,
            "cert_end_time": rfc3339(self.cert_end) if self.cert_end else None,
            "days_left": (self.cert_end - now).days if self.cert_end else None,
        }
        if self.candidates:
            line["candidates"] = first_candidates(self.candidates)
        if len(self.candidates) > MOST_CANDIDATES:
            line["candidates_in_all"] = len(self.candidates)
        if self.asked_for:
            line["asked_for"] = self.asked_for
        return line


def first_candidates(candidates: Iterable[str]) -> list[str]:
    """Return as many candidates as a message or a line may list, sorted, so that it is always the same ones."""
    return sorted(candidates, key=str)[:MOST_CANDIDATES]


def of_order(order: Order, outcome: Outcome, reason: str | None = None) -> OrderResult:
    """Return the line of an order of the book."""
    return OrderResult(outcome, reason, order.id, order.domain, order.cert_end)


def of_work(work: Work, outcome: Outcome, reason: str | None = None, **more: Any) -> OrderResult:
    """Return the line of an order from its journal, with its successor where it has one."""
    new_order_id = work.renewal.new_order_id if work.renewal else None
    return OrderResult(
        outcome,
        reason,
        work.order_id,
        work.claim.domain if work.claim else None,
        work.claim.cert_end if work.claim else None,
        new_order_id,
        **more,
    )


def held_line(work: Work, order: Order | None) -> OrderResult:
    """Return the line of an order that only a person can go on with; of one whose journal is out of reach, if so.

    `order`: its row, for what the journal cannot tell.
    """
    reason, candidates = work.hold
    if reason == JournalUnavailable.reason:
        line = of_work(work, Outcome.DEFERRED, reason, failed=True)
    else:
        line = of_work(work, Outcome.HELD, reason, candidates=candidates)
    return line if work.claim or order is None else line._replace(domain=order.domain, cert_end=order.cert_end)


def already_renewed(work: Work) -> OrderResult:
    """Return the line of an order that is done."""
    return of_work(work, Outcome.ALREADY_RENEWED, message_id=work.renewed_id)


def of_row(shown: str) -> OrderResult:
    """Return the line of a row that makes no sense and has no order id."""
    return OrderResult(Outcome.SKIPPED, "row-unreadable", asked_for=f"a row with {shown}")


@dataclass
class RunResult:
    """A whole run."""

    request_id: str
    trigger: str
    dry_run: bool = False
    lines: dict[str, OrderResult] = field(default_factory=dict)
    """By order id, or by what the event named where there is no order."""
    note: str | None = None
    """What to say of a run that had nothing to do, or of how its event was understood."""
    errors: list[str] = field(default_factory=list)
    """What went wrong beside any single order."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Numbers about the run and the account, for the log alone."""
    checks: list[dict[str, Any]] | None = None
    """The self-check's lines."""

    @property
    def orders(self) -> list[OrderResult]:
        """All lines."""
        return list(self.lines.values())

    def counts(self) -> dict[str, int]:
        """Count the orders by outcome."""
        return dict(Counter(line.outcome.value for line in self.orders))

    def put(self, line: OrderResult) -> None:
        """Write an order's line, over the one that it had."""
        self.lines[line.order_id or line.asked_for or ""] = line

    def put_all(self, lines: Iterable[OrderResult]) -> None:
        """Write lines of orders."""
        for line in lines:
            self.put(line)

    def put_if_absent(self, line: OrderResult) -> None:
        """Write the line of an order that has none."""
        self.lines.setdefault(line.order_id or line.asked_for or "", line)

    @property
    def needs_attention(self) -> bool:
        """Whether the run must end as failed."""
        return bool(self.errors) or any(line.needs_attention for line in self.orders)

    def to_json(self, now: datetime) -> str:
        """Write the result.

        Always request_id, trigger, dry_run, counts (by outcome) and orders; note, errors and check where there are any.
        """
        result: dict[str, Any] = {
            "request_id": self.request_id,
            "trigger": self.trigger,
            "dry_run": self.dry_run,
            "counts": self.counts(),
            "orders": [line.to_dict(now) for line in self.orders],
        }
        if self.note:
            result["note"] = self.note
        if self.errors:
            result["errors"] = self.errors
        if self.checks is not None:
            result["check"] = self.checks
        return json.dumps(result, ensure_ascii=False)
