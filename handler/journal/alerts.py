"""Alerts, `alerts/<message id>`: that a message is on the queue which the journal it is about cannot record."""

from datetime import datetime

from handler.journal.journal import journal_line
from handler.journal.store import Store


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
