"""What already happened to each old order; survives any crash.

Each order has a log, `orders/<id>`, to which entries are added by compare-and-append; `handler.journal.work` says what
they mean. Before a run claims anything it notes the orders that it is about to claim in `open/<deadline>-<run>`, with
the ids of all orders that then exist (the *picture*). So unfinished work is found by reading those notes and the logs
that they name, however many journals there are; a note goes when its run is over and its work is finished.

`days/<date>` counts what may be bought on a UTC day, `successors/<id>` says whose successor a person named, and
`alerts/<message id>` that a message is on the queue which the order's own journal cannot record.
"""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from handler.errors import JournalConflict, JournalUnavailable, JournalUnreadable
from handler.journal.store import Store
from handler.journal.work import MAY_HAVE_BOUGHT, Refusal, State, Work, after, entry_in, json_object
from handler.orders.book import Order, Picture
from handler.runtime.clock import SKEW, from_rfc3339, rfc3339

RESERVE_ATTEMPTS = 5
"""So often a run tries to be the next who writes to the count of a day."""


class Snapshot(NamedTuple):
    """The orders that existed before a call and could be mistaken for what it made (`OrderBook.existing`)."""

    at: datetime
    ids: frozenset[str]
    picture: str = ""
    """The note that has the ids of all orders that existed, see `Journal.about_to_claim`."""


class OpenWork(NamedTuple):
    """What earlier runs left unfinished."""

    works: dict[str, Work]
    """By old order."""
    pictures: Mapping[str, Picture]
    """By note, what existed before its claims."""
    problems: tuple[str, ...]
    """What of the notes could not be read; what they name may be unfinished, too."""


class _Note(NamedTuple):
    order_ids: list[str]
    deadline: datetime
    picture: Picture | None


class Journal:
    """The journals of all orders, over any store."""

    def __init__(self, store: Store, run: str) -> None:
        """`run`: the request id; goes into every entry."""
        self._store = store
        self._run = run

    def read(self, order_id: str) -> Work:
        """Read the journal of one order.

        Raises JournalUnavailable, or JournalUnreadable for an entry that makes no sense.
        """
        log = self._store.read_log(f"orders/{order_id}")
        work = Work(order_id)
        for line in log.entries:
            work = after(work, entry_in(order_id, line))
        return work._replace(position=log.position)

    def claim(self, work: Work, order: Order, now: datetime, deadline: datetime, seen: Snapshot) -> Work:
        """Record, before the call, that this run is about to renew. Raises JournalConflict if another run is."""
        return self._add(
            work,
            now,
            "claimed",
            deadline=rfc3339(deadline),
            domain=order.domain,
            product_code=order.product_code,
            instance_id=order.instance_id,
            cert_end=rfc3339(order.cert_end) if order.cert_end else None,
            snapshot_at=rfc3339(seen.at),
            snapshot=sorted(seen.ids),
            picture=seen.picture,
        )

    def refused(self, work: Work, now: datetime, refusal: Refusal, *, lost: bool = False) -> Work:
        """Record that nothing was bought; `lost`: the answer was lost, and reading found nothing."""
        return self._add(
            work,
            now,
            "refused",
            code=refusal.code,
            message=refusal.message,
            retry_at=rfc3339(refusal.retry_at),
            failure=refusal.is_failure,
            lost=lost,
        )

    def unknown(self, work: Work, now: datetime, code: str, message: str) -> Work:
        """Record that the call may or may not have taken effect until `now`."""
        return self._add(work, now, "unknown", code=code, message=message)

    def held(self, work: Work, now: datetime, reason: str, candidates: Iterable[str]) -> Work:
        """Record that only a person can say what happened."""
        return self._add(work, now, "held", reason=reason, candidates=sorted(candidates))

    def released(self, work: Work, now: datetime) -> Work:
        """Record that a person said that nothing was bought."""
        return self._add(work, now, "released")

    def renewed(self, work: Work, now: datetime, new_order_id: str, how: str, request_id: str | None = None) -> Work:
        """Record the successor; `how` it is known: `answer`, `settled` or `person`."""
        return self._add(work, now, "renewed", new_order_id=new_order_id, how=how, request_id=request_id)

    def published(self, work: Work, now: datetime, message_id: str, smq_message_id: str) -> Work:
        """Record that the message is on the queue."""
        return self._add(work, now, "published", message_id=message_id, smq_message_id=smq_message_id)

    def observed(self, work: Work, now: datetime, stage: str) -> Work:
        """Record how far the new order is."""
        return self._add(work, now, "observed", stage=stage)

    def told(self, work: Work, now: datetime, message_id: str) -> Work:
        """Record that another message about the order is on the queue."""
        return self._add(work, now, "told", message_id=message_id)

    def about_to_claim(self, order_ids: Iterable[str], deadline: datetime, picture: Picture | None = None) -> str:
        """Note, before the first claim, where to look for open work if this run dies; return the note's key.

        `picture`: what exists, so that a lost answer can be settled by what is new.
        """
        key = f"open/{rfc3339(deadline).replace(':', '')}-{self._run}-{secrets.token_hex(4)}"
        self._write_note(key, _Note(list(order_ids), deadline, picture))
        return key

    def open_work(self, now: datetime, *, tidy: bool) -> OpenWork:
        """Return all unfinished work; if `tidy`, drop the notes and pictures that are no longer needed."""
        notes: dict[str, _Note] = {}
        problems: list[str] = []
        for found in self._store.find("open/"):
            if found.key.endswith("/"):
                continue  # what a console makes of a folder
            try:
                note = self._read_note(found.key)
            except JournalUnavailable as failure:
                problems.append(str(failure))
                continue
            if note is not None:
                notes[found.key] = note
        noted = dict.fromkeys(order_id for note in notes.values() for order_id in note.order_ids)
        works = {order_id: self.read_or_hold(order_id) for order_id in noted}
        for key, note in notes.items():
            # The run that wrote the note may still claim until its deadline.
            if tidy and now > note.deadline + SKEW:
                self._tidy(key, note, works)
        unfinished = {order_id: work for order_id, work in works.items() if work.is_unfinished}
        pictures = {key: note.picture for key, note in notes.items() if note.picture is not None}
        return OpenWork(unfinished, pictures, tuple(problems))

    def touched_since(self, moment: datetime, but: Collection[str] = ()) -> list[Work]:
        """Read every journal touched since `moment` (by the storage's clock), `but` for some orders.

        Lists the names of all journals, so it is only for the rare case that a lost answer has a candidate, or that
        orders have come into being since it was lost.
        """
        names = [(found.key.removeprefix("orders/"), found.modified) for found in self._store.find("orders/")]
        wanted = [name for name, at in names if name.isdigit() and at >= moment - SKEW and name not in but]
        return [self.read_or_hold(name) for name in wanted]

    def read_or_hold(self, order_id: str) -> Work:
        """Read a journal; if that fails or it makes no sense, the order is as good as held, and the others go on."""
        try:
            return self.read(order_id)
        except JournalUnreadable:
            return Work(order_id, state=State.HELD, hold=("journal-unreadable", ()))
        except JournalUnavailable as failure:
            return Work(order_id, state=State.HELD, hold=("journal-unavailable", ()), trouble=str(failure))

    def reserve(self, now: datetime, wanted: int, most: int) -> int:
        """Take up to `wanted` of the `most` renewals of this UTC day, and return how many were left to take.

        At most two calls, unless other runs take some at the very same time. What a run takes and does not use, it
        gives back (`give_back`), unless it dies. Raises JournalUnavailable if the count cannot be kept.
        """
        if not wanted or not most:
            return 0
        try:
            return self._reserve(f"days/{now:%Y-%m-%d}", now, wanted, most)
        except JournalUnreadable as failure:
            # It is the day's count that makes no sense, and no order's journal: none is to be held for it.
            raise JournalUnavailable(str(failure)) from failure

    def _reserve(self, key: str, now: datetime, wanted: int, most: int) -> int:
        for _ in range(RESERVE_ATTEMPTS):
            log = self._store.read_log(key)
            granted = max(0, min(wanted, most - sum(_count_in(key, line) for line in log.entries)))
            if not granted:
                return 0
            try:
                self._store.append(key, log.position, self._line(now, "reserved", count=granted))
            except JournalConflict:
                continue
            return granted
        msg = f"{key}: other runs wrote to it in {RESERVE_ATTEMPTS} tries to count the renewals of the day"
        raise JournalUnavailable(msg)

    def give_back(self, day: datetime, now: datetime, unused: int) -> None:
        """Return what was reserved on `day` and not used. Raises JournalUnavailable or JournalConflict."""
        key = f"days/{day:%Y-%m-%d}"
        self._store.append(key, self._store.read_log(key).position, self._line(now, "returned", count=-unused))

    def take_successor(self, order_id: str, new_order_id: str, now: datetime) -> str:
        """Make an order the successor that a person named, unless it is another's; return whose it is.

        Of two events at once, one wins. Raises JournalUnavailable, or JournalConflict when both came at the same time.
        """
        key = f"successors/{new_order_id}"
        log = self._store.read_log(key)
        owner = ""
        for line in log.entries:
            owner = str(json_object(line).get("order_id") or "")
        if not owner:
            self._store.append(key, log.position, self._line(now, "successor", order_id=order_id))
        return owner or order_id

    def leave_successor(self, order_id: str, new_order_id: str, now: datetime) -> None:
        """Undo `take_successor`. Raises JournalUnavailable or JournalConflict."""
        if self.take_successor(order_id, new_order_id, now) == order_id:
            key = f"successors/{new_order_id}"
            self._store.append(key, self._store.read_log(key).position, self._line(now, "successor", order_id=""))

    def was_alerted(self, message_id: str) -> bool:
        """Tell whether a message was noted as sent. Raises JournalUnavailable."""
        return self._store.get(f"alerts/{message_id}") is not None

    def alerted(self, message_id: str, now: datetime) -> None:
        """Note that a message is on the queue, where the order's own journal cannot say so."""
        self._store.put(f"alerts/{message_id}", self._line(now, "told", message_id=message_id))

    def _tidy(self, key: str, note: _Note, works: Mapping[str, Work]) -> None:
        unfinished = [order_id for order_id in note.order_ids if works[order_id].is_unfinished]
        # Only to settle a call is its picture needed.
        wanted = any(works[order_id].state in MAY_HAVE_BOUGHT for order_id in unfinished)
        kept = _Note(unfinished, note.deadline, note.picture if wanted else None)
        if not unfinished:
            self._store.delete(key)
        elif kept != note:
            self._write_note(key, kept)

    def _add(self, work: Work, now: datetime, kind: str, **facts: Any) -> Work:
        line = self._line(now, kind, **facts)
        then = after(work, json_object(line))
        return then._replace(position=self._store.append(f"orders/{work.order_id}", work.position, line))

    def _line(self, now: datetime, kind: str, **facts: Any) -> bytes:
        # The random id makes an entry unique: see `Store.append`.
        entry = {"entry": kind, "at": rfc3339(now), "run": self._run, "id": secrets.token_hex(8), **facts}
        return json.dumps(entry, separators=(",", ":"), ensure_ascii=True).encode()

    def _write_note(self, key: str, note: _Note) -> None:
        body: dict[str, Any] = {"deadline": rfc3339(note.deadline), "orders": note.order_ids}
        if note.picture is not None:
            body["picture"] = sorted(note.picture.ids)
            body["empty_lists"] = sorted(note.picture.empty_lists)
            body["nameless"] = sorted(note.picture.nameless)
        self._store.put(key, json.dumps(body, separators=(",", ":")).encode())

    def _read_note(self, key: str) -> _Note | None:
        body = self._store.get(key)
        if body is None:  # another run has tidied it away since it was listed
            return None
        note = json_object(body)
        try:
            if isinstance(note["orders"], list):
                order_ids = [str(order_id) for order_id in note["orders"]]
                return _Note(order_ids, from_rfc3339(note["deadline"]), _picture_in(note))
        except (KeyError, ValueError, TypeError, AttributeError):
            pass
        msg = f"{key} is not a note of this program"
        raise JournalUnreadable(msg)


def _picture_in(note: Mapping[str, Any]) -> Picture | None:
    if "picture" not in note:
        return None
    ids, empty_lists, nameless = (frozenset(map(str, note[key])) for key in ("picture", "empty_lists", "nameless"))
    return Picture(ids, empty_lists, nameless)


def _count_in(key: str, line: bytes) -> int:
    count = json_object(line).get("count")
    if type(count) is int:
        return count
    msg = f"{key} has a line that counts nothing"
    raise JournalUnreadable(msg)
