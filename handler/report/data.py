"""The report of an account's certificates: what a run knew when it ended. The data, and its JSON for programs.

`handler/report/page.py` turns the same data into a page for people. Both are a snapshot of one moment.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.result import Placing
from handler.runtime.clock import rfc3339


class Stage(str, Enum):
    """Where an order, an instance or another certificate stands, on its way from one certificate to the next."""

    EXPIRING = "expiring"
    """It ends soon, or has ended, and is not renewed."""
    HOSTED = "hosted"
    """The platform renews it by itself; there is no new certificate yet."""
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
    DEPLOYED = "deployed"
    """The new certificate is in the place of the old one, as CAS says."""


class Need(str, Enum):
    """What a person must do now."""

    ENDED = "ended"
    """It has ended within the last 30 days and nothing has replaced it: replace it."""
    SETTLE = "settle"
    """Held: look in the console what happened, then resolve or release."""
    APPLY = "apply"
    """Submit the application of the new order."""
    MEND = "mend"
    """The review failed: correct the application."""
    VALIDATE = "validate"
    """In review, and the authority waits for records: add them."""
    STUCK = "stuck"
    """The application for an instance does not get on; the line's reason tells why."""
    REFUSED = "refused"
    """CAS refuses the renewal; the line's reason has its code."""
    BY_HAND = "by-hand"
    """The certificate ends and nobody renews it; the line's reason tells why."""
    LOST = "lost"
    """The new order is gone from CAS."""
    STILL_BOUND = "still-bound"
    """The new certificate is issued, and the old one, which ends soon, is still in use: install the new one."""


class ReportLine(NamedTuple):
    """One line of the report: what expires, and how far its successor is."""

    renewable: Renewable
    stage: Stage
    outcome: str | None = None
    """What the last run did with it, a value of `Outcome`; None where it had nothing to do."""
    reason: str | None = None
    """The slug or the error code that goes with the outcome."""
    successor_id: str | None = None
    """The new order of an order, the new certificate of anything else."""
    candidates: tuple[str, ...] = ()
    """The orders that might be the successor, where a person must choose."""
    need: Need | None = None
    """What a person must do now; None where nothing."""
    products: tuple[str, ...] = ()
    """The cloud products where the certificate is in use, as far as CAS tells."""
    placing: Placing | None = None
    """Once the next certificate is issued: how far it is on its way into the place of this one."""
    records: tuple[Mapping[str, str], ...] = ()
    """What somebody must add so that the authority believes: each with Domain, Zone, Host, Type and Value."""

    def days_left(self, at: datetime) -> int | None:
        """Return the whole days from `at` to the end of the certificate: below zero once it has ended."""
        return (self.renewable.ends - at).days if self.renewable.ends else None

    def has_ended(self, at: datetime) -> bool:
        """Tell whether the certificate is known to have ended by then."""
        return self.renewable.ends is not None and self.renewable.ends <= at

    def days_since(self, at: datetime) -> int:
        """Return the whole days since the certificate ended; 0 if it has not."""
        return max(0, (at - self.renewable.ends).days) if self.renewable.ends else 0


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
    """How many lines the last run ended with each outcome."""
    errors: tuple[str, ...]
    """What went wrong in the last run beside single lines."""
    lines: tuple[ReportLine, ...]
    foresight: str = ""
    """Which limit must be how high so that nothing is missed, in a sentence; empty if all will be in time."""

    def soonest_first(self) -> list[ReportLine]:
        """Return the lines by the end of their certificate; those that tell none are last."""
        return sorted(self.lines, key=_urgency)


def stages(lines: Iterable[ReportLine]) -> dict[Stage, int]:
    """Count the lines in each stage, zeros too."""
    counted = Counter(line.stage for line in lines)
    return {stage: counted[stage] for stage in Stage}


def kinds(lines: Iterable[ReportLine]) -> dict[Kind, int]:
    """Count the lines of each kind, zeros too."""
    counted = Counter(line.renewable.kind for line in lines)
    return {kind: counted[kind] for kind in Kind}


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
            "foresight": report.foresight or None,
            "kinds": {kind.value: number for kind, number in kinds(report.lines).items()},
            "stages": {stage.value: number for stage, number in stages(report.lines).items()},
            "needs_a_person": sum(line.need is not None for line in report.lines),
            "orders": [_to_dict(line, report.written_at) for line in report.soonest_first()],
        }
    )


def _to_dict(line: ReportLine, at: datetime) -> dict[str, Any]:
    of = line.renewable
    is_order = of.kind is Kind.ORDER
    return {
        "kind": of.kind.value,
        **{f"{kind.value}_id": of.id if of.kind is kind else None for kind in Kind},
        "domain": of.domain,
        "product_code": of.product,
        "cert_end_time": rfc3339(of.ends) if of.ends else None,
        "days_left": line.days_left(at),
        "stage": line.stage.value,
        "need": line.need.value if line.need else None,
        "outcome": line.outcome,
        "reason": line.reason,
        "new_order_id": line.successor_id if is_order else None,
        "new_certificate_id": None if is_order else line.successor_id,
        "candidates": list(line.candidates),
        "products": list(line.products),
        "deployment": line.placing.to_dict() if line.placing else None,
        "records": [dict(record) for record in line.records],
    }


def _urgency(line: ReportLine) -> tuple[bool, float, str, str]:
    of = line.renewable
    return of.ends is None, of.ends.timestamp() if of.ends else 0.0, of.domain, of.id
