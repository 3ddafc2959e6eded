"""The kinds of entries of a journal: each once, with the states that it may follow, and its JSON.

`handler.journal.states` draws the states. The format is for ever: an entry that a version has written is read by all
later ones. So fields are only added, and a field that older entries lack has a default.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnreadable
from handler.journal.entries import (
    Applied,
    Claimed,
    Entry,
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
from handler.journal.fields import FLAG, IDS, MOMENT, TEXT, TEXT_OR_NONE, Field, json_object, loose, text, texts
from handler.journal.states import State
from handler.runtime.clock import from_rfc3339, rfc3339

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
        **({"certificate_id": claim.certificate_id} if claim.certificate_id else {}),
    }


def _read_claim(facts: Facts, kind: Kind, id_: str) -> Claimed:
    domain, product, instance = (text(facts[key]) for key in ("domain", "product_code", "instance_id"))
    ends = from_rfc3339(facts["cert_end"]) if facts["cert_end"] else None
    text(facts["run"])
    certificate_id = text(facts["certificate_id"]) if kind is Kind.INSTANCE else ""
    if kind is Kind.INSTANCE and not certificate_id:
        msg = "it names no certificate that is to be replaced"
        raise ValueError(msg)
    return Claimed(
        Renewable(kind, id_, domain, product, instance, ends),
        from_rfc3339(facts["deadline"]),
        from_rfc3339(facts["snapshot_at"]),
        frozenset(texts(facts["snapshot"])),
        str(facts.get("picture") or ""),
        certificate_id,
    )


def _write_followed(entry: Followed) -> dict[str, Any]:
    of = entry.renewable
    ends = rfc3339(of.ends) if of.ends else None
    return {"certificate_id": entry.certificate_id, "domain": of.domain, "product_code": of.product, "cert_end": ends}


def _read_followed(facts: Facts, kind: Kind, id_: str) -> Followed:
    domain, product = text(facts["domain"]), text(facts["product_code"])
    ends = from_rfc3339(facts["cert_end"]) if facts["cert_end"] else None
    return Followed(Renewable(kind, id_, domain, product, id_, ends), text(facts["certificate_id"]))


def _write_issued(entry: Issued) -> dict[str, Any]:
    shown = {"cert_identifier": entry.identifier} if entry.identifier else {}
    return {"certificate_id": entry.certificate_id, "cert_end": rfc3339(entry.ends), **shown}


def _read_issued(facts: Facts, _kind: Kind, _id: str) -> Issued:
    identifier = text(facts.get("cert_identifier", ""))
    return Issued(text(facts["certificate_id"]), from_rfc3339(facts["cert_end"]), identifier)


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
    _kind("released", Released, {_S.CLAIMED, _S.UNKNOWN, _S.HELD, _S.RENEWED, _S.APPLIED}),
    _kind(
        "renewed",
        Renewed,
        {_S.CLAIMED, _S.UNKNOWN, _S.HELD, _S.REFUSED, _S.RENEWED},
        new_order_id=TEXT,
        how=loose("answer"),
        request_id=TEXT_OR_NONE,
    ),
    _kind("applied", Applied, {_S.CLAIMED, _S.UNKNOWN, _S.HELD}, how=TEXT, request_id=TEXT_OR_NONE),
    _kind("published", Published, {_S.RENEWED}, message_id=loose(), smq_message_id=loose()),
    EntryKind(
        "followed",
        Followed,
        frozenset({_S.NONE, _S.REFUSED, _S.DONE, _S.FOLLOWED, _S.APPLIED}),
        _write_followed,
        _read_followed,
    ),
    EntryKind("issued", Issued, frozenset({_S.FOLLOWED, _S.APPLIED}), _write_issued, _read_issued),
    _kind("observed", Observed, {_S.DONE, _S.FOLLOWED, _S.APPLIED}, stage=Field(str, str)),
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
