"""Alerts, `alerts/<message id>`: that a message is on the queue which the journal it is about cannot record."""

from datetime import datetime, timedelta

from handler.journal.journal import journal_line
from handler.journal.store import Store

EXPIRING = "-expiring-"
"""In the id of every message that nothing will replace a certificate."""
FORGOTTEN_AFTER = timedelta(days=32)
"""No alert is due for longer than a month: the one of the end, until the end is history. And the next certificate of
the same instance, whose alerts have the same ids, may end a little later than that."""


class Alerts:
    """The messages that are noted as sent."""

    def __init__(self, store: Store, run: str) -> None:
        """`run`: the request id; goes into every note."""
        self._store = store
        self._run = run

    def was_sent(self, message_id: str) -> bool:
        """Tell whether a message was noted as sent. Raises JournalUnavailable."""
        return self._store.get(f"alerts/{message_id}") is not None

    def sent(self, message_id: str, now: datetime) -> None:
        """Note that a message is on the queue. Raises JournalUnavailable."""
        line = journal_line("told", {"message_id": message_id}, self._run, now)
        self._store.put(f"alerts/{message_id}", line)

    def all_sent(self, now: datetime) -> frozenset[str]:
        """Return the ids of all messages that are noted; of what expires, what is too old to matter is forgotten.

        Raises JournalUnavailable.
        """
        kept = set()
        for note in list(self._store.find("alerts/")):
            if EXPIRING in note.key and note.modified < now - FORGOTTEN_AFTER:
                self._store.delete(note.key)
            else:
                kept.add(note.key.removeprefix("alerts/"))
        return frozenset(kept)
