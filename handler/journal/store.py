"""Where the journal is kept: what every kind of storage must be able to do.

Two kinds of thing lie under one root. A *log* only grows, by compare-and-append, and its entries never change.
A *note* is written, overwritten and deleted whole. No key is used as both. Keys look like `orders/123`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol


class Log(NamedTuple):
    """What a log holds. A log that nobody wrote to is empty, at position 0."""

    entries: tuple[bytes, ...]
    position: int
    """What `append` wants to hear next; nobody else interprets it."""


class Listed(NamedTuple):
    """A log or note that exists."""

    key: str
    modified: datetime
    """By the clock of the storage."""


class Store(Protocol):
    """Storage. Every method raises JournalUnavailable when it cannot do its work."""

    def read_log(self, key: str) -> Log:
        """Return all entries of a log."""

    def append(self, key: str, position: int, entry: bytes) -> int:
        r"""Add an entry (one line, no `\n`), if the log still ends at `position`; return the next position.

        Whole or not at all, and durable on return. Every entry must be unique, since an entry found at its
        own position is taken for this one. Raises JournalConflict if another entry got there first.
        After JournalUnavailable the entry may or may not be there.
        """

    def find(self, prefix: str) -> Iterable[Listed]:
        """Return every log or note whose key begins with `prefix`, a folder such as `open/`."""

    def get(self, key: str) -> bytes | None:
        """Return a note, None if there is none."""

    def put(self, key: str, body: bytes) -> None:
        """Write a note, over what was there."""

    def delete(self, key: str) -> None:
        """Remove a note; it need not exist."""

    def discard_log(self, key: str) -> None:
        """Remove a whole log; it need not exist. Only the self-check does that, to its own scratch log."""

    def announce(self, account_id: str) -> None:
        """Leave a mark of this journal where those who keep another one of the account in the same place see it."""

    def neighbours(self, account_id: str) -> list[str]:
        """Return the URLs of the account's other journals in the same place, as far as they have left a mark.

        Two functions that work on one account with a journal each cannot know what the other buys.
        """
