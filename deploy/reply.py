"""What the deployed function answered, shown for a person: its result, or how it failed."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.reader import reader_may_leave
from deploy.table import show, show_what_failed


@dataclass(frozen=True)
class Reply:
    """What the platform answered: the function's result or error, or that it took the event."""

    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> Reply:
        """Make one of headers in whatever spelling."""
        return cls({name.lower(): value for name, value in headers.items()}, body)

    @property
    def request_id(self) -> str:
        """The id by which the log is searched."""
        return self.headers.get("x-fc-request-id", "unknown")

    @property
    def error_type(self) -> str | None:
        """What the platform calls the failure of the function; None if it did not fail."""
        return self.headers.get("x-fc-error-type")

    @property
    def log(self) -> str:
        """The last 4 KB that the function wrote, as far as the platform sent them."""
        try:
            return b64decode(self.headers.get("x-fc-log-result", "")).decode("utf-8", "replace").strip()
        except binascii.Error:
            return ""


def report(reply: Reply, redact: Callable[[str], str]) -> int:
    """Print what came of it, nothing of it unredacted; returns 0, or 1 if the function or its self-check failed."""
    text = redact(reply.body.decode("utf-8", "replace"))
    failed = reply.error_type is not None or _check_failed(json_object(text))
    with reader_may_leave():
        if reply.error_type is not None:
            _show_failure(json_object(text), text, reply.error_type)
        else:
            _show(text)
            if failed:
                print("\nThe self-check FAILED: somebody must look at the lines that say so.")
        if reply.log:
            print("\nThe end of the function's log:")
            for line in redact(reply.log).splitlines():
                print(f"  {line}")
    return 1 if failed else 0


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object of a text, an empty one if it is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _show(text: str) -> None:
    """Show a result of ours as a table, and what another function returned as it is."""
    if _is_result(json_object(text)):
        show(text)
    else:
        print(text)


def _show_failure(error: Mapping[str, Any], text: str, platform_type: str) -> None:
    kind = str(error.get("errorType") or platform_type)
    message = str(error.get("errorMessage") or text)
    result = json_object(message)
    if _is_result(result):  # RunFailed: its text is the result
        show(message)
        show_what_failed(message, kind)
        return
    print(f"FAILED: {kind}: {message}")
    for entry in error.get("stackTrace") or ():
        parts = entry if isinstance(entry, list) else [entry]
        for line in ", ".join(str(part) for part in parts).splitlines():
            print(f"    {line}")


def _is_result(document: Mapping[str, Any]) -> bool:
    return {"request_id", "trigger", "dry_run", "counts", "orders"} <= document.keys()


def _check_failed(document: Mapping[str, Any]) -> bool:
    """Tell whether this is the result of a self-check that found something; the platform counts it as a success."""
    return _is_result(document) and any(not line["ok"] for line in document.get("check", ()))
