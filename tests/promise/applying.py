"""V2 instances for whose next certificate the function applies (`INSTANCES=apply`), and all that happens to them.

Answers get lost with and without their effect, effects come late, runs die, stand and meet; people apply, withdraw,
configure other names, host, buy more months and release meanwhile; the authority refuses in each way there is; lists
and details are older than the truth. After every step: no application that the policy forbids by what its run has last
seen, none from what was seen longer ago than the settle time, and at most one for each certificate, but for what a
person has released. When all is quiet: every application told, every certificate told, and whatever is stuck.

Assumed, as documented: CAS shows an application, as pending or by its certificate, within the settle time. So one whose
answer is lost, and that is refused or withdrawn before any run has looked, is made again.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.promise.interleaving import PausedInvocation
from tests.promise.truth import HISTORY, Truth
from tests.promise.witness import Witness
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.stubs.faults import Fault
from tests.stubs.instance import Application, Trace

APPLY, DETAIL, TASK = "ApplyCertificate", "GetInstanceDetail", "GetTaskAttribute"
SETTLE = 900
SKEW = 60
LATE = 880
"""So old are lists and details at most."""
MOST_INSTANCES = 30
APPLICATION_FAULTS: list[Fault | None] = [
    faults.timeout_before(),
    faults.timeout_after(),
    faults.reset_before(),
    faults.reset_after(),
    faults.html_after(502),
    faults.empty_after(200),
    faults.answer({}),
    faults.answer_after([]),
    faults.error_after("InternalError", 500),
    faults.error("OperationDenied.StatusNotSupport", 400),
    faults.error_after("OperationDenied.StatusNotSupport", 400),
    faults.error("MissingParameter", 400),
    faults.error("NoPermission", 403),
    faults.throttle(),
    faults.throttle(retry_after_ms=2000),
    faults.refused(),
    None,
]
LOST_WITH_EFFECT = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.answer_after([]),
    faults.error_after("InternalError", 500),
]
LOST_IN_VAIN = [faults.timeout_before(), faults.html(502), faults.answer({})]
TRACES: list[tuple[Trace, ...]] = [
    ("pending-result", "status"),
    ("status",),
    ("task",),
    ("pending-result",),
    ("task", "pending-result", "status"),
]
PLACES = [
    ("after", "cas", DETAIL),
    ("before", "oss", "AppendObject"),
    ("before", "cas", APPLY),
    ("after", "cas", APPLY),
    ("before", "smq", "SendMessage"),
    ("after", "smq", "SendMessage"),
]
FORBIDDEN: dict[str, dict[str, Any]] = {
    "hosted": {"hosted": True, "own_dns": False},
    "free": {"kind": "TEST"},
    "its subscription ends": {"subscription_days_left": 22},
    "another's name": {"certificate_domain": "www.no.example.com,a.excepted.example.com"},
    "another's name is configured": {"domain": "www.no.example.com,b.excepted.example.com"},
    "not DV": {"certificate_type": "OV"},
    "a key of somebody's own": {"csr_method": "upload"},
    "an upgrade": {"upgrade": "payed"},
    "no contact": {"contacts": []},
    "no validation": {"validation_method": ""},
    "other names": {"certificate_domain": "www.no.example.com,shop.no.example.com"},
    "too early": {"days_left": 35},
    "half of its time": {"days_left": 25, "lifetime": 40},
    "closed": {"fixed_status": "closed"},
}
PEOPLE: dict[str, Callable[[Cloud, str], object]] = {
    "applies": lambda cloud, id_: cloud.cas.instances.apply(id_),
    "hosts": lambda cloud, id_: cloud.cas.instances.host(id_),
    "changes the domain": lambda cloud, id_: cloud.cas.instances.change_domain(id_, f"other.{id_}.example.com"),
    "gets the next": lambda cloud, id_: cloud.cas.instances.issue(id_),
}


class ApplyingAccount(RuleBasedStateMachine):
    """The part of the state machine that is about applications; `WatchedAccount` has what is only watched."""

    cloud: Cloud
    runs: list[PausedInvocation]
    witness: Witness
    watched: bool

    def __init__(self) -> None:
        super().__init__()
        self.applies = False
        """Whether the function may (`INSTANCES=apply`)."""
        self.held_instances: dict[str, str] = {}
        self._lagging: dict[str, tuple[datetime, Any]] = {}
        """By operation, until when it answers from a copy, and that."""
        self._has_lagged = False
        """Whether a run may have applied by what was, so that its claim names another certificate."""
        self._added = 0

    def look_on(self, *, applies: bool) -> None:
        """From now on it is known what a run is shown of an instance, and CAS can be made to show what was.

        `applies`: whether the function may apply.
        """
        self.applies = self.witness.may_apply = applies
        operations = self.cloud.cas._operations
        for action in (DETAIL, "ListInstances"):
            operations[action] = self._as_it_was(action, operations[action])

    # What happens

    @precondition(lambda self: self.applies)
    @rule(some=st.lists(st.sampled_from(APPLICATION_FAULTS), min_size=1, max_size=3), takes=st.sampled_from([0, 0, 9]))
    def applications_will_go_wrong(self, some: list[Fault | None], takes: float) -> None:
        self.cloud.cas.instances.application_takes = takes
        self.cloud.cas.fail(APPLY, *some)

    @precondition(lambda self: self.applies)
    @rule(late=st.sampled_from([0, 0, LATE]), own_dns=st.booleans())
    def the_authority_is_another(self, late: int, own_dns: bool) -> None:
        self.cloud.cas.authority.shows_after, self.cloud.cas.authority.own_dns = late, own_dns

    @precondition(lambda self: self.applies)
    @rule(actions=st.sampled_from([(DETAIL,), ("ListInstances",), (DETAIL, "ListInstances")]))
    def what_is_shown_is_older_than_the_truth(self, actions: tuple[str, ...]) -> None:
        self._lag(*actions)

    @precondition(lambda self: self.applies and not self.runs)
    @rule(which=st.integers(0, 9))
    def a_person_releases_an_instance(self, which: int) -> None:
        ours = [id_ for id_, entries in self._instance_journals().items() if _state(entries) == "applied"]
        if ours:
            self._finish(self._start({"release": {"instance_id": ours[which % len(ours)]}}, 300))

    # Scenes

    @precondition(lambda self: self.applies and not self.runs)
    @rule(
        fault=st.sampled_from(LOST_WITH_EFFECT + LOST_IN_VAIN),
        later=st.sampled_from([10, 400, SETTLE + 65]),
        shows=st.sampled_from([0, LATE]),
    )
    def the_answer_to_an_application_is_lost(self, fault: Fault, later: int, shows: int) -> None:
        instance = self._due_instance(own_dns=not shows)
        self.cloud.cas.authority.shows_after = shows
        self._run_whose_applications_answer(fault)
        for seconds in (later, SETTLE + 2 * SKEW):
            self.cloud.clock.advance(seconds)
            self._finish(self._start(self._timer(), 300, 1))
        assert self._has_applied(instance), f"nobody applies for {instance} any more"
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(effect=st.booleans())
    def cas_supports_no_application(self, effect: bool) -> None:
        """Although nobody has applied; or since somebody in between has made the call twice."""
        self._due_instance()
        code = "OperationDenied.StatusNotSupport"
        self._run_whose_applications_answer(faults.error_after(code, 400) if effect else faults.error(code))
        self.cloud.clock.advance(days=1)
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(place=st.sampled_from(PLACES), more=st.integers(0, 2), later=st.sampled_from([10, 400, 1500]))
    def a_run_dies_around_an_application(self, place: tuple[str, str, str], more: int, later: int) -> None:
        instance = self._due_instance()
        ask = {"instance_ids": [instance]}
        run = self._up_to(self._start(ask, 300), self._in_files(place), 2 if "oss" in place else 1)
        run.step(more)
        self._end(run)
        for seconds in (later, 1600):
            self.cloud.clock.advance(seconds)
            self._finish(self._start(self._timer(), 300, 1))
        if not self.runs:
            self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(place=st.sampled_from(PLACES[:4]))
    def two_runs_apply_at_once(self, place: tuple[str, str, str]) -> None:
        ask = {"instance_ids": [self._due_instance()]}
        first = self._up_to(self._start(ask, 300), self._in_files(place))
        second = self._up_to(self._start(ask, 300, 1), self._in_files(place))
        first.step(3)
        self._finish(second)
        self._finish(first)

    @precondition(lambda self: self.applies and not self.runs)
    @rule(
        who=st.sampled_from(sorted(PEOPLE)),
        place=st.sampled_from(PLACES[:3]),
        stands=st.sampled_from([0, 500, 2 * SETTLE]),
    )
    def a_person_acts_while_a_run_stands(self, who: str, place: tuple[str, str, str], stands: int) -> None:
        """After the run has looked, or with its call already on its way."""
        instance = self._due_instance()
        run = self._up_to(self._start({"instance_ids": [instance]}, 7200), self._in_files(place))
        if not run.finished:
            PEOPLE[who](self.cloud, instance)
            self._has_lagged = True  # what the claim names need not be the newest certificate any more
        self.cloud.clock.advance(stands)
        self._finish(run)
        self.cloud.clock.advance(SETTLE + 2 * SKEW)
        self._finish(self._start(self._timer(), 300, 1))
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(traces=st.sampled_from(TRACES), released=st.booleans(), left=st.sampled_from([9, 25]))
    def the_authority_refuses(self, traces: tuple[Trace, ...], released: bool, left: int) -> None:
        instance = self._due_instance(left, own_dns=False)
        self._finish(self._start(self._timer(), 300))
        self.cloud.cas.instances.refuse(instance, "the CA said no", traces=traces, after=60)
        for days in (0.02, 1.2, 1.2):
            self.cloud.clock.advance(days=days)
            self.a_quiet_run()
        if released and _state(self._instance_journals().get(instance, [])) == "applied":
            self._finish(self._start({"release": {"instance_id": instance}}, 300))
            self._finish(self._start(self._timer(), 300))
            self.cloud.clock.advance(700)
            self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(takes=st.sampled_from([20, 280, 295]), stands=st.sampled_from([0, 270]))
    def an_application_takes_effect_late(self, takes: float, stands: int) -> None:
        instance = self._due_instance()
        run = self._up_to(self._start({"instance_ids": [instance]}, 300), ("before", "cas", APPLY))
        self.cloud.clock.advance(stands)
        self.cloud.cas.instances.application_takes = takes
        self.cloud.cas.fail(APPLY, faults.timeout_after())
        self._finish(run)
        self.cloud.cas.instances.application_takes = 0
        for seconds in (30, SETTLE + 2 * SKEW):
            self.cloud.clock.advance(seconds)
            self._finish(self._start(self._timer(), 300, 1))
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(seconds=st.sampled_from([300, 700]), hosted=st.booleans())
    def somebody_must_add_records(self, seconds: int, hosted: bool) -> None:
        cas = self.cloud.cas
        instance = self._due_instance(28, own_dns=False, hosted=hosted)
        cas.authority.hosting_works, cas.authority.hosting_days, cas.authority.hosting_units = True, 30, 9
        for wait in (60, seconds, 700, 700):
            self._finish(self._start(self._timer(), 300))
            self.cloud.clock.advance(wait)
        self.a_quiet_run()
        assert self._told(f"{instance}-", "validation", inside=True), f"nobody was told of the records of {instance}"
        for record in cas.authority.records(cas.instances.of(instance)):
            found = (record[f] for f in ("RootDomain", "ValidationKey", "ValidationType", "ValidationValue"))
            cas.authority.add_record(*found)
        self.cloud.clock.advance(700)
        self.a_quiet_run()
        assert self._told(f"{instance}-", "-issued"), f"nobody was told of the certificate of {instance}"

    @precondition(lambda self: self.applies and not self.runs)
    @rule(why=st.sampled_from(sorted(FORBIDDEN)))
    def what_must_not_be_applied_for(self, why: str) -> None:
        fields = {"domain": "www.no.example.com", "days_left": 20, **FORBIDDEN[why]}
        authority = self.cloud.cas.authority
        usual, authority.lifetime_days = authority.lifetime_days, fields.pop("lifetime", authority.lifetime_days)
        self.cloud.cas.instances.add(**fields)
        authority.lifetime_days, authority.hosting_works = usual, False
        self._orders_first()
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(
        actions=st.sampled_from([(DETAIL,), (DETAIL, "ListInstances")]),
        by=st.sampled_from(["applies", "gets the next"]),
    )
    def a_run_sees_what_was(self, actions: tuple[str, ...], by: str) -> None:
        instance = self._due_instance()
        self._lag(*actions)
        PEOPLE[by](self.cloud, instance)
        self.cloud.clock.advance(500)
        for seconds in (10, SETTLE):
            self._finish(self._start(self._timer(), 300))
            self.cloud.clock.advance(seconds)
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(then=st.sampled_from(["applies", "releases", "neither"]))
    def three_answers_are_lost_in_vain(self, then: str) -> None:
        instance = self._due_instance()
        for _ in range(3):
            self._run_whose_applications_answer(faults.timeout_before())
            self.cloud.clock.advance(SETTLE + 2 * SKEW)
        self._finish(self._start(self._timer(), 300))
        assert instance in self.held_instances, f"{instance} is not held"
        if then == "applies":
            PEOPLE[then](self.cloud, instance)
        elif then == "releases":
            self._finish(self._start({"release": {"instance_id": instance}}, 300))
        self._finish(self._start(self._timer(), 300))
        self.cloud.clock.advance(700)
        self.a_quiet_run()

    @precondition(lambda self: self.applies and not self.runs)
    @rule(lifetime=st.sampled_from([47, 100]), days=st.sampled_from([0.1, 30]), named=st.booleans())
    def one_certificate_follows_the_other(self, lifetime: float, days: float, named: bool) -> None:
        """For years, with runs now and then."""
        cas = self.cloud.cas
        usual, cas.authority.lifetime_days = cas.authority.lifetime_days, lifetime
        instance = self._due_instance()
        self._finish(self._start(self._timer(), 300))
        self.cloud.clock.advance(days=days)
        if named:
            self._finish(self._start({"instance_ids": [instance]}, 300))
        for _ in range(3):
            self.a_quiet_run()
            self.cloud.clock.advance(days=lifetime - 28)
        cas.authority.lifetime_days = usual

    # What must hold

    def nothing_is_applied_for_twice(self) -> None:
        """By the certificate that the claim names, and between two releases."""
        for instance, entries in self._instance_journals().items():
            ours = [one for one in self._applications() if one.instance_id == instance]
            claims = [(_at(entry), entry) for entry in entries if entry["entry"] == "claimed"]
            released = [_at(entry) for entry in entries if entry["entry"] == "released"]
            # An instance's clock may be a minute ahead of the cloud's, or behind.
            in_vain = [_at(e) for e in entries if e["entry"] == "refused" and e["lost"]]
            seen: dict[tuple[str, int], Application] = {}
            for one in ours:
                claimed = [entry for at, entry in claims if at <= one.at + timedelta(seconds=SKEW)]
                assert claimed, f"{instance} was applied for without a claim"
                base = claimed[-1]["certificate_id"]
                key = base, sum(at <= one.at + timedelta(seconds=SKEW) for at in released)
                before = seen.get(key)
                was_unseen = before is not None and before.outcome in {"refused", "withdrawn", "ended"} and in_vain
                assert before is None or was_unseen, f"{instance} was applied for twice for {base}"
                seen[key] = one

    def every_application_is_told(self) -> None:
        """Of those that a run can have seen."""
        now = self.cloud.clock.now()
        for instance, entries in self._instance_journals().items():
            if instance not in self.cloud.cas.instances.ids() or not entries:
                continue
            applied = {e["certificate_id"] for e in _claims_that_succeeded(entries)}
            for base in applied:
                assert self._told(f"{instance}-{base}-applied"), f"nobody was told of the application for {instance}"
            for one in self._applications():
                is_over = one.outcome in {"refused", "withdrawn", "ended"}
                if one.instance_id != instance or is_over or now - one.at < timedelta(seconds=2 * SETTLE):
                    continue
                base = one.base if now - one.at > timedelta(hours=3) and not self._has_lagged else ""
                start = f"{instance}-{base}-applied" if base else f"{instance}-"
                is_told = self._told(start, "" if base else "-applied")
                assert is_told, f"nobody was told that {instance} is applied for"

    def _check_applications(self, before: Truth) -> None:
        """After a quiet run: what has come of the applications is told."""
        cas = self.cloud.cas
        self.every_application_is_told()
        for instance, entries in self._instance_journals().items():
            state, base = _state(entries), _base(entries)
            if instance not in cas.instances.ids() or not base or any(e["entry"] == "released" for e in entries):
                continue
            issued = cas.certificates.of_instance(instance)
            old = next((one for one in issued if str(one.certificate_id) == base), None)
            new = issued[-1]
            follows = old and {*old.names} <= {*new.names} and new.not_after > old.not_after and not new.revoked_at
            was_ours = any(one.certificate_id == new.certificate_id for one in self._applications())
            if was_ours and follows and state in {"applied", "issued"} and new.not_before < before.now:
                told = self._told(f"{instance}-{new.certificate_id}-issued")
                assert told, f"nobody was told of {new.certificate_id}, for which the function has applied"
            self._check_stuck(instance, base, state, entries, before)

    def _check_stuck(self, instance: str, base: str, state: str, entries: list[dict[str, Any]], before: Truth) -> None:
        cas = self.cloud.cas
        shown = cas.instances.of(instance)
        applied_at = max((_at(e) for e in entries if e["entry"] == "applied"), default=before.now)
        if state != "applied" or str(shown.certificate_id) != base:
            return
        if before.now - applied_at < timedelta(seconds=SETTLE + 4 * SKEW):
            return
        if before.now - cas.certificates.of(base).not_after > HISTORY:
            return  # nobody has looked for so long that nobody waits for it any more
        newest = cas.authority.newest(shown)
        assert newest is not None, f"{instance} is taken for applied, and nobody ever has"
        stuck = newest.outcome in {"refused", "withdrawn", "ended"} or newest.failure or shown.pending_result
        if stuck and newest.at < before.now:
            told = [m["data"] for m in self.cloud.smq.messages() if m["id"].startswith(f"{instance}-{base}-stalled-")]
            is_told = any(one["Stage"] not in {"hosted", "in-review"} for one in told)
            # One a day: who has heard today that it is in review hears tomorrow that it is no longer.
            days = {f"{before.now + timedelta(seconds=off):%Y-%m-%d}" for off in (-SKEW, 0, SKEW)}
            today = any(self._told(f"{instance}-{base}-stalled-{day}") for day in days)
            assert is_told or today, f"nobody was told that {instance} is stuck"

    # How

    def _due_instance(self, left: float = 20, **fields: Any) -> str:
        """An instance that is to be applied for, with all orders out of the way."""
        self._calm()
        self._lagging.clear()
        self._settle_by_hand()
        self._orders_first()
        self._added += 1
        return self.cloud.cas.instances.add(f"due{self._added}.example.com", left, **fields)

    def _orders_first(self) -> None:
        """They come first, and a run may not do much."""
        for _ in range(4):
            if not self._fresh() and not self._others_are_due():
                break
            self._finish(self._start(self._timer(), 300))

    def _others_are_due(self) -> bool:
        applied = {one.instance_id for one in self.cloud.cas.authority.applications}
        truth = Truth(self.cloud, may_apply=True)
        return any(
            thing.waits and thing.kind == "instance" and thing.id not in applied for thing in truth.things.values()
        )

    def _run_whose_applications_answer(self, *answers: Fault) -> None:
        self.cloud.cas._faults.clear()
        self.cloud.cas.fail(APPLY, *answers)
        self._finish(self._start(self._timer(), 300))
        self.cloud.cas._faults.clear()

    def _lag(self, *actions: str) -> None:
        instances = self.cloud.cas.instances
        self.cloud.cas._common.pass_time()
        was = copy.deepcopy(instances._newest_first)
        until, self._has_lagged = self.cloud.clock.now() + timedelta(seconds=LATE), True
        self._lagging = dict.fromkeys(actions, (until, was))
        if "ListInstances" in actions:
            self.witness.lags = until, Truth(self.cloud, may_apply=True)

    def _as_it_was(self, action: str, operation: Any) -> Any:
        def look(params: Mapping[str, str]) -> dict[str, Any]:
            said = dict(operation(params))
            if action == DETAIL:
                self.witness.saw(self.cloud.cas.authority.instances[params["InstanceId"]], said)
            return said

        def answer(params: Mapping[str, str]) -> dict[str, Any]:
            until, was = self._lagging.get(action, (None, None))
            cas = self.cloud.cas
            if until is None or until < self.cloud.clock.now():
                return look(params)
            known = {one.instance_id for one in was}
            new = [one for one in cas.instances._newest_first if one.instance_id not in known]
            kept = cas.instances._newest_first, cas.authority.instances
            cas.instances._newest_first = [*new, *was]
            cas.authority.instances = {one.instance_id: one for one in cas.instances._newest_first}
            try:
                return look(params)
            finally:
                cas.instances._newest_first, cas.authority.instances = kept

        return answer

    def _has_applied(self, instance: str) -> bool:
        return any(one.instance_id == instance for one in self._applications())

    def _applications(self) -> list[Application]:
        return [one for one in self.cloud.cas.authority.applications if one.by == "api"]

    def _instance_journals(self) -> dict[str, list[dict[str, Any]]]:
        logs = self._logs("instances")
        return {key.rpartition("/")[2]: [json.loads(line) for line in lines] for key, lines in logs.items()}

    # What `WatchedAccount` and `ExactlyOnce` have

    _start: Callable[..., PausedInvocation]
    _finish: Callable[[PausedInvocation], None]
    _end: Callable[[PausedInvocation], None]
    _up_to: Callable[..., PausedInvocation]
    _in_files: Callable[[tuple[str, str, str]], tuple[str, str, str]]
    _logs: Callable[[str], dict[str, list[bytes]]]
    _timer: Callable[[], dict[str, Any]]
    _told: Callable[..., bool]
    _calm: Callable[[], None]
    _fresh: Callable[[], list[int]]
    _settle_by_hand: Callable[[], None]
    a_quiet_run: Callable[[], None]


def _at(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"].replace("Z", "+00:00"))


def _state(entries: list[dict[str, Any]]) -> str:
    return next((e["entry"] for e in reversed(entries) if e["entry"] not in {"told", "observed"}), "")


def _base(entries: list[dict[str, Any]]) -> str:
    return next((e["certificate_id"] for e in reversed(entries) if e["entry"] in {"claimed", "followed"}), "")


def _claims_that_succeeded(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found, claim = [], {}
    for entry in entries:
        if entry["entry"] == "claimed":
            claim = entry
        elif entry["entry"] == "applied":
            found.append(claim)
    return found
