"""The store at the edge of the function: nothing goes out that may not leave it, and every call is counted."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from handler.cloud.meter import Meter
from handler.journal.store import Listed, Log, Store


class EdgeStore:
    """Passes everything on to another `Store`: journal and report alike, without what `redact` takes out."""

    def __init__(self, store: Store, redact: Callable[[str], str], meter: Meter) -> None:
        """`redact` leaves JSON and HTML well-formed. The calls are counted as those of the service `journal`."""
        self._store = store
        self._redact = redact
        self._meter = meter

    def read_log(self, key: str) -> Log:
        """See `Store.read_log`."""
        with self._counted():
            return self._store.read_log(key)

    def append(self, key: str, position: int, entry: bytes) -> int:
        """See `Store.append`."""
        with self._counted():
            return self._store.append(key, position, self._redacted(entry))

    def find(self, prefix: str) -> list[Listed]:
        """See `Store.find`."""
        with self._counted():
            return list(self._store.find(prefix))

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with self._counted():
            return self._store.get(key)

    def put(self, key: str, body: bytes) -> None:
        """See `Store.put`."""
        with self._counted():
            self._store.put(key, self._redacted(body))

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._counted():
            self._store.delete(key)

    def discard_log(self, key: str) -> None:
        """See `Store.discard_log`."""
        with self._counted():
            self._store.discard_log(key)

    def announce(self, account_id: str) -> None:
        """See `Store.announce`."""
        with self._counted():
            self._store.announce(account_id)

    def neighbours(self, account_id: str) -> list[str]:
        """See `Store.neighbours`."""
        with self._counted():
            return self._store.neighbours(account_id)

    def _counted(self) -> AbstractContextManager[None]:
        return self._meter.call("journal")

    def _redacted(self, body: bytes) -> bytes:
        return self._redact(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
