"""A store whose calls are counted."""

from handler.cloud.meter import Meter
from handler.journal.store import Listed, Log, Store


class MeteredStore:
    """Passes everything on to another `Store`."""

    def __init__(self, store: Store, meter: Meter) -> None:
        """Count the calls to `store` as those of the service `journal`."""
        self._store = store
        self._meter = meter

    def read_log(self, key: str) -> Log:
        """See `Store.read_log`."""
        with self._meter.call("journal"):
            return self._store.read_log(key)

    def append(self, key: str, position: int, entry: bytes) -> int:
        """See `Store.append`."""
        with self._meter.call("journal"):
            return self._store.append(key, position, entry)

    def find(self, prefix: str) -> list[Listed]:
        """See `Store.find`."""
        with self._meter.call("journal"):
            return list(self._store.find(prefix))

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with self._meter.call("journal"):
            return self._store.get(key)

    def put(self, key: str, body: bytes) -> None:
        """See `Store.put`."""
        with self._meter.call("journal"):
            self._store.put(key, body)

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._meter.call("journal"):
            self._store.delete(key)

    def discard_log(self, key: str) -> None:
        """See `Store.discard_log`."""
        with self._meter.call("journal"):
            self._store.discard_log(key)

    def announce(self, account_id: str) -> None:
        """See `Store.announce`."""
        with self._meter.call("journal"):
            self._store.announce(account_id)

    def neighbours(self, account_id: str) -> list[str]:
        """See `Store.neighbours`."""
        with self._meter.call("journal"):
            return self._store.neighbours(account_id)
