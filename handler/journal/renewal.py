"""Where the renewal of one thing stands, folded from its journal. Pure; `handler.journal.states` draws the states."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnreadable
from handler.journal.entries import (
    KIND_OF,
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
    Written,
)
from handler.journal.states import State
from handler.runtime.clock import SKEW

RELEASED = "released"
"""The code of the refusal that stands for a person's word that nothing was purchased."""

LONGEST_RUN = timedelta(days=1)
"""What Function Compute allows a function at most."""

OPEN = frozenset({State.CLAIMED, State.UNKNOWN, State.HELD, State.RENEWED})
"""The states that some later run must do something about."""

MAY_HAVE_PURCHASED = frozenset({State.CLAIMED, State.UNKNOWN, State.HELD})
"""The states in which nobody has said yet what came of the call."""


class Successor(NamedTuple):
    """What follows, once it is purchased."""

    id: str
    at: datetime
    """When that was recorded."""
    request_id: str | None = None
    """That of the purchase; None if its answer was lost and the order was found by reading."""
    how: str = "answer"
    """How it is known: `answer`, `settled` (found by reading) or `person`."""
    ends: datetime | None = None
    """Of an instance: when its next certificate expires."""


class Renewal(NamedTuple):
    """One journal, read from front to back."""

    id: str
    """Of what is renewed."""
    position: int = 0
    """Where its journal ends, as `Store.append` wants to hear it."""
    state: State = State.NONE
    kind: Kind = Kind.ORDER
    claim: Claimed | None = None
    unknown_since: datetime | None = None
    """When a lost answer was noticed; None if the run died instead."""
    unknown_code: str = ""
    """Why the answer tells nothing; empty if the run died instead."""
    lost: int = 0
    """Attempts since the last release whose answer was lost and of which nothing was found."""
    refusal: Refused | None = None
    hold: Held | None = None
    successor: Successor | None = None
    base: Followed | None = None
    """Of an instance: the certificate that is to be replaced."""
    applied_at: datetime | None = None
    """Of an instance: when it was recorded that the application for that base is in."""
    applied_for: frozenset[str] = frozenset()
    """Of an instance: the bases for which an application went in; for each there is one, unless a person says so."""
    entries: int = 0
    since: int = 0
    """The number of the entry, from 1, that brought it into its state: tells one refusal from the next."""
    since_at: datetime | None = None
    progress: str = ""
    """How far the successor was when last observed, a `Progress`; empty before that."""
    progress_at: datetime | None = None
    trouble: str = ""
    """Why the journal could not be read or written; then it need not hold what is said here."""
    notified: frozenset[str] = frozenset()
    """The ids of the messages, beside that about the successor, that are on the queue."""

    @property
    def renewable(self) -> Renewable:
        """What is renewed, as the claim or the base has it; before one, nothing but its id is known."""
        known = self.claim or self.base
        return known.renewable if known else Renewable(self.kind, self.id, is_known=False)

    @property
    def pair(self) -> str:
        """Both orders, as `<old>-<successor>`: the id of the message about the successor."""
        return f"{self.id}-{self.successor.id if self.successor else ''}"

    @property
    def is_open(self) -> bool:
        """Whether it stands between its renewable and any new decision."""
        return self.state in OPEN

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

    def may_be_claimed(self, claim: Claimed) -> bool:
        """Tell whether this claim may follow. An order is done for ever, an instance is once for each base."""
        if self.kind is Kind.INSTANCE:
            return claim.certificate_id not in self.applied_for
        return self.state in {State.NONE, State.REFUSED}

    @property
    def may_be_corrected(self) -> bool:
        """Whether all that followed the last claim is what a person said, and nothing came of it yet."""
        if self.state is State.REFUSED:
            return self.refusal is not None and self.refusal.code == RELEASED
        return self.state is State.RENEWED and self.successor is not None and self.successor.how == "person"

    def last_effect(self) -> datetime:
        """Return the last moment at which the call could have taken effect. Only for a lost one."""
        return self.unknown_since or self.claimed().deadline

    def claimed(self) -> Claimed:
        """Return the claim. Raises JournalUnreadable if there is none."""
        if self.claim is None:
            msg = f"{self.kind.value} {self.id} was never claimed"
            raise JournalUnreadable(msg)
        return self.claim

    def succeeded(self) -> Successor:
        """Return the successor. Raises JournalUnreadable if there is none."""
        if self.successor is None:
            msg = f"{self.kind.value} {self.id} was not renewed"
            raise JournalUnreadable(msg)
        return self.successor

    def after(self, written: Written) -> "Renewal":
        """Return the renewal after one more entry, at an unknown position.

        Raises JournalUnreadable for an entry that makes no sense there.
        """
        entry, at = written
        kind = KIND_OF[type(entry)]
        corrects = isinstance(entry, (Released, Renewed)) and self.state in {State.REFUSED, State.RENEWED}
        is_astray = (corrects and not self.may_be_corrected) or (
            isinstance(entry, Claimed) and not self.may_be_claimed(entry)
        )
        if self.state not in kind.follows or is_astray:
            msg = f"the journal of {self.kind.value} {self.id} has {kind.name!r} after {self.state.value!r}"
            raise JournalUnreadable(msg)
        then = _AFTER[type(entry)](self, entry, at)._replace(entries=self.entries + 1)
        return then if isinstance(entry, (Observed, Notified)) else then._replace(since=then.entries, since_at=at)


def successors(renewals: Iterable[Renewal]) -> dict[str, str]:
    """Return whose successor each order is that is known as one: old order by successor."""
    return {renewal.successor.id: renewal.id for renewal in renewals if renewal.successor is not None}


def _claimed(renewal: Renewal, entry: Claimed, _at: datetime) -> Renewal:
    then = renewal._replace(
        state=State.CLAIMED, claim=entry, unknown_since=None, unknown_code="", refusal=None, hold=None
    )
    if renewal.kind is not Kind.INSTANCE:
        return then
    is_next = renewal.claim is None or renewal.claim.certificate_id != entry.certificate_id
    base = Followed(entry.renewable, entry.certificate_id)
    return _rebased(then, base)._replace(claim=entry, lost=0 if is_next else renewal.lost)


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
    return renewal._replace(base=base, applied_at=None, successor=None, progress="", progress_at=None)


def _issued(renewal: Renewal, entry: Issued, at: datetime) -> Renewal:
    return renewal._replace(state=State.DONE, successor=Successor(entry.certificate_id, at, ends=entry.ends))


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
