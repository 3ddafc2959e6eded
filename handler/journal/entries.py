"""The entries of a journal: each kind once, with its fields, the states that it may follow, and its JSON.

`handler.journal.states` draws the states. The format is for ever: an entry that a version has written is read by all
later ones. So fields are only added, and a field that older entries lack has a default.
"""

from datetime import datetime
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnreadable
from handler.journal.entry_kind import EntryKind, Facts, kind_of_fields
from handler.journal.fields import FLAG, IDS, MOMENT, TEXT, TEXT_OR_NONE, Field, json_object, loose, text, texts
from handler.journal.states import State
from handler.runtime.clock import from_rfc3339, rfc3339


class Claimed(NamedTuple):
    """Before the call: this run is about to purchase or to apply. Enough to settle a lost answer, and to tell of it."""

    renewable: Renewable
    deadline: datetime
    """Nobody calls CAS for this claim after it."""
    snapshot_at: datetime
    snapshot: frozenset[str]
    """The orders that existed then, of those that could be mistaken for the successor (`OrderBook.existing`)."""
    picture: str = ""
    """The note that has the ids of all orders that existed then; empty in what older versions wrote."""
    certificate_id: str = ""
    """Of an instance: its newest certificate, which is to be replaced, the *base*. Then there is no snapshot."""


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


class Applied(NamedTuple):
    """An application for the next certificate of an instance is in."""

    how: str = "answer"
    """How it is known: `answer`, or `settled` (found by reading)."""
    request_id: str | None = None
    """That of the application; None if its answer was lost."""


class Published(NamedTuple):
    """The message about the successor is on the queue."""

    message_id: str
    smq_message_id: str
    """The id that the queue gave it."""


class Followed(NamedTuple):
    """Somebody else gets the next certificate of an instance: the platform that hosts it, or whoever has applied."""

    renewable: Renewable
    """With the end of the certificate that is to be replaced."""
    certificate_id: str
    """Of that certificate, the *base*."""


class Issued(NamedTuple):
    """The next certificate of an instance is there."""

    certificate_id: str
    ends: datetime


class Observed(NamedTuple):
    """How far the successor is."""

    progress: str


class Notified(NamedTuple):
    """Another message about it is on the queue."""

    message_id: str


Entry = (
    Claimed
    | Refused
    | Unknown
    | Held
    | Released
    | Renewed
    | Applied
    | Published
    | Followed
    | Issued
    | Observed
    | Notified
)


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
        **({"certificate_id": claim.certificate_id} if claim.certificate_id else {}),
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
        text(facts["certificate_id"]) if kind is Kind.INSTANCE else "",
    )


def _write_followed(entry: Followed) -> dict[str, Any]:
    of = entry.renewable
    ends = rfc3339(of.ends) if of.ends else None
    return {"certificate_id": entry.certificate_id, "domain": of.domain, "product_code": of.product, "cert_end": ends}


def _read_followed(facts: Facts, kind: Kind, id_: str) -> Followed:
    domain, product = text(facts["domain"]), text(facts["product_code"])
    ends = from_rfc3339(facts["cert_end"]) if facts["cert_end"] else None
    return Followed(Renewable(kind, id_, domain, product, id_, ends), text(facts["certificate_id"]))


_S = State
ENTRIES = (
    # After more than these two only of an instance, and for another base: see `Renewal.may_be_claimed`.
    EntryKind(
        "claimed",
        Claimed,
        frozenset({_S.NONE, _S.REFUSED, _S.FOLLOWED, _S.APPLIED, _S.DONE}),
        _write_claim,
        _read_claim,
    ),
    kind_of_fields(
        "refused",
        Refused,
        {_S.CLAIMED, _S.UNKNOWN},
        code=TEXT,
        message=TEXT,
        retry_at=MOMENT,
        failure=FLAG,
        lost=FLAG,
    ),
    kind_of_fields("unknown", Unknown, {_S.CLAIMED}, code=loose(), message=loose()),
    kind_of_fields("held", Held, {_S.CLAIMED, _S.UNKNOWN}, reason=TEXT, candidates=IDS),
    # From REFUSED and RENEWED only where a person may take back what he said: see `Renewal.may_be_corrected`.
    kind_of_fields("released", Released, {_S.CLAIMED, _S.UNKNOWN, _S.HELD, _S.RENEWED, _S.APPLIED}),
    kind_of_fields(
        "renewed",
        Renewed,
        {_S.CLAIMED, _S.UNKNOWN, _S.HELD, _S.REFUSED, _S.RENEWED},
        new_order_id=TEXT,
        how=loose("answer"),
        request_id=TEXT_OR_NONE,
    ),
    kind_of_fields("applied", Applied, {_S.CLAIMED, _S.UNKNOWN, _S.HELD}, how=TEXT, request_id=TEXT_OR_NONE),
    kind_of_fields("published", Published, {_S.RENEWED}, message_id=loose(), smq_message_id=loose()),
    EntryKind(
        "followed",
        Followed,
        frozenset({_S.NONE, _S.REFUSED, _S.DONE, _S.FOLLOWED, _S.APPLIED}),
        _write_followed,
        _read_followed,
    ),
    kind_of_fields("issued", Issued, {_S.FOLLOWED, _S.APPLIED}, certificate_id=TEXT, cert_end=MOMENT),
    kind_of_fields("observed", Observed, {_S.DONE, _S.FOLLOWED, _S.APPLIED}, stage=Field(str, str)),
    kind_of_fields("told", Notified, set(State) - {_S.NONE}, message_id=Field(str, str)),
)
"""Every kind. A new one is its class, a line here, and in `renewal.py` what it does to the state."""
_BY_NAME = {kind.name: kind for kind in ENTRIES}
KIND_OF: dict[type[Any], EntryKind] = {kind.type: kind for kind in ENTRIES}


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
