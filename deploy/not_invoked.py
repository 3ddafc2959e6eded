"""Why the function was not invoked, or why nobody can say, in one line with what a person can do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests
import urllib3.exceptions

from deploy.problem import Problem

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
_MAYBE_NOT_ALLOWED = f"nothing ran; fix what it says, and if that is a permission, {_NOT_ALLOWED}"
_NOT_YOURS = "let account in s.mine.yaml, or --account, be the one that these credentials belong to"
_WRONG_CLOCK = "set the clock of this computer: a request is good for minutes only; nothing ran"
_NOT_PAID = "look at the account's balance and bills: the service stands still until they are paid; nothing ran"
_NOT_OPENED = "activate Function Compute in the console of that account; nothing ran"
_WRONG_KEY = (
    "the credentials are wrong or have expired: run `aliyun configure`, or look at ALIBABA_CLOUD_* in the environment"
)
_BUSY = "another run is probably going on, and only one may: try again when it is over, or add --async, which queues"
_BY_WORDS = {
    r"skew|too large time|time ?stamp|date value|request.{0,9}expired": _WRONG_CLOCK,
    r"overdue|arrear|in ?debt|insufficient.{0,9}balance|good standing|欠费": _NOT_PAID,
    r"not enabled|not activated|not open|inactive": _NOT_OPENED,
    r"(doesn't|does not) belong to you": _NOT_YOURS,
}
"""What an error says, in its code or its message, whatever the code is: a 403 is often no lack of a permission."""
_BY_CODE = {
    r"\w*NotFound": _NOT_THERE,
    r"AccessDenied|Forbidden|NoPermission": _NOT_ALLOWED,
    r"InvalidAccessKey|Signature|InvalidSecurityToken|\w*TokenExpired|Missing\w*Token|Incomplete": _WRONG_KEY,
    r"Throttling|\w*Throttled|\w*Exhausted|TooManyRequests": _BUSY,
}
_BY_STATUS = {401: _WRONG_KEY, 403: _MAYBE_NOT_ALLOWED, 404: _NOT_THERE, 429: _BUSY}
_SERVER_ERROR = 500


class NotInvoked(Problem):
    """The function was not invoked, or nobody can say what came of it."""


def refused(status: int | None, document: Mapping[str, Any]) -> NotInvoked:
    """Make one line of the platform's own error: an HTTP status and the document that came with it."""
    said = {name.lower(): value for name, value in document.items()}
    code = str(said.get("code") or said.get("errorcode") or f"HTTP {status}")
    message = str(said.get("message") or said.get("errormessage") or "no message")
    what = f"{code} (HTTP {status}, request {said.get('requestid')}): {message.rstrip('. ')}"
    by_words = (todo for pattern, todo in _BY_WORDS.items() if re.search(pattern, f"{code}: {message}", re.IGNORECASE))
    by_code = (todo for pattern, todo in _BY_CODE.items() if re.match(pattern, code))
    todo = next(by_words, None) or next(by_code, None) or _BY_STATUS.get(status or 0)
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
