"""The whole cloud on this machine, and the ways to bring it up: in this process, or over loopback HTTP."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Literal

from darabonba.core import DaraCore

from tests.stubs import credentials
from tests.stubs.backend import Backend
from tests.stubs.cas import CasStub
from tests.stubs.clock import Clock, FakeClock
from tests.stubs.in_process import in_process
from tests.stubs.loopback import served
from tests.stubs.oss import OssStub
from tests.stubs.smq import SmqStub
from tests.stubs.wire import NotStubbed

Service = Literal["cas", "smq", "oss", "file"]
"""Where a call goes. A journal in a folder (`file`) has no stub: `tests.promise.file_crashes` takes its turns."""
Phase = Literal["before", "after"]
Hook = Callable[[Phase, Service, str], None]
"""Called in the client's thread around each call. It may raise, which is a crash there, or block."""

QUEUE = "renewed-certificates"
BUCKET = "journal-bucket"


class Cloud:
    """One account: the three services, the credentials of the function's role, and the clock they all go by."""

    account_id = "123456789012"
    region = "cn-hangzhou"

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Any = clock or FakeClock()
        """A `FakeClock` unless told otherwise: `cloud.clock.advance(days=1)`."""
        self.credentials = credentials.issue(1)
        self.cas = CasStub(self.clock, self.credentials)
        self.smq = SmqStub(self.clock, self.credentials, self.account_id, [QUEUE])
        self.oss = OssStub(self.clock, self.credentials, [BUCKET], self.region)
        self.hooks: list[Hook] = []
        self.endpoints: dict[str, str] = {}
        """Settings that point at a front end; each front end adds its own while it is up."""
        self.not_stubbed: list[NotStubbed] = []
        self._issued = 1

    @property
    def backends(self) -> dict[Service, Backend]:
        """The services by name."""
        return {"cas": self.cas, "smq": self.smq, "oss": self.oss}

    def environ(self, **overrides: str | None) -> dict[str, str]:
        """The environment of the function: its settings and its credentials. An override of None removes a key."""
        settings: dict[str, str | None] = {
            "SMQ_QUEUE": QUEUE,
            "JOURNAL_URL": f"oss://{BUCKET}/renewals",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.credentials.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.credentials.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": self.credentials.security_token,
            **self.endpoints,
            **overrides,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def context(
        self, kind: Literal["3.10", "3.12"] = "3.10", timeout: int = 300, request_id: str | None = None
    ) -> SimpleNamespace:
        """The context that the platform hands to the handler. `timeout` is in seconds.

        The runtime of Python 3.12 has no `credentials` in it, the one of 3.10 has.
        """
        context = SimpleNamespace(
            request_id=request_id or str(uuid.uuid4()),
            region=self.region,
            account_id=self.account_id,
            function=SimpleNamespace(
                name="renew-certificates", handler="handler.index.handler", memory=512, timeout=timeout
            ),
        )
        if kind == "3.10":
            context.credentials = SimpleNamespace(**vars(self.credentials))
        return context

    def rotate_credentials(self) -> None:
        """The role hands out new credentials, and the former ones expire."""
        self._issued += 1
        self.credentials = credentials.issue(self._issued)
        for backend in self.backends.values():
            backend.accept(self.credentials)

    def run_hooks(self, phase: Phase, service: Service, action: str) -> None:
        """Call every hook, in order."""
        for hook in tuple(self.hooks):
            hook(phase, service, action)

    def load(self, folder: Path) -> None:
        """Read the state of each service that has a file in the folder."""
        for name, backend in self.backends.items():
            file = folder / f"{name}.json"
            if file.exists():
                backend.from_json(json.loads(file.read_text("utf-8")))

    def save(self, folder: Path) -> None:
        """Write the state of each service into the folder, each file at once or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, backend in self.backends.items():
            unfinished = folder / f".{name}.json.{os.getpid()}"
            unfinished.write_text(json.dumps(backend.to_json(), indent=1), "utf-8")
            unfinished.replace(folder / f"{name}.json")

    def raise_not_stubbed(self) -> None:
        """Raise the first request that no stub could answer, if there was one."""
        for lack in [*self.not_stubbed, *(lack for backend in self.backends.values() for lack in backend.not_stubbed)]:
            raise lack


class LocalCloud:
    """A cloud that is up inside a `with`, or during each call of the function that it decorates."""

    def __init__(self, clock: Clock | None, state: Path | None, fresh: bool) -> None:
        self._open = functools.partial(_open, clock, state, fresh)
        self._opened: list[contextlib.AbstractContextManager[Cloud]] = []

    def __enter__(self) -> Cloud:
        self._opened.append(self._open())
        return self._opened[-1].__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._opened.pop().__exit__(kind, error, traceback)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_cloud(*args: Any, **kwargs: Any) -> Any:
            with self._open() as cloud:
                return function(cloud, *args, **kwargs)

        # pytest and Hypothesis must not take the cloud for a fixture or for an argument of theirs.
        signature = inspect.signature(function)
        with_cloud.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
        return with_cloud


def local_cloud(clock: Clock | None = None, state: Path | None = None, fresh: bool = False) -> LocalCloud:
    """Bring up a cloud in this process: `with local_cloud() as cloud:`, or `@local_cloud()`, which passes the cloud
    as the first argument.

    Every request of the `requests` library goes to it (the SMQ client talks to a loopback server), and the waiting
    inside the SDKs happens on the clock. With a folder as `state` it continues from what is kept there, unless
    `fresh`, and keeps its state there at the end. At the end it raises `NotStubbed` for what the stubs lacked.
    """
    return LocalCloud(clock, state, fresh)


@contextlib.contextmanager
def serve(cloud: Cloud, hang_seconds: float = 0.3, latency_seconds: float = 0.0) -> Iterator[Cloud]:
    """Serve all three services over loopback HTTP; meanwhile `cloud.environ()` points there, in any process.

    Each answer takes `latency_seconds`; a timed-out call hangs for `hang_seconds`. Hooks do not run for calls that
    come in this way.
    """
    with contextlib.ExitStack() as stack:
        cas, smq, oss = (
            stack.enter_context(served(backend, hang_seconds, latency_seconds)) for backend in cloud.backends.values()
        )
        before = dict(cloud.endpoints)
        cloud.endpoints |= {"CAS_ENDPOINT": cas.url, "SMQ_ENDPOINT": smq.url, "OSS_ENDPOINT": oss.url}
        try:
            yield cloud
        finally:
            cloud.endpoints = before
            forget_sessions(cas.url)
    cloud.raise_not_stubbed()


@contextlib.contextmanager
def _open(clock: Clock | None, state: Path | None, fresh: bool) -> Iterator[Cloud]:
    cloud = Cloud(clock)
    if state and not fresh:
        cloud.load(state)
    try:
        with served(cloud.smq) as smq, in_process(cloud):
            cloud.endpoints["SMQ_ENDPOINT"] = smq.url
            yield cloud
    finally:
        if state:
            cloud.save(state)
    cloud.raise_not_stubbed()


def forget_sessions(cas_endpoint: str) -> None:
    """Close what the CAS client keeps open: it has one session per host in a class attribute, for ever.

    Only for a client of a served cloud that outlives it, or whose server was another process.
    """
    for key in [key for key in DaraCore._sessions if key.startswith(f"{cas_endpoint}:")]:
        DaraCore._sessions.pop(key).close()
