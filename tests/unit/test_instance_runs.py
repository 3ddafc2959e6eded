"""Instances from one run to the next, over any service that fits the ports: what a person, a crash or a day changes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from handler.certificates.renewable import Kind
from handler.command import Command, Release, Renew, Selection
from handler.errors import CasOutcomeUnknown, JournalConflict, JournalUnavailable
from handler.instances.detail import Detail, Task, detail_in, task_in
from handler.instances.instance import Instance
from handler.instances.row import instance_in
from handler.instances.service import InstanceList, InstanceService
from handler.journal.entries import Observed
from handler.journal.journal import Journal
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.outcomes import Outcome, Reason
from handler.result import RunResult
from handler.run.run import run
from handler.run.services import Identity, Services
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from handler.watch.certificate import Certificate
from handler.watch.service import CertificateList
from tests import published
from tests.examples import ACCOUNT, DAY, HOUR, MINUTE, NOW, order, settings
from tests.memory_store import MemoryStore
from tests.stubs.clock import FakeClock
from tests.unit.no_deployments import NO_DEPLOYMENTS, NO_PROBER
from tests.unit.v2_rows import DETAIL, INSTANCE, certificate, milliseconds

ID, BASE, NEXT = "cas_dv-cn-example01", "20000001", "20000002"
LOG = f"instances/{ID}"
SCAN = Command("timer", Renew(Selection()))
RELEASE = Command("manual", Release(ID, Kind.INSTANCE))
RECORD = {
    "Domain": "www.example.com",
    "RootDomain": "example.com",
    "ValidationKey": "_dnsauth.www",
    "ValidationType": "TXT",
    "ValidationValue": "2026abcd",
}


class Account:
    """One order that is far from its end, one instance, and what the instance has issued."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.row: dict[str, Any] = dict(INSTANCE)
        self.listed: dict[str, Any] | None = None
        """The row as the list has it, if that is older."""
        self.task_answer: dict[str, Any] = {"TaskStatus": "success"}
        self.more: dict[str, Any] = {}
        """What only the detail has."""
        self.applications: list[str] = []
        self.issued: list[Certificate] = []
        self.loses_answers = False
        self.takes_effect = True
        self.meanwhile: Callable[[], object] = lambda: None

    def order_book(self) -> OrderBook:
        return OrderBook([order(domain="order.example.net", ends=NOW + 300 * DAY)], self._clock.now())

    def instances(self) -> InstanceList:
        found = instance_in(self.listed or self.row)
        assert isinstance(found, Instance)
        return InstanceList((found,))

    def detail(self, instance_id: str) -> Detail:
        return detail_in({**DETAIL, **self.row, **self.more})

    def task(self, instance_id: str) -> Task:
        return task_in(self.task_answer)

    def apply(self, instance_id: str, seconds: float) -> str:
        self.applications.append(instance_id)
        self.meanwhile()
        if self.takes_effect:
            self.row["Status"] = "pending"
        if self.loses_answers:
            raise CasOutcomeUnknown(Reason.NO_ANSWER, "the line went dead")
        return "request-of-cas"

    def certificates(self) -> CertificateList:
        return CertificateList(tuple(self.issued))

    def of_instance(self, instance_id: str) -> CertificateList:
        return self.certificates()

    def probe_instances(self) -> None:
        """Nothing can be wrong."""

    def probe_certificates(self) -> None:
        """Nothing can be wrong."""


class World:
    """Everything that a run needs."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.store = MemoryStore()
        self.cas = Account(self.clock)
        self.messages: list[dict[str, Any]] = []
        self.runs = 0

    def send(self, queue: str, body: str) -> str:
        published.check_message(body)
        self.messages.append(json.loads(body))
        return str(len(self.messages))

    def probe(self, queue: str) -> None:
        """Nothing can be wrong."""

    def run(self, command: Command = SCAN, **environ: str) -> RunResult:
        self.runs += 1
        self.store.now = self.clock.now()
        name, service = f"request-{self.runs}", self.cas
        instances: InstanceService = service
        orders: Any = service
        ours = settings({"INSTANCES": "apply", "ALERT_QUEUE": "alerts", **environ})
        services = Services(
            identity=Identity(name, ACCOUNT, "cn-hangzhou"),
            settings=ours,
            time=Countdown(self.clock, self.clock.now(), 300),
            log=Log(io.StringIO(), self.clock, name, str),
            orders=orders,
            instances=instances,
            certificates=service,
            deployments=NO_DEPLOYMENTS,
            prober=NO_PROBER,
            queue=self,
            store=self.store,
        )
        result = RunResult(name, "timer", ours.dry_run)
        run(command, services, result)
        published.check_result(result.to_json(self.clock.now()))
        return result

    def line(self, command: Command = SCAN, **environ: str) -> tuple[Outcome, str | None]:
        line = self.run(command, **environ).lines[ID]
        return line.outcome, line.reason

    def after(self, time: Any) -> World:
        self.clock.advance(time.total_seconds())
        return self

    def journal(self) -> Renewal:
        return Journal(self.store, "reader").read(ID)

    def entries(self) -> list[str]:
        return [json.loads(line)["entry"] for line in self.store.logs.get(LOG, ())]

    def ids(self, type_: str) -> list[str]:
        return [message["id"] for message in self.messages if message["type"] == type_]


@pytest.fixture
def world() -> World:
    return World()


def test_it_is_applied_for_once_and_told_once_however_often_a_run_comes(world: World):
    assert world.line() == (Outcome.APPLIED, None)
    for _ in range(3):
        assert world.after(HOUR).line() == (Outcome.APPLIED, None)
    assert world.cas.applications == [ID]
    assert world.ids("cas.instance.applied") == [f"{ID}-{BASE}-applied"]


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"INSTANCES": "watch"}, None),
        ({"DRY_RUN": "true"}, (Outcome.WOULD_APPLY, None)),
        ({"RENEW_DOMAINS": "shop.example.com"}, None),
        ({"MAX_RENEWALS_PER_RUN": "0"}, (Outcome.DEFERRED, Reason.RUN_LIMIT)),
        ({"MAX_RENEWALS_PER_DAY": "0"}, (Outcome.DEFERRED, Reason.DAY_LIMIT)),
    ],
)
def test_nothing_is_applied_for_that_the_operator_has_not_let(world: World, environ: Any, line: Any):
    found = world.run(**environ).lines.get(ID)
    if line is not None:
        assert found is not None
        assert (found.outcome, found.reason) == line
    assert (world.cas.applications, world.entries()) == ([], [])


def test_what_a_person_releases_is_applied_for_again_by_the_next_run(world: World):
    world.cas.loses_answers, world.cas.takes_effect = True, False
    for _ in range(3):
        assert world.line() == (Outcome.UNKNOWN, "no-answer")
        world.after(HOUR)
    assert world.line() == (Outcome.HELD, Reason.ANSWERS_LOST)
    assert len(world.cas.applications) == 3
    assert world.after(DAY).line(RELEASE) == (Outcome.SKIPPED, Reason.RELEASED)
    world.cas.loses_answers, world.cas.takes_effect = False, True
    assert world.after(HOUR).line() == (Outcome.APPLIED, None)
    assert len(world.cas.applications) == 4


def test_a_lost_answer_is_settled_by_reading_and_never_by_trying(world: World):
    world.cas.loses_answers = True
    assert world.line() == (Outcome.UNKNOWN, "no-answer")
    assert world.after(MINUTE).line() == (Outcome.APPLIED, None)
    assert (len(world.cas.applications), world.ids("cas.instance.applied")) == (1, [f"{ID}-{BASE}-applied"])


def test_what_could_not_be_recorded_is_told_and_nothing_is_built_upon_it(world: World, monkeypatch: pytest.MonkeyPatch):
    world.cas.row["CertificateNotAfter"] = milliseconds(NOW + 10 * DAY)
    append = world.store.append

    def fails_once(*_: object) -> int:
        monkeypatch.setattr(world.store, "append", append)
        raise JournalUnavailable("OSS: InternalError")

    world.cas.meanwhile = lambda: monkeypatch.setattr(world.store, "append", fails_once)
    result = world.run()
    assert (result.lines[ID].outcome, result.lines[ID].failed) == (Outcome.APPLIED, True)
    assert world.entries() == ["claimed"], "the store is well again, and still nothing is added to what it lacks"
    world.cas.meanwhile = lambda: None
    assert world.after(HOUR).line() == (Outcome.APPLIED, None)
    assert set(world.ids("cas.instance.applied")) == {f"{ID}-{BASE}-applied"}
    assert len(world.cas.applications) == 1


def test_what_is_new_on_a_day_that_has_its_message_is_told_on_the_next(world: World):
    world.run()
    world.cas.task_answer = {"TaskStatus": "failed", "TaskMessage": "no"}
    assert world.after(HOUR).line() == (Outcome.APPLIED, Reason.SUBMISSION_FAILED)
    world.cas.task_answer = {"TaskStatus": "success"}
    world.cas.more = {"PendingResult": "CAA forbids it"}
    for _ in range(2):
        assert world.after(HOUR).line() == (Outcome.APPLIED, Reason.AUTHORITY_SAYS)
    assert world.after(DAY).line() == (Outcome.APPLIED, Reason.AUTHORITY_SAYS)
    world.after(DAY).run()
    told = [message for message in world.messages if message["type"] == "cas.instance.stalled"]
    assert [(message["id"], message["data"]["Stage"]) for message in told] == [
        (f"{ID}-{BASE}-stalled-2026-11-21", "submission-failed"),
        (f"{ID}-{BASE}-stalled-2026-11-22", "authority-says"),
    ]
    assert told[1]["data"]["Detail"] == "CAA forbids it"
    assert len(world.cas.applications) == 1


@pytest.mark.parametrize(
    ("task", "detail", "told"),
    [
        ({"TaskStatus": "failed", "TaskMessage": "no contact"}, {}, "no contact"),
        ({"TaskStatus": "failed", "TaskMessage": "no contact"}, {"PendingResult": "CAA forbids it"}, "CAA forbids it"),
        (
            {"TaskStatus": "success", "TaskMessage": "all is well"},
            {"PendingResult": "CAA forbids it"},
            "CAA forbids it",
        ),
    ],
)
def test_what_is_told_is_what_the_authority_said_or_else_why_the_submission_failed(
    world: World, task: dict[str, str], detail: dict[str, str], told: str
):
    world.run()
    world.cas.task_answer, world.cas.more = task, detail
    world.after(HOUR).run()
    (message,) = [message for message in world.messages if message["type"] == "cas.instance.stalled"]
    assert message["data"]["Detail"] == told


def test_records_are_asked_for_after_ten_minutes_once_and_again_only_when_they_change(world: World):
    world.run()
    world.cas.more = {"DomainValidationList": [RECORD, RECORD]}
    world.after(9 * MINUTE).run()
    assert world.ids("cas.instance.validation") == []
    for _ in range(3):
        assert world.after(2 * MINUTE).line() == (Outcome.APPLIED, Reason.NEEDS_RECORDS)
    assert len(world.ids("cas.instance.validation")) == 1
    world.cas.more = {"DomainValidationList": [{**RECORD, "ValidationValue": "another"}]}
    world.after(HOUR).run()
    assert len(set(world.ids("cas.instance.validation"))) == len(world.ids("cas.instance.validation")) == 2


def test_the_end_of_an_issued_one_is_its_own_although_the_list_still_shows_the_one_before(world: World):
    world.run()
    world.cas.row["Status"] = "normal"
    ends = NOW + 199 * DAY
    of = {"InstanceId": ID, "Domain": "www.example.com", "SubjectAlternativeNames": ["www.example.com"]}
    older = certificate(
        **of, CertificateId="20000000", NotBefore=milliseconds(NOW - 300 * DAY), NotAfter=milliseconds(ends)
    )
    world.cas.issued = [older]
    assert world.after(HOUR).line() == (Outcome.APPLIED, Reason.NOT_ISSUED), "that one was there before"
    new = certificate(**of, CertificateId=NEXT, NotBefore=milliseconds(NOW), NotAfter=milliseconds(ends))
    world.cas.issued = [older, new]
    world.after(HOUR).run()
    (message,) = [message for message in world.messages if message["type"] == "cas.instance.issued"]
    assert (message["id"], message["data"]["CertEndTime"]) == (f"{ID}-{NEXT}-issued", "2027-06-08T03:00:00Z")
    assert world.journal().state is State.DONE
    assert world.after(HOUR).line() == (Outcome.DEFERRED, Reason.SETTLING)
    assert len(world.cas.applications) == 1


AFTER = {"Status": "normal", "CertificateId": NEXT, "CertificateNotAfter": milliseconds(NOW + 29 * DAY)}
"""The next certificate, and it ends so soon that the one after it is due, too."""


@pytest.mark.parametrize("is_noted", [True, False])
@pytest.mark.parametrize("is_ours", [True, False])
def test_the_next_certificate_is_told_before_the_one_after_it_is_applied_for(
    world: World, is_ours: bool, is_noted: bool
):
    world.cas.row["AutoReissue"] = "disable" if is_ours else "enable"
    world.run()
    assert world.journal().state is (State.APPLIED if is_ours else State.FOLLOWED)
    if not is_noted:
        world.store.notes.clear()
    world.cas.row |= {**AFTER, "AutoReissue": "disable"}
    world.after(HOUR).run()
    assert world.ids("cas.instance.issued") == [f"{ID}-{NEXT}-issued"]
    assert world.journal().state is State.DONE
    assert world.after(HOUR).line() == (Outcome.APPLIED, None)
    assert world.ids("cas.instance.applied")[-1] == f"{ID}-{NEXT}-applied"
    assert len(world.cas.applications) == 1 + is_ours


def test_an_application_of_before_is_not_told_again_when_the_next_claim_is_another_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    world.run()
    # Given up, and told: nobody looks at it any more.
    journal = Journal(world.store, "somebody")
    journal.record(world.journal(), Observed("ABANDONED"), NOW)
    world.cas.row |= AFTER
    append = world.store.append

    def faster(key: str, position: int, entry: bytes) -> int:
        if key == LOG:
            raise JournalConflict(key)
        return append(key, position, entry)

    monkeypatch.setattr(world.store, "append", faster)
    assert world.after(HOUR).line() == (Outcome.DEFERRED, Reason.IN_PROGRESS)
    assert (len(world.cas.applications), len(world.ids("cas.instance.applied"))) == (1, 1)


def test_a_refusal_by_the_authority_is_never_followed_by_an_application_of_its_own(world: World):
    world.run()
    world.cas.row |= {"Status": "normal", "PendingResult": "turned down"}
    for _ in range(40):
        world.after(DAY).run()
    assert world.cas.applications == [ID]
    assert world.journal().progress == Reason.AUTHORITY_SAYS
