"""What is watched beside the orders that are renewed: V2 instances, uploads, and orders that nobody renews.

People apply, withdraw, host, change domains, buy another instance of the same names, upload a certificate that replaces
another, revoke; the platform re-issues or does not; permissions come and go. After a quiet run everything that nothing
will replace has been told, and every certificate that came.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.promise.applying import TRACES, ApplyingAccount
from tests.promise.interleaving import PausedInvocation
from tests.promise.truth import FIRST, HISTORY, NEAR, THRESHOLDS, Thing, Truth
from tests.promise.witness import Witness
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.stubs.faults import Fault
from tests.stubs.instance import Trace

HOSTING = timedelta(days=30)
"""So long before the end the platform acts, at the earliest, on what it hosts."""
FRESH = timedelta(minutes=12)
"""What was applied for so short a time ago does not stall."""
V2 = ("ListInstances", "ListCertificates", "GetInstanceDetail")
V2_FAULTS: list[Fault | None] = [
    faults.timeout_before(),
    faults.html(502),
    faults.error("InternalError", 500),
    faults.throttle(),
    faults.refused(),
    *faults.NO_LISTS,
    *faults.NO_ANSWERS,
    None,
]
WHAT_PEOPLE_DO = st.sampled_from(
    [
        "apply",
        "apply",
        "withdraw",
        "host",
        "unhost",
        "change-domain",
        "refuse",
        "refuse-soon",
        "revoke",
        "revoke-upload",
        "end-subscription",
        "extend-subscription",
        "buy-another",
        "upload",
        "upload-the-same",
        "upload-for-longer",
        "upload-for-fewer-names",
        "upload-excepted",
        "remove-upload",
        "odd-row",
        "even-rows",
    ]
)
ODD: list[dict[str, Any]] = [
    {"CertificateNotAfter": "soon"},
    {"Status": "frozen"},
    {"AutoReissue": 7},
    {"CertificateDomain": ["a"]},
]
ENDS_IN = (15, 13.9, 6, 2.5, 0.5, -1, -29.5, -31)


class WatchedAccount(ApplyingAccount):
    """The part of the state machine that is about what is only watched; `ExactlyOnce` has the rest."""

    cloud: Cloud
    runs: list[PausedInvocation]
    witness: Witness

    def __init__(self) -> None:
        super().__init__()
        self.watched = False
        self.uploads: list[int] = []
        self.followed: dict[str, tuple[str, int]] = {}
        """By instance, what a quiet run has found to be the newest certificate, and how many there were then."""
        self.moved: set[str] = set()
        """Domains whose owners have moved to V2."""

    def an_account_of_2026(
        self, units: Any, empty: Any, hosting: tuple[bool, float], own_dns: bool, apex: bool, applies: bool = False
    ) -> None:
        """Fill the account; `hosting`: whether the platform acts on what it hosts, and when; `applies`: INSTANCES."""
        self.watched = True
        cas = self.cloud.cas
        cas.shapes.units, cas.shapes.empty = units, empty
        cas.authority.hosting_works, cas.authority.hosting_days = hosting
        cas.authority.own_dns, cas.authority.adds_apex = own_dns, apex
        for pages in (cas.instances.pages, cas.certificates.pages):
            pages.page_limit, pages.oldest_first = max(5, cas.page_limit), cas.oldest_first
        both = "www.hosted.example.com,hosted.example.com"
        add = cas.instances.add
        add("www.hosted.example.com", 31, hosted=True, certificate_domain=both if apex else None)
        add("www.plain.example.com", 16)
        add("free.example.com", 12, kind="TEST")
        add("late.excepted.example.com", 2, hosted=True)
        for names, days_left in ((["a.upload.example.com"], 8), (["b.upload.example.com", "upload.example.com"], 40)):
            self.uploads.append(cas.certificates.upload(*names, days_left=days_left))
        self.look_on(applies=applies)
        if applies:
            add("www.due.example.com", 25)
            add("due.example.com,a.excepted.example.com", 25)
        cas.certificates.upload("x.excepted.example.com", days_left=2)
        cas.add_order(domain="m.example.com,n.example.com", days_left=10, source="BUY", domain_type="MULTIPLE")
        cas.add_order(domain="trusted.example.com", days_left=9, source="BUY", trustee="trustee")

    # What happens

    @precondition(lambda self: self.watched)
    @rule(
        done=st.lists(st.tuples(WHAT_PEOPLE_DO, st.integers(0, 7)), min_size=1, max_size=4),
        hours=st.sampled_from([0, 1, 30, 70, 150]),
        quiet=st.booleans(),
    )
    def people_act(self, done: list[tuple[str, int]], hours: int, quiet: bool) -> None:
        for what, which in done:
            self._does(what, which)
        self.cloud.clock.advance(hours * 3600)
        if quiet and not self.runs:
            self.a_quiet_run()

    @precondition(lambda self: self.watched)
    @rule(days=st.sampled_from([(1,), (1, 1), (0.4, 3), (7, 4), (10, 10)]))
    def quiet_days(self, days: tuple[float, ...]) -> None:
        for some in days:
            self.cloud.clock.advance(days=some)
            if not self.runs:
                self.a_quiet_run()

    @precondition(lambda self: self.watched)
    @rule(where=st.sampled_from(V2), some=st.lists(st.sampled_from(V2_FAULTS), min_size=1, max_size=9))
    def what_is_watched_will_go_wrong(self, where: str, some: list[Fault | None]) -> None:
        self.cloud.cas.fail(where, *some)

    @precondition(lambda self: self.watched)
    @rule(missing=st.sampled_from([V2[:1], V2[1:2], V2[2:], V2[:2], ()]))
    def permissions_are_missing(self, missing: tuple[str, ...]) -> None:
        self.cloud.cas.permit(*V2)
        self.cloud.cas.forbid(*missing)

    @precondition(lambda self: self.watched)
    @rule(page=st.integers(1, 3), name=st.sampled_from(V2[:2]))
    def a_row_slips_past(self, page: int, name: str) -> None:
        """One row of a page that has been read goes and another comes at the end, so that the total is the same."""
        self._slips_past(name, page)

    @precondition(lambda self: self.watched)
    @rule(off=st.sampled_from([-1, 0, 1]), twice=st.booleans())
    def the_lists_beside_the_orders_are_odd(self, off: int, twice: bool) -> None:
        cas = self.cloud.cas
        cas.instances.pages.total_off_by = cas.certificates.pages.total_off_by = off
        cas.instances.pages.twice = set(cas.instances.ids()[:1]) if twice else set()

    @precondition(lambda self: self.watched)
    @rule(which=st.integers(0, 3))
    def somebody_moves_an_order_to_v2(self, which: int) -> None:
        self._move(which)

    # Scenes: what must be seen whatever else happens

    @precondition(lambda self: self.watched and not self.runs)
    @rule(before=st.sampled_from([30.6, 29, 13]), again=st.booleans())
    def the_platform_acts_on_what_it_hosts(self, before: float, again: bool) -> None:
        """Between two runs, or only after it has been told that it does not."""
        authority = self.cloud.cas.authority
        authority.hosting_works, authority.hosting_days, authority.hosting_units = True, before, 9
        add = self.cloud.cas.instances.add
        instance = add("www.acts.example.com", before + 0.3, hosted=True, own_dns=True)
        self.a_quiet_run()
        self.cloud.clock.advance(days=0.9)
        self.a_quiet_run()
        if again:
            self.cloud.clock.advance(days=0.1)
            self.a_quiet_run()
        assert self._told(f"{instance}-", "-issued"), f"nobody was told of the certificate of {instance}"

    @precondition(lambda self: self.watched and not self.runs)
    @rule(days=st.sampled_from([(13, 0.1), (1.7, 11), (35,)]), ends=st.just(15.5))
    def what_nothing_replaces_comes_to_its_end(self, days: tuple[float, ...], ends: float) -> None:
        cas = self.cloud.cas
        cas.instances.add("www.ends.example.com", ends, hosted=False)
        self.uploads.append(cas.certificates.upload("u.ends.example.com", days_left=ends - 1))
        cas.certificates.upload("u.excepted.example.com", days_left=ends - 1)
        for some in days:
            self.cloud.clock.advance(days=some)
            self.a_quiet_run()

    @precondition(lambda self: self.watched and not self.runs)
    @rule(days=st.sampled_from([0.5, 6, 13]), by=st.sampled_from(["upload", "instance", "both-ways"]))
    def what_ends_has_been_replaced(self, days: float, by: str) -> None:
        cas, names = self.cloud.cas, ["www.new.example.com", "new.example.com"]
        cas.certificates.upload(*names, days_left=days)
        cas.instances.add(names[0], days - 0.1)
        # And what has not: of these the one lacks a name, and the other was revoked.
        cas.certificates.upload("a.lacks.example.com", "lacks.example.com", days_left=days)
        cas.certificates.upload("a.lacks.example.com", days_left=100)
        cas.certificates.upload("revoked.example.com", days_left=days)
        cas.certificates.revoke(cas.certificates.upload("revoked.example.com", days_left=100))
        if by != "instance":
            cas.certificates.upload(names[0], days_left=100)
            cas.certificates.upload(*reversed(names), days_left=90)
        if by != "upload":
            cas.instances.add(names[0], 150, certificate_domain=",".join(names))
        self.a_quiet_run()

    @precondition(lambda self: self.watched and not self.runs)
    @rule(name=st.sampled_from(V2[:2]))
    def what_replaces_slips_past_while_the_lists_are_read(self, name: str) -> None:
        """Or who does. Nothing of the reading says so: a row goes and another comes, so that the total is the same."""
        cas = self.cloud.cas
        self._calm()
        both = (cas.instances.pages, cas.certificates.pages)
        usual = [(pages.page_limit, pages.oldest_first) for pages in both]
        for pages in both:
            pages.page_limit, pages.oldest_first = 2, True
        add: Any = cas.instances.add
        remove: Any = cas.instances.remove
        if name == "ListInstances":
            goes = add("goes.example.net", 150, place=1000)
            for _ in range(len(cas.instances.ids()) % 2):
                add("pads.example.net", 150)
            before = len(cas.instances.ids())
            add("slips.example.com", 12, hosted=True, own_dns=False)
        else:
            add, remove = cas.certificates.upload, cas.certificates.remove
            goes = add("goes.example.net", days_left=150)
            add("slips.example.com", days_left=5)
            for _ in range((len(cas._issued_orders()) + len(cas.certificates.kept())) % 2):
                add("pads.example.net", days_left=150)
            before = len(cas._issued_orders()) + len(cas.certificates.kept())
            add("slips.example.com", days_left=150)

        def happens() -> None:
            remove(goes)
            add("comes.example.net", days_left=150)

        cas.once_after_page(name, before // 2, happens)
        self._finish(self._start(self._timer(), 300))
        cas.between_pages = None
        for pages, (limit, oldest_first) in zip(both, usual, strict=True):
            pages.page_limit, pages.oldest_first = limit, oldest_first

    @precondition(lambda self: self.watched and not self.runs)
    @rule(missing=st.sampled_from([V2[:1], V2[1:2], V2[:2], V2[2:]]), by=st.sampled_from(["permission", "fault"]))
    def a_list_cannot_be_read_while_the_platform_is_at_work(self, missing: tuple[str, ...], by: str) -> None:
        cas = self.cloud.cas
        self._calm()
        cas.instances.add("www.work.example.com", 12.5, hosted=True)
        cas.authority.hosting_works = False
        cas.instances.add("more.example.com", 12.5)
        cas.certificates.upload("more.example.com", days_left=60)
        cas.certificates.upload("even.more.example.com", days_left=12.5)
        cas.instances.add("even.more.example.com", 60)
        if by == "permission":
            cas.forbid(*missing)
        for action in missing if by == "fault" else ():
            cas.fail(action, *[faults.error("InternalError", 500)] * 12)
        for _ in range(2):
            self._finish(self._start(self._timer(), 300))
            self.cloud.clock.advance(60)
        self.a_quiet_run()

    @precondition(lambda self: self.watched and not self.runs)
    @rule(lifetime=st.sampled_from([20, 47]))
    def short_certificates_follow_each_other(self, lifetime: float) -> None:
        """Each is told of when it ends, although people have been told of the one before."""
        cas = self.cloud.cas
        instance = cas.instances.add("www.short.example.com", 13.5)
        self.a_quiet_run()
        usual, cas.authority.lifetime_days = cas.authority.lifetime_days, lifetime
        cas.instances.issue(instance)
        cas.authority.lifetime_days = usual
        self.cloud.clock.advance(days=lifetime - 13.5)
        self.a_quiet_run()

    @precondition(lambda self: self.watched and not self.runs)
    @rule(phase=st.sampled_from(["before", "after"]), nth=st.integers(1, 3), more=st.integers(0, 2))
    def a_run_dies_while_it_tells(self, phase: str, nth: int, more: int) -> None:
        self.cloud.cas.certificates.upload("dies.example.com", days_left=13)
        run = self._up_to(self._start(self._timer(), 300), (phase, "smq", "SendMessage"), nth)
        run.step(more)
        self._end(run)
        if not self.runs:
            self.a_quiet_run()

    @precondition(lambda self: self.watched and not self.runs)
    @rule(days=st.sampled_from([4.5, 9]))
    def more_wait_than_a_run_may_renew(self, days: float) -> None:
        """What a later run will renew in time is no alarm, and a repetition for the sake of the alarm buys no more."""
        cas = self.cloud.cas
        for n in range(3):
            domain = f"waits{len(self.old)}.example.com"
            self.old.append(cas.add_order(domain=domain, days_left=days + n / 10, product_code="product-a"))
        cas.certificates.upload("rings.example.com", days_left=2.5)
        self._calm()
        self.the_platform_repeats_an_event_until_it_succeeds(who=0)
        self.a_quiet_run()

    # How

    def a_quiet_run(self) -> None:
        """Let a run see the account as it is, and look whether it has told what there is to tell."""
        self._calm()
        before, told, bought = self._truth(), self._alarmed(), len(self.cloud.cas.purchases)
        run = self._start(self._timer(), 300)
        self._finish(run)
        self.witness.hold()
        after = self._truth()
        for thing in before.must_be_told():
            if after.things.get((thing.kind, thing.id)) == thing:
                key = f"certificate {thing.id}" if thing.kind == "certificate" else thing.id
                self._check_told(thing, before, rang=run.failed or key in told)
        self._check_instances(before, after)
        if self.applies:
            self._check_applications(before)
        for purchase in self.cloud.cas.purchases[bought:]:
            domain = self.cloud.cas.order(purchase.old_order_id).domain
            assert domain not in self.moved, f"{domain} had moved to V2, and {purchase.old_order_id} was renewed"

    def _check_told(self, thing: Thing, before: Truth, *, rang: bool) -> None:
        # The clock of the run may be a minute behind.
        days = thing.threshold(before.now - timedelta(seconds=60))
        if days is None:
            return
        ids = {f"{thing.id}-expiring-{nearer}" for nearer in THRESHOLDS if nearer <= days}
        told = [m for m in self.cloud.smq.messages() if m["id"] in ids]
        ends = [m["data"]["CertEndTime"] for m in told if abs(_ends(m) - thing.ends.timestamp()) <= 1]
        assert ends, f"nobody was told that {thing.kind} {thing.id} ends in {days} days"
        if -NEAR < thing.ends - before.now < NEAR - timedelta(minutes=2):
            assert rang, f"no alarm for {thing.kind} {thing.id}"

    def _check_instances(self, before: Truth, after: Truth) -> None:
        certificates = self.cloud.cas.certificates
        for instance, (base, count) in list(self.followed.items()):
            issued = certificates.of_instance(instance)
            old = next((one for one in issued if str(one.certificate_id) == base), None)
            new = issued[-1]
            if old is not None and len(issued) == count + 1 and instance in self.cloud.cas.instances.ids():
                follows = {*old.names} <= {*new.names} and new.not_after > old.not_after and not new.revoked_at
                told = self._told(f"{instance}-{new.certificate_id}-issued")
                assert told or not follows or new.not_before >= before.now, f"nobody was told of {new.certificate_id}"
        self.followed = {
            waiting.instance: (waiting.certificate, len(certificates.of_instance(waiting.instance)))
            for waiting in after.waiting.values()
            if waiting.ends - after.now < HOSTING + timedelta(hours=18)
            and waiting.ends > after.now
            and before.waiting.get(waiting.instance) == waiting
            and not any("excepted" in name for name in waiting.names)
        }
        for instance, waiting in self.followed.items():
            if any(a.instance_id == instance and before.now - a.at < FRESH for a in self._applications()):
                continue
            left = before.waiting[instance].ends - before.now
            if -HISTORY < left < FIRST - timedelta(minutes=2):
                moments = (before.now - timedelta(minutes=1), before.now, after.now)
                days = {f"{moment:%Y-%m-%d}" for moment in moments}
                told = any(self._told(f"{instance}-{waiting[0]}-stalled-{day}") for day in days)
                assert told, f"nobody was told that {instance} does not get on"

    def _truth(self) -> Truth:
        return Truth(self.cloud, may_apply=self.applies)

    def _told(self, start: str, end: str = "", *, inside: bool = False) -> bool:
        ids = [message["id"] for message in self.cloud.smq.messages()]
        if inside:
            return any(id_.startswith(start) and end in id_ for id_ in ids)
        return any(id_ == start if not end else id_.startswith(start) and id_.endswith(end) for id_ in ids)

    def _calm(self) -> None:
        """The faults stop, nothing is missing, and the lists hold still and make sense."""
        for backend in self.cloud.backends.values():
            backend._faults.clear()
        cas = self.cloud.cas
        cas.permit(*V2)
        self._lagging.clear()
        cas.instances.application_takes = cas.authority.shows_after = 0
        cas.between_pages = None
        cas.total_count_off_by = min(0, cas.total_count_off_by)  # else the list may hide what was bought, for ever
        cas._odd.clear()
        for pages in (cas.instances.pages, cas.certificates.pages):
            pages.twice.clear()
            pages._odd.clear()
            pages.total_off_by = 0

    def _slips_past(self, name: str, page: int) -> None:
        cas = self.cloud.cas

        def happens() -> None:
            """A certificate of an instance stays, as does an instance that is followed."""
            if name == "ListInstances":
                listed = [id_ for id_ in cas.instances.ids()[::-1][: page * 5] if id_ not in self.followed]
                journals = self._instance_journals()
                listed = [id_ for id_ in listed if id_ not in journals]
                if listed:
                    cas.instances.remove(listed[0])
                    cas.instances.add("comes.example.net", 150)
            elif self.uploads:
                cas.certificates.remove(self.uploads.pop(0))
                cas.certificates.upload("comes.example.net", days_left=150)

        cas.once_after_page(name, page, happens)

    def _move(self, which: int) -> None:
        """Somebody buys an instance for the domain of an order; before anything is bought for the order."""
        order = self.cloud.cas.order(self.old[which])
        if not self.runs and not self._something_is_unsettled():
            self.cloud.cas.instances.add(order.domain, 150)
            self.moved.add(order.domain)

    def _does(self, what: str, which: int) -> None:
        ids = [
            id_ for id_ in self.cloud.cas.instances.ids() if self.cloud.cas.instances.of(id_).domain not in self.moved
        ]
        if ids and what in _ON_INSTANCES:
            with contextlib.suppress(ValueError):
                _ON_INSTANCES[what](self.cloud, ids[which % len(ids)])
        elif what == "even-rows":
            self.cloud.cas.instances.pages._odd.clear()
            self.cloud.cas.certificates.pages._odd.clear()
        else:
            self._upload(what, which)

    def _upload(self, what: str, which: int) -> None:
        certificates, names = self.cloud.cas.certificates, [f"new{which}.upload.example.com", "upload.example.com"]
        if what == "upload-excepted":
            certificates.upload(f"n{which}.excepted.example.com", days_left=ENDS_IN[which])
        if what == "upload":
            self.uploads.append(certificates.upload(*names, days_left=ENDS_IN[which]))
        if not self.uploads or not what.startswith(("upload-", "revoke-", "remove-")) or what == "upload-excepted":
            return
        chosen = certificates.of(self.uploads[which % len(self.uploads)])
        left = (chosen.not_after - self.cloud.clock.now()) / timedelta(days=1)
        if what == "remove-upload":
            self.uploads.remove(chosen.certificate_id)
            certificates.remove(chosen.certificate_id)
        elif what == "revoke-upload":
            certificates.revoke(chosen.certificate_id)
        elif what == "upload-the-same":
            self.uploads.append(certificates.upload(*reversed(chosen.names), days_left=left))
        elif what == "upload-for-fewer-names":
            self.uploads.append(certificates.upload(chosen.names[0], days_left=left + 60))
        else:
            self.uploads.append(certificates.upload(*reversed(chosen.names), days_left=left + 60))

    def _alarmed(self) -> set[str]:
        """For what the alarm has rung today, or within the clock's error of it."""
        days = {f"days/{self.cloud.clock.now() + timedelta(minutes=off):%Y-%m-%d}" for off in (-1, 0, 1)}
        logs = [lines for key, lines in self._logs("days").items() if any(key.endswith(day) for day in days)]
        return {id_ for lines in logs for line in lines for id_ in json.loads(line).get("alarmed", ())}

    def _recorded(self, fact: str) -> Iterator[dict[str, Any]]:
        """The entries and notes that say that a fact has been told."""
        logs = [lines for kind in ("orders", "instances") for lines in self._logs(kind).values()]
        # Of notes also what has been forgotten since.
        notes = [[body] for key, write, body in self.cloud.oss.history if "/alerts/" in key and write == "put"]
        for lines in [*logs, *(notes or self._logs("alerts").values())]:
            yield from (e for line in lines if (e := json.loads(line)).get("message_id") == fact)

    # What `ExactlyOnce` has

    old: list[int]
    _start: Callable[..., PausedInvocation]
    _finish: Callable[[PausedInvocation], None]
    _end: Callable[[PausedInvocation], None]
    _up_to: Callable[..., PausedInvocation]
    _logs: Callable[[str], dict[str, list[bytes]]]
    _timer: Callable[[], dict[str, Any]]
    _something_is_unsettled: Callable[[], bool]
    the_platform_repeats_an_event_until_it_succeeds: Callable[..., None]


def _ends(message: dict[str, Any]) -> float:
    from handler.runtime.clock import from_rfc3339  # noqa: PLC0415

    return from_rfc3339(message["data"]["CertEndTime"]).timestamp()


def _change_domain(cloud: Cloud, id_: str) -> None:
    instances = cloud.cas.instances
    domain = instances.of(id_).domain
    instances.change_domain(id_, domain.removeprefix("other.") if domain.startswith("other.") else f"other.{domain}")


def _revoke(cloud: Cloud, id_: str) -> None:
    newest = cloud.cas.instances.certificate(id_)
    if newest is not None:
        cloud.cas.certificates.revoke(newest.certificate_id)


def _buy_another(cloud: Cloud, id_: str) -> None:
    instances = cloud.cas.instances
    bought = instances.buy(instances.of(id_).domain)
    instances.apply(bought)


def _traces(cloud: Cloud) -> tuple[Trace, ...]:
    return TRACES[len(cloud.smq.messages()) % len(TRACES)]


def _odd_row(cloud: Cloud, id_: str) -> None:
    cloud.cas.instances.pages.odd_row(id_, **ODD[len(cloud.smq.messages()) % len(ODD)])


_ON_INSTANCES: dict[str, Callable[[Cloud, str], object]] = {
    "apply": lambda cloud, id_: cloud.cas.instances.apply(id_),
    "withdraw": lambda cloud, id_: cloud.cas.instances.withdraw(id_),
    "host": lambda cloud, id_: cloud.cas.instances.host(id_),
    "unhost": lambda cloud, id_: cloud.cas.instances.host(id_, hosted=False),
    "change-domain": _change_domain,
    "refuse": lambda cloud, id_: cloud.cas.instances.refuse(id_, "the CA said no", traces=_traces(cloud)),
    "refuse-soon": lambda cloud, id_: cloud.cas.instances.refuse(id_, "no", traces=_traces(cloud), after=60),
    "revoke": _revoke,
    "end-subscription": lambda cloud, id_: cloud.cas.instances.end_subscription(id_),
    "extend-subscription": lambda cloud, id_: cloud.cas.instances.extend_subscription(id_),
    "buy-another": _buy_another,
    "odd-row": _odd_row,
}
