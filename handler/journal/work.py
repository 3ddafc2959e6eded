"""Where an old order stands, folded from what its journal says. Pure.

    (none) ──claimed──▶ CLAIMED ──renewed──▶ RENEWED ──published──▶ DONE
                          │  ▲
                          │  └── claimed (next attempt) ──┐
                          ├──refused──▶ REFUSED ──────────┘   nothing was bought
                          └──unknown──▶ UNKNOWN               it may have happened
    CLAIMED and UNKNOWN, once settled by reading, go on with `renewed`, `refused` or `held`; a HELD order waits
    for a person, who goes on with `renewed` (resolve) or `released`. What a person said can be taken back, the
    first until it is published, the second until the next claim.

What follows the renewal is added to the same journal, and changes no state: `observed`, how far the new order is,
and `told`, which other messages are on the queue.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from handler.errors import JournalUnreadable
from handler.runtime.clock import SKEW, from_rfc3339


class State(Enum):
    """Where an old order stands."""

    NONE = "none"
    CLAIMED = "claimed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    RENEWED = "renewed"
    DONE = "done"


RELEASED = "released"
"""The code of the refusal that stands for a person's word that nothing was bought."""

LONGEST_RUN = timedelta(days=1)
"""What Function Compute allows a function at most."""

OPEN = frozenset({State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED})
"""The states that some later run must do something about."""


MAY_HAVE_BOUGHT = frozenset({State.CLAIMED, State.UNKNOWN, State.HELD})
"""The states in which nobody has said yet what came of the call."""


class Claim(NamedTuple):
    """What was true before the call: enough to settle a lost answer and to write the message without CAS."""

    run: str
    deadline: datetime
    """Nobody calls CAS for this claim after it."""
    domain: str
    product_code: str
    instance_id: str
    cert_end: datetime | None
    snapshot_at: datetime
    snapshot: frozenset[str]
    """The orders that existed then, of those that could be mistaken for the successor (`OrderBook.existing`)."""
    picture: str = ""
    """The note that has the ids of all orders that existed then; empty in what older versions wrote."""


class Refusal(NamedTuple):
    """Why nothing was bought, and from when on it may be tried again."""

    code: str
    message: str
    retry_at: datetime
    is_failure: bool = True
    """Whether people must be told: CAS said no, unlike when we ran out of time or settled a lost answer."""


class Renewal(NamedTuple):
    """What was bought."""

    new_order_id: str
    at: datetime
    request_id: str | None
    """The renewal call's; None if its answer was lost and the order was found by reading."""
    how: str = "answer"
    """How it is known: `answer`, `settled` (found by reading) or `person`."""


class Work(NamedTuple):
    """The journal of one old order, read from front to back."""

    order_id: str
    position: int = 0
    state: State = State.NONE
    claim: Claim | None = None
    unknown_since: datetime | None = None
    """When a lost answer was noticed; None if the run died instead."""
    unknown_code: str = ""
    """Why the answer tells nothing; empty if the run died instead."""
    lost: int = 0
    """Attempts since the last release whose answer was lost and of which nothing was found."""
    refusal: Refusal | None = None
    hold: tuple[str, tuple[str, ...]] = ("", ())
    """Why a person is needed, and the orders that might be the successor."""
    renewal: Renewal | None = None
    entries: int = 0
    since: int = 0
    """The number of the entry, from 1, that brought it into its state: tells one refusal from the next."""
    since_at: datetime | None = None
    stage: str = ""
    """Of the new order, as last observed: a status of CAS, or GONE, REPLACED or ABANDONED; empty before that."""
    stage_at: datetime | None = None
    trouble: str = ""
    """Why the journal could not be fetched; then nothing else here is known."""
    told: frozenset[str] = frozenset()
    """The ids of the messages, beside that of the renewal, that are on the queue."""

    @property
    def is_open(self) -> bool:
        """Whether it stands between this order and any new decision."""
        return self.state in OPEN

    @property
    def is_unfinished(self) -> bool:
        """Whether some later run must look at it: open, refused and not told, or renewed and not yet issued."""
        if self.state is State.REFUSED:
            return self.refusal is not None and self.refusal.is_failure and self.failure_id not in self.told
        if self.state is State.DONE:
            return self.stage != "ABANDONED" and self.issued_id not in self.told
        return self.is_open

    @property
    def renewed_id(self) -> str:
        """The id of the message that tells of the renewal."""
        return message_id(self.order_id, self.renewal.new_order_id if self.renewal else "")

    @property
    def failure_id(self) -> str:
        """The id of the message that tells of the failure which the order is in."""
        return f"{self.order_id}-failed-{self.since}"

    @property
    def issued_id(self) -> str:
        """The id of the message that tells that the new certificate is there."""
        return f"{self.renewed_id}-issued"

    def is_lost(self, now: datetime) -> bool:
        """Tell whether only reading can say what happened: the answer was lost, or the run died with the claim."""
        if self.state is State.CLAIMED and self.claim is not None:
            return now > self.claim.deadline + SKEW
        return self.state is State.UNKNOWN

    def is_in_progress(self, now: datetime) -> bool:
        """Tell whether another run may still be at it. A deadline that no run can have is none: see `claim_is_odd`."""
        return self.state is State.CLAIMED and not self.is_lost(now) and not self.claim_is_odd(now)

    def claim_is_odd(self, now: datetime) -> bool:
        """Tell whether the claim's deadline is further ahead than a run can last: some clock was far wrong."""
        return (
            self.state is State.CLAIMED
            and self.claim is not None
            and self.claim.deadline > now + LONGEST_RUN + SKEW + SKEW
        )

    @property
    def may_be_corrected(self) -> bool:
        """Whether all that followed the last claim is what a person said, and nothing came of it yet."""
        if self.state is State.REFUSED:
            return self.refusal is not None and self.refusal.code == RELEASED
        return self.state is State.RENEWED and self.renewal is not None and self.renewal.how == "person"

    def last_effect(self) -> datetime:
        """Return the last moment at which the call could have taken effect. Only for lost work."""
        return self.unknown_since or self.claimed().deadline

    def claimed(self) -> Claim:
        """Return the claim. Raises JournalUnreadable if there is none."""
        if self.claim is None:
            msg = f"order {self.order_id} was never claimed"
            raise JournalUnreadable(msg)
        return self.claim

    def renewed(self) -> Renewal:
        """Return the renewal. Raises JournalUnreadable if there is none."""
        if self.renewal is None:
            msg = f"order {self.order_id} was not renewed"
            raise JournalUnreadable(msg)
        return self.renewal


def message_id(order_id: str, new_order_id: str) -> str:
    """Return the id of the message about a renewal, by which a consumer recognises a repetition."""
    return f"{order_id}-{new_order_id}"


def successors(works: Iterable[Work]) -> dict[str, str]:
    """Return old order by successor, of the works that have one."""
    return {work.renewal.new_order_id: work.order_id for work in works if work.renewal is not None}


_FROM = {
    "claimed": {State.NONE, State.REFUSED},
    "refused": {State.CLAIMED, State.UNKNOWN},
    "unknown": {State.CLAIMED},
    "held": {State.CLAIMED, State.UNKNOWN},
    # REFUSED and RENEWED only where a person may take back what he said: see `Work.may_be_corrected`.
    "released": {State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED},
    "renewed": {State.CLAIMED, State.UNKNOWN, State.HELD, State.REFUSED, State.RENEWED},
    "published": {State.RENEWED},
    "observed": {State.DONE},
    "told": set(State) - {State.NONE},
}


def entry_in(order_id: str, line: bytes) -> Mapping[str, Any]:
    """Read a line of an order's journal. Raises JournalUnreadable if it is no JSON object."""
    entry = json_object(line)
    if not entry:
        msg = f"the journal of order {order_id} has a line that is no JSON object"
        raise JournalUnreadable(msg)
    return entry


def json_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object; anything else comes back as an empty one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def after(work: Work, entry: Mapping[str, Any]) -> Work:
    """Return the work after one more entry, at an unknown position.

    Raises JournalUnreadable for an entry that makes no sense there.
    """
    kind = str(entry.get("entry"))
    corrects = kind in {"released", "renewed"} and work.state in {State.REFUSED, State.RENEWED}
    if work.state not in _FROM.get(kind, ()) or (corrects and not work.may_be_corrected):
        msg = f"the journal of order {work.order_id} has {kind!r} after {work.state.value!r}"
        raise JournalUnreadable(msg)
    try:
        at = from_rfc3339(entry["at"])
        then = _READERS[kind](work, entry, at)._replace(entries=work.entries + 1)
        return then if kind in {"observed", "told"} else then._replace(since=then.entries, since_at=at)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"the journal of order {work.order_id} has a {kind!r} entry that cannot be read: {error!r}"
        raise JournalUnreadable(msg) from None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    msg = f"{value!r:.80} is no text"
    raise TypeError(msg)


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [_text(one) for one in value]
    msg = f"{value!r:.80} is no list"
    raise TypeError(msg)


def _claimed(work: Work, entry: Mapping[str, Any], _at: datetime) -> Work:
    claim = Claim(
        run=_text(entry["run"]),
        deadline=from_rfc3339(entry["deadline"]),
        domain=_text(entry["domain"]),
        product_code=_text(entry["product_code"]),
        instance_id=_text(entry["instance_id"]),
        cert_end=from_rfc3339(entry["cert_end"]) if entry["cert_end"] else None,
        snapshot_at=from_rfc3339(entry["snapshot_at"]),
        snapshot=frozenset(_texts(entry["snapshot"])),
        picture=str(entry.get("picture") or ""),
    )
    return work._replace(
        state=State.CLAIMED, claim=claim, unknown_since=None, unknown_code="", refusal=None, hold=("", ())
    )


def _refused(work: Work, entry: Mapping[str, Any], _at: datetime) -> Work:
    code, message = _text(entry["code"]), _text(entry["message"])
    refusal = Refusal(code, message, from_rfc3339(entry["retry_at"]), bool(entry["failure"]))
    return work._replace(state=State.REFUSED, refusal=refusal, lost=work.lost + bool(entry["lost"]))


def _unknown(work: Work, entry: Mapping[str, Any], at: datetime) -> Work:
    return work._replace(state=State.UNKNOWN, unknown_since=at, unknown_code=str(entry.get("code") or ""))


def _held(work: Work, entry: Mapping[str, Any], _at: datetime) -> Work:
    return work._replace(state=State.HELD, hold=(_text(entry["reason"]), tuple(_texts(entry["candidates"]))))


def _released(work: Work, _entry: Mapping[str, Any], at: datetime) -> Work:
    refusal = Refusal(RELEASED, "a person released it", at, is_failure=False)
    return work._replace(state=State.REFUSED, refusal=refusal, renewal=None, lost=0)


def _renewed(work: Work, entry: Mapping[str, Any], at: datetime) -> Work:
    request_id = None if entry["request_id"] is None else _text(entry["request_id"])
    renewal = Renewal(_text(entry["new_order_id"]), at, request_id, str(entry.get("how") or "answer"))
    return work._replace(state=State.RENEWED, renewal=renewal, refusal=None)


def _published(work: Work, _entry: Mapping[str, Any], _at: datetime) -> Work:
    return work._replace(state=State.DONE)


def _observed(work: Work, entry: Mapping[str, Any], at: datetime) -> Work:
    return work._replace(stage=str(entry["stage"]), stage_at=at)


def _told(work: Work, entry: Mapping[str, Any], _at: datetime) -> Work:
    return work._replace(told=work.told | {str(entry["message_id"])})


_READERS = {
    "claimed": _claimed,
    "refused": _refused,
    "unknown": _unknown,
    "held": _held,
    "released": _released,
    "renewed": _renewed,
    "published": _published,
    "observed": _observed,
    "told": _told,
}
