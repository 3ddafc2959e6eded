"""The front end without a network: requests to the cloud are answered in the thread that makes them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import alibabacloud_oss_v2._client
import requests
import responses
import urllib3
from darabonba.core import DaraCore
from mns.mns_http import MNSHttp, MNSHTTPConnection
from requests import PreparedRequest

from tests.stubs.backend import Backend
from tests.stubs.clock import Clock
from tests.stubs.wire import ConnectionRefused, Disconnected, NotStubbed, ReadTimeout, Request

if TYPE_CHECKING:
    from tests.stubs.cloud import Cloud, Service

_LOOPBACK = r"https?://(127\.0\.0\.1|localhost)[:/]"
_CAS_HOST = re.compile(r"cas[a-z0-9.-]*\.aliyuncs\.com")
_SMQ_HOST = re.compile(r"[0-9]+\.mns\.[a-z0-9-]+\.aliyuncs\.com")
_OSS_HOST = re.compile(r"([a-z0-9-]+\.)?oss-[a-z0-9-]+\.aliyuncs\.com")
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


@contextlib.contextmanager
def in_process(cloud: Cloud) -> Iterator[None]:
    """Route every request of the `requests` library and every call of the SMQ client to the cloud's stubs."""
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    mock.add_passthru(re.compile(_LOOPBACK))
    for method in _METHODS:
        mock.add_callback(
            method, re.compile(f"(?!{_LOOPBACK})"), lambda prepared: _call(cloud, prepared), content_type=None
        )
    # `requests` looks for a netrc file before each request: a third of the time of a history.
    no_netrc = patch.object(requests.sessions, "get_netrc_auth", lambda *_: None)
    with mock, no_netrc, _hooked_smq(cloud), _sleeping_on(cloud.clock):
        yield


def _call(cloud: Cloud, prepared: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
    request = Request(
        method=prepared.method or "",
        url=prepared.url or "",
        headers={name: str(value) for name, value in prepared.headers.items()},
        body=_whole(prepared.body),
    )
    service, backend = _route(cloud, request)
    action, _ = backend.identify(request)
    with _hooks(cloud, service, action):
        try:
            response = backend.respond(request)
        except Disconnected as lost:
            raise _as_requests_error(lost, prepared, service) from None
    return response.status, response.headers, response.body


def _whole(body: Any) -> bytes:
    """The body in one piece: the OSS client sends some as a stream."""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body or ())


def _route(cloud: Cloud, request: Request) -> tuple[Service, Backend]:
    if _CAS_HOST.fullmatch(request.hostname):
        return "cas", cloud.cas
    if _OSS_HOST.fullmatch(request.hostname):
        return "oss", cloud.oss
    raise _lack(cloud, f"there is no stub for {request.method} {request.url}")


def _lack(cloud: Cloud, text: str) -> NotStubbed:
    lack = NotStubbed(text)
    cloud.not_stubbed.append(lack)
    return lack


@contextlib.contextmanager
def _hooks(cloud: Cloud, service: Service, action: str) -> Iterator[None]:
    """Run the hooks around a call, whether or not its answer gets lost. No lock is held while a hook runs."""
    cloud.run_hooks("before", service, action)
    try:
        yield
    except Exception:
        cloud.run_hooks("after", service, action)
        raise
    cloud.run_hooks("after", service, action)


@contextlib.contextmanager
def _hooked_smq(cloud: Cloud) -> Iterator[None]:
    """Run the hooks around SMQ calls, in the client's thread, and close the client's connections in the end.

    The client has no way to close them that its users would find, and they would end as ResourceWarnings.
    """
    send: Callable[[MNSHttp, Any], Any] = MNSHttp.send_request
    used: set[MNSHttp] = set()

    def send_request(http: MNSHttp, call: Any) -> Any:
        used.add(http)
        _redirect(cloud, http)
        body = call.data.encode() if isinstance(call.data, str) else call.data
        action, _ = cloud.smq.identify(Request(call.method, f"http://{http.host}{call.uri}", call.header, body))
        with _hooks(cloud, "smq", action):
            return send(http, call)

    try:
        with patch.object(MNSHttp, "send_request", send_request):
            yield
    finally:
        for http in used:
            http.conn.close()


def _redirect(cloud: Cloud, http: MNSHttp) -> None:
    """Lead a client of the account's own endpoint, which is what a function has by default, to the loopback server."""
    if http.conn.host == "127.0.0.1":
        return
    if not _SMQ_HOST.fullmatch(http.conn.host):
        raise _lack(cloud, f"there is no stub for SMQ at {http.host}")
    http.conn.close()
    loopback = urlsplit(cloud.endpoints["SMQ_ENDPOINT"]).netloc
    http.conn = MNSHTTPConnection(loopback, connection_timeout=http.connection_timeout)


@contextlib.contextmanager
def _sleeping_on(clock: Clock) -> Iterator[None]:
    """Let the SDKs wait on the clock before they retry."""
    time = SimpleNamespace(sleep=clock.sleep, time=lambda: clock.now().timestamp())
    with (
        patch.object(alibabacloud_oss_v2._client, "time", time),
        patch.object(DaraCore, "sleep", staticmethod(lambda milliseconds: clock.sleep(milliseconds / 1000))),
    ):
        yield


def _as_requests_error(lost: Disconnected, prepared: Any, service: Service) -> Exception:
    """The exception that `requests` raises in that case, with the same text, as some callers have only the text."""
    host = urlsplit(prepared.url).hostname
    pool = urllib3.HTTPSConnectionPool(host, 443)
    if isinstance(lost, ReadTimeout):
        timeout = urllib3.exceptions.ReadTimeoutError(
            pool, prepared.path_url, f"Read timed out. (read timeout={prepared.req_kwargs['timeout'][1]})"
        )
        return requests.exceptions.ReadTimeout(timeout)
    if isinstance(lost, ConnectionRefused):
        connection = urllib3.connection.HTTPSConnection(host, 443)
        refused = urllib3.exceptions.NewConnectionError(
            connection, "Failed to establish a new connection: [Errno 111] Connection refused"
        )
        if service == "oss":  # its client switches the retries of urllib3 off altogether and gets the bare error
            return refused
        return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(pool, prepared.path_url, refused))
    reset = ConnectionResetError(104, "Connection reset by peer")
    return requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", reset))
