"""The steps that a renewal can take, by the entries that record them, and the states that they lead to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from handler.journal.entries import (
    Applied,
    Claimed,
    Followed,
    Held,
    Issued,
    Notified,
    Observed,
    Published,
    Refused,
    Released,
    Renewed,
    Unknown,
)
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenNotes
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outbox.instance_messages import applied_id
from handler.outbox.messages import failed_id, issued_id, renewed_id
from handler.run.unfinished import is_unfinished
from tests.examples import DAY, HOUR, MINUTE, NEW, NOW, OLD, OTHER, renewable
from tests.memory_store import MemoryStore

DEADLINE = NOW + 5 * MINUTE
SKEW = MINUTE
THIRD = "123451444"
NEWER = "98987582437920969"
BASE, NEXT = "20000000", "20000001"
"""The certificate of a followed instance, and the one that replaces it."""
EXISTED = Picture(frozenset({OLD, OTHER, THIRD}), frozenset({"BUY"}))
REFUSAL = Refused("OrderStateError", "the order's state does not allow it: 订单状态错误", NOW + 20 * HOUR)

Step = Callable[[Journal, Renewal, datetime], Renewal]
STEPS: dict[str, Step] = {
    "claimed": lambda j, r, now: j.record(r, Claimed(renewable(r.id), now + 5 * MINUTE, now, frozenset({OLD})), now),
    "refused": lambda j, r, now: j.record(r, REFUSAL, now),
    "nothing bought": lambda j, r, now: j.record(r, REFUSAL._replace(is_lost=True), now),
    "unknown": lambda j, r, now: j.record(r, Unknown("no-answer", "ReadTimeout"), now),
    "held": lambda j, r, now: j.record(r, Held("several-candidates", ("9", "10")), now),
    "released": lambda j, r, now: j.record(r, Released(), now),
    "renewed": lambda j, r, now: j.record(r, Renewed(NEW, "answer", "request-of-cas"), now),
    "named": lambda j, r, now: j.record(r, Renewed(NEWER, "person"), now),
    "applied": lambda j, r, now: j.record(r, Applied("answer", "request-of-cas"), now),
    "published": lambda j, r, now: j.record(r, Published(renewed_id(r), "smq-1"), now),
    "followed": lambda j, r, now: j.record(r, Followed(renewable(r.id, instance=r.id), BASE), now),
    "issued": lambda j, r, now: j.record(r, Issued(NEXT, now + 200 * DAY), now),
}
LEADS_TO = {
    "claimed": State.CLAIMED,
    "refused": State.REFUSED,
    "nothing bought": State.REFUSED,
    "unknown": State.UNKNOWN,
    "held": State.HELD,
    "released": State.REFUSED,
    "renewed": State.RENEWED,
    "named": State.RENEWED,
    "applied": State.APPLIED,
    "published": State.DONE,
    "followed": State.FOLLOWED,
    "issued": State.DONE,
}
ALLOWED = {
    State.NONE: {"claimed", "followed"},
    State.CLAIMED: {"refused", "nothing bought", "unknown", "held", "released", "renewed", "named", "applied"},
    State.REFUSED: {"claimed", "followed"},
    State.UNKNOWN: {"refused", "nothing bought", "held", "released", "renewed", "named", "applied"},
    State.HELD: {"released", "renewed", "named", "applied"},
    State.RENEWED: {"published"},
    State.DONE: {"followed"},
    State.FOLLOWED: {"followed", "issued"},
    State.APPLIED: {"followed", "issued", "released"},
}
"""What may follow what CAS said, or what was found by reading."""
CORRECTIONS = {
    "released": {"claimed", "renewed", "named", "followed"},
    "named": {"released", "renewed", "named", "published"},
}
"""What may follow what a person said, while nothing came of it yet."""
PATHS: dict[State, list[str]] = {
    State.NONE: [],
    State.CLAIMED: ["claimed"],
    State.REFUSED: ["claimed", "refused"],
    State.UNKNOWN: ["claimed", "unknown"],
    State.HELD: ["claimed", "unknown", "held"],
    State.RENEWED: ["claimed", "renewed"],
    State.DONE: ["claimed", "renewed", "published"],
    State.FOLLOWED: ["followed"],
    State.APPLIED: ["claimed", "applied"],
}


def brought_to(state: State, journal: Journal, order_id: str = OLD, now: datetime = NOW) -> Renewal:
    renewal = journal.read(order_id)
    for step in PATHS[state]:
        renewal = STEPS[step](journal, renewal, now)
    assert renewal.state is state
    return renewal


def allowed_after(renewal: Renewal, last: str) -> set[str]:
    return CORRECTIONS.get(last, ALLOWED[renewal.state])


def finished(state: State, journal: Journal, order_id: str = OLD) -> Renewal:
    """Bring a renewal to a closed state in which there is nobody left to notify either."""
    renewal = brought_to(state, journal, order_id)
    if state is State.DONE:
        renewal = journal.record(renewal, Observed("ISSUED"), NOW)
    if state is State.APPLIED:
        renewal = journal.record(renewal, Notified(applied_id(renewal)), NOW)
    if state in {State.FOLLOWED, State.APPLIED}:
        return journal.record(renewal, Observed("ABANDONED"), NOW)
    if state is not State.NONE:
        message_id = issued_id(renewal) if state is State.DONE else failed_id(renewal)
        renewal = journal.record(renewal, Notified(message_id), NOW)
    return renewal


def notes_of(store: MemoryStore, run: str = "request-1") -> OpenNotes:
    """Return the notes as a run sees them."""
    return OpenNotes(store, Journal(store, run), run, is_unfinished)


def claimed_line(**changed: Any) -> bytes:
    """Return the line of a claim with other fields; `(left out)` for one that is not there."""
    store = MemoryStore()
    brought_to(State.CLAIMED, Journal(store, "request-1"))
    entry = json.loads(store.logs[f"orders/{OLD}"][0]) | changed
    return json.dumps({key: value for key, value in entry.items() if value != "(left out)"}).encode()
