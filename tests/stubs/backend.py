"""What the three stubs have in common: the order of events in a call, faults, credentials, and a record of it all."""

from __future__ import annotations

import hmac
import threading
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, ClassVar, Literal

from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.faults import ALTERED, Fault, FaultSource
from tests.stubs.signatures import Signed, Unsigned
from tests.stubs.wire import (
    ConnectionRefused,
    ConnectionReset,
    Disconnected,
    NotStubbed,
    ReadTimeout,
    Request,
    Response,
)

Refusal = Literal["unknown key", "expired token", "wrong signature", "too old", "denied"]

SKEW_ALLOWED = timedelta(minutes=15)


@dataclass
class Call:
    """One call that reached the service, and what became of it."""

    action: str
    params: dict[str, str]
    at: datetime
    fault: Fault | None = None
    refusal: str = ""
    """The code of the error that the service gave, whether or not that was the answer."""

    @property
    def is_answered(self) -> bool:
        """Whether it was carried out, and the answer was as it should be."""
        return self.fault is None and not self.refusal


class ApiError(Exception):
    """The service says no. `render_error` puts it into the format of the service."""

    def __init__(
        self, code: str, status: int, message: str, headers: Mapping[str, str] | None = None, action: str = ""
    ) -> None:
        """`action`: the operation that the caller may not do, if that is why."""
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.action = action


class Backend(ABC):
    """One service, independent of how its requests arrive. Threads may call it at the same time."""

    actions: ClassVar[frozenset[str]]
    """What the stub can do. Everything else is `NotStubbed`."""

    refusals: ClassVar[dict[Refusal, tuple[str, int]]]
    """Code and HTTP status that the service gives to each refusal of a caller."""

    settings: ClassVar[tuple[str, ...]] = ()
    """The attributes that `to_json` keeps as they are."""

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        self.not_stubbed: list[NotStubbed] = []
        self.fault_sources: list[FaultSource] = []
        self._credentials = credentials
        self._former_keys: set[str] = set()
        self._expired = False
        self._denied: tuple[str, int] | None = None
        self._forbidden: dict[str, tuple[str, int]] = {}
        self._faults: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._lock = threading.RLock()

    def fail(self, action: str, *faults: Fault | None) -> None:
        """Queue faults for an action: each of its next calls consumes one, and None lets that call behave."""
        self._check_actions(action)
        with self._lock:
            self._faults[action].extend(faults)

    def accept(self, credentials: Credentials) -> None:
        """From now on only these credentials are good. The former ones count as expired."""
        with self._lock:
            self._former_keys.add(self._credentials.access_key_id)
            self._credentials = credentials
            self._expired = False

    def expire_credentials(self) -> None:
        """From now on the current credentials are expired."""
        self._expired = True

    def deny(self, code: str | None = None) -> None:
        """From now on the caller may do nothing; `code` replaces the code that the service usually gives."""
        self._denied = (code or self.refusals["denied"][0], self.refusals["denied"][1])

    def forbid(self, *actions: str, code: str | None = None, status: int | None = None) -> None:
        """From now on the caller may not do these; see `deny`. To lift it: `permit`."""
        self._check_actions(*actions)
        usual_code, usual_status = self.refusals["denied"]
        self._forbidden |= dict.fromkeys(actions, (code or usual_code, status or usual_status))

    def permit(self, *actions: str) -> None:
        """From now on the caller may do these again."""
        self._forbidden = {action: why for action, why in self._forbidden.items() if action not in actions}

    def calls_of(self, action: str) -> list[Call]:
        """The calls of one action, in order."""
        return [call for call in self.calls if call.action == action]

    def respond(self, request: Request) -> Response:
        """Carry out one request. Raises a `Disconnected` if the client shall get no answer."""
        with self._lock:
            action, params = self.identify(request)
            call = Call(action, params, self.clock.now())
            self.calls.append(call)
            try:
                response = self._respond(call, request)
            except Disconnected:
                raise
            except Exception as failure:
                lack = NotStubbed(f"{type(self).__name__} itself failed at {action}: {failure!r}")
                self.not_stubbed.append(lack)
                raise lack from failure
            date = {"Date": format_datetime(self.clock.now(), usegmt=True)}
            return Response(response.status, date | response.headers, response.body)

    def identify(self, request: Request) -> tuple[str, dict[str, str]]:
        """The action that a request asks for, and its parameters. Remembers what is `NotStubbed`."""
        try:
            if request.headers.get("Transfer-Encoding"):
                lack = f"{type(self).__name__} lacks bodies of unknown length"
                raise NotStubbed(f"{lack}: {request.method} {request.url}")
            action, params = self._identify(request)
            if action not in self.actions:
                raise NotStubbed(f"{type(self).__name__} lacks the action {action}")
        except NotStubbed as lack:
            self.not_stubbed.append(lack)
            raise
        return action, params

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The whole state, as JSON."""
        return {
            "settings": {name: getattr(self, name) for name in self.settings},
            "faults": {
                action: [fault and fault.to_json() for fault in faults] for action, faults in self._faults.items()
            },
            "forbidden": [[action, *refusal] for action, refusal in self._forbidden.items()],
        }

    @abstractmethod
    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the whole state by what `to_json` gave."""
        for name, value in state["settings"].items():
            setattr(self, name, value)
        self._faults.clear()
        for action, faults in state["faults"].items():
            self.fail(action, *(fault and Fault(**fault) for fault in faults))
        self._forbidden = {action: (code, status) for action, code, status in state.get("forbidden", ())}

    @abstractmethod
    def render_error(self, error: ApiError) -> Response:
        """An error in the format of the service."""

    @abstractmethod
    def _identify(self, request: Request) -> tuple[str, dict[str, str]]: ...

    @abstractmethod
    def _signed(self, request: Request) -> Signed: ...

    @abstractmethod
    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response: ...

    def _altered(self, action: str, fault: Fault, params: Mapping[str, str], answer: Response | None) -> Response:
        """The answer as a fault wants it; there is none to start from if nothing happened."""
        raise ValueError(f"{type(self).__name__} answers with no order ids, so {fault.kind} makes no sense")

    def _respond(self, call: Call, request: Request) -> Response:
        fault = call.fault = self._next_fault(call.action)
        if fault is None:
            return self._answer(call, request)
        answer = self._answer(call, request) if fault.happens else None
        if fault.kind in ALTERED:
            return self._altered(call.action, fault, call.params, answer)
        return self._spoil(fault)

    def _next_fault(self, action: str) -> Fault | None:
        if self._faults[action]:
            return self._faults[action].popleft()
        return next(filter(None, (source(action) for source in self.fault_sources)), None)

    def _spoil(self, fault: Fault) -> Response:
        if fault.kind == "timeout":
            raise ReadTimeout
        if fault.kind == "reset":
            raise ConnectionReset
        if fault.kind == "refused":
            raise ConnectionRefused
        if fault.kind == "html":
            page = f"<html><head><title>{fault.status}</title></head><body>upstream failed</body></html>"
            return Response(fault.status, {"Content-Type": "text/html"}, page.encode())
        if fault.kind == "empty":
            return Response(fault.status)
        if fault.kind == "answer":
            return Response(fault.status, {"Content-Type": "application/json"}, fault.body.encode())
        wait = {} if fault.retry_after_ms is None else {"x-acs-retry-after": str(fault.retry_after_ms)}
        return self.render_error(ApiError(fault.code, fault.status, fault.message, wait))

    def _answer(self, call: Call, request: Request) -> Response:
        try:
            self._authenticate(request)
            self._authorize(call.action)
            return self._perform(call.action, call.params, request)
        except ApiError as error:
            call.refusal = error.code
            return self.render_error(error)

    def _authenticate(self, request: Request) -> None:
        try:
            signed = self._signed(request)
        except Unsigned:
            raise self._refusal("wrong signature", "The request is not signed as this service wants it.") from None
        if abs(datetime.now(timezone.utc) - signed.signed_at) > SKEW_ALLOWED:
            raise self._refusal("too old", "The request was signed too long ago.")
        if signed.access_key_id in self._former_keys:
            raise self._refusal("expired token", "The security token has expired.")
        if signed.access_key_id != self._credentials.access_key_id:
            raise self._refusal("unknown key", "The access key does not exist.")
        if self._expired or signed.security_token != self._credentials.security_token:
            raise self._refusal("expired token", "The security token has expired.")
        if not hmac.compare_digest(signed.signature, signed.expected(self._credentials.access_key_secret)):
            raise self._refusal("wrong signature", "The signature does not match the request.")

    def _authorize(self, action: str) -> None:
        if refusal := self._denied or self._forbidden.get(action):
            raise ApiError(*refusal, "You are not authorized to do this action.", action=action)

    def _check_actions(self, *actions: str) -> None:
        if not self.actions.issuperset(actions):
            raise ValueError(f"{actions} are not all among {sorted(self.actions)}")

    def _refusal(self, reason: Refusal, message: str) -> ApiError:
        return ApiError(*self.refusals[reason], message)
