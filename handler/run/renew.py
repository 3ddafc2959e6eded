"""The purchases of one run: under the fuse, the day's limit and the clock, from a picture that is not stale."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from handler.certificates.csr import Csr
from handler.errors import CasError, JournalConflict, JournalUnavailable
from handler.journal.journal import Snapshot
from handler.journal.work import State
from handler.orders.book import Order, OrderBook
from handler.orders.decision import Known, why_not_now
from handler.orders.purchase import SHORTEST_TIMEOUT, has_time, renew
from handler.orders.reading import whole_book
from handler.result import OrderResult, Outcome, RunResult, held_line, of_order
from handler.run.follow import tell_failure
from handler.run.invocation import Invocation


class Purchases:
    """Buys what is planned, one order at a time, until a limit is reached or nothing can succeed."""

    def __init__(
        self, invocation: Invocation, csr: Csr | None, book: OrderBook, known: Known, result: RunResult
    ) -> None:
        """`book` is known to be whole; `known` and `result` are kept up to date."""
        self._invocation = invocation
        self._csr = csr
        self.book = book
        self._known = known
        self._result = result
        self._made: list[Order] = []
        self._note = ""

    def make(self, plan: Iterable[Order]) -> None:
        """Buy the successors of these orders; each gets a line in the result."""
        left = deque(plan)
        most = self._invocation.settings.max_renewals_per_run
        reserved: int | None = None
        day = self._invocation.clock.now()
        spent = 0
        stopped = "run-stopped" if any(line.stops_run for line in self._result.orders) else None
        try:
            while left and not stopped:
                stopped = self._prepare(left)
                if stopped:
                    break
                if reserved is None:
                    per_day = self._invocation.settings.max_renewals_per_day
                    reserved = self._invocation.journal.reserve(day, min(len(left), most), per_day)
                if spent >= reserved:
                    stopped = "run-limit" if spent >= most else "day-limit"
                    break
                spent += self._buy_some(left, reserved - spent)
                stopped = "run-stopped" if any(line.stops_run for line in self._result.orders) else None
        except JournalUnavailable as failure:
            self._result.put_all(self._unwritable(order, failure) for order in left)
            left.clear()
        self._give_back(day, (reserved or 0) - spent)
        if spent:
            self._announce()
        self._result.put_all(of_order(order, Outcome.DEFERRED, stopped or "run-limit") for order in left)

    def _prepare(self, left: deque[Order]) -> str | None:
        """See to it that the next order can be bought; return the reason if none can be any more."""
        if not has_time(self._invocation):
            timeout = self._invocation.timeout()
            if timeout < SHORTEST_TIMEOUT:
                self._invocation.log.problem("timeout-too-short", seconds=timeout, at_least=SHORTEST_TIMEOUT)
            return "no-time-left"
        if self._is_stale():
            try:
                self._read_again(left)
            except CasError as failure:
                self._result.errors.append(str(failure))
                return "run-stopped"
            if self._is_stale():
                return "list-too-slow"
        return None

    def _buy_some(self, left: deque[Order], most: int) -> int:
        """Buy up to so many, as long as the picture is fresh and nothing stops the run; return how many it may be."""
        batch = [left[i] for i in range(min(most, len(left)))]
        journal, deadline = self._invocation.journal, self._invocation.deadline
        self._note = journal.about_to_claim([order.id for order in batch], deadline, self.book.picture)
        spent = 0
        for order in batch:
            if self._is_stale():
                break
            left.popleft()
            line = self._buy(order, left)
            self._result.put(line)
            # A lost answer may have cost as much as a renewal.
            spent += line.outcome in {Outcome.RENEWED, Outcome.UNKNOWN}
            if line.stops_run:
                break
        return spent

    def _buy(self, order: Order, left: Iterable[Order]) -> OrderResult:
        now, rules = self._invocation.clock.now(), self._invocation.settings.rules
        # Asked again before each: what was bought for the one before may stand in for this one, too.
        line = why_not_now(order, self.book, self._known, rules, now)
        if line is not None:
            return line
        seen = Snapshot(self.book.read_at, self.book.existing(order.product_code, order.domain), self._note)
        try:
            line, work = renew(self._invocation, order, self._known.of(order), seen, self._csr)
        except JournalUnavailable as failure:
            return self._unwritable(order, failure)
        self._known.learn(work, self._invocation.clock.now())
        if work.renewal is not None:
            self._add_to_book(order, work.renewal.new_order_id)
        if work.state is State.REFUSED and line.outcome is Outcome.REFUSED:
            waiting = sum(self._waits_for_the_same(other, order) for other in left)
            self._known.learn(tell_failure(self._invocation, work, self.book, waiting), now)
        return line

    def _waits_for_the_same(self, other: Order, refused: Order) -> bool:
        return other.product_code == refused.product_code and self._known.refusal_for_all(other) is not None

    def _add_to_book(self, old: Order, new_order_id: str) -> None:
        bought_at = self._invocation.clock.now()
        new = old._replace(id=new_order_id, status="PAYED", bought_at=bought_at, cert_start=None, cert_end=None)
        self._made.append(new)
        self.book.add(new)

    def _is_stale(self) -> bool:
        """Tell whether so much may have happened since the book was read that it must be read again."""
        return self._invocation.clock.now() - self.book.read_at > self._invocation.settings.settle

    def _read_again(self, left: deque[Order]) -> None:
        """Read the book again. Raises CasError."""
        self.book = whole_book(self._invocation.cas, self._invocation.cas.order_book())
        for made in self._made:
            if self.book.get(made.id) is None:
                self.book.add(made)
        still_there = [(order, self.book.get(order.id)) for order in left]
        left.clear()
        for old, order in still_there:
            if order is None:
                self._result.put(of_order(old, Outcome.SKIPPED, "not-found"))
            else:
                left.append(order)

    def _announce(self) -> None:
        """Let whoever keeps another journal in the bucket see that there is this one."""
        try:
            self._invocation.store.announce(self._invocation.account_id)
        except JournalUnavailable as failure:
            self._invocation.log.problem("journal-unavailable", message=str(failure))

    def _give_back(self, day: datetime, unused: int) -> None:
        if unused <= 0:
            return
        try:
            self._invocation.journal.give_back(day, self._invocation.clock.now(), unused)
        except (JournalUnavailable, JournalConflict) as failure:
            # Then the day has fewer renewals than it might: the limit is kept all the same.
            self._invocation.log.problem("journal-unavailable", message=str(failure))

    def _unwritable(self, order: Order, failure: JournalUnavailable) -> OrderResult:
        self._invocation.log.problem("journal-unavailable", order_id=order.id, message=str(failure))
        work = self._known.of(order)._replace(state=State.HELD, hold=(failure.reason, ()), trouble=str(failure))
        if failure.reason != JournalUnavailable.reason:
            tell_failure(self._invocation, work, self.book)
        return held_line(work, order)
