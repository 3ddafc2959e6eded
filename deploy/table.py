"""A result of the function, shown for a person."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_FAILURES = frozenset({"refused", "unknown", "held"})
_IN_THE_WAY = frozenset({"needs-records", "submission-failed", "authority-says", "review-too-long", "not-issued"})
"""Reasons of what is applied for; any other is why its message or the journal failed."""
_ALARM_DAYS = 3
ALWAYS = ("kind", "id", "domain", "days left", "outcome")
COLUMNS = {
    "domain": "domain",
    "days left": "days_left",
    "outcome": "outcome",
    "reason": "reason",
    "in run": "in_run",
    "new order": "new_order_id",
    "new certificate": "new_certificate_id",
    "deployment": "deployment",
    "message id": "message_id",
}
"""What stands in the table besides the kind and the id. What no line has is left out, unless it is in `ALWAYS`."""


def show(text: str) -> None:
    """Print a result of the function, given as JSON, for a person."""
    result = json.loads(text)
    if "errorType" in result:
        print(f"FAILED: {result['errorType']}: {result['errorMessage']}")
        return
    if result["dry_run"]:
        print("DRY RUN: nothing was bought and nothing was published.\n")
    if result["orders"]:
        rows = [_row(line) for line in result["orders"]]
        columns = [name for name in rows[0] if name in ALWAYS or any(row[name] for row in rows)]
        _print_table([columns, *([row[name] for name in columns] for row in rows)])
    for line in result["orders"]:
        for said in _more_about(line):
            print(said)
    for check in result.get("check", ()):
        print(f"{'ok  ' if check['ok'] else 'FAIL'}  {check['check']:<13} {check['found']}")
        if "do" in check:
            print(f"      {'':<13} to do: {check['do']}")
    for line in (result.get("note"), *result.get("errors", ())):
        if line:
            print(line)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in result["counts"].items())
    print(f"\n{result['trigger']} event, request {result['request_id']}: {counts or 'no orders'}")


def _more_about(line: Mapping[str, Any]) -> Iterator[str]:
    """Say of a line what its row has no room for: what to add, and where the old certificate is bound."""
    for record in line.get("records", ()):
        where = f"{record['Host']} in the zone {record['Zone']}"
        yield f"To add for {record['Domain']}: {where}, {record['Type']}, {record['Value']}"
    if bound := (line.get("deployment") or {}).get("still_bound"):
        places = ", ".join(f"{one['Product']} {one['Resource']}" for one in bound)
        yield f"Still bound to the old certificate of {line['domain']}: {places}"


def show_what_failed(text: str, kind: str) -> None:
    """Print what somebody must look at after a run that ended as failed; `text` is its result, as JSON."""
    result = json.loads(text)
    print(f"\nThe run FAILED ({kind}): somebody must look at")
    for error in result.get("errors", ()):
        print(f"  {error}")
    for line in filter(_is_failure, result["orders"]):
        row = _row(line)
        domain = f" ({row['domain']})" if row["domain"] else ""
        ends = f", {row['days left']} days left" if _is_near(line) else ""
        reason = f", {row['reason']}" if row["reason"] else ""
        print(f"  {row['kind']} {row['id']}{domain}: {row['outcome']}{reason}{ends}")
        if candidates := line.get("candidates"):
            print(f"    candidates: {', '.join(map(str, candidates))}")


def _is_failure(line: Mapping[str, Any]) -> bool:
    outcome, reason = line["outcome"], line["reason"]
    return (
        outcome in _FAILURES
        or reason == "journal-unavailable"
        # Renewed or applied with such a reason: it is done, and then the message or the journal failed.
        or (outcome == "renewed" and bool(reason))
        or (outcome == "applied" and bool(reason) and reason not in _IN_THE_WAY)
        or _is_near(line)
    )


def _is_near(line: Mapping[str, Any]) -> bool:
    """Tell whether a run fails for it once a day: nothing has replaced it within three days of its end."""
    awaited = line["outcome"] == "already-renewed" or line["reason"] in {"hosted", "in-review"}
    is_applied_for = line["outcome"] == "applied" and not line.get("new_certificate_id")
    is_open = awaited or is_applied_for or line["outcome"] in {"expiring", "deferred"}
    return is_open and -_ALARM_DAYS <= (line.get("days_left") or 0) < _ALARM_DAYS


def _row(line: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a line by the names of their columns."""
    kind = line.get("kind", "order")  # results of older versions speak of nothing else
    id_ = line.get(f"{kind}_id") or line.get("asked_for")
    shown = {**line, "deployment": _deployment(line.get("deployment"))}
    return {"kind": kind, "id": _cell(id_), **{name: _cell(shown.get(key)) for name, key in COLUMNS.items()}}


def _deployment(placing: Mapping[str, Any] | None) -> str | None:
    """Return how far a new certificate is on its way into the place of the old one."""
    if placing is None:
        return None
    count = f" {placing['deployed']} of {placing['of']}" if placing["of"] else ""
    reason = placing["reason"]
    return f"{placing['stage']}{count}" + (f", {reason}" if reason and reason != placing["stage"] else "")


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in [rows[0], ["-" * width for width in widths], *rows[1:]]:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cell(value: object) -> str:
    return "" if value is None else str(value)
