"""What a journal can say: each kind of entry with its fields. `handler.journal.entry_kinds` writes and reads them."""

from datetime import datetime
from typing import NamedTuple

from handler.certificates.renewable import Renewable


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
    identifier: str = ""
    """That id with the region; empty where nothing has shown it."""


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
