"""How far the successor of a renewed order is, as the order book shows it. Pure."""

from datetime import datetime, timedelta

from handler.journal.renewal import Renewal
from handler.orders.book import OrderBook
from handler.orders.order import ISSUED, LIVE
from handler.orders.policy import stand_ins
from handler.outcomes import Word

WATCHED_AFTER_END = timedelta(days=30)
"""So long after the old certificate's end a renewal that never got on is alerted of; then it is given up."""


class Progress(Word):
    """How far a successor is. A status of CAS that is not among these stands for itself."""

    NOT_SHOWN = ""
    """The book does not show it, and need not yet."""
    PAYED = "PAYED"
    """Nobody has applied."""
    NOTACTIVATED = "NOTACTIVATED"
    """Not activated."""
    CHECKING = "CHECKING"
    """The application is in review."""
    CHECKED_FAIL = "CHECKED_FAIL"
    """The application was turned down."""
    REVOKED = "REVOKED"
    """Its certificate was revoked."""
    ISSUED = "ISSUED"
    """Its certificate was in force."""
    REPLACED = "REPLACED"
    """Another certificate for the domain is in force for longer."""
    GONE = "GONE"
    """The book no longer shows it."""
    ABANDONED = "ABANDONED"
    """A month after the old certificate's end it can no longer be issued."""


def progress_of(renewal: Renewal, book: OrderBook, now: datetime, settle: timedelta) -> str:
    """Return the `Progress` of the successor, or its status where CAS has one that is none of these.

    `settle`: how long CAS may take to show a new order.
    """
    if renewal.successor is None or renewal.claim is None:
        return Progress.NOT_SHOWN
    new = book.get(renewal.successor.id)
    if new is not None and new.status in ISSUED:
        return Progress.ISSUED
    if is_over(renewal, now) and (new is None or new.status == Progress.REVOKED):
        return Progress.ABANDONED
    old = book.get(renewal.id)
    if old is not None and any(other.status in LIVE for other in stand_ins(old, book)):
        return Progress.REPLACED
    if new is not None:
        return new.status
    return Progress.GONE if now > renewal.successor.at + settle else Progress.NOT_SHOWN


def is_over(renewal: Renewal, now: datetime) -> bool:
    """Tell whether the old certificate of a renewed order ended so long ago that nobody is notified any more."""
    return now > (renewal.claimed().renewable.ends or renewal.succeeded().at) + WATCHED_AFTER_END
