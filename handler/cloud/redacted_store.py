"""A store into which nothing is written that may not leave the function."""

from collections.abc import Callable, Iterable

from handler.journal.store import Listed, Log, Store


class RedactedStore:
    """Passes everything on to another `Store`, journal and report alike, without what `redact` takes out."""

    def __init__(self, store: Store, redact: Callable[[str], str]) -> None:
        """`redact` leaves JSON and HTML well-formed."""
        self._store = store
        self._redact = redact

    def read_log(self, key: str) -> Log:
        """See `Store.read_log`."""
        return self._store.read_log(key)

    def append(self, key: str, position: int, entry: bytes) -> int:
        """See `Store.append`."""
        return self._store.append(key, position, self._redacted(entry))

    def find(self, prefix: str) -> Iterable[Listed]:
        """See `Store.find`."""
        return self._store.find(prefix)

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        return self._store.get(key)

    def put(self, key: str, body: bytes) -> None:
        """See `Store.put`."""
        self._store.put(key, self._redacted(body))

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        self._store.delete(key)

    def discard_log(self, key: str) -> None:
        """See `Store.discard_log`."""
        self._store.discard_log(key)

    def announce(self, account_id: str) -> None:
        """See `Store.announce`."""
        self._store.announce(account_id)

    def neighbours(self, account_id: str) -> list[str]:
        """See `Store.neighbours`."""
        return self._store.neighbours(account_id)

    def _redacted(self, body: bytes) -> bytes:
        return self._redact(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
