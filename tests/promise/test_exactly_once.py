"""At most one renewal per old order, and every new order on the queue, whatever dies, repeats or runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from handler.errors import EventRefused
from tests.deployed import Answer, Function
from tests.points import Crash, Point, always_at, crash_at, once_at
from tests.promise import scenes
from tests.promise.machine import ExactlyOnce
from tests.situations import expiring, lose_two
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import LIST, ORDERS, RENEWALS, bought, published

LOST = [faults.timeout_after(), faults.reset_after(), faults.html_after(502), faults.empty_after(200)]
LOST += [
    faults.error_after("InternalError", 500),
    faults.error_after("CreateOrderFailed", 400),
    faults.missing_order_id(),
]
IN_VAIN = [faults.timeout_before(), faults.reset_before(), faults.html(502), faults.error("ServiceUnavailable", 503)]


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_is_settled_by_reading_and_published(
    cloud: Cloud, function: Function, fault: faults.Fault
) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, fault)
    first = function.tick()
    assert first.failed
    assert first.of(old)["outcome"] == "unknown"
    assert not cloud.smq.messages()
    second = function.tick()
    assert not second.failed
    assert second.of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)
    assert function.tick().of(old)["outcome"] == "already-renewed"
    assert len(cloud.cas.purchases) == 1


@pytest.mark.parametrize("fault", IN_VAIN, ids=str)
def test_a_call_that_left_no_trace_is_repeated_only_after_the_settle_time(
    cloud: Cloud, function: Function, fault: faults.Fault
) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, fault)
    assert function.tick().of(old)["outcome"] == "unknown"
    cloud.clock.advance(958)  # and a minute for the clocks of two instances
    assert function.tick().outcomes == {str(old): ("deferred", "settling")}
    cloud.clock.advance(2)
    assert function.tick().of(old)["outcome"] == "renewed"
    assert len(cloud.cas.purchases) == 1
    assert published(cloud) == bought(cloud)


def test_a_connection_that_was_never_made_is_no_lost_answer(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.refused()] * 3)
    assert function.tick().outcomes == {str(old): ("refused", "no-connection")}
    assert function.tick().of(old)["outcome"] == "renewed"


def test_a_new_order_that_shows_late_is_waited_for(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.visible_after = 800
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    cloud.clock.advance(500)
    assert function.tick().outcomes == {str(old): ("deferred", "settling")}
    cloud.clock.advance(301)
    assert function.tick().of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


POINTS: list[tuple[str, str, str, int]] = [
    ("before", "oss", "PutObject", 1),
    ("after", "oss", "PutObject", 1),
    ("before", "oss", "AppendObject", 1),
    ("after", "oss", "AppendObject", 1),
    ("before", "cas", RENEWALS, 1),
    ("after", "cas", RENEWALS, 1),
    ("before", "oss", "AppendObject", 2),
    ("after", "oss", "AppendObject", 2),
    ("before", "smq", "SendMessage", 1),
    ("after", "smq", "SendMessage", 1),
    ("before", "oss", "AppendObject", 3),
    ("after", "oss", "AppendObject", 3),
]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(map(str, point)))
def test_a_run_that_dies_between_two_calls_is_taken_up_by_the_next(
    cloud: Cloud, function: Function, point: tuple[str, str, str, int]
) -> None:
    old = cloud.cas.add_order()
    crash_at(cloud, *point)
    with pytest.raises(Crash):
        function.tick()
    for _ in range(3):
        function.tick()
        cloud.clock.advance(700)
    assert function.tick().of(old)["outcome"] == "already-renewed"
    assert len(cloud.cas.purchases) == 1
    assert set(published(cloud)) == set(bought(cloud))


def test_a_claim_is_in_progress_until_a_minute_after_its_deadline(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    crash_at(cloud, "after", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(timeout=300)
    cloud.clock.advance(358)
    assert function.tick().outcomes == {str(old): ("deferred", "in-progress")}
    cloud.clock.advance(3)
    assert function.tick().of(old)["outcome"] == "renewed"


def test_the_settle_time_of_a_dead_run_counts_from_its_deadline(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    crash_at(cloud, "before", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(timeout=300)
    cloud.clock.advance(300 + 958)
    assert function.tick().outcomes == {str(old): ("deferred", "settling")}
    cloud.clock.advance(2)
    assert function.tick().of(old)["outcome"] == "renewed"
    assert len(cloud.cas.purchases) == 1


def test_an_unpublished_renewal_is_published_even_when_its_order_has_left_the_book(
    cloud: Cloud, function: Function
) -> None:
    old = cloud.cas.add_order()
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    first = function.tick()
    assert first.failed
    assert (first.of(old)["outcome"], first.of(old)["message_id"]) == ("renewed", None)
    cloud.cas.remove(old)
    second = function.tick()
    assert second.of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_an_unpublished_renewal_is_published_even_while_cas_is_down(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.smq.fail("SendMessage", *[faults.reset_before()] * 9)
    assert function.tick().failed
    cloud.cas.fail(LIST, *[faults.html(502)] * 9)
    cloud.smq._faults.clear()
    answer = function.tick()
    assert answer.failed
    assert answer.of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_a_message_that_was_sent_but_not_recorded_is_sent_again_with_the_same_id(
    cloud: Cloud, function: Function
) -> None:
    cloud.cas.add_order()
    crash_at(cloud, "after", "smq", "SendMessage")
    with pytest.raises(Crash):
        function.tick()
    function.tick()
    assert published(cloud) == bought(cloud) * 2
    first, second = cloud.smq.messages()
    assert first == second


def test_two_lost_answers_that_cannot_be_told_apart_are_held(cloud: Cloud, function: Function) -> None:
    a, b = lose_two(cloud, function, faults.timeout_after(), faults.timeout_before())
    answer = function.tick()
    assert answer.failed
    assert answer.outcomes == {a: ("held", "shared-candidates"), b: ("held", "shared-candidates")}
    new = [str(purchase.new_order_id) for purchase in cloud.cas.purchases]
    assert answer.of(a)["candidates"] == answer.of(b)["candidates"] == new
    cloud.clock.advance(days=1)
    assert {line["outcome"] for line in function.tick().orders} == {"held"}
    assert len(cloud.cas.purchases) == 1


def test_two_lost_answers_whose_new_orders_name_their_domains_are_settled(cloud: Cloud, function: Function) -> None:
    cloud.cas.pending_domain = "filled"
    lose_two(cloud, function, faults.timeout_after(), faults.timeout_after())
    assert {line["outcome"] for line in function.tick().orders} == {"renewed"}
    assert sorted(published(cloud)) == sorted(bought(cloud))


def test_a_person_settles_held_orders(cloud: Cloud, function: Function) -> None:
    a, b = lose_two(cloud, function, faults.timeout_after(), faults.timeout_before())
    function.tick()
    new = str(cloud.cas.purchases[0].new_order_id)
    resolved = function.invoke({"resolve": {"order_id": a, "new_order_id": new}})
    assert (resolved.of(a)["outcome"], resolved.of(a)["new_order_id"]) == ("renewed", new)
    assert published(cloud) == [f"{a}-{new}"]
    released = function.invoke({"release": {"order_id": b}})
    assert released.outcomes == {b: ("skipped", "released")}
    assert function.tick().of(b)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)
    assert len(cloud.cas.purchases) == 2


def test_a_named_successor_must_exist_and_be_new_and_nobody_elses(cloud: Cloud, function: Function) -> None:
    before = cloud.cas.add_order(domain="", status="PAYED")
    done = cloud.cas.add_order(domain="c.example.com", product_code="digicert-ov-1")
    assert function.tick().of(done)["outcome"] == "renewed"
    taken = str(cloud.cas.purchases[0].new_order_id)
    a, _ = lose_two(cloud, function, faults.timeout_before(), faults.timeout_after())
    function.tick()
    for wrong, why in {
        "77": "CAS shows no order 77",
        str(before): "existed before",
        taken: "already the successor",
    }.items():
        with pytest.raises(EventRefused, match=why):
            function.invoke({"resolve": {"order_id": a, "new_order_id": wrong}})
    assert published(cloud) == [f"{done}-{taken}"]


@pytest.mark.parametrize("event", ["resolve", "release"])
def test_an_order_that_is_done_cannot_be_settled_by_hand(cloud: Cloud, function: Function, event: str) -> None:
    old = cloud.cas.add_order()
    function.tick()
    said: dict[str, Any] = {"order_id": str(old)}
    if event == "resolve":
        said["new_order_id"] = str(cloud.cas.purchases[0].new_order_id)
    with pytest.raises(EventRefused, match="does not wait for a person"):
        function.invoke({event: said})


def test_after_three_lost_answers_without_a_trace_a_person_must_look(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, *[faults.timeout_before()] * 3)
    for _ in range(3):
        assert function.tick().of(old)["outcome"] == "unknown"
        cloud.clock.advance(961)
    assert function.tick().outcomes == {str(old): ("held", "answers-lost")}
    function.invoke({"release": {"order_id": str(old)}})
    assert function.tick().of(old)["outcome"] == "renewed"
    assert len(cloud.cas.purchases) == 1


def test_a_successor_of_one_order_is_no_candidate_for_another(cloud: Cloud, function: Function) -> None:
    lost = cloud.cas.add_order(domain="a.example.com", days_left=5)
    other = cloud.cas.add_order(domain="b.example.com", days_left=6)
    cloud.cas.fail(RENEWALS, faults.timeout_before(), None)
    first = function.tick()
    assert (first.of(lost)["outcome"], first.of(other)["outcome"]) == ("unknown", "renewed")
    assert function.tick().outcomes[str(lost)] == ("deferred", "settling")
    cloud.clock.advance(961)
    assert function.tick().of(lost)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_an_order_that_loses_its_domain_again_is_no_candidate(cloud: Cloud, function: Function) -> None:
    """It existed before the call, although then it was of another domain."""
    applied = cloud.cas.add_order(domain="other.example.com", status="CHECKING")
    lost = cloud.cas.add_order(domain="www.example.com")
    cloud.cas.fail(RENEWALS, faults.timeout_before())
    assert function.tick().of(lost)["outcome"] == "unknown"
    order = cloud.cas.order(applied)
    order.domain, order.fixed_status = "", "PAYED"
    assert function.tick().outcomes == {str(lost): ("deferred", "settling")}
    cloud.clock.advance(961)
    assert function.tick().of(lost)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_a_journal_that_makes_no_sense_holds_its_own_order_and_no_other(cloud: Cloud, function: Function) -> None:
    spoilt = cloud.cas.add_order(domain="a.example.com", days_left=5)
    lost = cloud.cas.add_order(domain="b.example.com", days_left=6)
    cloud.cas.fail(RENEWALS, faults.timeout_after(), faults.timeout_before())
    function.tick()
    cloud.oss.objects[BUCKET, f"{ORDERS}{spoilt}"].data += b"and somebody wrote this\n"
    healthy = cloud.cas.add_order(domain="c.example.com", days_left=7, product_code="other")
    answer = function.tick()
    assert answer.failed
    assert answer.of(spoilt)["reason"] == "journal-unreadable"
    assert answer.of(healthy)["outcome"] == "renewed"
    assert answer.outcomes[str(lost)] == ("held", "shared-candidates"), "the new order may be that of the other"


def test_a_candidate_is_not_given_away_while_a_journal_that_may_own_it_cannot_be_read(
    cloud: Cloud, function: Function
) -> None:
    done = cloud.cas.add_order(domain="a.example.com", days_left=5)
    function.tick()
    new = cloud.cas.purchases[0].new_order_id
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    function.tick()
    cloud.clock.advance(3600)
    function.tick()
    cloud.oss.objects[BUCKET, f"{ORDERS}{done}"].data += b"and somebody wrote this\n"
    lost = cloud.cas.add_order(domain="b.example.com", days_left=6)
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    assert function.tick().outcomes[str(lost)] == ("held", "shared-candidates")


def test_an_order_renewed_in_the_console_is_superseded(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.renew_in_console(old)
    assert function.tick().outcomes == {str(old): ("skipped", "superseded")}
    assert not cloud.smq.messages()


def test_our_own_successor_does_not_make_an_order_superseded(cloud: Cloud, function: Function) -> None:
    cloud.cas.pending_domain = "filled"
    old = cloud.cas.add_order()
    function.tick()
    assert function.tick().of(old)["outcome"] == "already-renewed"


def side_by_side(cloud: Cloud, function: Function, point: Point) -> tuple[Answer, Answer]:
    """Let a whole second run happen at a point inside the first."""
    inner: list[Answer] = []
    once_at(cloud, point, lambda: inner.append(function.tick()))
    outer = function.tick()
    return outer, inner[0]


@pytest.mark.parametrize(
    "point",
    [
        ("before", "oss", "ListObjectsV2"),
        ("before", "oss", "AppendObject"),
        ("after", "oss", "AppendObject"),
        ("before", "cas", RENEWALS),
        ("after", "cas", RENEWALS),
        ("before", "smq", "SendMessage"),
    ],
    ids="-".join,
)
def test_of_two_runs_at_once_exactly_one_buys(cloud: Cloud, function: Function, point: Point) -> None:
    old = cloud.cas.add_order()
    outer, inner = side_by_side(cloud, function, point)
    lines = [outer.of(old), inner.of(old)]
    assert len(cloud.cas.purchases) == 1
    assert set(published(cloud)) == set(bought(cloud))
    others = [(line["outcome"], line["reason"]) for line in lines if line["outcome"] != "renewed"]
    assert others in ([("deferred", "in-progress")], [("already-renewed", None)], [])
    if point[1] == "cas":
        assert inner.outcomes == {str(old): ("deferred", "in-progress")}


def test_no_renewal_is_started_that_cannot_be_finished_in_time(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 3)
    always_at(cloud, ("after", "cas", RENEWALS), lambda: cloud.clock.advance(30))
    answer = function.tick(timeout=60)
    assert [answer.of(order)["outcome"] for order in orders] == ["renewed", "renewed", "deferred"]
    assert answer.of(orders[2])["reason"] == "no-time-left"
    assert not answer.failed
    assert function.tick(timeout=60).of(orders[2])["outcome"] == "renewed"


def test_a_claim_that_took_too_long_to_write_is_given_up_before_the_call(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()

    def is_slow() -> None:
        if not cloud.cas.calls_of(RENEWALS):
            cloud.clock.advance(50)

    always_at(cloud, ("after", "oss", "AppendObject"), is_slow)
    assert function.tick(timeout=60).outcomes == {str(old): ("deferred", "no-time-left")}
    assert not cloud.cas.calls_of(RENEWALS)
    cloud.hooks.clear()
    assert function.tick(timeout=60).of(old)["outcome"] == "renewed"


def oss_down(cloud: Cloud) -> None:
    for action in ("AppendObject", "GetObject", "PutObject", "ListObjectsV2"):
        cloud.oss.fail(action, *[faults.error("InternalError", 500)] * 30)


@pytest.mark.parametrize("break_oss", [oss_down, lambda cloud: cloud.oss.deny()], ids=["down", "denied"])
def test_if_the_journal_cannot_be_written_nothing_is_bought(
    cloud: Cloud, function: Function, break_oss: Callable[[Cloud], None]
) -> None:
    cloud.cas.add_order()
    break_oss(cloud)
    answer = function.tick()
    assert answer.failed
    assert not cloud.cas.purchases


@pytest.mark.parametrize("action", ["PutObject", "AppendObject"])
def test_a_journal_that_fails_at_the_claim_is_told_and_buys_nothing(
    cloud: Cloud, function: Function, action: str
) -> None:
    old = cloud.cas.add_order()
    cloud.oss.fail(action, *[faults.error("InternalError", 500)] * 3)
    answer = function.tick()
    assert answer.failed
    assert answer.outcomes == {str(old): ("deferred", "journal-unavailable")}
    assert not cloud.cas.purchases
    assert function.tick().of(old)["outcome"] == "renewed"


def test_a_purchase_that_cannot_be_journalled_is_told_at_once_and_settled_later(
    cloud: Cloud, function: Function
) -> None:
    old = cloud.cas.add_order()
    cloud.oss.fail("AppendObject", None, None, *[faults.error("InternalError", 500)] * 3)
    answer = function.tick()
    assert answer.failed
    assert (answer.of(old)["outcome"], answer.of(old)["reason"]) == ("renewed", "journal-unavailable")
    assert published(cloud) == bought(cloud)
    cloud.clock.advance(361)
    assert function.tick().of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud) * 2
    assert len(cloud.cas.purchases) == 1


def test_credentials_that_expire_in_mid_run_lose_nothing(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 2)
    once_at(cloud, ("after", "cas", RENEWALS), cloud.rotate_credentials)
    assert function.tick().failed
    cloud.clock.advance(361)
    function.tick()
    assert {line["outcome"] for line in function.tick().orders} == {"already-renewed"}
    assert len(cloud.cas.purchases) == len(orders)
    assert set(published(cloud)) == set(bought(cloud))


def test_a_queue_that_does_not_exist_stops_the_buying_and_loses_nothing(cloud: Cloud, function: Function) -> None:
    orders = expiring(cloud, 2)
    answer = function.tick(SMQ_QUEUE="nowhere")
    assert answer.failed
    assert answer.outcomes == {
        str(orders[0]): ("renewed", "QueueNotExist"),
        str(orders[1]): ("deferred", "run-stopped"),
    }
    assert {line["outcome"] for line in function.tick().orders} == {"renewed"}
    assert sorted(published(cloud)) == sorted(bought(cloud))


def test_an_append_whose_answer_was_lost_is_recognised_as_ours(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.oss.fail("AppendObject", faults.timeout_after(), None, faults.reset_after())
    answer = function.tick()
    assert not answer.failed
    assert answer.of(old)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


def test_finished_journals_are_not_read_again_once_their_orders_are_out_of_sight(
    cloud: Cloud, function: Function
) -> None:
    for number in range(10):
        cloud.cas.add_order(domain=f"host{number}.example.com")
    function.tick()
    for purchase in cloud.cas.purchases:
        cloud.cas.apply(purchase.new_order_id)
        cloud.cas.issue(purchase.new_order_id)
    cloud.clock.advance(days=21)
    function.tick()
    function.tick()
    before = len(cloud.oss.calls_of("GetObject"))
    function.tick()
    assert len(cloud.oss.calls_of("GetObject")) == before
    assert not [key for _, key in cloud.oss.objects if "/open/" in key]


def test_a_journal_entry_is_never_rewritten_or_removed(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_before(), faults.error("NotFound"))
    for _ in range(4):
        function.tick()
        cloud.clock.advance(days=1)
    operations = {operation for key, operation, _ in cloud.oss.history if "/orders/" in key}
    assert operations == {"append"}


@pytest.mark.parametrize(("account", "scene"), scenes.pairs())
def test_every_scene_by_itself_keeps_every_promise(account: str, scene: str) -> None:
    for on, played, parameters in scenes.turns():
        if (on, played) == (account, scene):
            scenes.play(on, played, parameters)


TestWhateverHappensInWhateverOrder = ExactlyOnce.TestCase
TestWhateverHappensInWhateverOrder.settings = settings(
    max_examples=36,
    stateful_step_count=15,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make a failing history shorter takes many minutes
    suppress_health_check=list(HealthCheck),
)
