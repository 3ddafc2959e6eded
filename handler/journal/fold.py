"""From one entry of a journal to the next: what each does to where a renewal stands. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from handler.certificates.renewable import Kind
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
from handler.journal.entry_kinds import KIND_OF, Written
from handler.journal.renewal import RELEASED, Renewal, Successor
from handler.journal.states import State


def after(renewal: Renewal, written: Written) -> Renewal:
    """Return the renewal after one more entry, at an unknown position.

    Raises JournalUnreadable for an entry that makes no sense there.
    """
    entry, at = written
    kind = KIND_OF[type(entry)]
    corrects = isinstance(entry, (Released, Renewed)) and renewal.state in {State.REFUSED, State.RENEWED}
    is_astray = (corrects and not renewal.may_be_corrected) or (
        isinstance(entry, Claimed) and not renewal.may_be_claimed(entry)
    )
    if renewal.state not in kind.follows or is_astray:
        msg = f"the journal of {renewal.kind.value} {renewal.id} has {kind.name!r} after {renewal.state.value!r}"
        raise JournalUnreadable(msg)
    then = _AFTER[type(entry)](renewal, entry, at)._replace(entries=renewal.entries + 1)
    return then if isinstance(entry, (Observed, Notified)) else then._replace(since=then.entries, since_at=at)


def _claimed(renewal: Renewal, entry: Claimed, _at: datetime) -> Renewal:
    then = renewal._replace(
        state=State.CLAIMED, claim=entry, unknown_since=None, unknown_code="", refusal=None, hold=None
    )
    if renewal.kind is not Kind.INSTANCE:
        return then
    return _rebased(then, Followed(entry.renewable, entry.certificate_id))


def _refused(renewal: Renewal, entry: Refused, _at: datetime) -> Renewal:
    return renewal._replace(state=State.REFUSED, refusal=entry, lost=renewal.lost + entry.is_lost)


def _unknown(renewal: Renewal, entry: Unknown, at: datetime) -> Renewal:
    return renewal._replace(state=State.UNKNOWN, unknown_since=at, unknown_code=entry.code)


def _held(renewal: Renewal, entry: Held, _at: datetime) -> Renewal:
    return renewal._replace(state=State.HELD, hold=entry)


def _released(renewal: Renewal, _entry: Released, at: datetime) -> Renewal:
    refusal = Refused(RELEASED, "a person released it", at, is_failure=False)
    again = renewal.applied_for - {renewal.base.certificate_id} if renewal.base else renewal.applied_for
    return renewal._replace(
        state=State.REFUSED, refusal=refusal, hold=None, successor=None, lost=0, applied_at=None, applied_for=again
    )


def _applied(renewal: Renewal, _entry: Applied, at: datetime) -> Renewal:
    base = renewal.claimed().certificate_id
    return renewal._replace(
        state=State.APPLIED, applied_at=at, applied_for=renewal.applied_for | {base}, refusal=None, hold=None
    )


def _renewed(renewal: Renewal, entry: Renewed, at: datetime) -> Renewal:
    successor = Successor(entry.successor_id, at, entry.request_id, entry.how)
    return renewal._replace(state=State.RENEWED, successor=successor, refusal=None)


def _published(renewal: Renewal, _entry: Published, _at: datetime) -> Renewal:
    return renewal._replace(state=State.DONE)


def _followed(renewal: Renewal, entry: Followed, _at: datetime) -> Renewal:
    return _rebased(renewal, entry)._replace(state=State.FOLLOWED, claim=None, refusal=None)


def _rebased(renewal: Renewal, base: Followed) -> Renewal:
    is_same = renewal.base is not None and renewal.base.certificate_id == base.certificate_id
    lost = renewal.lost if is_same else 0
    return renewal._replace(base=base, lost=lost, applied_at=None, successor=None, progress="", progress_at=None)


def _issued(renewal: Renewal, entry: Issued, at: datetime) -> Renewal:
    successor = Successor(entry.certificate_id, at, ends=entry.ends, identifier=entry.identifier)
    return renewal._replace(state=State.DONE, successor=successor)


def _observed(renewal: Renewal, entry: Observed, at: datetime) -> Renewal:
    return renewal._replace(progress=entry.progress, progress_at=at)


def _notified(renewal: Renewal, entry: Notified, _at: datetime) -> Renewal:
    return renewal._replace(notified=renewal.notified | {entry.message_id})


_AFTER: dict[type[Entry], Callable[[Renewal, Any, datetime], Renewal]] = {
    Claimed: _claimed,
    Refused: _refused,
    Unknown: _unknown,
    Held: _held,
    Released: _released,
    Renewed: _renewed,
    Applied: _applied,
    Published: _published,
    Followed: _followed,
    Issued: _issued,
    Observed: _observed,
    Notified: _notified,
}
"""What each kind of entry does to the state."""
