"""What the handler is given in the place of what buys, applies, deploys and publishes: here none of that is made."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn

from handler.cloud.cas_client import Cas, CasReader
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.index import Connections
from handler.outbox.queue import Queue
from handler.runtime.clock import Clock
from handler.runtime.countdown import Countdown

_READS = re.compile(r"(?:List|Get|Describe)[A-Z][A-Za-z0-9]*")
"""The operations of CAS that only read, by how they are named. Whatever else there is, or will be, is refused."""


class ReadsOnly(Exception):
    """Something was to be done that is more than reading. Nothing was sent."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: a look only reads, so nothing was sent")


class ReadOnlyCas:
    """CAS as `Cas` has it, for operations that read. The client for others is not made."""

    def __init__(
        self, endpoint: str, credentials: Credentials, clock: Clock, meter: Meter, *, repeats: bool = True
    ) -> None:
        """See `CasReader`."""
        self._reader = CasReader(endpoint, credentials, clock, meter, repeats=repeats)

    def read(self, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        """See `CasReader.read`. Raises ReadsOnly for an operation whose name does not say that it reads."""
        if not _READS.fullmatch(action):
            raise ReadsOnly(action)
        return self._reader.read(action, query)

    def call_once(self, action: str, query: Mapping[str, str], seconds: float) -> NoReturn:  # noqa: ARG002
        """Raise ReadsOnly: what is called in this way has an effect."""
        raise ReadsOnly(action)


class NoQueue:
    """The place of a queue, and no way to any."""

    def send(self, queue: str, body: str) -> NoReturn:  # noqa: ARG002
        """Raise ReadsOnly."""
        raise ReadsOnly("a message")

    def probe(self, queue: str) -> NoReturn:  # noqa: ARG002
        """Raise ReadsOnly: there is no queue to look at."""
        raise ReadsOnly("a look at a queue")


class ReadOnly(Connections):
    """Connections that can only read CAS."""

    def cas(self, endpoint: str, credentials: Credentials, time: Countdown, meter: Meter) -> Cas:
        """Return a client that only reads."""
        return ReadOnlyCas(endpoint, credentials, time, meter)

    def queue(self, endpoint: str, credentials: Credentials, meter: Meter) -> AbstractContextManager[Queue]:  # noqa: ARG002
        """Return what is no queue."""
        return _no_queue()


@contextmanager
def _no_queue() -> Iterator[Queue]:
    yield NoQueue()
