"""The deployed function, invoked from here, and what came of it, shown for a person.

Function Compute 3.0 and 2.0 differ in their SDKs; `invoke` makes one `Reply` of both.
"""

from __future__ import annotations

import binascii
import contextlib
import io
import json
import logging
import os
import re
import sys
import textwrap
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import fc2
import requests
import urllib3.exceptions
import yaml
from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from deploy.policy import DEPLOYMENT
from deploy.table import show
from handler.cloud.credentials import Credentials

CONNECT_SECONDS = 5
MARGIN_SECONDS = 15
"""The platform needs some time of its own: to start an instance, to send the answer."""
MAX_CHARS = 400
"""Of what a server says."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NOT_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
)
_NOT_UNDERSTOOD = (ValueError, RuntimeError, AttributeError, TypeError)
"""What falls out of the SDKs when an answer is not the JSON object that they expect."""
_FAILURES = frozenset({"refused", "unknown", "held"})


@dataclass(frozen=True)
class Call:
    """What to invoke, and how."""

    name: str
    """FUNCTION on Function Compute 3.0, SERVICE/FUNCTION on 2.0."""
    event: bytes
    asynchronous: bool = False
    qualifier: str | None = None
    seconds: int = 300
    """How long the function may take."""


@dataclass(frozen=True)
class Place:
    """Where it is; what is left out comes from the environment, else from s.yaml."""

    endpoint: str | None = None
    region: str | None = None
    account: str | None = None

    def url(self) -> str:
        """Return the endpoint. Raises NotInvoked for one to which no credentials should be sent."""
        if self.endpoint:
            url = urlsplit(self.endpoint if "://" in self.endpoint else f"https://{self.endpoint}")
            if url.netloc and (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)):
                return f"{url.scheme}://{url.netloc}"
            raise NotInvoked(f"{self.endpoint} is no https:// address", "give --endpoint https://HOST")
        deployed = yaml.safe_load(DEPLOYMENT.read_text("utf-8"))["vars"]
        account = self.account or os.environ.get("ALIBABA_CLOUD_ACCOUNT_ID") or deployed["account"]
        region = self.region or os.environ.get("ALIBABA_CLOUD_REGION_ID") or deployed["region"]
        if not re.fullmatch(r"[0-9]+", account) or not re.fullmatch(r"[a-z0-9-]+", region):
            raise NotInvoked(f"account {account!r} in region {region!r} cannot be", "give --account ID --region ID")
        return f"https://{account}.{region}.fc.aliyuncs.com"


@dataclass(frozen=True)
class Reply:
    """What the platform answered: the function's result or error, or that it took the event."""

    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = field(repr=False)

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


class NotInvoked(Exception):
    """The function was not invoked, or nobody can say what came of it. `todo` says what a person can do."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.todo = todo


def run(call: Call, place: Place) -> int:
    """Invoke and print what came of it; returns 0, 1 if the function failed, or 2 if it could not be invoked."""
    credentials = Credentials("", "", "")
    try:
        url = place.url()
        chain = CredentialsChain()
        credentials = _credentials(chain)
        _check_name(call.qualifier or "LATEST", r"[\w-]+")
        print(f"{call.name} at {url}{', asynchronously' if call.asynchronous else ''}\n", flush=True)
        with _silent_sdks():
            reply = _invoke_2(call, url, credentials) if "/" in call.name else _invoke_3(call, url, chain)
    except NotInvoked as problem:
        # What a server says of a wrong signature quotes what was signed, token included.
        what = textwrap.shorten(credentials.redact(str(problem)), MAX_CHARS, placeholder=" ...")
        print(f"{what}. To do: {problem.todo}.", file=sys.stderr)
        return 2
    if call.asynchronous:
        print(f"Accepted: request {reply.request_id}. The result will be in the function's log:")
        print(f"  s logs --request-id {reply.request_id}")
        return 0
    return _report(reply, credentials)


def _credentials(chain: CredentialsChain) -> Credentials:
    try:
        found = chain.get_credential()
    except CredentialException:
        raise NotInvoked(
            "no credentials were found in the environment, the configuration of the aliyun CLI or anywhere else",
            "run `aliyun configure`, or set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ) from None
    return Credentials(found.access_key_id, found.access_key_secret, found.security_token or "")


@contextlib.contextmanager
def _silent_sdks() -> Iterator[None]:
    """Let no library log: fc2 logs the headers of a failed request, the others do if DEBUG=sdk; a token is in them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


# --- the two generations of the platform ------------------------------------------------------------------------------


def _invoke_3(call: Call, url: str, chain: CredentialsChain) -> Reply:
    """Invoke on Function Compute 3.0. The SDK repeats nothing unless it is told to."""
    _check_name(call.name, r"[A-Za-z_][\w$-]*")  # a function that came from 2.0 is called SERVICE$FUNCTION
    address = urlsplit(url)
    client = Client(Config(credential=chain, endpoint=address.netloc, protocol=address.scheme.upper()))
    request = models.InvokeFunctionRequest(body=io.BytesIO(call.event), qualifier=call.qualifier)
    headers = models.InvokeFunctionHeaders(
        x_fc_invocation_type="Async" if call.asynchronous else "Sync",
        x_fc_log_type="None" if call.asynchronous else "Tail",
    )
    runtime = RuntimeOptions(
        connect_timeout=CONNECT_SECONDS * 1000, read_timeout=(call.seconds + MARGIN_SECONDS) * 1000
    )
    try:
        answer = client.invoke_function_with_options(call.name, request, headers, runtime)
    except AlibabaCloudException as error:
        raise _refused(error.status_code, error.data or {}) from None
    except UnretryableException as error:
        raise _lost(error, url) from None
    return Reply(_by_lower_name(answer.headers), answer.body.read() if answer.body else b"")


class _Client2(fc2.Client):  # type: ignore[misc] # (the SDK ships no types)
    """Keeps the answer. FcError has only its body, and the log is in the headers."""

    answer: requests.Response | None = None

    def _do_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.answer = super()._do_request(*args, **kwargs)
        return self.answer


def _invoke_2(call: Call, url: str, credentials: Credentials) -> Reply:
    """Invoke on Function Compute 2.0."""
    service, _, function = call.name.partition("/")
    for name in (service, function):
        _check_name(name, r"[A-Za-z_][\w-]*")
    client = _Client2(
        endpoint=url,
        accessKeyID=credentials.access_key_id,
        accessKeySecret=credentials.access_key_secret,
        securityToken=credentials.security_token,  # None would crash it
        Timeout=(CONNECT_SECONDS, call.seconds + MARGIN_SECONDS),
    )
    headers = {
        "x-fc-invocation-type": "Async" if call.asynchronous else "Sync",
        "x-fc-log-type": "None" if call.asynchronous else "Tail",
    }
    try:
        with patch.object(fc2.client, "retries", 0):  # it would try five times to connect, for half a minute
            client.invoke_function(service, function, payload=call.event, headers=headers, qualifier=call.qualifier)
    except fc2.FcError as error:
        if client.answer is None:
            raise _refused(error.status_code, _document(error.message)) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, TypeError) as error:
        if client.answer is None:
            raise _lost(error, url) from None
    if client.answer is None:  # it returns or raises only after that
        raise AssertionError
    return Reply(_by_lower_name(client.answer.headers), client.answer.content)


def _check_name(name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name, re.ASCII):
        raise NotInvoked(f"{name!r} is no name", "give --remote NAME, or SERVICE/NAME on 2.0, and --qualifier NAME")


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


# --- why it was not invoked -------------------------------------------------------------------------------------------

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


def _refused(status: int | None, document: Mapping[str, Any]) -> NotInvoked:
    """Make one line of the platform's own error."""
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
    return NotInvoked(what, "nothing ran; mend what it says, and try again")


def _lost(error: BaseException, url: str) -> NotInvoked:
    """Make one line of an answer that never came, or makes no sense."""
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


# --- what the function said -------------------------------------------------------------------------------------------


def _report(reply: Reply, credentials: Credentials) -> int:
    text = credentials.redact(reply.body.decode("utf-8", "replace"))
    if reply.error_type is None:
        _show(text)
    else:
        _show_failure(_document(text), text, reply.error_type)
    if reply.log:
        print("\nThe end of the function's log:")
        for line in credentials.redact(reply.log).splitlines():
            print(f"  {line}")
    return 0 if reply.error_type is None else 1


def _show(text: str) -> None:
    """Show a result of ours as a table, and what another function returned as it is."""
    if _is_result(_document(text)):
        show(text)
    else:
        print(text)


def _show_failure(error: Mapping[str, Any], text: str, platform_type: str) -> None:
    kind = str(error.get("errorType") or platform_type)
    message = str(error.get("errorMessage") or text)
    result = _document(message)
    if _is_result(result):  # RunFailed: its text is the result
        show(message)
        print(f"\nThe run FAILED ({kind}): somebody must look at")
        for line in _reasons(result):
            print(f"  {line}")
        return
    print(f"FAILED: {kind}: {message}")
    for entry in error.get("stackTrace") or ():
        parts = entry if isinstance(entry, list) else [entry]
        for line in ", ".join(str(part) for part in parts).splitlines():
            print(f"    {line}")


def _reasons(result: Mapping[str, Any]) -> Iterator[str]:
    yield from result.get("errors", ())
    for order in result["orders"]:
        reason = order["reason"]
        # Renewed with a reason: bought, and then the message or the journal failed.
        if (
            order["outcome"] in _FAILURES
            or reason == "journal-unavailable"
            or (order["outcome"] == "renewed" and reason)
        ):
            domain = f" ({order['domain']})" if order["domain"] else ""
            yield f"order {order['order_id']}{domain}: {order['outcome']}{f', {reason}' if reason else ''}"


def _is_result(document: Mapping[str, Any]) -> bool:
    return {"request_id", "trigger", "dry_run", "counts", "orders"} <= document.keys()


def _document(text: str) -> dict[str, Any]:
    """Return the JSON object of a text, an empty one if it is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
