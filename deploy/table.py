"""A result of the function, shown for a person."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence

COLUMNS = {
    "order": "order_id",
    "domain": "domain",
    "days left": "days_left",
    "outcome": "outcome",
    "reason": "reason",
    "new order": "new_order_id",
    "message id": "message_id",
}


def show(text: str) -> None:
    """Print a result of the function, given as JSON, for a person."""
    result = json.loads(text)
    if "errorType" in result:
        print(f"{result['errorType']}: {result['errorMessage']}")
        return
    if result["dry_run"]:
        print("DRY RUN: nothing was bought and nothing was published.\n")
    if result["orders"]:
        rows = [[_cell(order.get(key)) for key in COLUMNS.values()] for order in result["orders"]]
        for row, order in zip(rows, result["orders"], strict=True):
            row[0] = row[0] if order["order_id"] else order.get("asked_for", "")
        _print_table([list(COLUMNS), *rows])
    for check in result.get("check", ()):
        print(f"{'ok  ' if check['ok'] else 'FAIL'}  {check['check']:<12} {check['found']}")
        if "do" in check:
            print(f"      {'':<12} to do: {check['do']}")
    for line in (result.get("note"), *result.get("errors", ())):
        if line:
            print(line)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in result["counts"].items())
    print(f"\n{result['trigger']} event, request {result['request_id']}: {counts or 'no orders'}")


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in [rows[0], ["-" * width for width in widths], *rows[1:]]:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cell(value: object) -> str:
    return "" if value is None else str(value)
