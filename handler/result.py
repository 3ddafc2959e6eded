"""What a run did, as the platform's log, the caller and the alarm get it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from handler.clock import rfc3339
from handler.orders import Order
from handler.work import Work


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
        """Return the line; `days_left` counts whole days from now to the end of the old certificate."""
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
            line["candidates"] = list(self.candidates)
        if self.asked_for:
            line["asked_for"] = self.asked_for
        return line


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


def already_renewed(work: Work) -> OrderResult:
    """Return the line of an order that is done."""
    return of_work(work, Outcome.ALREADY_RENEWED, message_id=work.renewed_id)


@dataclass
class RunResult:
    """A whole run."""

    request_id: str
    trigger: str
    dry_run: bool = False
    orders: list[OrderResult] = field(default_factory=list)
    note: str | None = None
    """What to say of a run that had nothing to do, or of how its event was understood."""
    errors: list[str] = field(default_factory=list)
    """What went wrong beside any single order."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Numbers about the run and the account, for the log alone."""
    checks: list[dict[str, Any]] | None = None
    """The self-check's lines."""

    def counts(self) -> dict[str, int]:
        """Count the orders by outcome."""
        return dict(Counter(line.outcome.value for line in self.orders))

    def add(self, lines: Iterable[OrderResult]) -> None:
        """Add lines of orders."""
        self.orders.extend(lines)

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
