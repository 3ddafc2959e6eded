"""What a call can be told to do wrong.

A fault whose name ends in `_after` lets the call take effect and spoils only the answer; with every other one nothing
happens in the cloud. Faults are plain values and survive `to_json`, so a server in another process can be given them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "error",
    "html",
    "empty",
    "timeout",
    "reset",
    "refused",
    "missing_order_id",
    "order_id_as_string",
    "order_id_as_number",
    "old_order_id",
    "answer",
    "no_list",
    "null_list",
    "no_total",
    "empty_list",
    "short_page",
    "first_page",
    "another",
]

ALTERED_ORDER_ID = frozenset({"missing_order_id", "order_id_as_string", "order_id_as_number", "old_order_id"})
ALTERED_LIST = frozenset({"no_list", "null_list", "no_total", "empty_list", "short_page", "first_page"})
ALTERED = ALTERED_ORDER_ID | ALTERED_LIST | {"another"}


@dataclass(frozen=True)
class Fault:
    """One way for one call to go wrong; `happens` tells whether the call takes effect all the same."""

    kind: Kind
    happens: bool = False
    status: int = 200
    code: str = ""
    message: str = ""
    retry_after_ms: int | None = None
    body: str = ""
    """Of an `answer`, as it is sent."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `Fault(**object)` turns back into the fault."""
        return asdict(self)


FaultSource = Callable[[str], "Fault | None"]
"""Asked at every call, by the name of its action, for a fault that nobody queued."""


def throttle(code: str = "Throttling.User", retry_after_ms: int | None = None) -> Fault:
    """Too many calls. With `retry_after_ms`, CAS also says in a header how long to wait."""
    return Fault("error", status=400, code=code, message="Request was denied.", retry_after_ms=retry_after_ms)


def error(code: str, status: int = 400, message: str = "The request was refused.") -> Fault:
    """A refusal in the format of the service."""
    return Fault("error", status=status, code=code, message=message)


def error_after(code: str, status: int = 500, message: str = "The request has failed.") -> Fault:
    """The answer is an error although the call took effect."""
    return Fault("error", happens=True, status=status, code=code, message=message)


def html(status: int = 502) -> Fault:
    """A page from some proxy instead of the service."""
    return Fault("html", status=status)


def html_after(status: int = 502) -> Fault:
    """A page from some proxy although the call took effect."""
    return Fault("html", happens=True, status=status)


def empty(status: int = 200) -> Fault:
    """An answer without a body."""
    return Fault("empty", status=status)


def empty_after(status: int = 200) -> Fault:
    """An answer without a body although the call took effect."""
    return Fault("empty", happens=True, status=status)


def timeout_before() -> Fault:
    """The answer never comes, and nothing happened."""
    return Fault("timeout")


def timeout_after() -> Fault:
    """The call took effect, and its answer never comes."""
    return Fault("timeout", happens=True)


def reset_before() -> Fault:
    """The connection breaks, and nothing happened."""
    return Fault("reset")


def reset_after() -> Fault:
    """The call took effect, and the connection breaks before the answer."""
    return Fault("reset", happens=True)


def refused() -> Fault:
    """No connection: nothing was sent."""
    return Fault("refused")


def missing_order_id() -> Fault:
    """The call took effect; the answer is a success without an order id (CAS only)."""
    return Fault("missing_order_id", happens=True)


def order_id_as_string() -> Fault:
    """The order id of the answer is a JSON string (CAS only)."""
    return Fault("order_id_as_string", happens=True)


def order_id_as_number() -> Fault:
    """The order id of the answer is a JSON number (CAS only)."""
    return Fault("order_id_as_number", happens=True)


def answer(body: Any, status: int = 200) -> Fault:
    """A JSON answer that is not the service's, such as `{}`, `[]`, `null` or a text; nothing happened."""
    return Fault("answer", status=status, body=json.dumps(body))


def answer_after(body: Any, status: int = 200) -> Fault:
    """A JSON answer that is not the service's although the call took effect."""
    return Fault("answer", happens=True, status=status, body=json.dumps(body))


def old_order_id() -> Fault:
    """The answer is a success that names nothing new but the old order, and nothing happened (CAS only)."""
    return Fault("old_order_id")


def old_order_id_after() -> Fault:
    """The same although the call took effect (CAS only)."""
    return Fault("old_order_id", happens=True)


def no_list() -> Fault:
    """A list without the key of its rows (lists of CAS only, as are all below)."""
    return Fault("no_list", happens=True)


def null_list() -> Fault:
    """A list whose rows are null."""
    return Fault("null_list", happens=True)


def no_total() -> Fault:
    """A list that does not say how many rows there are in all."""
    return Fault("no_total", happens=True)


def empty_list() -> Fault:
    """A list of nothing, as an account without orders has it, whatever there is."""
    return Fault("empty_list", happens=True)


def short_page() -> Fault:
    """A page with the first half of its rows, rounded down."""
    return Fault("short_page", happens=True)


def first_page() -> Fault:
    """The rows of the first page, under the number of the page that was asked for."""
    return Fault("first_page", happens=True)


def another() -> Fault:
    """The answer is about another one than was asked for: of jobs and certificates of CAS, asked for by their id."""
    return Fault("another", happens=True)


NO_ANSWERS: tuple[Fault, ...] = (answer({}), answer([]), answer(None), answer("text"))
"""What something in between may answer for any service."""

NO_LISTS = (no_list(), null_list(), no_total(), empty_list(), short_page(), first_page())
"""What may come for a page of a list of CAS."""
