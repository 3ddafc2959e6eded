"""What a run answers, as the platform's log, the caller and the alarm get it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.outcomes import DONE, FAILURES, Outcome, Placed, Reason
from handler.runtime.clock import rfc3339

MOST_CANDIDATES = 100
"""So many are listed of the orders that might be a successor: nobody looks through more, and a message and a log line
have a limit. The journal and report.json have all."""


Place = Mapping[str, str | None]
"""Where a certificate is bound: Product, Region, Resource and Domain, as in the messages; of what is or was to be
deployed also Outcome and Serves."""


class Placing(NamedTuple):
    """How far an issued certificate is on its way into the place of the one that it replaces."""

    stage: Placed
    certificate_id: str
    """Of the new certificate; empty if it could not be told."""
    replaced_id: str
    """Of the old one, likewise."""
    reason: str | None = None
    job_id: str = ""
    resources: tuple[Place, ...] = ()
    still_bound: tuple[Place, ...] = ()
    """What is bound to the old one, as far as it was looked at."""
    needs_person: bool = False
    """Whether the old one ends soon and is still bound, and no job will change that."""

    @property
    def deployed(self) -> int:
        """How many of the resources have the new one."""
        return sum(one.get("Outcome") == "deployed" for one in self.resources)

    def to_dict(self) -> dict[str, Any]:
        """Return it as the result has it."""
        return {
            "stage": self.stage.value,
            "reason": str(self.reason) if self.reason else None,
            "certificate_id": self.certificate_id or None,
            "replaced_certificate_id": self.replaced_id or None,
            "job_id": self.job_id or None,
            "deployed": self.deployed,
            "of": len(self.resources),
            "resources": [dict(one) for one in self.resources[:MOST_CANDIDATES]],
            "still_bound": [dict(one) for one in self.still_bound[:MOST_CANDIDATES]],
        }


class Line(NamedTuple):
    """One line of the result."""

    outcome: Outcome
    reason: str | None = None
    """A `Reason` or an error code; None only where the outcome says it all."""
    renewable: Renewable | None = None
    """What it speaks of; None where nothing was found."""
    successor_id: str | None = None
    """The new order of an order, the new certificate of an instance."""
    message_id: str | None = None
    """The CloudEvent's id, once the message is on the queue."""
    candidates: tuple[str, ...] = ()
    """The orders that might be the successor, where a person must choose."""
    asked_for: str | None = None
    """What the event named, where nothing was found for it."""
    in_run: int | None = None
    """Dry run: in which run it would be renewed; 1 is the first."""
    records: tuple[Mapping[str, str], ...] = ()
    """What somebody must add so that the authority believes: each with Domain, Zone, Host, Type and Value."""
    placing: Placing | None = None
    """Once its successor's certificate is issued, and the old one may be bound somewhere: how that goes."""
    failed: bool = False
    """Somebody must be notified although the outcome alone does not say so."""
    stops_run: bool = False
    """No other order can fare better."""

    @property
    def needs_attention(self) -> bool:
        """Whether the run must end as failed."""
        return self.failed or self.outcome in FAILURES

    @property
    def key(self) -> str:
        """By what the result knows the line: see `key_of`; or what the event named where there is no id."""
        return (key_of(self.renewable) if self.renewable else "") or self.asked_for or ""

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """Return the line; `days_left` counts whole days from now to the end of the old certificate.

        Of very many candidates it lists the first, and under `candidates_in_all` says how many there are.
        """
        of = self.renewable or Renewable(Kind.ORDER, "", is_known=False)
        line: dict[str, Any] = {
            "kind": of.kind.value,
            "order_id": (of.id or None) if of.kind is Kind.ORDER else None,
            **({} if of.kind is Kind.ORDER else {f"{of.kind.value}_id": of.id}),
            "domain": of.domain if of.is_known else None,
            "outcome": self.outcome.value,
            "reason": str(self.reason) if self.reason is not None else None,
            "new_order_id": self.successor_id if of.kind is Kind.ORDER else None,
            "message_id": self.message_id,
            "cert_end_time": rfc3339(of.ends) if of.ends else None,
            "days_left": (of.ends - now).days if of.ends else None,
        }
        if self.candidates:
            line["candidates"] = first_candidates(self.candidates)
        if len(self.candidates) > MOST_CANDIDATES:
            line["candidates_in_all"] = len(self.candidates)
        if self.successor_id and of.kind is not Kind.ORDER:
            line["new_certificate_id"] = self.successor_id
        if self.records:
            line["records"] = [dict(record) for record in self.records]
        if self.placing is not None:
            line["deployment"] = self.placing.to_dict()
        if self.in_run is not None:
            line["in_run"] = self.in_run
        if self.asked_for:
            line["asked_for"] = self.asked_for
        return line


def key_of(of: Renewable) -> str:
    """Return by what a result knows the line about this: the id. Those of orders and of certificates can be equal."""
    return f"certificate {of.id}" if of.kind is Kind.CERTIFICATE else of.id


def first_candidates(candidates: Iterable[str]) -> list[str]:
    """Return as many candidates as a message or a line may list, sorted, so that it is always the same ones."""
    return sorted(candidates, key=str)[:MOST_CANDIDATES]


def unreadable_row(shown: str) -> Line:
    """Return the line of a row that makes no sense and has no id."""
    return Line(Outcome.SKIPPED, Reason.ROW_UNREADABLE, asked_for=f"a row with {shown}")


@dataclass
class RunResult:
    """A whole run."""

    request_id: str
    trigger: str
    dry_run: bool = False
    lines: dict[str, Line] = field(default_factory=dict)
    """By `Line.key`."""
    note: str | None = None
    """What to say of a run that had nothing to do, or of how its event was understood."""
    errors: list[str] = field(default_factory=list)
    """What went wrong beside any single order."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Numbers about the run and the account, for the log alone."""
    checks: list[dict[str, Any]] | None = None
    """The self-check's lines."""

    def counts(self) -> dict[str, int]:
        """Count the lines by outcome."""
        return dict(Counter(line.outcome.value for line in self.lines.values()))

    def put(self, line: Line) -> None:
        """Write a line, over the one that stood there."""
        self.lines[line.key] = line

    def has_final_line(self, key: str) -> bool:
        """Tell whether this run has said what there is to say; what was found unpurchased may yet be purchased."""
        line = self.lines.get(key)
        return line is not None and line.reason != Reason.NOTHING_BOUGHT

    def add_note(self, said: str) -> None:
        """Say one thing more."""
        self.note = f"{self.note}; {said}" if self.note else said

    @property
    def is_stopped(self) -> bool:
        """Whether a line has shown that no other can fare better."""
        return any(line.stops_run for line in self.lines.values())

    @property
    def cannot_publish(self) -> bool:
        """Whether something was done of which the queue took no message, and would take no other either."""
        return any(line.stops_run and line.outcome in DONE for line in self.lines.values())

    def put_all(self, lines: Iterable[Line]) -> None:
        """Write lines; see `put`."""
        for line in lines:
            self.put(line)

    def put_if_absent(self, line: Line) -> None:
        """Write a line, unless one stands there."""
        self.lines.setdefault(line.key, line)

    @property
    def needs_attention(self) -> bool:
        """Whether the run must end as failed."""
        return bool(self.errors) or any(line.needs_attention for line in self.lines.values())

    def to_json(self, now: datetime) -> str:
        """Write the result.

        Always request_id, trigger, dry_run, counts (by outcome) and orders; note, errors and check where there are any.
        """
        result: dict[str, Any] = {
            "request_id": self.request_id,
            "trigger": self.trigger,
            "dry_run": self.dry_run,
            "counts": self.counts(),
            "orders": [line.to_dict(now) for line in self.lines.values()],
        }
        if self.note:
            result["note"] = self.note
        if self.errors:
            result["errors"] = self.errors
        if self.checks is not None:
            result["check"] = self.checks
        return json.dumps(result, ensure_ascii=False)
