"""Where the renewal of one thing stands, folded from its journal. Pure; `handler.journal.states` draws the states."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnreadable
from handler.journal.entries import Claimed, Followed, Held, Refused
from handler.journal.states import OPEN, State
from handler.runtime.clock import SKEW
from handler.runtime.countdown import LONGEST_RUN

RELEASED = "released"
"""The code of the refusal that stands for a person's word that nothing was purchased."""


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
    """Of the next certificate of an instance: when it expires."""
    identifier: str = ""
    """And its id with the region; empty where nothing has shown it."""


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
    """Attempts since the last release, of an instance for the same base, whose answer was lost and of which nothing was
    found."""
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


def successors(renewals: Iterable[Renewal]) -> dict[str, str]:
    """Return whose successor each order is that is known as one: old order by successor."""
    return {
        renewal.successor.id: renewal.id
        for renewal in renewals
        if renewal.successor is not None and renewal.kind is Kind.ORDER
    }
