"""What every kind of thing looks like side by side: from orders, instances and certificates to standings. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from handler.certificates.domains import could_match
from handler.certificates.rules import HISTORY, Rules
from handler.instances.instance import Instance
from handler.instances.policy import awaited_from, is_awaited, names_of, reason_not_to_apply
from handler.instances.policy import window_opens as window_opens_of
from handler.journal.renewal import Renewal, successors
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.order import ISSUED, LIVE, Order
from handler.orders.policy import hosted, reason_not_to_renew, stand_ins, window_opens
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.watch.certificate import Certificate
from handler.watch.standing import Standing

LAST_RESORT = timedelta(days=3)
"""What somebody else is to replace, and has not by then, is no longer left to him in silence."""
_REPLACED = frozenset({Reason.COVERED, Reason.OUTSIDE_WINDOW})
"""Skipped since something replaces it, or will."""
_TRANSIENT = frozenset(Reason) - {Reason.JOURNAL_UNAVAILABLE}
"""Reasons to defer after which a later run may renew it all the same; an error code of CAS is none."""
_V2 = "cas_"
"""How the ids of most V2 instances begin, and of no order."""
_UNDER_WAY = LIVE | {"CHECKING"}
_APPLIED = frozenset({Outcome.APPLIED, Outcome.WOULD_APPLY})
_RENEWED = frozenset({Outcome.RENEWED, Outcome.ALREADY_RENEWED, Outcome.WOULD_RENEW})


class _Said(NamedTuple):
    """What this run says of an order, and what its journal does, as far as it was read."""

    line: Line | None
    renewal: Renewal | None
    ours: frozenset[str]
    """The successors that this function knows of, of whatever order."""


def standings_of(
    book: OrderBook,
    lines: Mapping[str, Line],
    renewals: Mapping[str, Renewal],
    lists: tuple[Sequence[Instance] | None, Iterable[Certificate]],
    rules: Rules,
    now: datetime,
) -> list[Standing]:
    """Return all that was issued and not revoked, but for what the operator does not want to see.

    `lines`: what this run says of each order and instance. `lists`: the instances, None if nobody has seen them, and
    the certificates.
    """
    instances, certificates = lists
    ours = frozenset(successors(renewals.values()))
    found = [
        *(
            _of_order(order, _Said(lines.get(order.id), renewals.get(order.id), ours), book, rules, now)
            for order in book
        ),
        *(
            _of_instance(instance, lines.get(instance.id), renewals.get(instance.id), rules, now)
            for instance in instances or ()
        ),
        *_of_certificates(certificates, book, renewals.values(), instances),
    ]
    return [standing for standing in found if standing is not None and not is_excepted(standing.names, rules)]


def is_excepted(names: Iterable[str], rules: Rules) -> bool:
    """Tell whether the operator has closed his eyes to all of these names (`RENEW_DOMAINS_EXCEPT`)."""
    return bool(rules.domains_except) and all(could_match(name, rules.domains_except) for name in names)


def _of_order(order: Order, said: _Said, book: OrderBook, rules: Rules, now: datetime) -> Standing | None:
    of, names, line = order.renewable, frozenset(order.renewable.domains), said.line
    if order.status not in ISSUED or order.ends is None or not names or order.ends <= now - HISTORY:
        return None
    is_near = order.ends - now <= LAST_RESORT
    if said.renewal is not None and said.renewal.successor is not None:
        if _went_elsewhere(said.renewal, names, book):
            return Standing(of, names, order.ends, Reason.NAMES_CHANGED)
        is_fresh = line is not None and line.outcome is Outcome.RENEWED
        why_not = ((line.reason if line else None) or Reason.EXPIRED) if is_near and not is_fresh else None
        return Standing(of, names, order.ends, why_not, is_followed=True)
    reason = reason_not_to_renew(order, rules, now) if line is None else line.reason
    is_replaced = (
        reason in _REPLACED
        or (line is not None and line.outcome in _RENEWED)
        or (hosted(order, rules, now) and not is_near)
        or (reason == Reason.NOT_EXPIRING and not _is_open(order, rules, now))
        or (reason is not None and _has_stand_in(order, reason, book, said.ours))
    )
    # Of a lost answer a later run tells what came of it.
    waits = line is not None and (line.outcome is Outcome.UNKNOWN or _is_deferred(line))
    return Standing(of, names, order.ends, None if is_replaced else reason, is_deferred=waits)


def _is_deferred(line: Line) -> bool:
    return line.outcome is Outcome.DEFERRED and line.reason in _TRANSIENT


def _has_stand_in(order: Order, reason: str, book: OrderBook, ours: frozenset[str]) -> bool:
    """Tell whether another order gets the next certificate: not one that is paid for and with which nobody has applied.

    `ours`: what this function has purchased, for another order, is followed with that one.
    """
    others = list(stand_ins(order, book))
    if not others:  # what stands in is known from a journal alone
        return reason == Reason.SUPERSEDED
    return any(other.status in _UNDER_WAY or other.id in ours for other in others)


def _went_elsewhere(renewal: Renewal, names: frozenset[str], book: OrderBook) -> bool:
    """Tell whether the successor's certificate was issued, and for other names."""
    new = book.get(renewal.successor.id) if renewal.successor is not None else None
    return new is not None and new.status in ISSUED and frozenset(new.renewable.domains) != names


def _is_open(order: Order, rules: Rules, now: datetime) -> bool:
    opens = window_opens(order, rules)
    return opens is None or opens <= now


def _of_instance(
    instance: Instance, line: Line | None, renewal: Renewal | None, rules: Rules, now: datetime
) -> Standing | None:
    names = frozenset(names_of(instance))
    is_there = instance.certificate_id and instance.certificate_status != "revoked"
    if not is_there or instance.ends is None or not names:
        return None
    of, ends, products = instance.renewable, instance.ends, instance.products
    is_near = ends - now <= LAST_RESORT
    if renewal is not None and renewal.state is State.APPLIED and _is_base(instance, renewal):
        why_not = renewal.progress or (Reason.IN_REVIEW if is_near else None)
        return Standing(of, names, ends, why_not, products, is_followed=True)
    if is_awaited(instance):
        return Standing(of, names, ends, awaited_from(instance) if is_near else None, products, is_followed=True)
    # Nobody applies once the window opens, either, and it may open later than people are to be alerted.
    opens = window_opens_of(instance, rules)
    reason: str | None = reason_not_to_apply(instance, rules, max(now, opens or now))
    if reason is None and line is not None and line.outcome not in _APPLIED:
        waits = line.outcome is Outcome.UNKNOWN or _is_deferred(line)
        return Standing(of, names, ends, line.reason, products, is_deferred=waits)
    return Standing(of, names, ends, reason, products)


def _is_base(instance: Instance, renewal: Renewal) -> bool:
    return renewal.base is not None and renewal.base.certificate_id == instance.certificate_id


def _of_certificates(
    certificates: Iterable[Certificate],
    book: OrderBook,
    renewals: Iterable[Renewal],
    instances: Sequence[Instance] | None,
) -> Iterator[Standing | None]:
    """Yield the certificates; those of which an order or an instance speaks only as what replaces others.

    An order, or an instance, need not have all names that the authority has put into its certificate.
    """
    newest = {instance.certificate_id: instance.ends for instance in instances or ()}
    by_id = {instance.id for instance in instances or ()}
    orders = {order.renewable.instance: order for order in book if order.renewable.instance}
    # A book that lacks an order does not show what is behind its certificate; the journal of its renewal does.
    claimed = {renewal.claim.renewable.instance for renewal in renewals if renewal.claim is not None}
    for certificate in certificates:
        of, names = certificate.renewable, frozenset(certificate.renewable.domains)
        if certificate.status == "revoked" or of.ends is None or not names:
            continue
        order = orders.get(of.instance)
        if order is not None and order.status not in ISSUED:
            continue  # what was revoked replaces nothing
        speaks = of.id in newest or order is not None
        # No later than its owner says: one list may round.
        ends = min(of.ends, newest.get(of.id) or (order.ends if order else None) or of.ends)
        reason: Reason | None = Reason.UNKNOWN_ORIGIN
        if speaks or of.instance in claimed:
            reason = None
        elif certificate.source == "UPLOAD":
            reason = Reason.UPLOADED
        elif of.instance in by_id:
            reason = Reason.NAMES_CHANGED
        elif instances is None or not (instances if of.instance.startswith(_V2) else len(book)):
            reason = None  # whoever is behind it is in a list that nobody has seen, or that came back empty
        yield Standing(of, names, ends, reason, certificate.products, only_replaces=reason is None)
