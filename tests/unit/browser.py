"""A headless browser for the tests, and the screenshot in docs/: `python -m tests.unit.browser docs/report.png`.

It is Chromium, driven over its DevTools protocol through a pipe; nothing listens, and nothing but the standard library
is needed. Every wait is bounded, and closing ends only the browser that was opened here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 60
"""A first start on a cold disk."""
SECONDS = 30
"""Anything else."""
END_SECONDS = 10
LINGER_MILLISECONDS = 50
"""After a page has loaded, for what it may do late."""
DESKTOP, PHONE = (1280, 800), (360, 844)
"""The phone is as narrow as phones are."""
PICTURE_HEIGHT = 2560
"""Of the screenshot: down to the first rows of the table."""

OPTIONS = (
    "--headless",
    "--no-sandbox",  # in a container there is none; the only pages are the tests' own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

AS_3_AND_4 = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'
"""The browser reads commands on descriptor 3 and answers on 4: make these of its standard input and output."""


def find() -> str | None:
    """Return the browser of $BROWSER_BIN or on PATH; None if there is none."""
    chosen = os.environ.get("BROWSER_BIN")
    return shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A running browser."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._unread = b""
        self._last_id = 0
        self.events: list[dict[str, Any]] = []

    def call(
        self, method: str, params: Mapping[str, Any] | None = None, session: str | None = None, seconds: float = SECONDS
    ) -> dict[str, Any]:
        """Call a method of the protocol and return its result; events that come meanwhile are kept."""
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": dict(params or {})}
        if session:
            message["sessionId"] = session
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        deadline = time.monotonic() + seconds
        while True:
            answer = self._read(deadline, method)
            if answer.get("id") == self._last_id:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """Return the first event of that kind, which may have come already."""
        deadline = time.monotonic() + SECONDS
        while True:
            for event in self.events:
                if event["method"] == method and event.get("sessionId") == session:
                    return event
            self.events.append(self._read(deadline, method))

    def _read(self, deadline: float, what: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\0" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise TimeoutError(f"the browser did not answer in time: {what}")
            some = os.read(self._process.stdout.fileno(), 1 << 20)
            if not some:
                raise ConnectionError(f"the browser ended: {what}")
            self._unread += some
        message, _, self._unread = self._unread.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, url: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
        """Open a page and wait until it has loaded."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.resize(size)
        page.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        page.call("Page.navigate", {"url": url})
        self.wait_for("Page.loadEventFired", session)
        page.evaluate(f"new Promise(done => setTimeout(done, {LINGER_MILLISECONDS}))")
        return page


class Page:
    """A page that is open in the browser."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call a method of the protocol for this page."""
        return self._browser.call(method, params, self._session)

    def resize(self, size: tuple[int, int]) -> None:
        """Give the page a window of that size, in CSS pixels; a narrow one is a phone's."""
        width, height = size
        mobile = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile},
        )

    def evaluate(self, expression: str) -> Any:
        """Return what a JavaScript expression gives, as JSON."""
        got = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")

    def happened(self, method: str) -> list[dict[str, Any]]:
        """Return the events of that kind so far."""
        self.evaluate("0")  # what happened before that comes before its answer
        return [
            event["params"]
            for event in self._browser.events
            if event["method"] == method and event.get("sessionId") == self._session
        ]

    def dialogs(self) -> list[str]:
        """Return what the page has asked or told the person in a dialog; a dialog stops a page until it is closed."""
        return [event["message"] for event in self.happened("Page.javascriptDialogOpening")]

    def complaints(self) -> list[str]:
        """Return what stands in the console, exceptions and violations of the security policy too."""
        return (
            [str(event["args"]) for event in self.happened("Runtime.consoleAPICalled")]
            + [str(event["exceptionDetails"]) for event in self.happened("Runtime.exceptionThrown")]
            + [str(event["entry"]["text"]) for event in self.happened("Log.entryAdded")]
        )

    def requests(self) -> list[str]:
        """Return every address that was asked for, the page's own first."""
        return [event["request"]["url"] for event in self.happened("Network.requestWillBeSent")]

    def press(self, selector: str) -> None:
        """Press an element with the mouse, where it is."""
        x, y = self.evaluate(
            f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})

    def screenshot(self, *, most: float = 0) -> bytes:
        """Return a PNG of the window, or of the page's first `most` pixels."""
        params: dict[str, Any] = {"format": "png"}
        if most:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {**size, "height": min(most, size["height"]), "scale": 1}
            params |= {"captureBeyondViewport": True, "clip": clip}
        return base64.b64decode(self.call("Page.captureScreenshot", params)["data"])

    def close(self) -> None:
        """Close the page."""
        self._browser.call("Target.closeTarget", {"targetId": self._target})


@contextlib.contextmanager
def browser(program: str) -> Iterator[Browser]:
    """Open a browser with an empty profile, and end it."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["/bin/sh", "-c", AS_3_AND_4, "sh", program, *OPTIONS, f"--user-data-dir={profile}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "HOME": profile},
            start_new_session=True,
        )
        try:
            opened = Browser(process)
            opened.call("Browser.getVersion", seconds=START_SECONDS)
            yield opened
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            assert stream is not None
            stream.close()  # which tells the browser to end
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    # The group is the browser's own: what it may have left ends with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(END_SECONDS)


def main(arguments: list[str]) -> int:
    """Write the screenshot of a realistic report."""
    from handler.report.page import page  # noqa: PLC0415 (the browser alone needs neither)
    from tests.unit.palette import with_palette  # noqa: PLC0415
    from tests.unit.sample_report import sample_report  # noqa: PLC0415

    program = find()
    if len(arguments) != 1 or program is None:
        print("usage: python -m tests.unit.browser FILE.png, with Chromium on PATH or in $BROWSER_BIN", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, browser(program) as opened:
        html = Path(folder, "report.html")
        html.write_text(page(sample_report()), encoding="utf-8")
        Path(arguments[0]).parent.mkdir(parents=True, exist_ok=True)
        Path(arguments[0]).write_bytes(with_palette(opened.open(html.as_uri()).screenshot(most=PICTURE_HEIGHT)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
