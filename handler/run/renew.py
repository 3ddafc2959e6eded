"""The renewals of one run: under the fuse and the clock, from a picture of the orders that is not stale."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from handler.certificates.csr import Csr
from handler.certificates.domains import canonical
from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rules import Rules
from handler.errors import CasError, JournalUnavailable
from handler.journal.entries import Held
from handler.journal.lines import held_line
from handler.journal.states import State
from handler.orders.eligibility import Known, why_not_now
from handler.orders.order import Order
from handler.orders.purchase import Purchase
from handler.orders.reading import CurrentBook
from handler.outbox.publisher import Outbox
from handler.outcomes import Outcome, Reason
from handler.result import Line, RunResult
from handler.run.fuse import Fuse
from handler.runtime.log import Log
from handler.watch.foresight import AFTER_ORDERS, HORIZON, Due, Pace, foresee


class Renewer:
    """Renews what is planned, one order at a time, until a limit is reached or nothing can succeed."""

    def __init__(
        self, purchase: Purchase, outbox: Outbox, fuse: Fuse, current: CurrentBook, known: Known, log: Log
    ) -> None:
        """`current` is known to be whole; it and `known` are kept up to date."""
        self._purchase = purchase
        self._outbox = outbox
        self._fuse = fuse
        self._current = current
        self._known = known
        self._log = log

    def make(self, plan: Iterable[Order], csr: Csr | None, rules: Rules, result: RunResult) -> None:
        """Purchase the successors of these orders; each gets a line in the result."""
        left = deque(plan)
        stopped = Reason.RUN_STOPPED if result.is_stopped else None
        try:
            while left and not stopped:
                stopped = self._prepare(left, result) or self._fuse.blows(len(left))
                if not stopped:
                    self._make_some(left, csr, rules, result)
                    stopped = Reason.RUN_STOPPED if result.is_stopped else None
        except JournalUnavailable as failure:
            result.put_all(self._unwritable(order, failure) for order in left)
            left.clear()
        self._fuse.give_back()
        result.put_all(Line(Outcome.DEFERRED, stopped, order.renewable) for order in left)

    def _prepare(self, left: deque[Order], result: RunResult) -> Reason | None:
        """See to it that the next order can be purchased; return the reason if none can be any more."""
        if not self._purchase.has_time():
            return Reason.NO_TIME_LEFT
        if not self._current.is_stale():
            return None
        try:
            self._current.read_again()
        except CasError as failure:
            result.errors.append(str(failure))
            return Reason.RUN_STOPPED
        still_there = [(order, self._current.book.get(order.id)) for order in left]
        left.clear()
        for old, order in still_there:
            if order is None:
                result.put(Line(Outcome.SKIPPED, Reason.NOT_FOUND, old.renewable))
            else:
                left.append(order)
        return Reason.LIST_TOO_SLOW if self._current.is_stale() else None

    def _make_some(self, left: deque[Order], csr: Csr | None, rules: Rules, result: RunResult) -> None:
        """Purchase as many as the fuse has, as long as the picture is fresh and nothing stops the run."""
        batch = [left[i] for i in range(min(self._fuse.left, len(left)))]
        self._purchase.about_to(batch, self._current.book)
        for order in batch:
            if self._current.is_stale():
                break
            left.popleft()
            line = self._make_one(order, csr, rules, left)
            result.put(line)
            if line.outcome in {Outcome.RENEWED, Outcome.UNKNOWN}:
                self._fuse.spend()
            if line.stops_run:
                break

    def _make_one(self, order: Order, csr: Csr | None, rules: Rules, left: Iterable[Order]) -> Line:
        # Asked again before each: what was purchased for the one before may stand in for this one, too.
        why_not = why_not_now(order, self._current.book, self._known, rules, self._current.now())
        if why_not is not None:
            return why_not
        try:
            line, renewal = self._purchase.make(order, self._known.of(order), self._current.book, csr)
        except JournalUnavailable as failure:
            return self._unwritable(order, failure)
        if renewal.state is State.RENEWED:
            line, renewal = self._outbox.publish(renewal)
        self._known.learn(renewal)
        if renewal.successor is not None:
            self._current.add_successor(order, renewal.successor.id)
        if renewal.state is State.REFUSED and line.outcome is Outcome.REFUSED:
            waiting = sum(self._waits_for_the_same(other, order) for other in left)
            self._known.learn(self._outbox.alert_failed(renewal, order.renewable, waiting))
        return line

    def _waits_for_the_same(self, other: Order, refused: Order) -> bool:
        now = self._current.now()
        return other.product == refused.product and self._known.refusal_for_all(other, now) is not None

    def _unwritable(self, order: Order, failure: JournalUnavailable) -> Line:
        self._log.problem("journal-unavailable", order_id=order.id, message=str(failure))
        held = self._known.of(order)._replace(state=State.HELD, hold=Held(failure.reason), trouble=str(failure))
        if failure.reason != JournalUnavailable.reason:
            self._outbox.alert_failed(held, order.renewable)
        return held_line(held, order.renewable)


def in_a_dry_run(
    plan: Iterable[Order], instances: Iterable[Renewable], now: datetime, per_run: int, per_day: int
) -> Iterable[Line]:
    """Yield a line for everything that would be renewed or applied for, with the run in which, at a run a day.

    In each run the orders come first. Of several orders of the same product and domain one would be renewed. What no
    run would come to is deferred.
    """
    planned: dict[tuple[str, str], Order] = {}
    for order in plan:
        if planned.setdefault((order.product, canonical(order.domain)), order) is not order:
            yield Line(Outcome.SKIPPED, Reason.SUPERSEDED, order.renewable)
    # Without an end nothing is missed, and its turn comes last.
    due = [Due(order.renewable, now, order.ends or now + HORIZON) for order in planned.values()]
    due += [Due(instance, now, instance.ends or now + HORIZON, AFTER_ORDERS) for instance in instances]
    run_of = foresee(due, now, Pace(per_run, per_day, 1, per_day)).run_of
    for of in (one.renewable for one in due):
        if of.id in run_of:
            outcome = Outcome.WOULD_RENEW if of.kind is Kind.ORDER else Outcome.WOULD_APPLY
            yield Line(outcome, None, of, in_run=run_of[of.id])
        else:
            reason = Reason.RUN_LIMIT if per_run <= per_day else Reason.DAY_LIMIT
            yield Line(Outcome.DEFERRED, reason, of)
