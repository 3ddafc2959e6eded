"""Notes of open work, `open/<deadline>-<run>`: where to look if a run dies.

Before a run claims anything it notes what it is about to claim, with the ids of all orders that then exist (the
*picture*). So unfinished work is found by reading those notes and the journals that they name, however many journals
there are; a note goes when its run is over and its work is finished.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from handler.errors import JournalUnavailable, JournalUnreadable
from handler.journal.fields import json_object
from handler.journal.journal import Journal
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal
from handler.journal.states import MAY_HAVE_PURCHASED
from handler.journal.store import Store
from handler.runtime.clock import SKEW, from_rfc3339, rfc3339

REPLACED = "open/replaced-"
"""So begin the keys of notes of another kind: what was issued, and has not yet the place of what it replaces."""


class OpenWork(NamedTuple):
    """What earlier runs left unfinished."""

    renewals: dict[str, Renewal]
    """By id."""
    pictures: Mapping[str, Picture]
    """By note, what existed before its claims."""
    problems: tuple[str, ...]
    """What of the notes could not be read; what they name may be unfinished, too."""
    replaced: tuple[str, ...] = ()
    """The keys of the notes that begin with `REPLACED`."""


class _Note(NamedTuple):
    ids: list[str]
    deadline: datetime
    picture: Picture | None


class OpenNotes:
    """The notes of all runs."""

    def __init__(self, store: Store, journal: Journal, run: str, is_unfinished: Callable[[Renewal], bool]) -> None:
        """`run`: the request id. `is_unfinished`: whether some later run must look at a renewal."""
        self._store = store
        self._journal = journal
        self._run = run
        self._is_unfinished = is_unfinished

    def write(self, ids: Iterable[str], deadline: datetime, picture: Picture | None = None) -> str:
        """Note what is about to be claimed, until `deadline`; return the note's key.

        `picture`: what exists, so that a lost answer can be settled by what is new.
        """
        key = f"open/{rfc3339(deadline).replace(':', '')}-{self._run}-{secrets.token_hex(4)}"
        self._write(key, _Note(list(ids), deadline, picture))
        return key

    def open_work(self, now: datetime, *, tidy: bool) -> OpenWork:
        """Return all unfinished work; if `tidy`, drop the notes and pictures that are no longer needed."""
        notes: dict[str, _Note] = {}
        problems: list[str] = []
        replaced: list[str] = []
        for found in self._store.find("open/"):
            if found.key.startswith(REPLACED):
                replaced.append(found.key)
                continue
            if found.key.endswith("/"):
                continue  # what a console makes of a folder
            try:
                note = self._read(found.key)
            except JournalUnavailable as failure:
                problems.append(str(failure))
                continue
            if note is not None:
                notes[found.key] = note
        noted = dict.fromkeys(id_ for note in notes.values() for id_ in note.ids)
        renewals = {id_: self._journal.read_or_hold(id_) for id_ in noted}
        for key, note in notes.items():
            # The run that wrote the note may still claim until its deadline.
            if tidy and now > note.deadline + SKEW:
                self._tidy(key, note, renewals)
        unfinished = {id_: renewal for id_, renewal in renewals.items() if self._is_unfinished(renewal)}
        pictures = {key: note.picture for key, note in notes.items() if note.picture is not None}
        return OpenWork(unfinished, pictures, tuple(problems), tuple(replaced))

    def _tidy(self, key: str, note: _Note, renewals: Mapping[str, Renewal]) -> None:
        unfinished = [id_ for id_ in note.ids if self._is_unfinished(renewals[id_])]
        # Only to settle a call is its picture needed.
        wanted = any(renewals[id_].state in MAY_HAVE_PURCHASED for id_ in unfinished)
        kept = _Note(unfinished, note.deadline, note.picture if wanted else None)
        if not unfinished:
            self._store.delete(key)
        elif kept != note:
            self._write(key, kept)

    def _write(self, key: str, note: _Note) -> None:
        body: dict[str, Any] = {"deadline": rfc3339(note.deadline), "orders": note.ids}
        if note.picture is not None:
            body["picture"] = sorted(note.picture.ids)
            body["empty_lists"] = sorted(note.picture.empty_lists)
            body["nameless"] = sorted(note.picture.nameless)
        self._store.put(key, json.dumps(body, separators=(",", ":")).encode())

    def _read(self, key: str) -> _Note | None:
        body = self._store.get(key)
        if body is None:  # another run has tidied it away since it was listed
            return None
        note = json_object(body)
        try:
            if isinstance(note["orders"], list):
                ids = [str(id_) for id_ in note["orders"]]
                return _Note(ids, from_rfc3339(note["deadline"]), _picture_in(note))
        except (KeyError, ValueError, TypeError, AttributeError):
            pass
        msg = f"{key} is not a note of this program"
        raise JournalUnreadable(msg)


def _picture_in(note: Mapping[str, Any]) -> Picture | None:
    if "picture" not in note:
        return None
    ids, empty_lists, nameless = (frozenset(map(str, note[key])) for key in ("picture", "empty_lists", "nameless"))
    return Picture(ids, empty_lists, nameless)
