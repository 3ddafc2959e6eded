"""Every scene of the state machine by itself, with each of its parameters, on accounts of several kinds.

Random histories put scenes one after the other and into each other; here none is left to chance.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.promise.account import V2
from tests.promise.applying import DETAIL, FORBIDDEN, LOST_IN_VAIN, LOST_WITH_EFFECT, PEOPLE, PLACES, TRACES
from tests.promise.machine import LATE, SETTLE, SKEW, ExactlyOnce
from tests.stubs import faults
from tests.traces import RENEWALS

_PLAIN: dict[str, Any] = {
    "noise": False,
    "kept": "oss",
    "filled": False,
    "late": 0,
    "products": "aaaa",
    "twins": False,
    "skews": (0, 0),
    "rows": 50,
    "oldest_first": False,
    "watched": None,
}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "old orders first, two a page": {**_PLAIN, "rows": 2, "oldest_first": True},
    "new orders show late, clocks differ": {**_PLAIN, "late": LATE, "skews": (-30, 30), "watched": ()},
    "new orders show their domain, two for one": {**_PLAIN, "filled": True, "twins": True, "rows": 3, "skews": (0, 59)},
    "new orders show late, the journal is a folder": {**_PLAIN, "late": LATE, "kept": "file", "skews": (-59, 0)},
}
_OF_2026 = {**_PLAIN, "products": "abca"}
WATCHED_ACCOUNTS: dict[str, dict[str, Any]] = {
    "nothing is re-issued": {**_OF_2026, "watched": ("milliseconds", "absent", (False, 30), False, False)},
    "what is hosted is re-issued, with one name more, two a page": {
        **_OF_2026,
        "rows": 2,
        "oldest_first": True,
        "kept": "file",
        "watched": ("seconds", "zero", (True, 30), True, True),
    },
}
APPLYING_ACCOUNTS: dict[str, dict[str, Any]] = {
    "the function applies": {
        **_OF_2026,
        "skews": (-30, 30),
        "watched": ("milliseconds", "absent", (True, 30), True, False, True),
    },
    "the function applies, the journal is a folder": {
        **_OF_2026,
        "rows": 3,
        "kept": "file",
        "watched": ("seconds", "null", (False, 30), True, True, True),
    },
}
_WHO = {"who": (0, 1)}
SCENES: dict[str, dict[str, tuple[Any, ...]]] = {
    "a_run_dies_after_a_purchase": {**_WHO, "more": (0, 2)},
    "a_purchase_takes_effect_just_before_the_deadline_and_its_run_dies": {
        **_WHO,
        "stands": (285, 297),
        "later": (400, 700, SETTLE + 10),
    },
    "a_run_takes_hours_while_others_do_not": {
        "who": (0,),
        "stands": (SETTLE + SKEW + 1, 2 * SETTLE),
        "place": ("claim", "purchase", "list"),
    },
    "a_person_renews_in_the_console_while_a_run_takes_hours": {"who": (0,)},
    "the_answers_of_two_are_lost": {"who": (0,), "effects": ((True, True), (True, False), (False, True))},
    "an_answer_is_lost_and_settled_by_a_slow_run": {
        **_WHO,
        "effect": (True,),
        "times": ((LATE - 10, 0), (LATE - 125, 200)),
        "back": (0, 1),
    },
    "an_answer_is_lost_and_settled_from_lists_that_are_none": {
        "who": (0,),
        "fault": (faults.empty_list(), faults.no_list(), faults.no_total(), faults.answer({})),
    },
    "a_run_is_late_for_its_call_which_takes_effect_after_its_end": {**_WHO, "stands": (283, 297)},
    "two_runs_come_to_the_same_place": {
        "who": (0,),
        "place": (("before", "oss", "AppendObject"), ("before", "cas", RENEWALS)),
        "nth": (1, 2),
    },
    "a_purchase_cannot_be_recorded_and_the_next_call_is_lost_in_vain": {"who": (0,)},
    "an_answer_of_the_journal_is_lost": {"who": (0,), "entry": (0, 1, 2, 3)},
    "an_answer_is_lost_and_the_list_moves_while_it_is_settled": {
        "who": (0,),
        "page": (1, 2, 3, 4),
        "moves": ("goes", "lists"),
        "both": (False, True),
    },
    "an_answer_is_lost_and_somebody_uses_the_new_order": {"who": (0,), "elsewhere": (False, True)},
    "a_call_is_lost_in_vain_and_an_application_withdrawn": {"who": (0,)},
    "a_call_is_lost_in_vain_and_another_run_buys_while_it_is_settled": {
        **_WHO,
        "at": (("after", "oss", "ListObjectsV2"), ("after", "cas", RENEWALS)),
    },
    "the_first_of_a_run_are_refused_and_it_dies_after_another": {"who": (0,), "lost": (False, True), "days": (30,)},
    "a_run_is_tidied_after_while_it_stands_and_dies_after_a_purchase": {"who": (0,), "share": (0, 1, 2, 3)},
    "what_was_just_bought_is_issued_for_a_short_time": {"who": (0,)},
    "the_platform_repeats_an_event_until_it_succeeds": {"who": (0,)},
}

WATCHED_SCENES: dict[str, dict[str, tuple[Any, ...]]] = {
    "the_platform_acts_on_what_it_hosts": {"before": (30.6, 13), "again": (True,)},
    "what_nothing_replaces_comes_to_its_end": {
        "days": ((0.6, 0.6, 0.6, 6, 4, 2, 1.5, 1, 1), (35,)),
        "ends": (15.5,),
    },
    "what_ends_has_been_replaced": {"days": (0.5,), "by": ("upload", "instance", "both-ways")},
    "what_replaces_slips_past_while_the_lists_are_read": {"name": V2[:2]},
    "a_list_cannot_be_read_while_the_platform_is_at_work": {
        "missing": (V2[:1], V2[1:2]),
        "by": ("permission", "fault"),
    },
    "short_certificates_follow_each_other": {"lifetime": (20, 47)},
    "more_wait_than_a_run_may_renew": {"days": (9,)},
    "a_run_dies_while_it_tells": {"phase": ("after",), "nth": (1, 3), "more": (0,)},
}
"""Those that are about what is watched, on accounts that have it."""
APPLYING_SCENES: dict[str, dict[str, tuple[Any, ...]]] = {
    "the_answer_to_an_application_is_lost": {
        "fault": (LOST_WITH_EFFECT[0], LOST_IN_VAIN[0]),
        "later": (10, SETTLE + 65),
        "shows": (0, LATE),
    },
    "a_run_dies_around_an_application": {"place": tuple(PLACES), "more": (0,), "later": (400,)},
    "cas_supports_no_application": {"effect": (False, True)},
    "two_runs_apply_at_once": {"place": tuple(PLACES[:4])},
    "a_person_acts_while_a_run_stands": {"who": tuple(sorted(PEOPLE)), "place": PLACES[:1], "stands": (0, 2 * SETTLE)},
    "the_authority_refuses": {"traces": tuple(TRACES), "released": (True,), "left": (25,)},
    "an_application_takes_effect_late": {"takes": (20, 295), "stands": (0,)},
    "somebody_must_add_records": {"seconds": (300,), "hosted": (False, True)},
    "what_must_not_be_applied_for": {"why": tuple(sorted(FORBIDDEN))},
    "a_run_sees_what_was": {"actions": ((DETAIL,), (DETAIL, "ListInstances")), "by": ("applies", "gets the next")},
    "three_answers_are_lost_in_vain": {"then": ("applies", "releases")},
    "one_certificate_follows_the_other": {"lifetime": (47,), "days": (0.1, 30), "named": (False, True)},
}
"""Those that are about applications, on accounts where the function may apply."""
IN_FILES = {"a_run_dies_around_an_application", "two_runs_apply_at_once", "an_application_takes_effect_late"}
"""Those of them to which it matters how the journal is kept."""


def pairs() -> list[tuple[str, str]]:
    """Return every scene with each of its accounts: account, scene."""
    applying = [
        (account, scene)
        for account, scene in product(APPLYING_ACCOUNTS, APPLYING_SCENES)
        if account == "the function applies" or scene in IN_FILES
    ]
    of_2026 = [*product(WATCHED_ACCOUNTS, WATCHED_SCENES), *applying]
    return [*of_2026, *product(ACCOUNTS, SCENES)]


def turns() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield account, scene and parameters, of all that there are."""
    for account, scene in pairs():
        grid = {**SCENES, **WATCHED_SCENES, **APPLYING_SCENES}[scene]
        for values in product(*grid.values()):
            yield account, scene, dict(zip(grid, values, strict=True))


def play(account: str, scene: str, parameters: dict[str, Any]) -> None:
    """Play one scene on a new account, and let it come to rest; raises what the state machine finds."""
    with contextlib.redirect_stdout(io.StringIO()):
        machine = ExactlyOnce()
        try:
            machine.an_account(**{**ACCOUNTS, **WATCHED_ACCOUNTS, **APPLYING_ACCOUNTS}[account])
            getattr(machine, scene)(**parameters)
            machine.every_promise_holds()
        finally:
            machine.teardown()
