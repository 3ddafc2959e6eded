"""A Hypothesis state machine over the real handler and the local cloud: everything that can go wrong, in any order.

What it may do: ticks and duplicate events, retries of failed events as the platform makes them, runs that stand still
at any call while others run, deaths at any point between two calls (or between two system calls, where the journal is
a folder), instances whose clocks differ, every fault on every call of every service and every kind of answer that is
none, lists that move while they are read, slow lists, odd rows, credentials that change, new orders that show late,
backups of journals that come back as ordinary objects, time, and people: who renew in the console, buy what has nothing
to do with any of it, apply for certificates (for another domain, too), withdraw applications, resolve and release.

What must hold after every step: at most one renewal bought by the function per old order; none for an order that
another already stands in for, none before half of a certificate's lifetime is over, and none that the day's limit does
not have; no journal entry lost or rewritten; no message for what never was, and one id for each fact. And once
everything has come to rest: every new order, every issued certificate and every failure on the queue, every journal
closed, nothing left to renew.

The assumptions are the ones that the documentation names: CAS shows a new order within the settle time; clocks differ
by a minute at most; and nobody buys an order of the same product and domain (or of none) in the console while an answer
of ours is missing, or so shortly before the call that CAS does not show it yet: it looks just like the successor.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.deployed import TIMER, what_a_person_says
from tests.promise.account import WatchedAccount
from tests.promise.file_crashes import file_crashes
from tests.promise.interleaving import PausedInvocation
from tests.promise.truth import EXCEPTED
from tests.promise.witness import NEW_TYPES, Witness
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud, local_cloud
from tests.stubs.faults import Fault
from tests.stubs.misbehaviour import MovingLists
from tests.stubs.orders import Order
from tests.traces import LIST, RENEWALS

SETTLE = 900
SKEW = 60
LATE = 890
PER_RUN, PER_DAY = 2, 12
MOST_ORDERS = 20
ISSUED = {"ISSUED", "WILLEXPIRED", "EXPIRED"}
TIMEOUTS = st.sampled_from([60, 300, 300, 7200])
WATCHED = (
    st.none()
    | st.just(())
    | st.tuples(
        st.sampled_from(["milliseconds", "seconds"]),
        st.sampled_from(["absent", "zero", "null", "text"]),
        st.sampled_from([(True, 30), (True, 12), (False, 30)]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
)
"""What an account of 2026 has beside orders, see `an_account_of_2026`; () if it has nothing, None if nobody looks."""
WHO = st.integers(0, 1)
"""Which of two instances, whose clocks differ."""
PLACES = [
    (phase, *call)
    for phase in ("before", "after")
    for call in (
        ("cas", LIST),
        ("oss", "ListObjectsV2"),
        ("oss", "GetObject"),
        ("oss", "PutObject"),
        ("oss", "AppendObject"),
        ("oss", "AppendObject"),
        ("oss", "DeleteObject"),
        ("cas", RENEWALS),
        ("cas", RENEWALS),
        ("smq", "SendMessage"),
    )
]
"""Where a run may die; the calls to the journal are others where it is a folder."""
FILE_CALLS = ["open", "write", "fsync", "link", "unlink", "mkdir", "replace", "scandir", "listdir"]
SOME_FAULTS: dict[str, list[Fault | None]] = {
    "renewal": [
        faults.timeout_before(),
        faults.timeout_after(),
        faults.reset_before(),
        faults.reset_after(),
        faults.html(502),
        faults.html_after(502),
        faults.empty(200),
        faults.empty_after(200),
        faults.answer({}),
        faults.answer_after([]),
        faults.old_order_id(),
        faults.old_order_id_after(),
        faults.error_after("InternalError", 500),
        faults.error("CreateOrderFailed", 400),
        faults.error_after("DeductQuotaFailed", 400),
        faults.error("OrderStateError", 403),
        faults.error("InsufficientQuota"),
        faults.error("NoPermission", 403),
        faults.missing_order_id(),
        faults.order_id_as_string(),
        faults.throttle(),
        faults.throttle(retry_after_ms=2000),
        faults.refused(),
        None,
    ],
    "list": [
        faults.timeout_before(),
        faults.html(502),
        faults.refused(),
        *faults.NO_LISTS,
        *faults.NO_ANSWERS,
        None,
    ],
    "other": [
        faults.timeout_before(),
        faults.timeout_after(),
        faults.reset_before(),
        faults.reset_after(),
        faults.html(502),
        faults.empty(200),
        faults.answer({"status": "ok"}),
        faults.error("InternalError", 500),
        faults.error_after("InternalError", 500),
        faults.refused(),
        None,
    ],
}
OTHER_ACTIONS = [
    ("smq", "SendMessage"),
    ("oss", "AppendObject"),
    ("oss", "AppendObject"),
    ("oss", "GetObject"),
    ("oss", "PutObject"),
    ("oss", "ListObjectsV2"),
    ("oss", "DeleteObject"),
]
REPAIRABLE = {"journal-not-appendable"}
"""Reasons for a hold after which a person repairs the journal, and says nothing of the order."""

UNRECORDABLE = REPAIRABLE | {"journal-unreadable", "journal-unavailable"}
"""Reasons for a hold that the order's own journal cannot say to be told."""

_entry = cache(json.loads)
"""Each line is looked at after every step of a history."""


class ExactlyOnce(WatchedAccount):
    """See the module; what is only watched is in `tests.promise.account`."""

    def __init__(self) -> None:
        super().__init__()
        self._resources = contextlib.ExitStack()
        self._resources.enter_context(contextlib.redirect_stdout(io.StringIO()))
        self.cloud: Cloud = self._resources.enter_context(local_cloud())
        self.folder: Path | None = None
        self.runs: list[PausedInvocation] = []
        self.started = 0
        self.held: dict[str, str] = {}
        self.old: list[int] = []
        self.skews = (0, 0)
        self.noise = False
        """Whether anything may go wrong anywhere. Without it a history gets further, and is about what can be lost:
        answers, runs, rows of lists, time."""
        self.entries: dict[str, list[bytes]] = {}
        self.replaced_at: dict[int, datetime] = {}
        self.started_runs: list[PausedInvocation] = []
        self.looks_beside_orders = True
        self.witness = Witness(self.cloud, PER_RUN, self._recorded, self._renewed_at)
        self.cloud.hooks.append(self.witness)

    # How it begins

    @initialize(
        kept=st.sampled_from(["oss", "oss", "file"]),
        filled=st.booleans(),
        late=st.sampled_from([0, LATE]),
        products=st.sampled_from(["aabb", "aaaa", "abca"]),
        twins=st.booleans(),
        skews=st.sampled_from([(0, 0), (0, 59), (-59, 0), (-30, 30)]),
        rows=st.sampled_from([2, 3, 50]),
        oldest_first=st.booleans(),
        noise=st.sampled_from([False, False, True]),
        watched=WATCHED,
    )
    def an_account(
        self,
        noise: bool,
        kept: str,
        filled: bool,
        late: int,
        products: str,
        twins: bool,
        skews: tuple[int, int],
        rows: int,
        oldest_first: bool,
        watched: tuple[Any, ...] | None,
    ) -> None:
        """`watched`: see `WATCHED`."""
        if kept == "file":
            root = Path(self._resources.enter_context(tempfile.TemporaryDirectory()))
            self._resources.enter_context(file_crashes(self.cloud, root))
            self.folder = root / "journal"
        self.noise = noise
        self.skews = skews
        cas = self.cloud.cas
        cas.page_limit = rows
        cas.oldest_first = oldest_first
        cas.visible_after = late
        cas.pending_domain = "filled" if filled else "empty"
        # Somebody's application, of a product of ours and for a domain of its own; and what has nothing to do with it.
        cas.add_order(domain="application.example.com", status="CHECKING", product_code="product-a")
        for n in range(3):
            cas.add_order(domain=f"bystander{n}.example.com", days_left=150, product_code="other")
        names = "wxyy" if twins else "wxyz"
        self.old = [
            cas.add_order(
                domain=f"{name}.example.com",
                days_left=1.5 if i == 0 else 25 + i / 10,
                product_code="product-twin" if names.count(name) > 1 else f"product-{product}",
                instance_id=f"cas-old-{i}",
            )
            for i, (name, product) in enumerate(zip(names, products, strict=True))
        ]
        self.looks_beside_orders = watched is not None
        if watched:
            self.an_account_of_2026(*watched)

    # Runs

    @rule(timeout=TIMEOUTS, who=WHO)
    def tick(self, timeout: int, who: int) -> None:
        self._finish(self._start(self._timer(), timeout, who))

    @rule(who=WHO)
    def the_platform_repeats_an_event_until_it_succeeds(self, who: int) -> None:
        event, rang = self._timer(), False
        for _ in range(4):
            bought = len(self.cloud.cas.purchases)
            run = self._start(event, 300, who)
            self._finish(run)
            assert not rang or len(self.cloud.cas.purchases) == bought, "a retry for the sake of the alarm bought more"
            rang = rang or self._rang_in(run)
            if run.text is not None and not run.failed:
                break
            self.cloud.clock.advance(60)

    @precondition(lambda self: len(self.runs) < 3)
    @rule(timeout=TIMEOUTS, who=WHO, share=st.integers(0, 99))
    def a_run_begins_and_stands_still(self, timeout: int, who: int, share: int) -> None:
        run = self._start(self._timer(), timeout, who)
        run.step(self._points(share))
        self._keep(run)

    @precondition(lambda self: len(self.runs) < 3)
    @rule(which=st.integers(0, 3), timeout=TIMEOUTS, who=WHO, share=st.integers(0, 99))
    def somebody_asks_for_one_order(self, which: int, timeout: int, who: int, share: int) -> None:
        run = self._start({"order_ids": [self.old[which]]}, timeout, who)
        run.step(self._points(share))
        self._keep(run)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 2), share=st.integers(1, 99))
    def a_run_goes_on(self, which: int, share: int) -> None:
        run = self.runs.pop(which % len(self.runs))
        run.step(max(1, self._points(share)))
        self._keep(run)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 2))
    def a_run_comes_to_its_end(self, which: int) -> None:
        self._finish(self.runs.pop(which % len(self.runs)))

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 2))
    def a_run_dies(self, which: int) -> None:
        self.runs.pop(which % len(self.runs)).kill()

    @rule(place=st.sampled_from(PLACES), nth=st.integers(1, 4), file_call=st.sampled_from(FILE_CALLS), who=WHO)
    def a_run_dies_somewhere(self, place: tuple[str, str, str], nth: int, file_call: str, who: int) -> None:
        if not self._begins():
            return
        if self.folder is not None and place[1] == "oss":
            place, nth = (place[0], "file", file_call), nth * 3
        self._end(self._start_up_to(place, nth, who=who))

    @rule(who=WHO, more=st.integers(0, 3))
    def a_run_dies_after_a_purchase(self, who: int, more: int) -> None:
        if not self._begins():
            return
        run = self._start_up_to(("after", "cas", RENEWALS), who=who)
        run.step(more)
        self._end(run)

    @rule(who=WHO, stands=st.sampled_from([250, 285, 297]), later=st.sampled_from([100, 400, 700, SETTLE + 10]))
    def a_purchase_takes_effect_just_before_the_deadline_and_its_run_dies(
        self, who: int, stands: int, later: int
    ) -> None:
        if not self._begins():
            return
        run = self._start_up_to(("before", "cas", RENEWALS), who=who)
        self.cloud.clock.advance(stands)
        self.cloud.cas.renewal_takes = 9  # what is left of the time must be enough for a slow answer, too
        run.step()
        self._end(run)
        self.cloud.cas.renewal_takes = 0
        self.cloud.clock.advance(later)
        self._finish(self._start(self._timer(), 300, 1 - who))

    @rule(
        who=WHO, stands=st.sampled_from([SETTLE + 61, 2 * SETTLE]), place=st.sampled_from(["claim", "purchase", "list"])
    )
    def a_run_takes_hours_while_others_do_not(self, who: int, stands: int, place: str) -> None:
        if not self._begins():
            return
        stop = {"claim": ("before", "oss", "AppendObject"), "purchase": ("before", "cas", RENEWALS)}.get(place)
        run = self._start_up_to(stop or ("after", "cas", LIST), 2, 7200, who)
        self.cloud.clock.advance(stands)
        self._finish(self._start(self._timer(), 300, 1 - who))
        self._finish(run)

    @precondition(lambda self: not self._something_is_unsettled())
    @rule(who=WHO)
    def a_person_renews_in_the_console_while_a_run_takes_hours(self, who: int) -> None:
        if not self._begins():
            return
        run = self._start_up_to(("after", "smq", "SendMessage"), 1, 7200, who)
        if not run.finished:
            for old in self._fresh():
                self._renew_in_console(old, filled=True)
            self.cloud.clock.advance(3 * SETTLE)
        self._finish(run)

    @rule(effects=st.sampled_from([(True, True), (True, False), (False, True), (False, False)]), who=WHO)
    def the_answers_of_two_are_lost(self, effects: tuple[bool, bool], who: int) -> None:
        if not self._begins():
            return
        lost = [faults.timeout_after() if effect else faults.timeout_before() for effect in effects]
        self._timer_whose_purchases_answer(who, *lost)

    @rule(
        who=WHO,
        effect=st.sampled_from([True, True, False]),
        times=st.sampled_from([(LATE - 10, 0), (LATE - 125, 200), (SETTLE + SKEW + 5, 0)]),
        back=st.integers(0, 2),
    )
    def an_answer_is_lost_and_settled_by_a_slow_run(
        self, who: int, effect: bool, times: tuple[int, int], back: int
    ) -> None:
        """Which stands still after the last of its readings, or shortly before that."""
        if not self._begins():
            return
        before = len(self.cloud.cas.calls)
        self._timer_whose_purchases_answer(who, faults.timeout_after() if effect else faults.timeout_before())
        # Before the call: after it the lists are read once more if there is something to alert of.
        calls = takewhile(lambda call: call.action != RENEWALS, self.cloud.cas.calls[before:])
        pages = sum(call.action == LIST for call in calls)
        self.cloud.clock.advance(times[0])
        run = self._start_up_to(("after", "cas", LIST), max(1, pages - back), 7200, 1 - who)
        self.cloud.clock.advance(times[1])
        self._finish(run)

    @rule(who=WHO, fault=st.sampled_from([*faults.NO_LISTS, faults.answer({}), faults.answer([])]))
    def an_answer_is_lost_and_settled_from_lists_that_are_none(self, who: int, fault: Fault) -> None:
        if not self._begins():
            return
        self._timer_whose_purchases_answer(who, faults.timeout_after())
        self.cloud.clock.advance(SETTLE + 2 * SKEW)
        self.cloud.cas.fail(LIST, *[fault] * 12)
        self._finish(self._start(self._timer(), 300, 1 - who))
        self.cloud.cas._faults.clear()
        self._finish(self._start(self._timer(), 300, 1 - who))

    @rule(who=WHO, stands=st.sampled_from([283, 297]))
    def a_run_is_late_for_its_call_which_takes_effect_after_its_end(self, who: int, stands: int) -> None:
        if not self._begins():
            return
        began = self.cloud.clock.now()
        run = self._start_up_to(("before", "oss", "AppendObject"), 2, who=who)
        self.cloud.clock.advance(stands)
        self.cloud.cas.renewal_takes = 25
        while not run.finished and run.at != ("after", "cas", RENEWALS):
            run.step()
        self._end(run)
        self.cloud.cas.renewal_takes = 0
        over = began + timedelta(seconds=300 + SETTLE + 5) - self.cloud.clock.now()
        self.cloud.clock.advance(max(0, over.total_seconds()))
        self._finish(self._start(self._timer(), 300, 1 - who))

    @rule(
        who=WHO,
        place=st.sampled_from(
            [("before", "oss", "AppendObject"), ("before", "cas", RENEWALS), ("after", "oss", "GetObject")]
        ),
        nth=st.integers(1, 2),
    )
    def two_runs_come_to_the_same_place(self, who: int, place: tuple[str, str, str], nth: int) -> None:
        if not self._begins():
            return
        first = self._start_up_to(place, nth, who=who)
        second = self._start_up_to(place, nth, who=1 - who)
        first.step(2)
        self._finish(second)
        self._finish(first)

    @precondition(lambda self: self.folder is None and not self._something_is_unsettled())
    @rule(who=WHO)
    def a_purchase_cannot_be_recorded_and_the_next_call_is_lost_in_vain(self, who: int) -> None:
        """What the run has bought itself is no riddle."""
        if not self._begins():
            return
        for backend in self.cloud.backends.values():
            backend._faults.clear()
        bought = len(self.cloud.cas.purchases)
        self.cloud.cas.fail(RENEWALS, None, faults.timeout_before())
        # The count of the day, the claim, and then the entry that records the purchase, as often as it is tried.
        self.cloud.oss.fail("AppendObject", None, None, *[faults.error("InternalError", 500)] * 3)
        self._finish(self._start(self._timer(), 300, who))
        self.cloud.oss._faults.clear()
        self.cloud.clock.advance(300 + SETTLE + 2 * SKEW)
        self._finish(self._start(self._timer(), 300, who))
        for purchase in self.cloud.cas.purchases[bought : bought + 1]:
            assert str(purchase.old_order_id) not in self.held, "a person is asked what the run itself knew"

    @rule(who=WHO, entry=st.integers(0, 3))
    def an_answer_of_the_journal_is_lost(self, who: int, entry: int) -> None:
        """An entry that landed is found by looking: that costs nobody anything."""
        if not self._begins():
            return
        for backend in self.cloud.backends.values():
            backend._faults.clear()
        self.cloud.oss.fail("AppendObject", *[None] * entry, faults.reset_after())
        before = len(self.cloud.cas.purchases)
        run = self._start(self._timer(), 300, who)
        self._finish(run)
        assert run.text is not None
        lines = json.loads(run.text)["orders"] if run.text.startswith("{") else []
        bought = [line for line in lines if line["new_order_id"] and line["outcome"] == "renewed"]
        made = self.cloud.cas.purchases[before:]
        assert {str(p.new_order_id) for p in made} <= {line["new_order_id"] for line in bought}
        if self.folder is None:
            claims = {o: e[-1]["entry"] for o, e in self._journals_by_order().items() if e}
            mine = [line["order_id"] for line in lines if line["reason"] == "in-progress"]
            stuck = [order for order in mine if claims.get(order) == "claimed" and self._was_claimed_last(order)]
            assert not stuck, f"{stuck} wait for the very run that claimed them"

    @rule(who=WHO, page=st.integers(1, 4), moves=st.sampled_from(["goes", "lists"]), both=st.booleans())
    def an_answer_is_lost_and_the_list_moves_while_it_is_settled(
        self, who: int, page: int, moves: str, both: bool
    ) -> None:
        if not self._begins():
            return
        bought = len(self.cloud.cas.purchases)
        self._timer_whose_purchases_answer(who, faults.timeout_after())
        if len(self.cloud.cas.purchases) == bought:
            return
        self.cloud.clock.advance(SETTLE + 2 * SKEW)
        new = self.cloud.cas.purchases[bought].new_order_id
        readings = 2 if both else 1

        def happens(order_type: str, at: int) -> None:
            nonlocal readings
            if (order_type, at) != ("CPACK", page) or not readings:
                return
            readings -= 1
            if moves == "goes":
                self._bystander_goes()
            elif self._order(new):
                source = self.cloud.cas.order(new).source
                self.cloud.cas.move(new, "BUY" if source == "CPACK" else "CPACK")

        self.cloud.cas.between_pages = happens
        self._finish(self._start(self._timer(), 300, 1 - who))
        self.cloud.cas.between_pages = None

    @rule(who=WHO, elsewhere=st.booleans())
    def an_answer_is_lost_and_somebody_uses_the_new_order(self, who: int, elsewhere: bool) -> None:
        """Before any run sees it, and for another domain perhaps."""
        if not self._begins():
            return
        bought = len(self.cloud.cas.purchases)
        self._timer_whose_purchases_answer(who, faults.timeout_after())
        for purchase in self.cloud.cas.purchases[bought : bought + 1]:
            if elsewhere:
                self.cloud.cas.order(purchase.new_order_id).bound_domain = "elsewhere.example.com"
            self.cloud.cas.apply(purchase.new_order_id)
        self.cloud.clock.advance(SETTLE + 2 * SKEW)
        self._finish(self._start(self._timer(), 300, 1 - who))

    @rule(who=WHO)
    def a_call_is_lost_in_vain_and_an_application_withdrawn(self, who: int) -> None:
        if not self._begins():
            return
        self._timer_whose_purchases_answer(who, faults.timeout_before())
        self.somebody_withdraws_an_application()
        self._finish(self._start(self._timer(), 300, 1 - who))

    @rule(
        who=WHO,
        at=st.sampled_from([("after", "oss", "ListObjectsV2"), ("after", "cas", RENEWALS)]),
    )
    def a_call_is_lost_in_vain_and_another_run_buys_while_it_is_settled(
        self, who: int, at: tuple[str, str, str]
    ) -> None:
        """After the one that settles has looked for open work, or with the answer still on its way."""
        if not self._begins():
            return
        fresh = [old for old in self._fresh() if self.cloud.cas.order(old).product_code == "product-a"][-2:]
        if len(fresh) < 2:
            return
        self.cloud.cas._faults.clear()
        self.cloud.cas.fail(RENEWALS, faults.timeout_before())
        self._finish(self._start({"order_ids": [fresh[0]]}, 300, who))
        self.cloud.clock.advance(10)  # too early to say that nothing was bought
        ask = {"order_ids": [fresh[1]]}
        if at[1] == "oss":
            settles = self._start_up_to(at, 1, 7200, who)
            self._finish(self._start(ask, 300, 1 - who))
            self._finish(settles)
        else:
            buys = self._up_to(self._start(ask, 7200, 1 - who), at)
            self._finish(self._start(self._timer(), 300, who))
            self._finish(buys)

    @rule(who=WHO, lost=st.booleans(), days=st.sampled_from([1, 30]))
    def the_first_of_a_run_are_refused_and_it_dies_after_another(self, who: int, lost: bool, days: int) -> None:
        """What it claims later must be found, too, though its order leave the list of what expires."""
        if not self._begins():
            return
        self.cloud.cas._faults.clear()
        refused = [faults.error("OrderStateError", 403)] * PER_RUN
        self.cloud.cas.fail(RENEWALS, *refused, faults.timeout_after() if lost else None)
        run = self._start_up_to(("after", "cas", RENEWALS), PER_RUN + 1, who=who)
        if lost:
            self._finish(run)
        else:
            self._end(run)
        self.cloud.clock.advance(days * 24 * 3600)

    @rule(who=WHO, share=st.integers(0, 40))
    def a_run_is_tidied_after_while_it_stands_and_dies_after_a_purchase(self, who: int, share: int) -> None:
        if not self._begins():
            return
        run = self._start_up_to(("after", "oss", "PutObject"), 1, 7200, who)
        run.step(share % 4)
        self._finish(self._start({"order_ids": [self.old[0]]}, 300, 1 - who))
        while not run.finished and run.at != ("after", "cas", RENEWALS):
            run.step()
        self._end(run)
        self.cloud.clock.advance(30 * 24 * 3600)

    @rule(who=WHO)
    def what_was_just_bought_is_issued_for_a_short_time(self, who: int) -> None:
        """Its certificate is in the window from its first day on."""
        if not self._begins():
            return
        self._finish(self._start(self._timer(), 300, who))
        self.cloud.clock.advance(SETTLE)
        for new in self._successors("PAYED"):
            self.cloud.cas.apply(new)
            self.cloud.cas.issue(new, days=20)
        self._finish(self._start(self._timer(), 300, who))

    # The world

    @rule(seconds=st.sampled_from([1, 30, 400, 700, SETTLE + SKEW + 1, 21 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.cloud.clock.advance(seconds)

    @rule(some=st.lists(st.sampled_from(SOME_FAULTS["renewal"]), min_size=1, max_size=3))
    def renewals_will_go_wrong(self, some: list[Fault | None]) -> None:
        self.cloud.cas.fail(RENEWALS, *some)

    @precondition(lambda self: self.noise)
    @rule(some=st.lists(st.sampled_from(SOME_FAULTS["list"]), min_size=1, max_size=5))
    def lists_will_go_wrong(self, some: list[Fault | None]) -> None:
        self.cloud.cas.fail(LIST, *some)

    @precondition(lambda self: self.noise)
    @rule(
        where=st.sampled_from(OTHER_ACTIONS),
        some=st.lists(st.sampled_from(SOME_FAULTS["other"]), min_size=1, max_size=4),
    )
    def other_calls_will_go_wrong(self, where: tuple[str, str], some: list[Fault | None]) -> None:
        service, action = where
        self.cloud.backends[service].fail(action, *some)  # type: ignore[index]

    @rule(seed=st.integers(0, 999), share=st.sampled_from([0.0, 0.1, 0.3]))
    def the_lists_move_while_they_are_read(self, seed: int, share: float) -> None:
        self.cloud.cas.between_pages = MovingLists(self.cloud.cas, seed, share) if share else None

    @rule(page=st.integers(1, 3), seconds=st.sampled_from([0, 100]))
    def a_row_goes_away_while_the_list_is_read(self, page: int, seconds: int) -> None:
        """Of the page that has been read: the rest moves up by one."""

        def goes() -> None:
            self.cloud.clock.advance(seconds)
            self._bystander_goes()

        self.cloud.cas.once_after_page("CPACK", page, goes)

    @rule(off=st.sampled_from([-2, 0, 1]), twice=st.booleans())
    def the_lists_are_odd(self, off: int, twice: bool) -> None:
        self.cloud.cas.total_count_off_by = off
        others = [o for o in self.cloud.cas.order_ids() if self.cloud.cas.order(o).product_code == "other"]
        self.cloud.cas.list_twice = set(others[:1]) if twice else set()

    @precondition(lambda self: self.noise)
    @rule(
        odd=st.sampled_from(
            [{"CertEndTime": 2**60}, {"CertEndTime": "soon"}, {"BuyDate": -1}, {"Domain": ["a"]}, {"CertType": 7}, {}]
        ),
        which=st.integers(0, 3),
    )
    def a_row_makes_no_sense(self, odd: dict[str, Any], which: int) -> None:
        self.cloud.cas.odd_row(self.old[which], **odd)

    @precondition(lambda self: self.noise)
    @rule()
    def the_credentials_change(self) -> None:
        self.cloud.rotate_credentials()

    @precondition(lambda self: self.noise and self.folder is None)
    @rule(which=st.integers(0, 3))
    def a_backup_of_a_journal_is_restored(self, which: int) -> None:
        key = f"renewals/orders/{self.old[which]}"
        if (BUCKET, key) in self.cloud.oss.objects:
            self.cloud.oss.restore_as_ordinary(key)

    @precondition(lambda self: not self._something_is_unsettled())
    @rule(which=st.integers(0, 3), filled=st.booleans())
    def a_person_renews_in_the_console(self, which: int, filled: bool) -> None:
        if self.cloud.cas.status(self.old[which]) == "WILLEXPIRED":
            self._renew_in_console(self.old[which], filled)
            self.cloud.clock.advance(self.cloud.cas.visible_after)

    @rule()
    def somebody_buys_something_else(self) -> None:
        self.cloud.cas.add_order(domain="else.example.com", days_left=150, product_code="other")

    @rule(which=st.integers(0, 9), elsewhere=st.sampled_from([False, False, True]))
    def somebody_applies_for_a_certificate(self, which: int, elsewhere: bool) -> None:
        pending = self._successors("PAYED")
        if pending:
            chosen = pending[which % len(pending)]
            if elsewhere and self.cloud.cas.order(chosen).domain == "":
                self.cloud.cas.order(chosen).bound_domain = "elsewhere.example.com"
            self.cloud.cas.apply(chosen)

    @rule()
    def somebody_withdraws_an_application(self) -> None:
        """An order of a product of ours loses its domain again."""
        for number in self.cloud.cas.order_ids():
            order = self.cloud.cas.order(number)
            if order.domain == "application.example.com":
                order.domain, order.fixed_status = "", "PAYED"

    @rule(which=st.integers(0, 9), passes=st.booleans(), days=st.sampled_from([20, 200]))
    def an_application_is_decided(self, which: int, passes: bool, days: int) -> None:
        cas = self.cloud.cas
        reviewed = self._successors("CHECKING") or self._successors("PAYED")
        if reviewed:
            chosen = reviewed[which % len(reviewed)]
            cas.apply(chosen)
            if passes:
                cas.issue(chosen, days=days)
            else:
                cas.fail_review(chosen)

    @precondition(lambda self: self.held and not self.runs)
    @rule()
    def a_person_settles_the_held_orders(self) -> None:
        self._settle_by_hand()

    # What must hold

    @invariant()
    def every_promise_holds(self) -> None:
        self._hold_all()

    def no_order_is_bought_twice(self) -> None:
        for old in {purchase.old_order_id for purchase in self.cloud.cas.purchases}:
            assert len(self.cloud.cas.bought(old)) <= 1, f"{old} was bought twice"

    def nothing_is_bought_for_what_another_order_stands_in_for(self) -> None:
        cas = self.cloud.cas
        known_after = timedelta(seconds=cas.visible_after + SETTLE + 2 * SKEW)
        for bought in (purchase for purchase in cas.purchases if purchase.by == "api"):
            old = self._order(bought.old_order_id)
            for other in cas.purchases:
                new = self._order(other.new_order_id)
                if old is None or new is None or other is bought or not new.domain:
                    continue
                same = (new.product_code, new.bound_domain) == (old.product_code, old.bound_domain)
                was_filled = other.by == "console" and other.new_order_id in self.replaced_at
                if same and was_filled and new.fixed_status == "PAYED":
                    assert bought.at < other.at + known_after, f"{bought.old_order_id} had been renewed in the console"

    def of_two_orders_for_one_domain_one_run_buys_one(self) -> None:
        by_run: dict[tuple[str, str, str], set[str]] = {}
        for order, entries in self._journals_by_order().items():
            for entry in entries:
                if entry["entry"] == "renewed" and entry["how"] == "answer":
                    claim = next(e for e in reversed(entries) if e["entry"] == "claimed")
                    by_run.setdefault((entry["run"], claim["product_code"], claim["domain"]), set()).add(order)
        assert all(len(orders) == 1 for orders in by_run.values()), by_run

    def nothing_is_renewed_before_half_of_its_lifetime(self) -> None:
        for bought in (purchase for purchase in self.cloud.cas.purchases if purchase.by == "api"):
            old = self._order(bought.old_order_id)
            if old is not None and old.cert_start and old.cert_end:
                half = old.cert_start + (old.cert_end - old.cert_start) / 2
                assert bought.at >= half - timedelta(seconds=SKEW), f"{bought.old_order_id} was renewed too early"

    def the_limit_of_a_day_is_kept(self) -> None:
        days = self._days()
        assert all(count <= PER_DAY for count in days.values()), days
        bought = [purchase for purchase in self.cloud.cas.purchases if purchase.by == "api"]
        done = len(bought) + len(self._applications())
        assert done <= sum(days.values()), "more was bought and applied for than the days' limits had"

    def every_message_is_true_and_a_renewal_keeps_its_id(self) -> None:
        real = {(str(p.old_order_id), str(p.new_order_id)) for p in self.cloud.cas.purchases}
        for message in self.cloud.smq.messages():
            if message["type"] == "cas.renewal.failed":
                self._check_failure(message)
                continue
            if message["type"] in NEW_TYPES:
                continue  # see `Witness`
            pair = (message["data"]["RenewedOrderId"], message["data"]["OrderId"])
            assert pair in real, f"{pair} was never bought"
            suffix = {"cas.order.renewed": "", "cas.order.issued": "-issued"}.get(message["type"])
            if suffix is not None:
                assert message["id"] == "-".join(pair) + suffix
            if message["type"] == "cas.order.issued":
                assert self.cloud.cas.status(pair[1]) in ISSUED, f"{pair[1]} was never issued"

    def no_journal_entry_is_lost_or_rewritten(self) -> None:
        now = {**self._lines_by_order(), **self._logs("instances")}
        for order, lines in self.entries.items():
            assert now.get(order, [])[: len(lines)] == lines, f"the journal of {order} was rewritten"
        self.entries = now

    def what_is_watched_is_told_truly_and_once(self) -> None:
        self.witness.hold()

    def the_alarm_rings_once_a_day(self) -> None:
        for day, lines in self._logs("days").items():
            rang: dict[str, list[str]] = {}
            for entry in map(_entry, lines):
                for id_ in entry.get("alarmed", ()):
                    others = rang.setdefault(id_, [])
                    again = [run for run in others if not self.witness.overlapped(run, entry["run"])]
                    assert not again, f"{entry['run']} failed for {id_} on {day}, and so had {again[0]}"
                    others.append(entry["run"])

    def teardown(self) -> None:
        try:
            if self.old:
                self._come_to_rest()
        finally:
            for run in self.runs:
                run.kill()
            self._resources.close()

    # Below: how the rules do it

    def _begins(self) -> bool:
        """Tell whether a scene can begin: nothing stands in its way, and there is something to buy.

        Else most of a history would be about nothing.
        """
        if self.runs:
            return False
        self._settle_by_hand()
        for n in range(len(self._fresh()), PER_RUN + 1):
            if len(self.old) < MOST_ORDERS:
                domain, days_left = f"more{len(self.old)}.example.com", 20 + n / 10
                self.old.append(self.cloud.cas.add_order(domain=domain, days_left=days_left, product_code="product-a"))
        return not self.held

    def _fresh(self) -> list[int]:
        """The expiring orders that nobody has tried to renew."""
        tried = {int(order) for order in self._lines_by_order()} | {p.old_order_id for p in self.cloud.cas.purchases}
        return [old for old in self.old if old not in tried and self.cloud.cas.status(old) == "WILLEXPIRED"]

    def _points(self, share: int) -> int:
        """How many points to go on: few mostly, and sometimes far; with files a call is many points."""
        points = share % 16 if share < 60 else share
        return points if self.folder is None else points * 5

    def _start(self, event: dict[str, Any], timeout: int, who: int = 0) -> PausedInvocation:
        self.started += 1
        settings = {
            "SETTLE_SECONDS": str(SETTLE),
            "MAX_RENEWALS_PER_RUN": str(PER_RUN),
            "MAX_RENEWALS_PER_DAY": str(PER_DAY),
            "RENEW_DOMAINS_EXCEPT": EXCEPTED,
        }
        if not self.looks_beside_orders:
            settings["WATCH"] = "orders"
        if self.applies:
            settings["INSTANCES"] = "apply"
        if "instance_id" in event.get("release", ()):
            self.witness.released.add(event["release"]["instance_id"])
        if self.folder is not None:
            settings["JOURNAL_URL"] = self.folder.as_uri()
        name = f"run-{self.started}"
        self.started_runs = [run for run in self.started_runs if not run.finished]
        self.witness.alive[name] = {run.name for run in self.started_runs}
        run = PausedInvocation(self.cloud, json.dumps(event).encode(), name, timeout, self.skews[who], **settings)
        self.started_runs.append(run)
        return run

    def _renewed_at(self, order: str) -> datetime | None:
        entries = self._journals_by_order().get(order, [])
        at = [datetime.fromisoformat(e["at"].replace("Z", "+00:00")) for e in entries if e["entry"] == "renewed"]
        return at[-1] + timedelta(seconds=SKEW) if at else None

    def _timer(self) -> dict[str, Any]:
        """A tick of its own: what comes with the very same bytes is a repetition."""
        moment = self.cloud.clock.now() + timedelta(microseconds=self.started)
        return {**TIMER, "triggerTime": moment.isoformat()}

    def _rang_in(self, run: PausedInvocation) -> bool:
        """Whether a run has recorded that it fails so that people look, and for nothing else."""
        lines = [line for lines in self._logs("days").values() for line in lines]
        return any(e["entry"] == "alarmed" and e["run"] == run.name and e["event"] for e in map(_entry, lines))

    def _start_up_to(
        self, place: tuple[str, str, str], nth: int = 1, timeout: int = 300, who: int = 0
    ) -> PausedInvocation:
        """Let a run begin and come to where it stands before or after a call for the nth time, if it gets there."""
        return self._up_to(self._start(self._timer(), timeout, who), self._in_files(place), nth)

    def _in_files(self, place: tuple[str, str, str]) -> tuple[str, str, str]:
        """The same place where the journal is a folder."""
        if self.folder is not None and place[1] == "oss":
            place = (place[0], "file", {"AppendObject": "link"}.get(place[2], "open"))
        return place

    def _up_to(self, run: PausedInvocation, place: tuple[str, str, str], nth: int = 1) -> PausedInvocation:
        while not run.finished:
            nth -= run.at == place
            if nth == 0:
                break
            run.step()
        return run

    def _end(self, run: PausedInvocation) -> None:
        """Let a run die, or learn from what it said if it has ended."""
        if run.finished:
            self._keep(run)
        else:
            run.kill()

    def _finish(self, run: PausedInvocation) -> None:
        run.finish()
        self._keep(run)

    def _timer_whose_purchases_answer(self, who: int, *answers: Fault) -> None:
        """Let a whole run of the timer get these answers to its first purchases, and meet no other fault."""
        self.cloud.cas._faults.clear()
        self.cloud.cas.fail(RENEWALS, *answers)
        self._finish(self._start(self._timer(), 300, who))

    def _keep(self, run: PausedInvocation) -> None:
        """Keep a run that still stands somewhere; learn from one that has ended."""
        if not run.finished:
            self.runs.append(run)
            return
        if run.bug is not None:
            raise run.bug
        if run.text and run.text.startswith("{"):
            result = json.loads(run.text)
            assert not any("internal error" in error for error in result.get("errors", ())), run.text
            named = [line for line in result["orders"] if line.get("instance_id")]
            held = {line["instance_id"]: line["reason"] for line in named if line["outcome"] == "held"}
            spoken_of = {line["instance_id"] for line in named}
            self.held_instances = {o: w for o, w in self.held_instances.items() if o not in spoken_of} | held
            lines = {line["order_id"]: line for line in result["orders"] if line.get("order_id")}
            self.held = {o: why for o, why in self.held.items() if o not in lines or lines[o]["outcome"] == "held"}
            self.held |= {o: line["reason"] for o, line in lines.items() if line["outcome"] == "held"}

    def _was_claimed_last(self, order: str) -> bool:
        return bool(self._journals_by_order()[order][-1]["run"] == f"run-{self.started}")

    def _renew_in_console(self, old: int, filled: bool) -> None:
        new = self.cloud.cas.renew_in_console(old, domain_filled=filled)
        if filled:
            self.replaced_at[new] = self.cloud.clock.now()

    def _bystander_goes(self) -> None:
        bystanders = [o for o in self.cloud.cas.order_ids() if self.cloud.cas.order(o).product_code == "other"]
        if bystanders:
            self.cloud.cas.remove(bystanders[0])

    def _order(self, order_id: int) -> Order | None:
        try:
            return self.cloud.cas.order(order_id)
        except KeyError:
            return None

    def _successors(self, status: str) -> list[int]:
        cas = self.cloud.cas
        return [
            p.new_order_id
            for p in cas.purchases
            if self._order(p.new_order_id) and cas.status(p.new_order_id) == status
        ]

    def _something_is_unsettled(self) -> bool:
        if self.runs or self.held:
            return True
        states = [[e["entry"] for e in entries if e["entry"] != "told"] for entries in self._journals()]
        return any(state[-1] in {"claimed", "unknown", "held"} for state in states)

    def _journals(self) -> list[list[dict[str, Any]]]:
        return list(self._journals_by_order().values())

    def _journals_by_order(self) -> dict[str, list[dict[str, Any]]]:
        return {order: [_entry(line) for line in lines] for order, lines in self._lines_by_order().items()}

    def _lines_by_order(self) -> dict[str, list[bytes]]:
        return {key.rpartition("/")[2]: lines for key, lines in self._logs("orders").items()}

    def _days(self) -> dict[str, int]:
        return {day: sum(_entry(line)["count"] for line in lines) for day, lines in self._logs("days").items()}

    def _logs(self, kind: str) -> dict[str, list[bytes]]:
        """The logs of one kind, as whoever looks at the storage sees them."""
        if self.folder is None:
            objects = self.cloud.oss.objects.items()
            return {key: stored.data.splitlines() for (_, key), stored in objects if f"/{kind}/" in key and stored.data}
        found = {}
        with self._looking():
            for log in sorted((self.folder / kind).glob("[!.]*")):
                entries = sorted(log.glob("[0-9]*")) if log.is_dir() else [log]  # a note is a file
                lines = [entry.read_bytes() for entry in entries]
                if lines:
                    found[f"{kind}/{log.name}"] = lines
        return found

    @contextlib.contextmanager
    def _looking(self) -> Any:
        """Look at the files without standing still there."""
        hooks, self.cloud.hooks[:] = list(self.cloud.hooks), []
        try:
            yield
        finally:
            self.cloud.hooks[:] = hooks

    def _check_failure(self, message: dict[str, Any]) -> None:
        """A failure is told only if the journal has it, at the place that the message's id names."""
        order, _, number = message["id"].partition("-failed-")
        if message["data"]["Reason"] in UNRECORDABLE:
            assert number == message["time"][:10].replace("-", ""), "it is told once a day"
            return
        entry = {**self._journals_by_order(), **self._instance_journals()}[order][int(number) - 1]
        assert entry["entry"] in {"refused", "held", "unknown", "claimed"}, message
        assert message["data"]["Outcome"] in {entry["entry"], "unknown"}, message

    def _check_all_is_told(self) -> None:
        told = {message["id"] for message in self.cloud.smq.messages()}
        for order, entries in {**self._journals_by_order(), **self._instance_journals()}.items():
            states = [(n, entry) for n, entry in enumerate(entries, 1) if entry["entry"] not in {"told", "observed"}]
            for (number, entry), (_, after) in zip(states, [*states[1:], (0, {})], strict=True):
                # What was overtaken before it could be told, by the next attempt or by a person, is no news.
                if entry["entry"] == "refused" and entry["failure"] and not after:
                    assert f"{order}-failed-{number}" in told, f"nobody was told that {order} was refused"
                if entry["entry"] == "held" and not after:
                    assert f"{order}-failed-{number}" in told, f"nobody was told that {order} is held"
                if entry["entry"] == "renewed" and self.cloud.cas.status(entry["new_order_id"]) in ISSUED:
                    assert f"{order}-{entry['new_order_id']}-issued" in told, (
                        f"nobody was told of {order}'s certificate"
                    )

    def _settle_by_hand(self) -> None:
        """Do what a person does who looks into the console, and at a journal that cannot be written to."""
        for instance in sorted(self.held_instances):
            if not self.runs and self.cloud.cas.instances.status(instance) != "pending":
                self._finish(self._start({"release": {"instance_id": instance}}, 300))
                self.held_instances.pop(instance, None)
        for order, why in sorted(self.held.items()):
            stored = self.cloud.oss.objects.get((BUCKET, f"renewals/orders/{order}"))
            if stored is not None:
                stored.appendable = True
            if why in REPAIRABLE:
                del self.held[order]
            else:
                self._finish(self._start(what_a_person_says(self.cloud, order), 300))

    def _come_to_rest(self) -> None:
        """Let everything that is under way end, the faults stop and some days pass, with a person at hand."""
        while self.runs:
            self._finish(self.runs.pop())
        cas = self.cloud.cas
        self._calm()
        for _ in range(12):
            self.cloud.clock.advance(21 * 3600)
            self._finish(self._start(self._timer(), 300))
            if not self.held and not self._something_is_unsettled() and self._all_is_renewed():
                break
            self._settle_by_hand()
        self.a_quiet_run()
        self._hold_all()
        messages = [message for message in self.cloud.smq.messages() if message["type"] == "cas.order.renewed"]
        published = {message["data"]["OrderId"] for message in messages}
        elsewhere = self._held_for_what_went_elsewhere()
        for purchase in cas.purchases:
            new = str(purchase.new_order_id)
            is_told = purchase.by == "console" or new in published or str(purchase.old_order_id) in elsewhere
            assert is_told, f"{new} never reached the queue"
        self._check_all_is_told()
        for order, entries in self._journals_by_order().items():
            last = [entry["entry"] for entry in entries if entry["entry"] not in {"told", "observed"}][-1]
            assert last in {"published", "refused", "released"} or order in elsewhere, entries[-1]
        assert self._all_is_renewed(), "an order was forgotten"
        for instance, entries in self._instance_journals().items():
            last = [entry["entry"] for entry in entries if entry["entry"] not in {"told", "observed"}][-1]
            assert last not in {"claimed", "unknown"}, f"{instance} is not settled: {entries[-1]}"

    def _held_for_what_went_elsewhere(self) -> set[str]:
        """The orders that no person can settle: their successor was applied for with another domain."""
        return {
            str(bought.old_order_id)
            for bought in self.cloud.cas.purchases
            if str(bought.old_order_id) in self.held
            and (old := self._order(bought.old_order_id))
            and (new := self._order(bought.new_order_id))
            and old.bound_domain != new.bound_domain
        }

    def _all_is_renewed(self) -> bool:
        cas = self.cloud.cas
        renewed = {(o.product_code, o.bound_domain) for p in cas.purchases if (o := self._order(p.old_order_id))}
        orders = [cas.order(old) for old in self.old]
        return all(
            (order.product_code, order.bound_domain) in renewed
            or cas.status(order.order_id) == "EXPIRED"
            or order.bound_domain in self.moved
            for order in orders
        )

    def _hold_all(self) -> None:
        checks: list[Callable[[], None]] = [
            self.no_order_is_bought_twice,
            self.nothing_is_bought_for_what_another_order_stands_in_for,
            self.of_two_orders_for_one_domain_one_run_buys_one,
            self.nothing_is_renewed_before_half_of_its_lifetime,
            self.nothing_is_applied_for_twice,
            self.the_limit_of_a_day_is_kept,
            self.every_message_is_true_and_a_renewal_keeps_its_id,
            self.no_journal_entry_is_lost_or_rewritten,
            self.what_is_watched_is_told_truly_and_once,
            self.the_alarm_rings_once_a_day,
        ]
        for check in checks:
            check()
