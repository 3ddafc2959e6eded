"""The entries of a journal: each kind once, with its fields, the states that it may follow, and its JSON.

    (none) ──claimed──▶ CLAIMED ──renewed──▶ RENEWED ──published──▶ DONE
                          │  ▲
                          │  └── claimed (next attempt) ──┐
                          ├──refused──▶ REFUSED ──────────┘   nothing was purchased
                          └──unknown──▶ UNKNOWN               it may have happened
    CLAIMED and UNKNOWN, once settled by reading, go on with `renewed`, `refused` or `held`; a HELD renewal waits for a
    person, who goes on with `renewed` or `released`. What a person said can be taken back, the first until it is
    published, the second until the next claim.

What follows the purchase is added to the same journal, and changes no state: `observed`, how far the successor is, and
`told`, which other messages are on the queue.

The format is for ever: an entry that a version has written is read by all later ones. So fields are only added, and a
field that older entries lack has a default.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnreadable
from handler.journal.fields import FLAG, IDS, MOMENT, TEXT, TEXT_OR_NONE, Field, json_object, loose, text, texts
from handler.runtime.clock import from_rfc3339, rfc3339


class State(Enum):
    """Where a renewal stands."""

    NONE = "none"
    """Nothing is recorded."""
    CLAIMED = "claimed"
    """A run is about to purchase, or has died with the claim."""
    REFUSED = "refused"
    """Nothing was purchased; from then on, or from later on, it may be claimed again."""
    UNKNOWN = "unknown"
    """The answer was lost: it may have been purchased."""
    HELD = "held"
    """It needs a decision."""
    RENEWED = "renewed"
    """There is a successor, and the message about it is not known to be on the queue."""
    DONE = "done"
    """The message about the successor is on the queue."""


class Claimed(NamedTuple):
    """Before the call: this run is about to purchase. Enough to settle a lost answer, and to write the message."""

    renewable: Renewable
    deadline: datetime
    """Nobody calls CAS for this claim after it."""
    snapshot_at: datetime
    snapshot: frozenset[str]
    """The orders that existed then, of those that could be mistaken for the successor (`OrderBook.existing`)."""
    picture: str = ""
    """The note that has the ids of all orders that existed then; empty in what older versions wrote."""


class Refused(NamedTuple):
    """Nothing was purchased, and from when on it may be tried again."""

    code: str
    message: str
    retry_at: datetime
    is_failure: bool = True
    """Whether people must be notified: CAS said no, unlike when time ran out or a lost answer was settled."""
    is_lost: bool = False
    """Whether the answer was lost, and reading found nothing."""


class Unknown(NamedTuple):
    """The call may or may not have taken effect until this entry's time."""

    code: str = ""
    """Why the answer tells nothing."""
    message: str = ""


class Held(NamedTuple):
    """It needs a decision: only a person can say what happened."""

    reason: str
    candidates: tuple[str, ...] = ()
    """The orders that might be the successor."""


class Released(NamedTuple):
    """A person said that nothing was purchased."""


class Renewed(NamedTuple):
    """There is a successor."""

    successor_id: str
    how: str = "answer"
    """How it is known: `answer`, `settled` (found by reading) or `person`."""
    request_id: str | None = None
    """That of the purchase; None if its answer was lost."""


class Published(NamedTuple):
    """The message about the successor is on the queue."""

    message_id: str
    smq_message_id: str
    """The id that the queue gave it."""


class Observed(NamedTuple):
    """How far the successor is."""

    progress: str


class Notified(NamedTuple):
    """Another message about it is on the queue."""

    message_id: str


Entry = Claimed | Refused | Unknown | Held | Released | Renewed | Published | Observed | Notified
Facts = Mapping[str, Any]
"""The fields of an entry as they stand in its JSON, with those of every entry: `entry`, `at`, `run` and `id`."""


class EntryKind(NamedTuple):
    """One kind of entry, whole."""

    name: str
    """What stands under `entry`."""
    type: type[Entry]
    follows: frozenset[State]
    """The states that it may follow."""
    write: Callable[[Any], dict[str, Any]]
    """From the entry to its own fields."""
    read: Callable[[Facts, Kind, str], Entry]
    """From the fields, in the journal of that kind and id, to the entry. KeyError, TypeError, ValueError or
    AttributeError for what makes no sense."""


def _kind(name: str, type_: Callable[..., Entry], follows: Collection[State], **fields: Field) -> EntryKind:
    """Return a kind whose fields in JSON, in this order, are those of its class."""

    def write(entry: tuple[Any, ...]) -> dict[str, Any]:
        return {key: field.write(value) for (key, field), value in zip(fields.items(), entry, strict=True)}

    def read(facts: Facts, _kind: Kind, _id: str) -> Entry:
        lacks = [key for key, field in fields.items() if field.default is ... and key not in facts]
        if lacks:
            raise KeyError(lacks[0])
        return type_(*(field.read(facts.get(key, field.default)) for key, field in fields.items()))

    return EntryKind(name, type_, frozenset(follows), write, read)  # type: ignore[arg-type]


def _write_claim(claim: Claimed) -> dict[str, Any]:
    of = claim.renewable
    return {
        "deadline": rfc3339(claim.deadline),
        "domain": of.domain,
        "product_code": of.product,
        "instance_id": of.instance,
        "cert_end": rfc3339(of.ends) if of.ends else None,
        "snapshot_at": rfc3339(claim.snapshot_at),
        "snapshot": sorted(claim.snapshot),
        "picture": claim.picture,
    }


def _read_claim(facts: Facts, kind: Kind, id_: str) -> Claimed:
    domain, product, instance = (text(facts[key]) for key in ("domain", "product_code", "instance_id"))
    ends = from_rfc3339(facts["cert_end"]) if facts["cert_end"] else None
    text(facts["run"])
    return Claimed(
        Renewable(kind, id_, domain, product, instance, ends),
        from_rfc3339(facts["deadline"]),
        from_rfc3339(facts["snapshot_at"]),
        frozenset(texts(facts["snapshot"])),
        str(facts.get("picture") or ""),
    )


_S = State
ENTRIES = (
    EntryKind("claimed", Claimed, frozenset({_S.NONE, _S.REFUSED}), _write_claim, _read_claim),
    _kind(
        "refused",
        Refused,
        {_S.CLAIMED, _S.UNKNOWN},
        code=TEXT,
        message=TEXT,
        retry_at=MOMENT,
        failure=FLAG,
        lost=FLAG,
    ),
    _kind("unknown", Unknown, {_S.CLAIMED}, code=loose(), message=loose()),
    _kind("held", Held, {_S.CLAIMED, _S.UNKNOWN}, reason=TEXT, candidates=IDS),
    # From REFUSED and RENEWED only where a person may take back what he said: see `Renewal.may_be_corrected`.
    _kind("released", Released, {_S.CLAIMED, _S.UNKNOWN, _S.HELD, _S.RENEWED}),
    _kind(
        "renewed",
        Renewed,
        {_S.CLAIMED, _S.UNKNOWN, _S.HELD, _S.REFUSED, _S.RENEWED},
        new_order_id=TEXT,
        how=loose("answer"),
        request_id=TEXT_OR_NONE,
    ),
    _kind("published", Published, {_S.RENEWED}, message_id=loose(), smq_message_id=loose()),
    _kind("observed", Observed, {_S.DONE}, stage=Field(str, str)),
    _kind("told", Notified, set(State) - {_S.NONE}, message_id=Field(str, str)),
)
"""Every kind. A new one is its class, a line here, and in `renewal.py` what it does to the state."""
_BY_NAME = {kind.name: kind for kind in ENTRIES}
KIND_OF: dict[type[Entry], EntryKind] = {kind.type: kind for kind in ENTRIES}


class Written(NamedTuple):
    """An entry as it stands in a journal."""

    entry: Entry
    at: datetime
    """By the clock of the run that wrote it."""


def entry_in(line: bytes, kind: Kind, id_: str) -> Written:
    """Read a line of the journal of `id_`. Raises JournalUnreadable for one that makes no sense."""
    facts = json_object(line)
    name = str(facts.get("entry"))
    if name not in _BY_NAME:
        msg = f"the journal of {kind.value} {id_} has a line that is no entry of this program: {name[:80]!r}"
        raise JournalUnreadable(msg)
    try:
        return Written(_BY_NAME[name].read(facts, kind, id_), from_rfc3339(facts["at"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"the journal of {kind.value} {id_} has a {name!r} entry that cannot be read: {error!r}"
        raise JournalUnreadable(msg) from None
