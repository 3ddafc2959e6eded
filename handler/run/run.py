"""One run, from a command to what came of it: read, recover, renew, follow, sum up."""

from datetime import datetime
from typing import NamedTuple

from handler.certificates.csr import Csr
from handler.command import Check, Command, Nothing, Release, Renew, Resolve, Selection
from handler.errors import CasError, EventRefused, JournalUnavailable
from handler.journal.alerts import Alerts
from handler.journal.days import DayCount
from handler.journal.journal import Journal
from handler.journal.named_successors import NamedSuccessors
from handler.journal.open_notes import OpenNotes, OpenWork
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.eligibility import Known, why_not_now
from handler.orders.order import Order
from handler.orders.policy import reason_not_to_renew
from handler.orders.purchase import Purchase
from handler.orders.reading import CurrentBook, whole_book
from handler.orders.selection import require_one, selected, with_orders_of_certificates
from handler.outbox.publisher import Addresses, Outbox
from handler.result import Line, RunResult, unreadable_row
from handler.run import recover, renew
from handler.run.apply_instances import Wanted
from handler.run.by_hand import ByHand
from handler.run.follow import Follow
from handler.run.fuse import Fuse
from handler.run.idle_patterns import idle_patterns
from handler.run.instances import Instances
from handler.run.issued import Issues
from handler.run.lists import Lists, covered_until, read_lists
from handler.run.recover import Recovery, has_lost
from handler.run.replacing import Replacing
from handler.run.self_check import self_check
from handler.run.services import Services
from handler.run.summary import Summary
from handler.run.unfinished import is_unfinished, is_watched
from handler.run.watch import Seen
from handler.run.watching import Watching


def run(command: Command, services: Services, result: RunResult) -> None:
    """Do what was asked, and write into `result` what came of it as it comes, failures included.

    Raises EventRefused where only the order book or the journal can tell that the event asks for something that is
    not allowed; nothing was purchased then.
    """
    result.trigger = command.trigger
    what = command.what
    try:
        if isinstance(what, Nothing):
            result.note = what.why
        elif isinstance(what, Check):
            result.checks = self_check(services)
        elif isinstance(what, (Resolve, Release)):
            _Run(services, result).decide(what)
        else:
            result.dry_run = result.dry_run or what.dry_run
            result.note = what.note
            _Run(services, result).renew(what)
    except (CasError, JournalUnavailable) as failure:
        result.errors.append(str(failure))


class _Seen(NamedTuple):
    """What a run knows before it does anything."""

    book: OrderBook
    lists: Lists
    left: OpenWork
    orders: list[Order]
    """Those that are meant, the first to expire first."""
    missing: list[Line]
    now: datetime
    """The moment for which it was decided whether anything is to be settled."""


class _Run:
    """The steps of a run, each with what it needs of the services."""

    def __init__(self, services: Services, result: RunResult) -> None:
        request_id, store = services.identity.request_id, services.store
        self._services = services
        self._result = result
        self._time = services.time
        self._log = services.log
        self._orders = services.orders
        self._settings = services.settings
        self._journal = Journal(store, request_id)
        self._notes = OpenNotes(store, self._journal, request_id, is_unfinished)
        addresses = Addresses(services.identity.account_id, services.settings.smq_queue, services.settings.alert_queue)
        alerts = Alerts(store, request_id)
        self._outbox = Outbox(services.queue, addresses, self._journal, alerts, services.time, services.log)
        self._recovery = Recovery(self._journal, self._outbox, services.time, services.settings.settle, services.log)
        self._known = Known()
        self._days = DayCount(store, request_id, services.identity.event)
        self._watching = Watching(services, self._outbox, alerts, self._days, self._known, result)
        issues = Issues(services)
        self._instances = Instances(services, self._journal, self._notes, self._outbox, self._known, result)
        self._follow = Follow(self._journal, self._outbox, issues, services)
        both = issues, self._instances.issues
        self._replacing = Replacing(services, self._journal, self._outbox, both, self._known, result)

    def decide(self, said: Resolve | Release) -> None:
        """Carry out what a person has decided."""
        what = "resolve" if isinstance(said, Resolve) else "release"
        if self._settings.dry_run:
            raise EventRefused(what, "DRY_RUN is true, so nothing is recorded; set it to false first")
        book = whole_book(self._orders, self._orders.order_book())
        named = NamedSuccessors(self._services.store, self._services.identity.request_id)
        by_hand = ByHand(self._journal, self._notes, named, self._outbox, self._time)
        self._result.put(by_hand.resolve(said, book) if isinstance(said, Resolve) else by_hand.release(said, book))
        left = self._notes.open_work(self._time.now(), tidy=False)
        summary = Summary(self._services, self._journal, self._result)
        summary.write(book, left.renewals, Seen(standings=self._watching.of_orders(book)))

    def renew(self, asked: Renew) -> None:
        """Take up what is open, then renew what is asked for and may be renewed."""
        selection, unknown = None if asked.selection.is_scan else asked.selection, list[Line]()
        try:
            if selection is not None:
                selection, unknown = with_orders_of_certificates(selection, self._orders)
            seen = self._look(selection)
        except CasError:
            # What is already purchased can be published without CAS.
            if not self._result.dry_run:
                left = self._notes.open_work(self._time.now(), tidy=True)
                self._result.put_all(self._recovery.publish(left.renewals.values()))
                self._instances.publish(left)
            raise
        if asked.csr is not None:
            require_one(asked.csr, seen.orders)
        self._recover(seen)
        self._instances.recover(seen.left)
        nameless = seen.book.nameless if selection is None else ()
        missing = self._instances.missing([*unknown, *seen.missing], selection, seen.lists)
        for line in [*missing, *map(unreadable_row, nameless)]:
            self._result.put_if_absent(line)
        book = self._renew(self._due(seen), self._instances.wanted(selection, seen.lists), seen.book, asked.csr)
        found = self._scan(seen, book) if selection is None else Seen(standings=self._watching.of_orders(book))
        self._result.errors.extend(seen.lists.problems)
        Summary(self._services, self._journal, self._result).write(book, self._known.renewals, found)

    def _scan(self, seen: _Seen, book: OrderBook) -> Seen:
        """Follow what was applied for, look at the whole account, alert people, and deploy what is issued.

        Deploying comes last: it may take all the time that is left.
        """
        for_real = not self._result.dry_run
        if for_real:
            self._instances.follow(seen.lists, seen.left)
        found = self._watching.look(book, seen.lists)
        for said in idle_patterns(book, seen.lists, self._settings.rules, self._settings.watch):
            self._result.add_note(said)
        if for_real:
            self._watching.notify(found)
        self._replacing.go_on(seen.left, seen.book, seen.lists)
        return found

    def _look(self, selection: Selection | None) -> _Seen:
        """Read the orders, the open work and the journals of the orders that are meant; no selection means a scan.

        If anything is to be settled or purchased, the book comes back known to be whole; else one reading must do,
        since most runs have nothing to do. Raises CasError or JournalUnavailable.
        """
        book = self._orders.order_book()
        lists = read_lists(self._services, all_kinds=selection is None)
        now, rules = self._time.now(), self._settings.rules
        self._known.covered_until = covered_until(lists, now)
        left = self._notes.open_work(now, tidy=not self._result.dry_run)
        for renewal in left.renewals.values():
            self._known.learn(renewal)
        orders, missing = self._meant(selection, book, left)
        something_due = any(why_not_now(order, book, self._known, rules, now) is None for order in orders)
        if something_due or has_lost(left.renewals.values(), now) or not book.is_tidy:
            book = whole_book(self._orders, book)
            orders, missing = self._meant(selection, book, left)
        return _Seen(book, lists, left, orders, missing, now)

    def _meant(self, selection: Selection | None, book: OrderBook, left: OpenWork) -> tuple[list[Order], list[Line]]:
        """Return the orders that are meant, and lines for what means none; their journals are read."""
        now, rules = self._time.now(), self._settings.rules
        orders, missing = selected(selection, book, rules, now)
        for order in orders:
            if order.id not in self._known.renewals and reason_not_to_renew(order, rules, now) is None:
                renewal = self._journal.read_or_hold(order.id)
                self._known.learn(renewal)
                if renewal.is_open:  # its note is lost
                    left.renewals[order.id] = renewal
        return orders, missing

    def _recover(self, seen: _Seen) -> None:
        """Take up what earlier runs left open, and follow what they renewed. A dry run leaves all of it as it is."""
        left, book = seen.left, seen.book
        self._result.errors.extend(left.problems)
        if self._result.dry_run:
            self._result.put_all(recover.in_a_dry_run(left, book, seen.now))
            return
        self._result.put_all(self._recovery.take_up(left, book, seen.now))
        for renewal in self._recovery.renewals.values():
            self._known.learn(renewal)
        for renewal in left.renewals.values():
            if renewal.state is State.REFUSED:
                self._known.learn(self._outbox.alert_failed(renewal, book.renewable(renewal.id)))
        watched = [renewal for renewal in left.renewals.values() if is_watched(renewal)]
        self._result.errors.extend(self._follow.watch(watched, book, self._known))

    def _due(self, seen: _Seen) -> list[Order]:
        """Return the orders that are to be purchased; the others get their line."""
        now, due = self._time.now(), []
        for order in seen.orders:
            if self._result.has_final_line(order.id):
                continue
            why_not = why_not_now(order, seen.book, self._known, self._settings.rules, now)
            if why_not is None:
                due.append(order)
            else:
                self._result.put(why_not)
        return due

    def _renew(self, due: list[Order], wanted: list[Wanted], book: OrderBook, csr: Csr | None) -> OrderBook:
        """Purchase what is due and apply for what is wanted; return the book with what was purchased in it."""
        settings, time, log = self._settings, self._time, self._log
        if self._result.dry_run:
            limits = settings.max_renewals_per_run, settings.max_renewals_per_day
            instances = [one.instance.renewable for one in wanted]
            self._result.put_all(renew.in_a_dry_run(due, instances, time.now(), *limits))
            return book
        fuse = Fuse(self._days, settings.max_renewals_per_run, settings.max_renewals_per_day, time, log)
        current = CurrentBook(self._orders, book, time, settings.settle)
        purchase = Purchase(self._orders, self._journal, self._notes, time, log)
        renewer = renew.Renewer(purchase, self._outbox, fuse, current, self._known, log)
        renewer.make(due, csr, settings.rules, self._result)
        self._instances.apply(wanted, fuse)
        if fuse.spent:
            self._announce()
        return current.book

    def _announce(self) -> None:
        """Let whoever keeps another journal in the bucket see that there is this one."""
        try:
            self._services.store.announce(self._services.identity.account_id)
        except JournalUnavailable as failure:
            self._log.problem("journal-unavailable", message=str(failure))
