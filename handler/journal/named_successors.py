"""Successors that a person has named, `successors/<id>`: of two who name the same one, one is refused."""

from datetime import datetime

from handler.journal.fields import json_object
from handler.journal.journal import journal_line
from handler.journal.store import Store


class NamedSuccessors:
    """Which order is the successor of which, by a person's word."""

    def __init__(self, store: Store, run: str) -> None:
        """`run`: the request id; goes into every entry."""
        self._store = store
        self._run = run

    def take(self, order_id: str, successor_id: str, now: datetime) -> str:
        """Make an order the successor of `order_id`, unless it is another's; return whose it is.

        Of two events at once, one wins. Raises JournalUnavailable, or JournalConflict when both came at the same time.
        """
        key = f"successors/{successor_id}"
        log = self._store.read_log(key)
        owner = ""
        for line in log.entries:
            owner = str(json_object(line).get("order_id") or "")
        if not owner:
            self._store.append(key, log.position, self._line(order_id, now))
        return owner or order_id

    def leave(self, order_id: str, successor_id: str, now: datetime) -> None:
        """Undo `take`. Raises JournalUnavailable or JournalConflict."""
        if self.take(order_id, successor_id, now) == order_id:
            key = f"successors/{successor_id}"
            self._store.append(key, self._store.read_log(key).position, self._line("", now))

    def _line(self, order_id: str, now: datetime) -> bytes:
        return journal_line("successor", {"order_id": order_id}, self._run, now)
