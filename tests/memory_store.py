"""A journal in memory, for tests of what is kept in one. It is held to the same tests as the stores of the function."""

from collections.abc import Iterator
from datetime import datetime

from handler.errors import JournalConflict
from handler.journal.store import Listed, Log
from tests.examples import NOW


class MemoryStore:
    """A `Store`. Its clock stands still: `now` is what it takes for the time of every write."""

    def __init__(self) -> None:
        self.logs: dict[str, list[bytes]] = {}
        self.notes: dict[str, bytes] = {}
        self.now: datetime = NOW
        self._modified: dict[str, datetime] = {}

    def read_log(self, key: str) -> Log:
        entries = tuple(self.logs.get(key, ()))
        return Log(entries, len(entries))

    def append(self, key: str, position: int, entry: bytes) -> int:
        entries = self.logs.setdefault(key, [])
        if len(entries) != position:
            raise JournalConflict(key)
        entries.append(entry)
        self._modified[key] = self.now
        return len(entries)

    def find(self, prefix: str) -> Iterator[Listed]:
        for key in sorted([*(key for key, entries in self.logs.items() if entries), *self.notes]):
            if key.startswith(prefix):
                yield Listed(key, self._modified[key])

    def get(self, key: str) -> bytes | None:
        return self.notes.get(key)

    def put(self, key: str, body: bytes) -> None:
        self.notes[key] = body
        self._modified[key] = self.now

    def delete(self, key: str) -> None:
        self.notes.pop(key, None)

    def discard_log(self, key: str) -> None:
        self.logs.pop(key, None)

    def announce(self, account_id: str) -> None:
        pass

    def neighbours(self, account_id: str) -> list[str]:
        return []
