"""Why the function was not invoked, or why nobody can say, in one line with what a person can do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests
import urllib3.exceptions

_NOT_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
)
_NOT_UNDERSTOOD = (ValueError, RuntimeError, AttributeError, TypeError)
"""What falls out of the SDKs when an answer is not the JSON object that they expect."""

_NOT_THERE = "check the name, --qualifier, --region and --account; `s info` tells what is deployed"
_NOT_ALLOWED = "allow fc:InvokeFunction on it to whoever these credentials belong to"
_WRONG_KEY = (
    "the credentials are wrong or have expired: run `aliyun configure`, or look at ALIBABA_CLOUD_* in the environment"
)
_BUSY = "another run is probably going on, and only one may: try again when it is over, or add --async, which queues"
_BY_CODE = {
    r"\w*NotFound": _NOT_THERE,
    r"AccessDenied|Forbidden|NoPermission": _NOT_ALLOWED,
    r"InvalidAccessKey|Signature|InvalidSecurityToken|\w*TokenExpired|Missing\w*Token|Incomplete": _WRONG_KEY,
    r"Throttling|\w*Throttled|\w*Exhausted|TooManyRequests": _BUSY,
}
_BY_STATUS = {401: _WRONG_KEY, 403: _NOT_ALLOWED, 404: _NOT_THERE, 429: _BUSY}
_SERVER_ERROR = 500


class NotInvoked(Exception):
    """The function was not invoked, or nobody can say what came of it. `todo` says what a person can do."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.todo = todo


def refused(status: int | None, document: Mapping[str, Any]) -> NotInvoked:
    """Make one line of the platform's own error: an HTTP status and the document that came with it."""
    said = {name.lower(): value for name, value in document.items()}
    code = str(said.get("code") or said.get("errorcode") or f"HTTP {status}")
    message = str(said.get("message") or said.get("errormessage") or "no message")
    what = f"{code} (HTTP {status}, request {said.get('requestid')}): {message.rstrip('. ')}"
    by_code = (todo for pattern, todo in _BY_CODE.items() if re.match(pattern, code))
    todo = next(by_code, None) or _BY_STATUS.get(status or 0)
    if todo:
        return NotInvoked(what, todo)
    if status is not None and status >= _SERVER_ERROR:
        return NotInvoked(what, "the function may have run; look into its log (`s logs`) before you try again")
    return NotInvoked(what, "nothing ran; fix what it says, and try again")


def lost(error: BaseException, url: str) -> NotInvoked:
    """Make one line of an answer that never came, or makes no sense: the exception of an SDK."""
    causes = list(_causes(error))
    if any(isinstance(cause, _NOT_SENT) for cause in causes):
        return NotInvoked(f"{url} cannot be reached", "check --region, --account and the network; nothing ran")
    look = "the function may have run, or still be running: look into its log (`s logs`) before you try again"
    if any(isinstance(cause, requests.ReadTimeout) for cause in causes):
        return NotInvoked(
            f"no answer from {url} in time", f"{look}; --timeout SECONDS waits longer, --async not at all"
        )
    if any(isinstance(cause, _NOT_UNDERSTOOD) for cause in causes):
        return NotInvoked(f"{url} answered with something that is not its JSON", look)
    return NotInvoked(f"the connection to {url} broke off", look)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it hides; the SDKs keep the cause in different places."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "inner_exception", None), cause.__cause__, cause.__context__, *cause.args]
