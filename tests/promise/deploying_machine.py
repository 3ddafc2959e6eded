"""A Hypothesis state machine over the real handler and the local cloud: deployments, and whatever can go wrong there.

What it may do: runs of the timer, dry ones too, that die at any call, stand still while others run, or run on instances
whose clocks differ; every fault on every deployment call; jobs, starts, resources and bindings that show late, lists
that move or are short, rows that make no sense; jobs that never end, and resources that take no certificate; several
certificates at once, of other names, uploaded or revoked; time; and people, who make jobs of the same name, put ours
back, start it or delete it, roll it back, bind resources elsewhere or new ones, take away the only contact, and change
what is chosen.

What must hold after every step, by `deploying_witness`: of a new certificate the function makes one job at most; it
starts none whose start was confirmed to it before, and none that would change anything that is not chosen and bound to
the replaced certificate; nothing for what must not be deployed, and nothing in a dry run; what people have bound
elsewhere stays; each fact is told once, under one id, and "deployed" only if that was seen. And once all has come to
rest everybody has heard: all that had the old certificate has the new one, or it is told what has not.

The assumptions: CAS shows what there is within the settle time, and clocks differ by a minute at most.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.deployed import TIMER
from tests.promise.deploying_account import CHOICES, PRODUCTS, Account, Pair, is_chosen
from tests.promise.deploying_witness import CREATE, DEPLOYED, JOBS, RESOURCES, START, WORKERS, Told, Witness
from tests.promise.interleaving import PausedInvocation
from tests.promise.machine import OTHER_ACTIONS
from tests.stubs import faults
from tests.stubs.cloud import Cloud, local_cloud
from tests.stubs.faults import Fault
from tests.stubs.jobs import Job
from tests.stubs.misbehaviour import MovingLists
from tests.stubs.resources import Resource

SETTLE = 900
SKEW = 60
LATE = 890
MOST_PAIRS = 6
STALLED_WITHIN = 5
CALM_RUNS = 12
"""So many, eight hours apart, end whatever was begun: what is tried again after a day, too."""
WHO = st.integers(0, 1)
"""Which of two instances, whose clocks differ."""
WHICH = st.integers(0, 11)
KINDS = st.sampled_from(
    [
        ("hosted", ""),
        ("hosted", ""),
        ("applied", ""),
        ("order", ""),
        ("order", ""),
        ("hosted", "names"),
        ("hosted", "uploaded"),
        ("applied", "old-uploaded"),
        ("hosted", "revoked"),
        ("order", "names"),
        ("order", "fewer"),
        ("order", "several"),
    ]
)
BOUND = st.sampled_from([PRODUCTS, PRODUCTS, ("CDN", "OSS"), ("ALB",), ()])
LAGS = ("show_after", "found_after", "starts_show_after", "bindings")
ACTIONS = (
    CREATE,
    START,
    JOBS,
    RESOURCES,
    WORKERS,
    "DescribeDeploymentJob",
    "DescribeDeploymentJobStatus",
    "GetCertificateDetail",
    "ListCertificates",
    "ListContact",
)
"""What the function asks CAS for deployments."""
LOST_WITH_EFFECT = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.html_after(502),
    faults.empty_after(200),
    faults.answer_after([]),
    faults.error_after("InternalError", 500),
]
LOST_IN_VAIN = [
    faults.timeout_before(),
    faults.reset_before(),
    faults.html(502),
    faults.empty(200),
    faults.answer([]),
    faults.answer({}),
    faults.error("InternalError", 500),
]
REFUSED = [
    faults.throttle(),
    faults.throttle(retry_after_ms=2000),
    faults.refused(),
    faults.error("OperationDenied.StatusNotSupport"),
    faults.error("DeploymentJobFailed"),
    faults.error("NoPermission", 403),
]
NOT_FOUND = faults.error("NotFound", 404)
LIES = [faults.empty_list(), faults.short_page(), faults.first_page()]
READ = [*LOST_IN_VAIN, *REFUSED, NOT_FOUND, faults.another(), *faults.NO_LISTS]
EFFECT = [*LOST_WITH_EFFECT, *LOST_IN_VAIN, *REFUSED, faults.missing_order_id(), faults.order_id_as_string()]
OTHERS = [
    faults.timeout_before(),
    faults.timeout_after(),
    faults.reset_after(),
    faults.html(502),
    faults.error("InternalError", 500),
    faults.error_after("InternalError", 500),
]
PLACES = [
    (phase, *call)
    for phase in ("before", "after")
    for call in (
        ("cas", CREATE),
        ("cas", START),
        ("cas", JOBS),
        ("cas", RESOURCES),
        ("cas", WORKERS),
        ("oss", "AppendObject"),
        ("oss", "PutObject"),
        ("smq", "SendMessage"),
    )
]
"""Where a run may stand still or die."""
CONTENTS = ("the same", "less", "more", "of another", "elsewhere")


class Deploying(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._resources = contextlib.ExitStack()
        self._resources.enter_context(contextlib.redirect_stdout(io.StringIO()))
        self.cloud: Cloud = self._resources.enter_context(local_cloud())
        self.account = Account(self.cloud)
        self.witness = Witness(self.cloud, self.account)
        self.cloud.hooks.append(self.witness)
        self.runs: list[PausedInvocation] = []
        self.started = 0
        self.skews = (0, 0)
        self.choice = CHOICES[0]
        self.odd: set[int] = set()
        """The resources whose row makes no sense."""

    # How it begins

    @initialize(
        pairs=st.lists(st.tuples(KINDS, BOUND), min_size=1, max_size=3),
        lags=st.sets(st.sampled_from(LAGS)),
        workers_wait=st.booleans(),
        workers_know=st.booleans(),
        begins_after=st.sampled_from([5, 5, 1500]),
        partly_failed=st.sampled_from(["error", "success"]),
        skews=st.sampled_from([(0, 0), (0, 59), (-59, 0), (-30, 30)]),
        rows=st.sampled_from([2, 50, 50]),
        oldest_first=st.booleans(),
        moves=st.none() | st.none() | st.integers(0, 99),
        issued=st.integers(0, 3),
    )
    def an_account(
        self,
        pairs: Sequence[tuple[tuple[str, str], Sequence[str]]],
        lags: set[str],
        workers_wait: bool,
        workers_know: bool,
        begins_after: float,
        partly_failed: Any,
        skews: tuple[int, int],
        rows: int,
        oldest_first: bool,
        moves: int | None,
        issued: int,
    ) -> None:
        """`issued`: so many of the certificates are issued before anything else happens."""
        cas = self.cloud.cas
        cas.authority.hosting_works, cas.authority.takes = False, 10**9
        for lag in LAGS[:3]:
            setattr(cas.deployments, lag, LATE if lag in lags else 0)
        cas.resources.bindings_show_after = LATE if "bindings" in lags else 0
        cas.deployments.workers_wait, cas.deployments.workers_know_resources = workers_wait, workers_know
        cas.deployments.scheduling_takes, cas.deployments.partly_failed = begins_after, partly_failed
        self.skews = skews
        for pages in (cas.deployment_api.resource_pages, cas.deployment_api.job_pages, cas.deployment_api.worker_pages):
            pages.page_limit, pages.oldest_first = rows, oldest_first
        for (kind, flaw), products in pairs:
            self.account.add(kind, flaw, products)
        self.tick()
        if moves is not None:
            cas.between_pages = MovingLists(cas, moves, 0.05)
        for pair in self.account.pairs[:issued]:
            self.account.issue(pair)

    # Runs

    @rule(who=WHO, timeout=st.sampled_from([60, 300, 7200]), is_dry=st.sampled_from([False, False, False, True]))
    def tick(self, who: int = 0, timeout: int = 300, is_dry: bool = False) -> None:
        self.finish(self.start(who, timeout, is_dry=is_dry))

    @precondition(lambda self: len(self.runs) < 3)
    @rule(who=WHO, timeout=st.sampled_from([300, 7200]), points=st.integers(0, 199))
    def a_run_begins_and_stands_still(self, who: int, timeout: int, points: int) -> None:
        run = self.start(who, timeout)
        run.step(points)
        self._keep(run)

    @precondition(lambda self: self.runs)
    @rule(which=WHICH, points=st.integers(1, 60))
    def a_run_goes_on(self, which: int, points: int) -> None:
        run = self.runs.pop(which % len(self.runs))
        run.step(points)
        self._keep(run)

    @precondition(lambda self: self.runs)
    @rule(which=WHICH)
    def a_run_comes_to_its_end(self, which: int) -> None:
        self.finish(self.runs.pop(which % len(self.runs)))

    @precondition(lambda self: self.runs)
    @rule(which=WHICH)
    def a_run_dies(self, which: int) -> None:
        self.kill(self.runs.pop(which % len(self.runs)))

    @rule(place=st.sampled_from(PLACES), nth=st.integers(1, 5), who=WHO)
    def a_run_dies_somewhere(self, place: tuple[str, str, str], nth: int, who: int) -> None:
        self._something_to_do()
        self.kill(self.up_to(place, nth, who))

    @rule(place=st.sampled_from(PLACES), nth=st.integers(1, 3), who=WHO, dies=st.booleans(), stands=st.just(0) | WHICH)
    def two_runs_come_to_the_same_place(
        self, place: tuple[str, str, str], nth: int, who: int, dies: bool, stands: int
    ) -> None:
        self._something_to_do()
        first = self.up_to(place, nth, who, 7200)
        self.cloud.clock.advance(stands * 400)
        second = self.up_to(place, nth, 1 - who)
        first.step(2)
        self.finish(second)
        if dies:
            self.kill(first)
        else:
            self.finish(first)

    # What goes wrong

    @rule(action=st.sampled_from(ACTIONS), fault=st.sampled_from(READ), count=st.sampled_from([1, 1, 3, 9]))
    def a_call_goes_wrong(self, action: str, fault: Fault, count: int) -> None:
        if action in {CREATE, START} and fault not in EFFECT:
            return
        if fault in LIES:  # what is said again and again is believed
            self.cloud.cas._faults[action].clear()
            count = 1
        self.cloud.cas.fail(action, *[fault] * count)

    @rule(of=st.sampled_from(OTHER_ACTIONS), fault=st.sampled_from(OTHERS), count=st.integers(1, 3))
    def a_call_of_another_service_goes_wrong(self, of: tuple[str, str], fault: Fault, count: int) -> None:
        self.cloud.backends[of[0]].fail(of[1], *[fault] * count)  # type: ignore[index]

    @rule(fault=st.sampled_from(EFFECT), later=st.sampled_from([1, 400, LATE + 5, 4000, 80_000]), who=WHO)
    def the_answer_when_a_job_is_made_goes_wrong(self, fault: Fault, later: float, who: int) -> None:
        self._something_to_do()
        self.cloud.cas.fail(CREATE, fault)
        self.tick(who)
        self.cloud.clock.advance(later)
        self.tick(1 - who)

    @rule(fault=st.sampled_from(EFFECT), later=st.sampled_from([1, 400, LATE + 5, 4000, 80_000]), who=WHO)
    def the_answer_when_a_job_is_started_goes_wrong(self, fault: Fault, later: float, who: int) -> None:
        self._something_to_do()
        self.cloud.cas.fail(START, fault)
        self.tick(who)
        self.cloud.clock.advance(later)
        self.tick(1 - who)

    @rule(count=st.sampled_from([1, 3, 12]), later=st.sampled_from([1, 400, LATE]))
    def a_job_seems_to_be_gone(self, count: int, later: float) -> None:
        """It is in no list, and not found by its id, for some time; a run has written down which it is."""
        self._something_to_do()
        self._calm_run()
        self.cloud.clock.advance(LATE + 2 * SKEW)
        self._calm_run()
        self._something_to_do()
        self.kill(self.up_to(("after", "cas", START), 1))
        self.cloud.cas._faults.clear()
        self.cloud.cas.fail(JOBS, *[faults.empty_list()] * count)
        self.cloud.cas.fail("DescribeDeploymentJob", *[NOT_FOUND] * count)
        self.cloud.clock.advance(later)
        self.tick()
        self.cloud.cas._faults.clear()

    @rule(which=WHICH, fails=st.booleans())
    def a_resource_takes_no_certificate(self, which: int, fails: bool) -> None:
        if found := self._resource(which):
            found.fails = fails

    @rule(stalls=st.booleans())
    def jobs_never_end(self, stalls: bool) -> None:
        self.cloud.cas.deployments.stalls = stalls
        for job in self.cloud.cas.deployments.jobs():
            job.stalls = job.stalls and stalls

    @rule(which=WHICH, without=st.sampled_from(["CertId", "CloudProduct", "Id", ""]))
    def a_row_makes_no_sense(self, which: int, without: str) -> None:
        found = self._resource(which)
        if found is None or (not without and found.resource_id not in self.odd):
            return
        pages = self.cloud.cas.deployment_api.resource_pages
        if without:
            pages.odd_row(found.resource_id, without)
            self.odd.add(found.resource_id)
        else:
            pages.odd_row(found.resource_id)
            self.odd.discard(found.resource_id)

    # What else happens

    @rule(seconds=st.sampled_from([1, 30, 400, LATE, 2000, 4000, 20_000, 40_000]))
    def time_passes(self, seconds: float) -> None:
        self.cloud.clock.advance(seconds)

    @rule(which=WHICH)
    def a_certificate_is_issued(self, which: int) -> None:
        self.account.issue(self._pair(which))

    # People

    @rule(which=WHICH, content=st.sampled_from(CONTENTS), begins=st.sampled_from(["at once", "later", "never"]))
    def a_person_makes_a_job(self, which: int, content: str, begins: str) -> None:
        pair = self._pair(which)
        if pair.new is not None:
            self.account.make_job(pair, content, begins)

    @rule(later=st.sampled_from([1, 400, 4000]), who=WHO)
    def a_person_puts_our_job_back(self, later: float, who: int) -> None:
        self._something_to_do()
        run = self.up_to(("after", "cas", START), 1, who)
        run.step(4)
        self._keep(run)
        for job in self._ours():
            self.account.put_back(job)
        self.cloud.clock.advance(later)
        while self.runs:
            self.finish(self.runs.pop())
        self.tick(1 - who)

    @rule(which=WHICH, act=st.sampled_from(["starts", "puts back", "deletes", "rolls back", "rolls back"]))
    def a_person_looks_at_a_job(self, which: int, act: str) -> None:
        jobs = [job for pair in self.account.pairs for job in self.account.jobs(pair)]
        if not jobs:
            return
        job = jobs[which % len(jobs)]
        if act == "starts":
            self.account.start_job(job)
        elif act == "puts back":
            self.account.put_back(job)
        elif act == "deletes":
            self.account.delete(job)
        else:
            self.account.roll_back(job, which)

    @rule(
        place=st.sampled_from([("after", "cas", CREATE), ("before", "cas", START)]),
        act=st.sampled_from(["rebinds", "deletes the job", "makes a job", "adds a resource", "deletes a resource"]),
        which=WHICH,
        content=st.sampled_from(CONTENTS),
        dies=st.booleans(),
    )
    def a_person_acts_between_making_and_starting(
        self, place: tuple[str, str, str], act: str, which: int, content: str, dies: bool
    ) -> None:
        self._something_to_do()
        run = self.up_to(place, 1)
        if dies:
            self.kill(run)
        pair = self.account.pairs[-1]
        if act == "makes a job" and pair.new:
            self.account.make_job(pair, content, "never")
        elif act == "deletes the job":
            for job in self._ours()[-1:]:
                self.account.delete(job)
        elif act == "adds a resource":
            self.account.add_resource(pair, "CDN")
        else:
            there = [one for one in pair.bound if self.account.find(one)]
            for one in there[which % 3 : which % 3 + 1]:
                (self.account.rebind if act == "rebinds" else self.account.delete_resource)(one)
        self.cloud.clock.advance(400)
        if not dies:
            self.finish(run)
        self.tick()

    @rule(which=WHICH)
    def a_person_binds_a_resource_elsewhere(self, which: int) -> None:
        if found := self._resource(which):
            self.account.rebind(found.resource_id)

    @rule(which=WHICH, product=st.sampled_from(["CDN", "ALB"]))
    def a_person_binds_the_old_one_to_another_resource(self, which: int, product: str) -> None:
        self.account.add_resource(self._pair(which), product)

    @rule()
    def the_only_contact_comes_or_goes(self) -> None:
        contacts = self.cloud.cas.resources.contacts
        if contacts:
            contacts.clear()
        else:
            self.cloud.cas.resources.add_contact("Operations", "operations@example.com")

    @rule(choice=st.sampled_from(CHOICES))
    def the_operator_chooses_otherwise(self, choice: str) -> None:
        self.choice = choice

    # What must hold

    @invariant()
    def every_promise_holds(self) -> None:
        self.witness.hold()

    def teardown(self) -> None:
        try:
            if self.account.pairs:
                self.come_to_rest()
        finally:
            for run in self.runs:
                run.kill()
            self._resources.close()

    def come_to_rest(self, calm_runs: int = CALM_RUNS, further: int = 3) -> None:
        """Let everything that is under way end, and the faults stop; what is still to be issued is.

        After so many calm runs everybody has heard; so many further ones tell nothing new.
        """
        while self.runs:
            self.finish(self.runs.pop())
        self.every_promise_holds()
        self.choice = self.choice or CHOICES[0]
        self._calm_run()
        self.cloud.cas.between_pages = None
        for pair in self.account.pairs:
            self.account.issue(pair)
        self._calm_runs(calm_runs)
        for pair in self.account.pairs:
            self._everybody_has_heard(pair)
        told = [one.message["id"] for one in self.witness.told]
        self._calm_runs(further)
        news = [one for one in self.witness.told[len(told) :] if not self._comes_with_time(one)]
        assert not news, f"it has come to rest, and then {news[0].message} was told"

    def _everybody_has_heard(self, pair: Pair) -> None:
        noticed = self.witness.noticed.get(pair.of)
        assert pair.new, f"the next certificate of {pair.of} was never issued"
        if pair.flaw == "revoked" and not noticed:
            return  # it was over before anybody saw it
        assert noticed, f"nobody was told that {pair.new} is issued"
        told = [one for one in self.witness.told if any(one.message["id"].startswith(f"{id_}-") for id_ in pair.ids)]
        if not noticed.choice and not told:
            return  # nobody wanted it then
        assert told, f"nobody has heard what became of {pair.new} ({pair.kind} {pair.flaw}, instead of {pair.old})"
        failed = [one for one in told if one.message["type"] != DEPLOYED]
        if pair.kind == "order" and pair.flaw:
            return  # which certificate it would have been is not known
        bound = [one for one in self._left(pair, told) if not failed or one.resource_id not in self.odd]
        left = Counter(map(self._key, bound))
        named = [Counter([*one.left, *((product, region, "") for product, region, _ in one.left)]) for one in failed]
        unnamed = {key for key, count in left.items() if all(one[key] < count for one in named)}
        assert not unnamed, (
            f"{sorted(unnamed)} still have {pair.old} and not {pair.new} ({pair.kind} {pair.flaw}), "
            f"and nobody was told: {[one.message for one in told]}"
        )

    def _left(self, pair: Pair, told: Sequence[Told]) -> list[Resource]:
        """What should have the new certificate, and has the old one, through no doing of people's."""
        choices = [one.run.choice for one in told]
        if pair.new in self.witness.bound_then:
            choice, wanted = self.witness.bound_then[pair.new]
            choices = [one for one in choices if one == choice] or ["none of them"]
        else:
            wanted = {one for one in pair.bound if (found := self.account.find(one)) and self._was_there(found, pair)}
        there = [one for one in map(self.account.find, wanted - self.account.touched.keys()) if one]
        return [
            one
            for one in there
            if one.certificate_id == pair.old and all(is_chosen(one.product, choice) for choice in choices)
        ]

    def _was_there(self, resource: Resource, pair: Pair) -> bool:
        return pair.issued_at is not None and resource.visible_at <= pair.issued_at

    def _comes_with_time(self, told: Told) -> bool:
        """Whether the old one is near its end, and still bound."""
        pair = next(one for one in self.account.pairs if str(one.new) == told.data["CertificateId"])
        ends = self.cloud.cas.certificates.of(pair.old).not_after
        return ends - told.at <= timedelta(days=STALLED_WITHIN, minutes=2)

    # Below: how the rules do it

    def _something_to_do(self) -> None:
        """Let a certificate be issued of which no run knows yet, and nothing else be under way.

        Else most of a history would be about nothing.
        """
        while self.runs:
            self.finish(self.runs.pop())
        fresh = [pair for pair in self.account.pairs if pair.new is None and not pair.flaw]
        if fresh:
            self.account.issue(fresh[0])
        elif len(self.account.pairs) < MOST_PAIRS:
            pair = self.account.add("hosted", "", ("CDN", "OSS", "ALB"))
            self._calm_run()
            self.account.issue(pair)

    def _calm_run(self) -> None:
        """A run that meets no fault, and lists that hold still."""
        for backend in self.cloud.backends.values():
            backend._faults.clear()
        moves, self.cloud.cas.between_pages = self.cloud.cas.between_pages, None
        self.tick()
        self.cloud.cas.between_pages = moves

    def start(self, who: int = 0, timeout: int = 300, *, is_dry: bool = False) -> PausedInvocation:
        """Let a run of the timer begin; it stands still at its first call."""
        self.started += 1
        name = f"run-{self.started}"
        settings = {
            "DEPLOY_TO": self.choice,
            "DRY_RUN": str(is_dry).lower(),
            "INSTANCES": "apply",
            "MAX_RENEWALS_PER_RUN": "1000",
            "PROBE": "off",
            "SETTLE_SECONDS": str(SETTLE),
            "STALLED_WITHIN_DAYS": str(STALLED_WITHIN),
        }
        moment = self.cloud.clock.now() + timedelta(microseconds=self.started)
        event = json.dumps({**TIMER, "triggerTime": moment.isoformat()}).encode()
        self.witness.begins(name, self.choice, is_dry=is_dry)
        return PausedInvocation(self.cloud, event, name, timeout, self.skews[who], **settings)

    def up_to(self, place: tuple[str, str, str], nth: int = 1, who: int = 0, timeout: int = 300) -> PausedInvocation:
        """Let a run begin and come to where it stands before or after a call for the nth time, if it gets there."""
        run = self.start(who, timeout)
        while not run.finished:
            nth -= run.at == place
            if nth == 0:
                break
            run.step()
        return run

    def finish(self, run: PausedInvocation) -> None:
        """Let a run come to its end, and learn from it."""
        run.finish()
        self._keep(run)

    def kill(self, run: PausedInvocation) -> None:
        """Let a run die where it stands, unless it has ended."""
        if run.finished:
            self._keep(run)
            return
        run.kill()
        self.witness.ends(run.name, died=True)

    def _keep(self, run: PausedInvocation) -> None:
        """Keep a run that still stands somewhere; learn from one that has ended."""
        if not run.finished:
            self.runs.append(run)
            return
        if run.bug is not None:
            raise run.bug
        self.witness.ends(run.name, died=run.text is None)
        if run.text and run.text.startswith("{"):
            errors = json.loads(run.text).get("errors", ())
            assert not any("internal error" in error for error in errors), run.text

    def _calm_runs(self, count: int) -> None:
        for _ in range(count):
            self.cloud.clock.advance(8 * 3600)
            self.tick()
            self.every_promise_holds()

    def _pair(self, which: int) -> Pair:
        return self.account.pairs[which % len(self.account.pairs)]

    def _resource(self, which: int) -> Resource | None:
        """One of those that have, or had, an old certificate."""
        pair = self._pair(which)
        there = [found for one in pair.bound if (found := self.account.find(one))]
        return there[which // len(self.account.pairs) % len(there)] if there else None

    def _ours(self) -> list[Job]:
        """The jobs that the function has made."""
        return [job for pair in self.account.pairs for job in self.account.jobs(pair) if job.by == "api"]

    def _key(self, resource: Resource) -> tuple[str, str, str]:
        """By what a message names a resource; of some, nobody but the list of resources knows a name."""
        name = "/".join(filter(None, (resource.instance_id, resource.listener_id))) or resource.domain
        if not name and self.cloud.cas.deployments.workers_know_resources:
            name = str(resource.resource_id)
        return (resource.product, resource.region, name)
