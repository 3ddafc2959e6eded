"""The report of an account's renewals: what a run knew when it ended. The data, and its JSON for programs.

`handler/report/page.py` turns the same data into a page for people. Both are a snapshot of one moment.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from handler.runtime.clock import rfc3339


class Stage(str, Enum):
    """Where an order stands, on its way from an expiring certificate to the next one."""

    EXPIRING = "expiring"
    """In the window and not renewed."""
    SETTLING = "settling"
    """An answer was lost; what happened is being settled by reading."""
    HELD = "held"
    """A person must say what happened."""
    RENEWED = "renewed"
    """Bought; CAS does not show the new order yet."""
    APPLICATION = "application"
    """The new order waits for somebody to submit the application."""
    REVIEW = "review"
    """The application is in review."""
    REVIEW_FAILED = "review-failed"
    """The application was turned down."""
    ISSUED = "issued"
    """The new certificate is issued."""


class Need(str, Enum):
    """What a person must do now."""

    SETTLE = "settle"
    """Held: look in the console what happened, then resolve or release."""
    APPLY = "apply"
    """Submit the application of the new order."""
    MEND = "mend"
    """The review failed: correct the application."""
    REFUSED = "refused"
    """CAS refuses the renewal; the order's reason has its code."""
    BY_HAND = "by-hand"
    """The certificate expires and the function may not renew it; the order's reason tells why."""
    LOST = "lost"
    """The new order is gone from CAS."""


class ReportOrder(NamedTuple):
    """One order of the report, by its old order: the one whose certificate expires."""

    order_id: str
    domain: str
    """Empty where CAS has bound none."""
    product_code: str
    cert_end: datetime | None
    """When the old certificate expires; None where nothing tells."""
    stage: Stage
    outcome: str | None = None
    """What the last run did with it, a value of `result.Outcome`; None where it had nothing to do."""
    reason: str | None = None
    """The slug or the error code that goes with the outcome."""
    new_order_id: str | None = None
    candidates: tuple[str, ...] = ()
    """The orders that might be the successor, where a person must choose."""
    need: Need | None = None
    """What a person must do now; None where nothing."""

    def days_left(self, at: datetime) -> int | None:
        """Return the whole days from `at` to the end of the old certificate: below zero once it has expired."""
        return (self.cert_end - at).days if self.cert_end else None


class Report(NamedTuple):
    """What a run knew when it ended."""

    written_at: datetime
    account_id: str
    region: str
    request_id: str
    trigger: str
    dry_run: bool
    window_days: int
    """An order is renewed this many days before its certificate expires, and no sooner."""
    counts: Mapping[str, int]
    """How many orders the last run ended with each outcome."""
    errors: tuple[str, ...]
    """What went wrong in the last run beside single orders."""
    orders: tuple[ReportOrder, ...]

    def soonest_first(self) -> list[ReportOrder]:
        """Return the orders by the end of their certificate; those that tell none are last."""
        return sorted(self.orders, key=_urgency)


def stages(orders: Iterable[ReportOrder]) -> dict[Stage, int]:
    """Count the orders in each stage, zeros too."""
    counted = Counter(order.stage for order in orders)
    return {stage: counted[stage] for stage in Stage}


def to_json(report: Report) -> str:
    """Write all of the report. ASCII only, so that no name can harm a terminal or a decoder on its way."""
    return json.dumps(
        {
            "written_at": rfc3339(report.written_at),
            "account_id": report.account_id,
            "region": report.region,
            "request_id": report.request_id,
            "trigger": report.trigger,
            "dry_run": report.dry_run,
            "window_days": report.window_days,
            "counts": dict(report.counts),
            "errors": list(report.errors),
            "stages": {stage.value: number for stage, number in stages(report.orders).items()},
            "needs_a_person": sum(order.need is not None for order in report.orders),
            "orders": [_line(order, report.written_at) for order in report.soonest_first()],
        }
    )


def _line(order: ReportOrder, at: datetime) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "domain": order.domain,
        "product_code": order.product_code,
        "cert_end_time": rfc3339(order.cert_end) if order.cert_end else None,
        "days_left": order.days_left(at),
        "stage": order.stage.value,
        "need": order.need.value if order.need else None,
        "outcome": order.outcome,
        "reason": order.reason,
        "new_order_id": order.new_order_id,
        "candidates": list(order.candidates),
    }


def _urgency(order: ReportOrder) -> tuple[bool, float, str, str]:
    return order.cert_end is None, order.cert_end.timestamp() if order.cert_end else 0.0, order.domain, order.order_id
