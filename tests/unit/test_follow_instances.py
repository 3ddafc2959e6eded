"""Instances are followed over any service, journal and queue that fit the ports."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest

from handler.errors import CasMisconfigured, JournalConflict, JournalUnavailable, PublishFailed
from handler.instances.detail import Detail, Task, detail_in, task_in
from handler.instances.instance import Instance
from handler.instances.service import InstanceList, InstanceService
from handler.journal.alerts import Alerts
from handler.journal.entries import Observed
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outbox.publisher import Addresses, Outbox
from handler.outbox.queue import Queue
from handler.result import RunResult
from handler.run.follow_instances import HOSTED_FROM, FollowInstances
from handler.run.issued import Issues
from handler.run.services import Identity, Services
from handler.run.unfinished import is_unfinished
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from handler.watch.service import CertificateList
from tests.examples import ACCOUNT, DAY, HOUR, NOW, rules, settings
from tests.memory_store import MemoryStore
from tests.stubs.clock import FakeClock
from tests.unit.no_deployments import NO_DEPLOYMENTS, NO_PROBER
from tests.unit.v2_rows import DETAIL, ends_in, instance

ID, BASE, NEXT = "cas_dv-cn-example01", "20000001", "20000002"
LOG = f"instances/{ID}"
WITHIN = 14 * DAY
NO_ORDERS: Any = None


class Listed:
    """A service that knows one detail, and counts who asks for it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_forbidden = False
        self.answer: dict[str, Any] = {**DETAIL, "PendingResult": "waiting for DNS"}

    def instances(self) -> InstanceList:
        return InstanceList()

    def detail(self, instance_id: str) -> Detail:
        self.asked.append(instance_id)
        if self.is_forbidden:
            raise CasMisconfigured("NoPermission", "no")
        return detail_in(self.answer)

    def task(self, instance_id: str) -> Task:
        return task_in({"TaskStatus": "success"})

    def apply(self, instance_id: str, seconds: float) -> str:
        raise AssertionError("nobody applies here")

    def certificates(self) -> CertificateList:
        return CertificateList()

    def of_instance(self, instance_id: str) -> CertificateList:
        return CertificateList()

    def probe_certificates(self) -> None:
        self.certificates()

    def probe_instances(self) -> None:
        self.instances()


class Sent:
    """A queue that is a list."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.is_down = False

    def send(self, queue: str, body: str) -> str:
        if self.is_down:
            raise PublishFailed("down", queue, misconfigured=False)
        self.messages.append((queue, json.loads(body)))
        return str(len(self.messages))

    def probe(self, queue: str) -> None:
        pass

    @property
    def ids(self) -> list[str]:
        return [message["id"] for _, message in self.messages]


class World:
    """What a run needs in order to follow."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.store = MemoryStore()
        self.listed = Listed()
        self.sent = Sent()
        self.timeout = 300
        self.runs = 0

    def run(self, *shown: Instance, **ruled: Any) -> list[str]:
        """Look at what is shown; return what went wrong."""
        self.runs += 1
        name = f"request-{self.runs}"
        service: InstanceService = self.listed
        queue: Queue = self.sent
        time = Countdown(self.clock, self.clock.now(), self.timeout)
        journal = Journal(self.store, name)
        notes = OpenNotes(self.store, journal, name, is_unfinished)
        log = Log(io.StringIO(), self.clock, name, str)
        addresses = Addresses(ACCOUNT, "good-news", "alerts")
        outbox = Outbox(queue, addresses, journal, Alerts(self.store, name), time, log)
        followed = notes.open_work(self.clock.now(), tidy=True).renewals
        ours = settings()._replace(rules=rules(**ruled), stalled_within=WITHIN)
        services = Services(
            Identity(name, ACCOUNT, "cn-hangzhou"),
            ours,
            time,
            log,
            NO_ORDERS,
            service,
            self.listed,
            NO_DEPLOYMENTS,
            NO_PROBER,
            queue,
            self.store,
        )
        issues = Issues(services)
        self.result = RunResult(name, "timer")
        return list(FollowInstances(services, journal, notes, outbox, issues, self.result).watch(shown, followed))

    def journal(self) -> Renewal:
        return Journal(self.store, "reader").read(ID)

    def entries(self) -> list[str]:
        return [json.loads(line)["entry"] for line in self.store.logs.get(LOG, ())]


@pytest.fixture
def world() -> World:
    return World()


def hosted(left: timedelta = 10 * DAY, **fields: Any) -> Instance:
    return instance(**{"AutoReissue": "enable", **ends_in(left), **fields})


def issued(**fields: Any) -> Instance:
    return hosted(199 * DAY, **{"CertificateId": int(NEXT), **fields})


# --- who is followed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "is_followed"),
    [
        (hosted(), True),
        (hosted(HOSTED_FROM), True),
        (hosted(HOSTED_FROM + HOUR), False),
        (hosted(-29 * DAY), True),
        (hosted(-30 * DAY), False),
        (hosted(AutoReissue="disable"), False),
        (hosted(AutoReissue="disable", Status="pending"), True),
        (hosted(40 * DAY, AutoReissue="disable", Status="pending"), False),
        (hosted(CertificateId=None), False),
        (hosted(CertificateNotAfter=None), False),
        (hosted(CertificateStatus="revoked"), False),
        (hosted(Status="closed"), False),
        (hosted(InstanceType="TEST"), False),
    ],
)
def test_what_somebody_renews_is_followed_once_its_window_is_open(world: World, shown: Instance, is_followed: bool):
    assert world.run(shown) == []
    assert (world.journal().state is State.FOLLOWED) == is_followed
    assert bool(world.store.notes) == is_followed


def test_closed_eyes_follow_nothing_and_what_may_not_be_spent_on_is_followed(world: World):
    world.run(hosted(), domains_except=["*.example.com"])
    assert world.entries() == []
    world.run(hosted(20 * DAY), domains=["*.example.net"])
    assert world.entries() == ["followed"]


def test_it_is_noted_before_it_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch):
    def dies(*_: object) -> int:
        assert [json.loads(body)["orders"] for body in world.store.notes.values()] == [[ID]]
        raise JournalUnavailable("OSS: InternalError")

    monkeypatch.setattr(world.store, "append", dies)
    assert world.run(hosted()) == ["OSS: InternalError"]


def test_the_base_is_what_the_row_shows(world: World):
    world.run(hosted())
    base = world.journal().base
    assert base is not None
    assert (base.certificate_id, base.renewable.ends, base.renewable.domain) == (
        BASE,
        NOW + 10 * DAY,
        "www.example.com",
    )


# --- it does not get on -----------------------------------------------------------------------------------------------


def test_people_are_alerted_once_a_day_with_what_only_the_detail_tells(world: World):
    for _ in range(3):
        world.run(hosted())
    assert world.sent.ids == [f"{ID}-{BASE}-stalled-2026-11-21"]
    queue, message = world.sent.messages[0]
    assert (queue, message["data"]["Detail"], message["data"]["Stage"]) == ("alerts", "waiting for DNS", "hosted")
    assert world.listed.asked == [ID]
    world.clock.advance(days=1)
    world.run(hosted(9 * DAY))
    assert world.sent.ids[1:] == [f"{ID}-{BASE}-stalled-2026-11-22"]


@pytest.mark.parametrize(("left", "told"), [(WITHIN, 1), (WITHIN + HOUR, 0), (20 * DAY, 0), (-29 * DAY, 1)])
def test_nobody_is_alerted_before_that_time_and_the_detail_is_not_asked_for(world: World, left: timedelta, told: int):
    world.run(hosted(left))
    assert len(world.sent.ids) == len(world.listed.asked) == told


def test_a_detail_that_may_not_be_seen_is_made_up_for_by_the_row(world: World):
    world.listed.is_forbidden = True
    world.run(hosted(PendingResult="CAA forbids it"))
    assert world.sent.messages[0][1]["data"]["Detail"] == "CAA forbids it"


def test_what_is_not_sent_is_not_recorded_and_sent_by_the_next_run(world: World):
    world.sent.is_down = True
    assert len(world.run(hosted())) == 1
    assert world.entries() == ["followed"]
    world.sent.is_down = False
    assert world.run(hosted()) == []
    assert world.entries() == ["followed", "told"]


# --- it is there ------------------------------------------------------------------------------------------------------


def test_the_next_certificate_is_recorded_then_told_once(world: World):
    world.run(hosted(20 * DAY))
    for _ in range(3):
        world.run(issued())
    assert world.entries() == ["followed", "issued", "told"]
    ((queue, message),) = world.sent.messages
    assert (queue, message["id"]) == ("good-news", f"{ID}-{NEXT}-issued")
    assert message["data"]["ReplacedCertificateId"] == BASE
    world.clock.advance(days=1)
    world.run(issued())
    assert world.store.notes == {}


@pytest.mark.parametrize(
    ("shown", "is_next"),
    [
        (issued(CertificateDomain="www.example.com,example.com"), True),
        (issued(CertificateDomain="WWW.EXAMPLE.COM"), True),
        (issued(CertificateDomain="shop.example.com"), False),
        (issued(**ends_in(20 * DAY)), False),
        (issued(**ends_in(19 * DAY)), False),
    ],
)
def test_the_next_certificate_has_at_least_the_same_names_and_ends_later(world: World, shown: Instance, is_next: bool):
    world.run(hosted(20 * DAY))
    world.run(shown)
    assert world.entries() == (["followed", "issued", "told"] if is_next else ["followed", "followed"])
    assert world.sent.ids == ([f"{ID}-{NEXT}-issued"] if is_next else [])


def test_the_same_certificate_with_another_end_is_not_the_next_one(world: World):
    world.run(hosted(20 * DAY))
    world.run(issued(CertificateId=int(BASE)))
    assert world.entries() == ["followed"]


def test_an_instance_that_shows_no_certificate_for_a_while_is_waited_for(world: World):
    world.run(hosted(20 * DAY))
    world.run(hosted(20 * DAY, CertificateId=None))
    world.run()
    assert world.entries() == ["followed"]


def test_a_month_after_the_end_it_is_given_up(world: World):
    world.run(hosted(20 * DAY))
    world.clock.advance(days=50)
    world.run()
    assert world.entries() == ["followed"]
    world.clock.advance(1)
    world.run()
    assert world.journal().progress == "ABANDONED"
    world.run()
    assert world.entries() == ["followed", "observed"]
    assert world.store.notes == {}


# --- whatever goes wrong ----------------------------------------------------------------------------------------------


def test_two_runs_that_begin_at_once_record_one_base(world: World, monkeypatch: pytest.MonkeyPatch):
    append = world.store.append

    def other_is_faster(key: str, position: int, entry: bytes) -> int:
        monkeypatch.undo()
        append(key, position, entry)
        raise JournalConflict(key)

    monkeypatch.setattr(world.store, "append", other_is_faster)
    assert world.run(hosted(20 * DAY)) == []
    assert world.entries() == ["followed"]
    world.run(issued())
    assert world.sent.ids == [f"{ID}-{NEXT}-issued"]


@pytest.mark.parametrize("line", [b"nonsense", b'{"entry": "followed"}', b'{"entry": "sold"}'])
def test_a_journal_that_makes_no_sense_is_named_by_the_next_run(world: World, line: bytes):
    world.store.logs[LOG] = [line]
    world.run(hosted())
    (problem,) = world.run(hosted())
    assert ID in problem
    assert "journal-unreadable" in problem
    assert world.sent.ids == []


def test_what_is_in_trouble_keeps_no_other_from_being_followed(world: World):
    other = hosted(InstanceId="cas_dv-cn-example02")
    world.store.logs[LOG] = [b"nonsense"]
    world.run(hosted(), other)
    assert world.sent.ids == [f"cas_dv-cn-example02-{BASE}-stalled-2026-11-21"]


@pytest.mark.parametrize("timeout", [1, 4, 5])
def test_without_time_nothing_is_begun_or_told(world: World, timeout: int):
    world.timeout = timeout
    assert world.run(hosted()) == []
    assert (world.entries(), world.sent.ids, world.listed.asked) == ([], [], [])


def test_an_instance_that_was_given_up_and_never_shown_again_is_not_read(world: World):
    world.run(hosted(20 * DAY))
    journal = Journal(world.store, "somebody")
    journal.record(journal.read(ID), Observed("ABANDONED"), NOW)
    world.clock.advance(days=1)
    world.run()
    assert world.store.notes == {}
