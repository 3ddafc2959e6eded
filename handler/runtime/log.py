"""The log: one JSON object a line, on standard output, where the platform collects it."""

import json
from collections.abc import Callable
from typing import Any, TextIO

from handler.runtime.clock import Clock, rfc3339

MAX_CHARS = 8_000
"""The platform takes 32 KB a line; a character has at most 4 bytes."""

_CONTROLS = {number: f"\\u{number:04x}" for number in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


class Log:
    """Writes lines. Each has the time, the level, the request id and an event name."""

    def __init__(self, stream: TextIO, clock: Clock, request_id: str, redact: Callable[[str], str]) -> None:
        """`redact` takes the secrets out of a finished line."""
        self._stream = stream
        self._clock = clock
        self._request_id = request_id
        self._redact = redact

    def info(self, event: str, **facts: Any) -> None:
        """Write what happened."""
        self._write("info", event, facts)

    def problem(self, event: str, **facts: Any) -> None:
        """Write what somebody should look at."""
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        head = {"time": rfc3339(self._clock.now()), "level": level, "request_id": self._request_id, "event": event}
        line = self._redact(printable(json.dumps({**head, **facts}, ensure_ascii=False, default=str)))
        if len(line) > MAX_CHARS:
            line = printable(json.dumps({**head, "cut": line[: MAX_CHARS // 2]}, ensure_ascii=False, default=str))
        print(line, file=self._stream, flush=True)


def printable(text: str) -> str:
    """Return the text with a JSON escape for what UTF-8 cannot write, half a surrogate pair, say, and for controls.

    JSON leaves some controls as they are, and at U+0085, U+2028 and U+2029 some readers begin a new line.
    """
    return text.translate(_CONTROLS).encode("utf-8", "backslashreplace").decode("utf-8")
