"""The deployed function, for tests: the real handler on a local cloud, at the cloud's time."""

from __future__ import annotations

import contextlib
import io
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from handler.deployment import served
from handler.errors import EventRefused, RunFailed, SettingsError
from handler.index import Connections, invoke
from tests import published
from tests.points import Crash
from tests.stubs.clock import SkewedClock
from tests.stubs.cloud import Cloud

Runtime = Literal["3.10", "3.12"]
Event = bytes | dict[str, Any]
"""As the platform delivers it, or what is in it."""
TIMER = {"triggerTime": "2026-11-21T03:00:00Z", "triggerName": "daily", "payload": ""}
"""One event of the timer: each that it fires has another time, and only the platform repeats the very same bytes."""


def raw(event: Event) -> bytes:
    """The event as the platform delivers it."""
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def what_a_person_says(cloud: Cloud, order: str) -> dict[str, Any]:
    """Return the event that settles a held order truly: the successor that was bought for it, or that there is none."""
    purchases = cloud.cas.bought(order)
    if purchases:
        return {"resolve": {"order_id": order, "new_order_id": str(purchases[0].new_order_id)}}
    return {"release": {"order_id": order}}


@dataclass(frozen=True)
class Answer:
    """What an invocation came to."""

    text: str
    failed: bool
    """Whether it ended as RunFailed."""

    @property
    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.text)
        return result

    @property
    def orders(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.result["orders"]
        return orders

    @property
    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Outcome and reason by order."""
        return {order["order_id"]: (order["outcome"], order["reason"]) for order in self.orders}

    def of(self, order_id: object) -> dict[str, Any]:
        (line,) = [order for order in self.orders if order["order_id"] == str(order_id)]
        return line


def assert_no_internal_error(answer: Answer) -> None:
    """Nothing that happened was taken for a fault of the program itself."""
    assert not [error for error in answer.result.get("errors", ()) if "internal error" in error], answer.text


class Unreachable:
    """A prober that asks nobody: there is no network in a test."""

    def ask(self, domain: str, seconds: float) -> served.Served | served.Unreachable:
        return served.Unreachable(f"nobody asks {domain} within {seconds} s")


class ProbingWith(Connections):
    """The connections of the deployed function, but for who asks domains for their certificates."""

    def __init__(self, prober: served.Prober) -> None:
        self._prober = prober

    def prober(self) -> served.Prober:
        return self._prober


class Function:
    """The function, deployed with the given settings."""

    def __init__(self, cloud: Cloud, **settings: str | None) -> None:
        self.prober: served.Prober = Unreachable()
        """Who asks deployed domains for their certificates."""
        self.cloud = cloud
        self.settings = settings
        self.log = ""
        """What all invocations so far have written to standard output."""

    def invoke(
        self,
        event: Event,
        kind: Runtime = "3.10",
        timeout: int = 300,
        skew: float = 0,
        request_id: str | None = None,
        **settings: str,
    ) -> Answer:
        """Invoke it once, on an instance whose clock is `skew` seconds ahead of the cloud's.

        Whatever the handler raises but RunFailed goes on to the caller. The result, and every report that was written,
        is one that is published.
        """
        context = self.cloud.context(kind, timeout, request_id)
        environ = self.cloud.environ(**{**self.settings, **settings})
        output, reports = io.StringIO(), _Reports(self.cloud, environ.get("JOURNAL_URL", ""))
        try:
            with contextlib.redirect_stdout(output):
                clock = SkewedClock(self.cloud.clock, skew)
                text = invoke(raw(event), context, environ, clock, ProbingWith(self.prober))
                answer = Answer(text, failed=False)
        except RunFailed as failed:
            answer = Answer(str(failed), failed=True)
        finally:
            self.log += output.getvalue()
        published.check_result(answer.text)
        for report in reports.new():
            published.check_report(report)
        return answer

    def tick(self, timeout: int = 300, skew: float = 0, **settings: str) -> Answer:
        """Let the timer fire, now."""
        event = {**TIMER, "triggerTime": f"{self.cloud.clock.now():%Y-%m-%dT%H:%M:%SZ}"}
        return self.invoke(event, "3.10", timeout, skew, **settings)

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]


class _Reports:
    """The reports that are written beside the journal."""

    def __init__(self, cloud: Cloud, journal: str) -> None:
        self._cloud = cloud
        self._file = Path(url2pathname(urlsplit(journal).path), "report.json") if journal.startswith("file:") else None
        self._seen = self._in_folder()
        self._written = len(cloud.oss.history)

    def new(self) -> list[bytes]:
        """Those that have been written since."""
        found = self._in_folder()
        in_folder = [found] if found and found != self._seen else []
        writes = self._cloud.oss.history[self._written :]
        return in_folder + [body for key, write, body in writes if write == "put" and key.endswith("report.json")]

    def _in_folder(self) -> bytes:
        return self._file.read_bytes() if self._file and self._file.is_file() else b""


def platform(
    function: Function,
    event: Event,
    retries: int = 3,
    seconds_between: float = 60,
    same_request_id: bool = True,
) -> list[Answer]:
    """Deliver an event as Function Compute does that of an asynchronous invocation; return what each attempt came to.

    An attempt that fails is repeated with the same event, up to `retries` times; whatever the function raises is a
    failure, and so is its death. What a retry's request id is, is not documented, so it can be either.
    """
    answers: list[Answer] = []
    request_id = str(uuid.uuid4())
    for attempt in range(1 + retries):
        if attempt:
            function.cloud.clock.sleep(seconds_between)
        try:
            answers.append(function.invoke(event, request_id=request_id if same_request_id else None))
        except (EventRefused, SettingsError, Crash) as failure:
            answers.append(Answer(str(failure), failed=True))
        if not answers[-1].failed:
            break
    return answers
