"""An application, one at a time: claimed, made once, and recorded, whatever CAS answers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handler.errors import (
    CasBusy,
    CasError,
    CasMisconfigured,
    CasOutcomeUnknown,
    CasRefused,
    CasThrottled,
    JournalConflict,
    JournalUnavailable,
)
from handler.instances.application import STATUS_NOT_SUPPORT, Application
from handler.instances.detail import Detail, Task, detail_in
from handler.instances.instance import Instance
from handler.instances.service import InstanceList, InstanceService
from handler.journal.entries import Claimed
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenNotes
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.run.unfinished import is_unfinished
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from tests.examples import HOUR, MINUTE, NOW, SECOND
from tests.memory_store import MemoryStore
from tests.stubs.clock import FakeClock
from tests.unit.v2_rows import DETAIL, INSTANCE, instance

ID, BASE = "cas_dv-cn-example01", "20000001"
LOG = f"instances/{ID}"
NOT_NOW = CasRefused(STATUS_NOT_SUPPORT, "the status does not allow it")
AFTER_SECONDS = 3
"""So long takes each call."""


class Cas:
    """A service that answers applications and details with what it is told, and remembers what it was asked."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.answers: list[str | CasError] = []
        """To each application in turn; the last one to all that follow."""
        self.shows: dict[str, Any] | CasError = {**INSTANCE, **DETAIL}
        self.asked: list[str] = []
        self.seconds: list[float] = []
        self.before_an_answer: Callable[[], object] = lambda: None

    def apply(self, instance_id: str, seconds: float) -> str:
        self.asked.append(f"apply {instance_id}")
        self.seconds.append(seconds)
        self._clock.advance(AFTER_SECONDS)
        self.before_an_answer()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CasError):
            raise answer
        return answer

    def detail(self, instance_id: str) -> Detail:
        self.asked.append(f"detail {instance_id}")
        if isinstance(self.shows, CasError):
            raise self.shows
        return detail_in(self.shows)

    def instances(self) -> InstanceList:
        raise AssertionError("nobody lists here")

    def task(self, instance_id: str) -> Task:
        raise AssertionError("nobody asks for a task here")

    def probe_instances(self) -> None:
        raise AssertionError("nobody probes here")


class World:
    """What an application needs."""

    def __init__(self, timeout: int = 300) -> None:
        self.clock = FakeClock(NOW)
        self.store = MemoryStore()
        self.cas = Cas(self.clock)
        self.logged = io.StringIO()
        self.journal = Journal(self.store, "request-1")
        self.notes = OpenNotes(self.store, self.journal, "request-1", is_unfinished)
        service: InstanceService = self.cas
        log = Log(self.logged, self.clock, "request-1", str)
        self.time = Countdown(self.clock, NOW, timeout)
        self.application = Application(service, self.journal, self.notes, 15 * MINUTE, self.time, log)

    def make(self, *answers: str | CasError, of: Instance | None = None) -> tuple[Line, Renewal]:
        self.cas.answers = list(answers)
        return self.application.make(of or instance(), self.journal.read(ID), self.clock.now())

    def entries(self) -> list[str]:
        return [json.loads(line)["entry"] for line in self.store.logs.get(LOG, ())]

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.logged.getvalue().splitlines()]


@pytest.fixture
def world() -> World:
    return World()


def test_an_application_is_claimed_made_once_and_recorded_with_its_request(world: World):
    line, renewal = world.make("request-of-cas")
    assert (line.outcome, line.reason, line.failed) == (Outcome.APPLIED, None, False)
    assert world.cas.asked == [f"apply {ID}"]
    assert world.entries() == ["claimed", "applied"]
    assert renewal == world.journal.read(ID)
    assert (renewal.state, renewal.applied_for, renewal.applied_at) == (
        State.APPLIED,
        frozenset({BASE}),
        NOW + 3 * SECOND,
    )
    assert json.loads(world.store.logs[LOG][1])["request_id"] == "request-of-cas"


def test_the_claim_is_there_before_the_call_and_says_what_is_to_be_replaced_and_until_when(world: World):
    claims: list[Renewal] = []
    world.cas.before_an_answer = lambda: claims.append(world.journal.read(ID))
    world.make("request-of-cas")
    (during,) = claims
    assert during.state is State.CLAIMED
    assert during.claim == Claimed(
        instance().renewable, NOW + timedelta(seconds=300), NOW, frozenset(), certificate_id=BASE
    )


def test_what_is_about_to_be_applied_for_is_noted_until_the_end_of_the_run(world: World):
    world.application.about_to([instance(), instance(InstanceId="cas_dv-cn-example02")])
    ((_, body),) = world.store.notes.items()
    assert json.loads(body) == {"deadline": "2026-11-21T03:05:00Z", "orders": [ID, "cas_dv-cn-example02"]}


# --- CAS says that the status does not allow it -----------------------------------------------------------------------


def test_not_now_and_in_review_is_an_application_that_is_in(world: World):
    world.cas.shows = {**INSTANCE, "Status": "pending"}
    line, renewal = world.make(NOT_NOW)
    assert (line.outcome, renewal.state, renewal.applied_for) == (Outcome.APPLIED, State.APPLIED, frozenset({BASE}))
    assert world.cas.asked == [f"apply {ID}", f"detail {ID}"]
    assert json.loads(world.store.logs[LOG][1]) | {"how": "settled", "request_id": None} == json.loads(
        world.store.logs[LOG][1]
    )


def test_not_now_and_in_review_is_enough_whatever_certificate_is_shown_meanwhile(world: World):
    world.cas.shows = {**INSTANCE, "Status": "pending", "CertificateId": None, "CertificateNotAfter": ""}
    assert world.make(NOT_NOW)[0].outcome is Outcome.APPLIED


def test_not_now_and_another_certificate_is_an_application_that_was_answered(world: World):
    world.cas.shows = {**INSTANCE, "CertificateId": 20000002}
    line, renewal = world.make(NOT_NOW)
    assert (line.outcome, renewal.state, renewal.applied_for) == (Outcome.APPLIED, State.APPLIED, frozenset({BASE}))


@pytest.mark.parametrize("status", ["normal", "inactive", "willExpire", "expired", "closed"])
def test_not_now_and_neither_is_a_refusal_that_is_tried_again_tomorrow(world: World, status: str):
    world.cas.shows = {**INSTANCE, "Status": status}
    line, renewal = world.make(NOT_NOW)
    assert (line.outcome, line.reason, line.stops_run) == (Outcome.REFUSED, STATUS_NOT_SUPPORT, False)
    assert (renewal.state, renewal.applied_for) == (State.REFUSED, frozenset())
    assert renewal.refusal is not None
    assert (renewal.refusal.is_failure, renewal.refusal.retry_at) == (True, NOW + 3 * SECOND + 20 * HOUR)


@pytest.mark.parametrize(
    "shows",
    [
        CasBusy("ServiceUnavailable", "busy"),
        CasThrottled("Throttling.User", "slowly"),
        CasRefused("NotFound", "no such instance"),
        CasMisconfigured("NoPermission", "no"),
        CasOutcomeUnknown("no-answer", "ReadTimeout"),
        {},
        {**INSTANCE, "InstanceId": "cas_dv-cn-example02", "Status": "pending"},
        {**INSTANCE, "Status": "frozen"},
        {**INSTANCE, "Status": None},
        {**INSTANCE, "CertificateId": None},
        {**INSTANCE, "CertificateId": "x"},
    ],
    ids=lambda shows: shows.code if isinstance(shows, CasError) else None,
)
def test_not_now_and_no_clear_answer_to_why_may_be_an_application_that_is_in(world: World, shows: Any):
    world.cas.shows = shows
    line, renewal = world.make(NOT_NOW)
    assert (line.outcome, line.reason, line.stops_run) == (Outcome.UNKNOWN, STATUS_NOT_SUPPORT, False)
    assert (renewal.state, renewal.unknown_since) == (State.UNKNOWN, NOW + 3 * SECOND)
    assert world.cas.asked == [f"apply {ID}", f"detail {ID}"], "never asked for again"


# --- whatever else it says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["MissingParameter", "OperationDenied.Other", "NotFound"])
def test_another_refusal_is_one_and_nothing_is_read_again(world: World, code: str):
    line, renewal = world.make(CasRefused(code, "no"))
    assert (line.outcome, line.reason, renewal.state) == (Outcome.REFUSED, code, State.REFUSED)
    assert (world.cas.asked, world.entries()) == ([f"apply {ID}"], ["claimed", "refused"])


def test_a_lost_answer_is_never_followed_by_another_call(world: World):
    line, renewal = world.make(CasOutcomeUnknown("no-answer", "ReadTimeout"), "request-of-cas")
    assert (line.outcome, line.reason, renewal.state) == (Outcome.UNKNOWN, "no-answer", State.UNKNOWN)
    assert (world.cas.asked, world.entries()) == ([f"apply {ID}"], ["claimed", "unknown"])


def test_throttling_is_waited_out_under_the_same_claim(world: World):
    line, _ = world.make(CasThrottled("Throttling.User", "slowly"), CasThrottled("Throttling", "slowly"), "request-1")
    assert line.outcome is Outcome.APPLIED
    assert world.cas.asked == [f"apply {ID}"] * 3
    assert world.entries() == ["claimed", "applied"]
    assert world.cas.seconds == sorted(world.cas.seconds, reverse=True)


def test_who_may_not_apply_says_that_nothing_else_can_succeed(world: World):
    line, renewal = world.make(CasMisconfigured("NoPermission", "not allowed"))
    assert (line.outcome, line.reason, line.stops_run) == (Outcome.REFUSED, "NoPermission", True)
    assert renewal.state is State.REFUSED


@pytest.mark.parametrize("timeout", [5, 14])
def test_without_time_for_the_call_nothing_is_claimed(timeout: int):
    world = World(timeout)
    line, renewal = world.make("request-of-cas")
    assert not world.application.has_time()
    assert (line.outcome, line.reason) == (Outcome.DEFERRED, Reason.NO_TIME_LEFT)
    assert (renewal.state, world.cas.asked, world.entries()) == (State.NONE, [], [])


def test_a_claim_that_another_run_was_faster_with_is_left_to_it(world: World, monkeypatch: pytest.MonkeyPatch):
    def faster(*_: object) -> int:
        raise JournalConflict(LOG)

    monkeypatch.setattr(world.store, "append", faster)
    line, _ = world.make("request-of-cas")
    assert (line.outcome, line.reason, world.cas.asked) == (Outcome.DEFERRED, Reason.IN_PROGRESS, [])


def test_a_claim_that_cannot_be_written_lets_nothing_be_called(world: World, monkeypatch: pytest.MonkeyPatch):
    def out_of_reach(*_: object) -> int:
        raise JournalUnavailable("OSS: InternalError")

    monkeypatch.setattr(world.store, "append", out_of_reach)
    with pytest.raises(JournalUnavailable):
        world.make("request-of-cas")
    assert world.cas.asked == []


@pytest.mark.parametrize("failure", [JournalUnavailable("OSS: InternalError"), JournalConflict(LOG)])
def test_an_application_that_could_not_be_recorded_is_one_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
):
    def out_of_reach(*_: object) -> int:
        raise failure

    world.cas.before_an_answer = lambda: monkeypatch.setattr(world.store, "append", out_of_reach)
    line, renewal = world.make("request-of-cas")
    assert (line.outcome, renewal.state, bool(renewal.trouble)) == (Outcome.APPLIED, State.APPLIED, True)
    assert world.entries() == ["claimed"]
    assert "journal-unavailable" in world.events()
    assert world.journal.read(ID).is_lost(NOW + HOUR), "a later run finds it by reading"


def test_a_base_that_was_applied_for_is_not_claimed_whoever_asks(world: World):
    world.make("request-of-cas")
    with pytest.raises(JournalUnavailable, match=ID):
        world.make("request-of-cas")
    assert world.cas.asked == [f"apply {ID}"]
    assert world.make("request-2", of=instance(CertificateId=20000002))[0].outcome is Outcome.APPLIED
    assert world.entries() == ["claimed", "applied"] * 2
