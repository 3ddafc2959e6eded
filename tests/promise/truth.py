"""What is true of every certificate of the account at a moment, by what the local cloud knows and no list shows.

It says what may be told of a certificate that ends, and what must be: between the two is what an operator may see
either way, such as an order whose renewal in the console waits for its application.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple

from tests.stubs.certificate import Certificate
from tests.stubs.cloud import Cloud
from tests.stubs.instance import Instance
from tests.stubs.orders import Order

EXCEPTED = "*.excepted.example.com"
"""What the operator has closed his eyes to, in every history."""
THRESHOLDS = (14, 7, 3, 1, 0)
HISTORY = timedelta(days=30)
NEAR = timedelta(days=3)
FIRST = timedelta(days=14)
WINDOW = timedelta(days=30)
SKEW = timedelta(minutes=1)
ROUNDED = timedelta(seconds=1)
"""So much later an end may look than it is."""
ISSUED = {"ISSUED", "WILLEXPIRED", "EXPIRED"}
RENEWED = "its renewal waits for its certificate"
"""Which the function need not know, if the answer was lost."""
_OVER = {"expired", "refund", "closed"}
Names = frozenset[str]


class Thing(NamedTuple):
    """One certificate, by the id under which people hear of it."""

    kind: str
    id: str
    names: tuple[Names, ...]
    """Its names, as they were applied for and as the authority has put them into it."""
    ends: datetime
    falsely: str = ""
    """Why nobody may be told that nothing will replace it; empty if that is true."""
    must: bool = True
    """Whether it has to be told, once it is time."""
    order: str = ""
    """The order behind it, if there is one."""
    waits: bool = False
    """An order that a later run will renew: told from three days on, or when it will be missed."""

    def threshold(self, now: datetime) -> int | None:
        """The nearest one that has been reached."""
        return min((days for days in THRESHOLDS if self.ends - now <= timedelta(days=days)), default=None)


class Waiting(NamedTuple):
    """An instance whose next certificate somebody else gets."""

    instance: str
    certificate: str
    """Its newest."""
    ends: datetime
    names: Names


def moment_of(cloud: Cloud) -> tuple[object, ...]:
    """What tells one moment from the next, as far as pages of a list are concerned: the time, and what has come."""
    cas = cloud.cas
    instances, kept = len(cas.authority.instances), len(cas.certificates.kept())
    counts = len(cas._orders), instances, kept, len(cas.purchases), len(cas._forbidden), len(cas.authority.applications)
    return (cloud.clock.now(), *counts)


def why_not_applied_for(instance: Instance, newest: Certificate | None, now: datetime, *, soon: bool = False) -> str:
    """Why nobody may apply for the next certificate of an instance as it is shown, empty if the function may.

    `soon`: once its time has come.
    """
    if newest is None or newest.revoked_at:
        return "it has no certificate in force"
    opens = max(newest.not_after - WINDOW, newest.not_before + (newest.not_after - newest.not_before) / 2)
    names = {*newest.names, *instance.names}
    bare = [name.removeprefix("www.").removeprefix("*.") for name in instance.names]
    reasons = {
        "it is free": instance.kind == "TEST",
        "it is closed": instance.status(now, 30) in _OVER,
        "somebody has applied": instance.status(now, 30) == "pending",
        "it is hosted": instance.hosted,
        "it is too early": now + SKEW < opens and not soon,
        "its subscription ends": instance.end is None or instance.end <= newest.not_after + timedelta(days=7),
        "it is not DV": instance.certificate_type != "DV",
        "the key is somebody's own": instance.csr_method == "upload",
        "an upgrade is paid for": instance.upgrade == "payed",
        "data is missing": not (instance.contacts and instance.names and instance.validation_method),
        "it has ended": newest.not_after < now - HISTORY - SKEW,
        "a name is not allowed": any(fnmatchcase(name, EXCEPTED) for name in names),
        "the next has other names": not {*newest.names}
        <= {*instance.names, *bare, *(f"www.{n}" for n in instance.names)},
    }
    return next((reason for reason, forbids in reasons.items() if forbids), "")


class Truth:
    """The account at one moment."""

    def __init__(self, cloud: Cloud, *, may_apply: bool = False) -> None:
        self._may_apply = may_apply
        self.now: datetime = cloud.clock.now()
        self._cas = cloud.cas
        self._cas._common.pass_time()
        self.taken_at = moment_of(cloud)
        self._instances = list(self._cas.authority.instances.values())
        self._sees = {list_: list_ not in self._cas._forbidden for list_ in ("ListInstances", "ListCertificates")}
        self._renewed = {(p.old_order_id, p.new_order_id) for p in self._cas.purchases}
        self.waiting = {instance.instance_id: found for instance in self._instances if (found := self._waits(instance))}
        issued = [thing for thing in self._all() if thing.ends > self.now - HISTORY]
        self.things = {(thing.kind, thing.id): thing for thing in self._judged(issued)}

    def count_waiting(self, until: datetime) -> int:
        """How many orders wait for their renewal that end by then."""
        orders = (thing for thing in self.things.values() if thing.kind == "order")
        return sum(thing.waits and thing.ends <= until for thing in orders)

    def must_be_told(self) -> Iterator[Thing]:
        """What nothing will replace, once a threshold is reached."""
        for thing in self.things.values():
            if thing.must and not thing.falsely and thing.ends - self.now <= FIRST:
                yield thing

    def _judged(self, found: list[Thing]) -> Iterator[Thing]:
        ends: dict[Names, datetime] = {}
        for thing in found:
            for names in thing.names:
                ends[names] = max(thing.ends, ends.get(names, thing.ends))
        for thing in found:
            if thing.names and all(fnmatchcase(name, EXCEPTED) for name in thing.names[0]):
                yield thing._replace(falsely="the operator has closed his eyes to it")
            elif any(ends[names] > thing.ends + ROUNDED for names in thing.names):
                yield thing._replace(falsely="another certificate of the same names ends later")
            elif any(ends[names] > thing.ends for names in thing.names):
                yield thing._replace(must=False)
            else:
                yield thing

    def _all(self) -> Iterator[Thing]:
        newest = {instance.certificate_id for instance in self._instances}
        for instance in self._instances:
            thing = self._of_instance(instance)
            if thing is not None:
                yield thing
                yield thing._replace(kind="certificate", id=str(instance.certificate_id), must=False)
        odd = self._cas.certificates.pages._odd
        for certificate in self._cas.certificates.kept() if self._sees["ListCertificates"] else ():
            number = str(certificate.certificate_id)
            if certificate.certificate_id not in newest and not certificate.revoked_at:
                # Of a row that makes no sense nobody knows the names.
                names = () if number in odd else (frozenset(certificate.names),)
                yield Thing("certificate", number, names, certificate.not_after, must=bool(names))
        for order in self._orders():
            thing = self._of_order(order)
            if thing is not None:
                yield thing
                # A book that comes back empty does not show what is behind its certificate.
                yield thing._replace(kind="certificate", id=str(order.certificate_id), must=False)

    def _of_instance(self, instance: Instance) -> Thing | None:
        newest = self._cas.certificates.find(instance.certificate_id) if instance.certificate_id else None
        if newest is None or newest.revoked_at:
            return None
        names = frozenset(newest.names)
        stated = frozenset(instance.names)
        both = (names, stated) if stated < names and self._sees["ListInstances"] else (names,)
        thing = Thing("instance", instance.instance_id, both, newest.not_after)
        if instance.instance_id in self._cas.instances.pages._odd:
            return thing._replace(names=(), must=False)
        if instance.instance_id in self.waiting:
            return thing._replace(falsely="somebody else gets the next certificate")
        if self._may_apply:
            applications = self._cas.authority.applications
            if any(one.base == instance.certificate_id and one.instance_id == thing.id for one in applications):
                return thing._replace(must=False)  # it is followed, see `tests.promise.applying`
            if not why_not_applied_for(instance, newest, self.now, soon=True):
                return thing._replace(must=False, waits=True)
        return thing

    def _waits(self, instance: Instance) -> Waiting | None:
        status = instance.status(self.now, 30)
        newest = self._cas.certificates.find(instance.certificate_id) if instance.certificate_id else None
        if newest is None or newest.revoked_at or status in _OVER:
            return None
        if status != "pending" and (not instance.hosted or instance.kind == "TEST"):
            return None
        number = str(newest.certificate_id)
        return Waiting(instance.instance_id, number, newest.not_after, frozenset(newest.names))

    def _of_order(self, order: Order) -> Thing | None:
        status = order.status(self.now)
        if status not in ISSUED or order.cert_end is None or not order.domain:
            return None
        number = str(order.order_id)
        thing = Thing("order", number, (frozenset(order.domain.split(",")),), order.cert_end, order=number)
        if order.order_id in self._cas._odd:
            return thing._replace(must=False)
        if order.trustee == "trustee":
            is_left_alone = order.cert_end - self.now > NEAR
            return thing._replace(falsely="it is hosted" if is_left_alone else "")
        return self._with_renewals(thing, order, status)

    def _with_renewals(self, thing: Thing, order: Order, status: str) -> Thing:
        """What the orders make of it that were bought for the same domain."""
        same = [other for other in self._orders() if _are_alike(other, order)]
        ours = {new for old, new in self._renewed if old in {order.order_id, *(one.order_id for one in same)}}
        successors = [other for other in self._orders() if other.order_id in ours]
        own = [other for other in successors if (order.order_id, other.order_id) in self._renewed]
        if any(other.domain == order.domain and other.status(self.now) in ISSUED for other in own):
            # Its certificate may be a short one, so that there may be a renewal of the renewal by now.
            thing = thing._replace(must=False)
        elif any(other.status(self.now) not in ISSUED for other in successors):
            thing = thing._replace(falsely=RENEWED, waits=True)
        elif any(other.status(self.now) == "CHECKING" and _is_newer(other, order) for other in same):
            thing = thing._replace(falsely="an application is in review")
        elif any(other.domain == order.domain for other in successors):
            thing = thing._replace(must=False)
        elif ours:  # its successor's certificate is there, and for other names
            thing = thing._replace(must=status != "EXPIRED")
        elif any(_is_newer(other, order) for other in same):
            thing = thing._replace(must=False)
        else:
            renewable = status != "EXPIRED" and order.cert_type != "FREE" and len(thing.names[0]) == 1
            thing = thing._replace(waits=renewable, must=not renewable)
        return thing

    def _orders(self) -> Iterable[Order]:
        return self._cas._orders.values()


def _are_alike(other: Order, order: Order) -> bool:
    same = (other.product_code, other.bound_domain) == (order.product_code, order.bound_domain)
    return same and other.order_id != order.order_id


def _is_newer(other: Order, order: Order) -> bool:
    return (other.bought_at, other.order_id) > (order.bought_at, order.order_id)
