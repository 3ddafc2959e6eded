"""How an order gets to where it stands: the situations of which tests/journals keeps what the journal then said.

Each brings a new account and a new journal in a folder there. The account is the same each time, ids included.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.deployed import Function
from tests.points import Crash, crash_at
from tests.stubs import faults
from tests.stubs.cas import FIRST_RENEWAL_ID
from tests.stubs.cloud import Cloud
from tests.stubs.order_account import FIRST_ORDER_ID
from tests.traces import RENEWALS

Recipe = Callable[[Cloud, Function], object]

OLD, SECOND_OLD = str(FIRST_ORDER_ID), str(FIRST_ORDER_ID + 1)
NEW, SECOND_NEW = str(FIRST_RENEWAL_ID), str(FIRST_RENEWAL_ID + 1)
SETTLED = 961
"""Seconds after which a lost answer can be settled."""
SITUATIONS: dict[str, Recipe] = {}
"""By the name of their folder."""


def situation(recipe: Recipe) -> Recipe:
    """Put a function under its name among the situations."""
    SITUATIONS[recipe.__name__.replace("_", "-")] = recipe
    return recipe


def folder_of(function: Function) -> Path:
    """Return the folder of the journal."""
    return Path(urlsplit(str(function.settings["JOURNAL_URL"])).path)


def dies(cloud: Cloud, function: Function, phase: str, skew: float = 0) -> None:
    """Let a run die just before or after the purchase takes effect."""
    crash_at(cloud, phase, "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(skew=skew)


def loses_an_answer(cloud: Cloud, function: Function, fault: faults.Fault) -> None:
    """Let a run end without knowing what became of its call."""
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, fault)
    assert function.tick().of(OLD)["outcome"] == "unknown"


def without_pictures(folder: Path) -> None:
    """Make of a journal what the versions before pictures wrote."""
    for path in [*folder.glob("orders/*/*"), *folder.glob("open/*")]:
        said = json.loads(path.read_bytes())
        for key in ("picture", "empty_lists", "nameless"):
            said.pop(key, None)
        path.write_bytes(json.dumps(said, separators=(",", ":")).encode())


def resolve(new: str) -> dict[str, object]:
    """Say that this is the successor."""
    return {"resolve": {"order_id": OLD, "new_order_id": new}}


RELEASE = {"release": {"order_id": OLD}}


# --- an answer is missing ---------------------------------------------------------------------------------------------


@situation
def claimed_and_bought(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    dies(cloud, function, "after")


@situation
def claimed_in_vain(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    dies(cloud, function, "before")


@situation
def claimed_without_a_picture_and_bought(cloud: Cloud, function: Function) -> None:
    claimed_and_bought(cloud, function)
    without_pictures(folder_of(function))


@situation
def claimed_without_a_picture_in_vain(cloud: Cloud, function: Function) -> None:
    claimed_in_vain(cloud, function)
    without_pictures(folder_of(function))


@situation
def claimed_by_a_clock_far_ahead(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    dies(cloud, function, "after", skew=3 * 86400)


@situation
def unknown_and_bought(cloud: Cloud, function: Function) -> None:
    loses_an_answer(cloud, function, faults.timeout_after())


@situation
def unknown_in_vain(cloud: Cloud, function: Function) -> None:
    loses_an_answer(cloud, function, faults.timeout_before())


# --- nothing was bought -----------------------------------------------------------------------------------------------


@situation
def nothing_bought(cloud: Cloud, function: Function) -> None:
    unknown_in_vain(cloud, function)
    cloud.clock.advance(SETTLED)
    function.invoke({"order_ids": [OLD]}, MAX_RENEWALS_PER_RUN="0")


@situation
def refused(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403))
    function.tick()


@situation
def refused_for_now(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.error("InvalidStatus.UpdateProtection")] * 3)
    function.tick()


@situation
def refused_and_not_notified(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403))
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.tick()


@situation
def claimed_again_after_a_refusal(cloud: Cloud, function: Function) -> None:
    refused(cloud, function)
    cloud.clock.advance(days=1)
    dies(cloud, function, "after")


@situation
def a_day_with_one_renewal_left(cloud: Cloud, function: Function) -> None:
    """Two were reserved, one was bought and the other refused and given back."""
    cloud.cas.add_order()
    cloud.cas.add_order(domain="shop.example.com", days_left=21)
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403), None)
    function.tick(MAX_RENEWALS_PER_DAY="2")


# --- a person must decide, or has ------------------------------------------------------------------------------------


@situation
def held_with_several_candidates(cloud: Cloud, function: Function) -> None:
    unknown_and_bought(cloud, function)
    cloud.cas.renew_in_console(OLD, domain_filled=False)
    function.tick()


@situation
def held_with_shared_candidates(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(domain="a.example.com", days_left=20)
    cloud.cas.add_order(domain="b.example.com", days_left=21)
    cloud.cas.fail(RENEWALS, faults.timeout_after(), faults.timeout_after())
    function.tick()
    function.tick()


@situation
def held_for_unexplained_orders(cloud: Cloud, function: Function) -> None:
    unknown_in_vain(cloud, function)
    cloud.cas.add_order(domain="", status="PAYED", product_code="another")
    cloud.clock.advance(SETTLED)
    function.tick()


@situation
def held_since_the_answer_names_the_old_order(cloud: Cloud, function: Function) -> None:
    loses_an_answer(cloud, function, faults.old_order_id())
    cloud.clock.advance(SETTLED)
    function.tick()


@situation
def held_after_three_lost_answers(cloud: Cloud, function: Function) -> None:
    unknown_in_vain(cloud, function)
    cloud.cas.fail(RENEWALS, *[faults.timeout_before()] * 2)
    for _ in range(3):
        cloud.clock.advance(SETTLED)
        function.tick()


@situation
def held_since_the_picture_is_lost(cloud: Cloud, function: Function) -> None:
    unknown_in_vain(cloud, function)
    shutil.rmtree(folder_of(function) / "open")
    cloud.clock.advance(SETTLED)
    function.tick()


@situation
def released(cloud: Cloud, function: Function) -> None:
    held_for_unexplained_orders(cloud, function)
    function.invoke(RELEASE)


@situation
def resolved(cloud: Cloud, function: Function) -> None:
    held_with_several_candidates(cloud, function)
    function.invoke(resolve(SECOND_NEW))


@situation
def resolved_and_not_published(cloud: Cloud, function: Function) -> None:
    held_with_several_candidates(cloud, function)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.invoke(resolve(SECOND_NEW))


@situation
def resolved_and_taken_back(cloud: Cloud, function: Function) -> None:
    resolved_and_not_published(cloud, function)
    function.invoke(RELEASE)


@situation
def unreadable_and_notified(cloud: Cloud, function: Function) -> None:
    """Somebody has written to the journal."""
    cloud.cas.add_order()
    function.tick()
    entry = {"entry": "eaten", "at": "2026-11-21T03:00:00Z", "run": "somebody", "id": "1"}
    (folder_of(function) / "orders" / OLD / "00000004").write_bytes(json.dumps(entry, separators=(",", ":")).encode())
    function.tick()


# --- what comes after the purchase ------------------------------------------------------------------------------------


@situation
def renewed_and_not_published(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.tick()


@situation
def settled_and_not_published(cloud: Cloud, function: Function) -> None:
    unknown_and_bought(cloud, function)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.tick()


@situation
def published(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    function.tick()


@situation
def in_review(cloud: Cloud, function: Function) -> None:
    published(cloud, function)
    function.tick()
    cloud.cas.apply(NEW)
    cloud.clock.advance(days=7)
    function.tick()


@situation
def turned_down(cloud: Cloud, function: Function) -> None:
    in_review(cloud, function)
    cloud.cas.fail_review(NEW)
    cloud.clock.advance(days=1)
    function.tick()


@situation
def gone(cloud: Cloud, function: Function) -> None:
    published(cloud, function)
    function.tick()
    cloud.cas.cancel(NEW)
    cloud.clock.advance(days=7)
    function.tick()


@situation
def replaced(cloud: Cloud, function: Function) -> None:
    published(cloud, function)
    console = cloud.cas.renew_in_console(OLD)
    cloud.cas.apply(console)
    cloud.cas.issue(console)
    function.tick()


@situation
def abandoned(cloud: Cloud, function: Function) -> None:
    gone(cloud, function)
    cloud.clock.advance(days=60)
    function.tick()
    function.tick()


@situation
def issued(cloud: Cloud, function: Function) -> None:
    published(cloud, function)
    cloud.cas.apply(NEW)
    cloud.cas.issue(NEW)
    for _ in range(2):
        cloud.clock.advance(days=1)
        function.tick()


@situation
def issued_and_not_notified(cloud: Cloud, function: Function) -> None:
    published(cloud, function)
    cloud.cas.apply(NEW)
    cloud.cas.issue(NEW)
    cloud.clock.advance(days=1)
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    function.tick()
