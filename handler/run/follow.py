"""What comes after the purchase: renewed and published, and not yet issued.

A successor waits for an application, its review and the certificate. Each run that reads the orders looks at those that
were renewed earlier, in the order book that it has read anyway, and notifies of what is new. Each fact is recorded, so
that people are notified of it once, and after a crash again with the same id.
"""

from collections.abc import Iterable, Iterator

from handler.errors import JournalConflict, JournalNotAppendable, JournalUnavailable, PublishFailed
from handler.journal.entries import Observed
from handler.journal.journal import Journal
from handler.journal.renewal import Renewal
from handler.orders.book import OrderBook
from handler.orders.eligibility import Known
from handler.orders.progress import Progress, is_over, progress_of
from handler.outbox.publisher import Outbox
from handler.run.issued import Issues
from handler.run.services import Services

_ENDS = frozenset({Progress.ISSUED, Progress.REPLACED, Progress.ABANDONED})
"""Of these nobody is alerted that they do not get on."""


class Follow:
    """Looks at renewals that wait for their certificate."""

    def __init__(self, journal: Journal, outbox: Outbox, issues: Issues, services: Services) -> None:
        """`issues`: takes note of what is issued."""
        self._journal = journal
        self._outbox = outbox
        self._issues = issues
        self._time = services.time
        self._settle = services.settings.settle
        self._stalled_within = services.settings.stalled_within

    def watch(self, renewals: Iterable[Renewal], book: OrderBook, known: Known) -> Iterator[str]:
        """Look at each, and notify of what is new; `known` learns how it stands. Yields what went wrong."""
        for renewal in renewals:
            if not self._time.may_write():
                return
            try:
                known.learn(self._look_at(renewal, book))
            except (PublishFailed, JournalUnavailable) as failure:
                yield f"order {renewal.id}: {failure}"

    def _look_at(self, renewal: Renewal, book: OrderBook) -> Renewal:
        now = self._time.now()
        progress = progress_of(renewal, book, now, self._settle)
        new = book.get(renewal.succeeded().id)
        is_news = progress != renewal.progress
        if is_news:
            try:
                renewal = self._journal.record(renewal, Observed(progress), now)
            except JournalConflict:
                return renewal  # another run is looking at it too
            except JournalNotAppendable:
                if progress == Progress.ISSUED and new is not None:
                    seen, replaced = renewal._replace(progress_at=now), self._issues.of_order(renewal, new.renewable)
                    self._outbox.notify_issued(seen, new.renewable, replaced, is_news=False)
                raise
        if progress == Progress.ISSUED and new is not None:
            replaced = self._issues.of_order(renewal, new.renewable)
            return self._outbox.notify_issued(renewal, new.renewable, replaced, is_news=is_news)
        ends = renewal.claimed().renewable.ends
        if progress in _ENDS or is_over(renewal, now) or ends is None or ends - now > self._stalled_within:
            return renewal
        return self._outbox.alert_stalled(renewal)
