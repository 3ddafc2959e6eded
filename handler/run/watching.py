"""The last step of a scan: what nothing will replace, and whether the limits let the rest be renewed in time."""

from datetime import timedelta

from handler.certificates.renewable import Kind
from handler.errors import CasError, JournalUnavailable
from handler.instances.instance import Instance
from handler.instances.policy import names_of, reason_not_to_apply
from handler.instances.policy import window_opens as opening_for
from handler.journal.alerts import Alerts
from handler.journal.days import DayCount
from handler.orders.book import OrderBook
from handler.orders.eligibility import Known
from handler.orders.order import LIVE, Order
from handler.orders.policy import reason_not_to_renew, superseding, window_opens
from handler.outbox.publisher import Outbox
from handler.outbox.watch_messages import Expiring
from handler.outcomes import Outcome, Reason
from handler.result import Line, RunResult, key_of, unreadable_row
from handler.run.lists import Lists, read_lists
from handler.run.services import Services
from handler.run.standings import is_excepted, standings_of
from handler.run.watch import Seen, Watch
from handler.watch.foresight import AFTER_ORDERS, Due, Foresight, Pace, foresee
from handler.watch.standing import Standing, latest_ends, unreplaced

_LATER = frozenset({Reason.OUTSIDE_WINDOW, Reason.NOT_EXPIRING})
"""Why an order is not to be renewed now that is to be renewed once its window opens."""
_LIMITS = frozenset({Reason.RUN_LIMIT, Reason.DAY_LIMIT, Reason.NO_TIME_LEFT})


class Watching:
    """Looks at the whole account, as this run has read it and as it leaves it."""

    def __init__(
        self, services: Services, outbox: Outbox, alerts: Alerts, days: DayCount, known: Known, result: RunResult
    ) -> None:
        """`known`, `result`: what the run knows, and has said, of each order and instance."""
        self._services = services
        self._settings = services.settings
        self._time = services.time
        self._days = days
        self._known = known
        self._result = result
        self._watch = Watch(outbox, alerts, days, services.time, services.settings.stalled_within, result)

    def look(self, book: OrderBook, lists: Lists) -> Seen:
        """Find what nothing will replace, and say so in the result."""
        now, rules = self._time.now(), self._settings.rules
        standings = self.standings(book, lists)
        found = unreplaced(standings, now)
        seen = Seen(tuple(found), tuple(standings), self._foresee(book, lists))
        in_window = [standing for standing in found if standing.ends - now <= rules.within]
        for standing in in_window:
            if standing.renewable.kind is not Kind.ORDER:
                self._result.put_if_absent(Line(Outcome.SKIPPED, standing.why_not, standing.renewable))
        for instance in lists.instances.instances:
            reason = self._reason_to_show(instance)
            if reason is not None:
                self._result.put_if_absent(Line(Outcome.SKIPPED, reason, instance.renewable))
        for certificate in lists.certificates.certificates:
            if certificate.odd and certificate.renewable.ends is None:
                self._result.put(Line(Outcome.SKIPPED, Reason.ROW_UNREADABLE, certificate.renewable))
        for nameless in (*lists.instances.nameless, *lists.certificates.nameless):
            self._result.put(unreadable_row(nameless))
        self._watch.put_lines(seen)
        if self._result.dry_run:
            self._add_notes_of_a_dry_run(seen)
        return seen

    def standings(self, book: OrderBook, lists: Lists) -> list[Standing]:
        """Return everything that was issued and not revoked, side by side."""
        instances = lists.instances.instances if lists.has_instances else None
        others = instances, lists.certificates.certificates
        lines, renewals = self._result.lines, self._known.renewals
        return standings_of(book, lines, renewals, others, self._settings.rules, self._time.now())

    def of_orders(self, book: OrderBook) -> tuple[Standing, ...]:
        """Return the orders alone, side by side: for a run that looks at no more."""
        return tuple(self.standings(book, Lists()))

    def notify(self, seen: Seen) -> None:
        """Alert people of what they have not been notified of, and let the run fail for what is near."""
        watch = self._watch
        try:
            new = watch.new_alerts(seen)
            if new and not self._time.may_purchase():
                self._result.errors.append(f"no time was left for {len(new)} alerts: raise the function's timeout")
            elif new:
                confirmed = self._confirmed(new)
                watch.alert(confirmed)
                unconfirmed = {key_of(one.renewable) for one in new} - {key_of(one.renewable) for one in confirmed}
                kept = tuple(one for one in seen.unreplaced if key_of(one.renewable) not in unconfirmed)
                seen = seen._replace(unreplaced=kept)
        except JournalUnavailable as failure:
            self._result.errors.append(str(failure))
        watch.alarm(seen)

    def _add_notes_of_a_dry_run(self, seen: Seen) -> None:
        runs = [line.in_run for line in self._result.lines.values() if line.in_run is not None]
        if runs:
            self._result.add_note(
                f"{len(runs)} would be renewed{_or_applied_for(self._result)}, the last of them in run {max(runs)}, "
                "at a run a day"
            )
        if seen.foresight is not None and seen.foresight.sentence:
            self._result.add_note(seen.foresight.sentence)

    def _reason_to_show(self, instance: Instance) -> Reason | None:
        """Return why an instance is left alone, if its certificate is in the window; or that its row makes no sense."""
        now, rules = self._time.now(), self._settings.rules
        if is_excepted(names_of(instance), rules):
            return None
        if instance.odd:
            return Reason.ROW_UNREADABLE
        if instance.ends is None or not timedelta(0) < instance.ends - now <= rules.within:
            return None
        reason = reason_not_to_apply(instance, rules, now)
        return reason if reason in {Reason.HOSTED, Reason.IN_REVIEW} else None

    def _confirmed(self, new: list[Expiring]) -> list[Expiring]:
        """Return the alerts that a second reading agrees with.

        A list that changes while it is read can hide the very certificate that replaces another one.
        """
        try:
            book = self._services.orders.order_book()
        except CasError as failure:
            self._result.errors.append(str(failure))
            return []
        lists = read_lists(self._services, all_kinds=True)
        if lists.is_broken:
            # What it lacks may be what replaces; the run fails for it, and the next one tries again.
            self._result.errors.extend(said for said in lists.problems if said not in self._result.errors)
            return []
        standings = self.standings(book, lists)
        latest = latest_ends(standings)
        again = {key_of(standing.renewable) for standing in unreplaced(standings, self._time.now())}
        # The first that will be missed need not be due yet.
        unmatched = {key_of(one.renewable) for one in standings if latest[one.names] == one.ends}
        return [
            expiring
            for expiring in new
            if key_of(expiring.renewable) in (unmatched if expiring.reason in _LIMITS else again)
        ]

    def _foresee(self, book: OrderBook, lists: Lists) -> Foresight | None:
        """Tell whether the limits let all be renewed in time; None if nothing waits."""
        due = [one for order in book if (one := self._due(order, book)) is not None]
        due += [one for of in lists.instances.instances if (one := self._application_due(of)) is not None]
        if not due:
            return None
        now, settings = self._time.now(), self._settings
        per_run, per_day = settings.max_renewals_per_run, settings.max_renewals_per_day
        pace = Pace(per_run, per_day, 1, per_day)
        foresight = foresee(due, now + timedelta(days=0 if self._result.dry_run else 1), pace)
        if not foresight.missed or self._result.dry_run:
            return foresight
        try:
            runs = self._days.look(now - timedelta(days=1)).runs
            if runs <= 1:
                return foresight
            pace = Pace(per_run, per_day, runs, max(0, per_day - self._days.look(now).used))
        except JournalUnavailable:
            return foresight
        return foresee(due, now + timedelta(days=1) / runs, pace)

    def _due(self, order: Order, book: OrderBook) -> Due | None:
        """Tell when an order is to be renewed, None if it is not, or no more."""
        now, rules = self._time.now(), self._settings.rules
        if order.status not in LIVE or order.ends is None or order.ends <= now:
            return None
        line = self._result.lines.get(order.id)
        waits = line is not None and (line.reason in _LIMITS or line.outcome is Outcome.WOULD_RENEW)
        if waits:
            return Due(order.renewable, now, order.ends)
        opens = window_opens(order, rules)
        if opens is None or opens <= now or reason_not_to_renew(order, rules, now) not in _LATER:
            return None
        if self._known.is_covered_elsewhere(order) or superseding(order, book) is not None:
            return None
        return Due(order.renewable, opens, order.ends)

    def _application_due(self, instance: Instance) -> Due | None:
        """Tell when is to be applied for an instance, None if it is not, or no more."""
        now, rules, ends = self._time.now(), self._settings.rules, instance.ends
        if ends is None or ends <= now:
            return None
        line = self._result.lines.get(instance.id)
        if line is not None and (line.reason in _LIMITS or line.outcome is Outcome.WOULD_APPLY):
            return Due(instance.renewable, now, ends, AFTER_ORDERS)
        opens = opening_for(instance, rules)
        if opens is None or opens <= now or reason_not_to_apply(instance, rules, opens) is not None:
            return None
        return Due(instance.renewable, opens, ends, AFTER_ORDERS)


def _or_applied_for(result: RunResult) -> str:
    is_any = any(line.outcome is Outcome.WOULD_APPLY for line in result.lines.values())
    return " or applied for" if is_any else ""
