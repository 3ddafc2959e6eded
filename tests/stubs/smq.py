"""Simple Message Queue, formerly MNS: keeps what is sent to its queues."""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.stubs.backend import ApiError, Backend, Refusal
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.signatures import Signed, mns
from tests.stubs.wire import NotStubbed, Request, Response, new_id

NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
MESSAGE_LIMIT = 65536
"""Bytes in the body of one message, counted as sent."""

_PATH = re.compile(r"/queues/(?P<queue>[^/?]+)(?P<messages>/messages)?")


class SmqStub(Backend):
    """SendMessage and GetQueueAttributes. Nobody receives here: a test reads `messages`."""

    actions: ClassVar = frozenset({"SendMessage", "GetQueueAttributes"})
    refusals: ClassVar[dict[Refusal, tuple[str, int]]] = {
        "unknown key": ("InvalidAccessKeyId", 403),
        "expired token": ("AccessDenied", 403),
        "wrong signature": ("SignatureDoesNotMatch", 403),
        "too old": ("TimeExpired", 408),
        "denied": ("AccessDenied", 403),
    }
    readers: ClassVar[Sequence[Callable[[str], object]]] = ()
    """Called with the body of every message that a queue takes; what one raises fails the test, as `NotStubbed`."""

    def __init__(
        self,
        clock: Clock,
        credentials: Credentials,
        account_id: str,
        queues: Sequence[str] = ("renewed-certificates",),
    ) -> None:
        super().__init__(clock, credentials)
        self._host = f"http://{account_id}.mns.cn-hangzhou.aliyuncs.com"
        self._queues: dict[str, list[str]] = {queue: [] for queue in queues}
        self._created_at = clock.now()

    def add_queue(self, name: str) -> None:
        """Create a queue."""
        self._queues[name] = []

    def messages(self, queue: str | None = None) -> list[dict[str, Any]]:
        """The messages of a queue, oldest first, decoded from JSON. Without a name: of the only queue."""
        with self._lock:
            if queue is None:
                (queue,) = self._queues
            return [json.loads(body) for body in self._queues[queue]]

    def to_json(self) -> dict[str, Any]:
        with self._lock:
            return super().to_json() | {
                "queues": {name: list(bodies) for name, bodies in self._queues.items()},
                "created_at": self._created_at.isoformat(),
            }

    def from_json(self, state: Mapping[str, Any]) -> None:
        with self._lock:
            super().from_json(state)
            self._queues = {name: list(bodies) for name, bodies in state["queues"].items()}
            self._created_at = datetime.fromisoformat(state["created_at"])

    def render_error(self, error: ApiError) -> Response:
        request_id = _request_id()
        fields = {"Code": error.code, "Message": error.message, "RequestId": request_id, "HostId": self._host}
        return _xml_response("Error", fields, error.status, request_id)

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        asked = f"{request.method} {request.parts.path}"
        path = _PATH.fullmatch(request.path)
        if not path or request.query:
            raise NotStubbed(f"SmqStub lacks {asked}")
        params = {"QueueName": path["queue"]}
        if request.method == "GET" and not path["messages"]:
            return "GetQueueAttributes", params
        if request.method == "POST" and path["messages"]:
            if b"<Messages" in request.body:
                raise NotStubbed("SmqStub lacks BatchSendMessage")
            return "SendMessage", params
        raise NotStubbed(f"SmqStub lacks {asked}")

    def _signed(self, request: Request) -> Signed:
        return mns(request)

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        queue = self._queues.get(params["QueueName"])
        if queue is None:
            raise ApiError("QueueNotExist", 404, "The queue name you provided is not exist.")
        if action == "SendMessage":
            return self._send(queue, params, request)
        created = str(int(self._created_at.timestamp()))
        attributes = {
            "QueueName": params["QueueName"],
            "CreateTime": created,
            "LastModifyTime": created,
            "DelaySeconds": "0",
            "MaximumMessageSize": str(MESSAGE_LIMIT),
            "MessageRetentionPeriod": "345600",
            "VisibilityTimeout": "30",
            "PollingWaitSeconds": "0",
            "ActiveMessages": str(len(queue)),
            "InactiveMessages": "0",
            "DelayMessages": "0",
            "LoggingEnabled": "False",
        }
        return _xml_response("Queue", attributes, 200, _request_id())

    def _send(self, queue: list[str], params: dict[str, str], request: Request) -> Response:
        digest = b64encode(hashlib.md5(request.body).hexdigest().encode()).decode()
        if request.headers.get("content-md5") != digest:
            raise ApiError("InvalidDigest", 400, "The Content-MD5 you specified is invalid.")
        try:
            sent = ET.fromstring(request.body).findtext(f"{{{NAMESPACE}}}MessageBody")
        except ET.ParseError:
            raise ApiError("MalformedXML", 400, "The XML you provided was not well-formed.") from None
        if not sent:
            raise ApiError("MissingArgument", 400, "The argument MessageBody is missing.")
        if len(sent.encode()) > MESSAGE_LIMIT:
            raise ApiError("InvalidArgument", 400, f"The body of a message has at most {MESSAGE_LIMIT} bytes.")
        body = _decoded(sent)
        for read in self.readers:
            read(body)
        params["MessageBody"] = body
        queue.append(body)
        fields = {
            "MessageId": new_id().hex.upper(),
            "MessageBodyMD5": hashlib.md5(sent.encode()).hexdigest().upper(),
        }
        return _xml_response("Message", fields, 201, _request_id())


def _decoded(sent: str) -> str:
    try:
        return b64decode(sent, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return sent


def _request_id() -> str:
    return new_id().hex[:24].upper()


def _xml_response(root: str, fields: Mapping[str, str], status: int, request_id: str) -> Response:
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<{root} xmlns="{NAMESPACE}">{inside}</{root}>'
    headers = {"Content-Type": "text/xml;charset=utf-8", "x-mns-request-id": request_id, "x-mns-version": "2015-06-06"}
    return Response(status, headers, body.encode())
