"""CAS answers what is none, what is odd, or what was somebody else's: nothing is bought twice for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed import Function, assert_no_internal_error
from tests.promise.ticks import ticks
from tests.situations import bystanders
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.traces import LIST, RENEWALS, assert_bought_at_most_once, bought, published

# --------------------------------------------------------------------------------------------- answers that are none


@pytest.mark.parametrize("fault", [*faults.NO_ANSWERS, *faults.NO_LISTS, faults.html(200), faults.empty(200)], ids=str)
@pytest.mark.parametrize("nth", range(8))
@pytest.mark.parametrize("lost", [None, faults.timeout_before(), faults.timeout_after()], ids=["buy", "vain", "lost"])
def test_a_list_that_is_none_never_lets_an_order_be_bought_twice(
    cloud: Cloud, function: Function, fault: faults.Fault, nth: int, lost: faults.Fault | None
) -> None:
    bystanders(cloud, 51)
    old = cloud.cas.add_order(source="BUY" if nth % 2 else "CPACK")
    if lost:
        cloud.cas.fail(RENEWALS, lost)
        function.tick()
        cloud.clock.advance(961)
    cloud.cas.fail(LIST, *[None] * nth, fault)
    answer = function.tick()
    assert_no_internal_error(answer)
    assert_bought_at_most_once(cloud)
    ticks(cloud, function)
    assert len(cloud.cas.bought(old)) == 1
    assert {*published(cloud)} == {*bought(cloud)}


@pytest.mark.parametrize("fault", [*faults.NO_ANSWERS, *faults.NO_LISTS], ids=str)
def test_a_list_that_is_none_for_ever_buys_nothing_and_settles_nothing_wrongly(
    cloud: Cloud, function: Function, fault: faults.Fault
) -> None:
    bystanders(cloud, 51)
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    cloud.clock.advance(961)
    cloud.cas.fail(LIST, *[fault] * 200)
    for _ in range(3):
        answer = function.tick()
        assert_no_internal_error(answer)
        assert len(cloud.cas.purchases) == 1
        cloud.clock.advance(1000)
    cloud.cas._faults[LIST].clear()
    ticks(cloud, function)
    assert len(cloud.cas.bought(old)) == 1
    assert {*published(cloud)} == {*bought(cloud)}


NO_RENEWALS: list[Any] = [
    {},
    [],
    None,
    "text",
    7,
    True,
    {"OrderId": None},
    {"OrderId": 0},
    {"OrderId": ""},
    {"OrderId": "abc"},
]
NO_RENEWALS += [{"OrderId": []}, {"OrderId": {}}, {"OrderId": True}, {"OrderId": 1.5}, {"OrderId": -7}]
NO_RENEWALS += [{"OrderId": "9" * 5000}, {"OrderId": 10**30}, {"Code": "InternalError"}, {"RequestId": 7}]


@pytest.mark.parametrize("body", NO_RENEWALS, ids=lambda body: str(body)[:30])
@pytest.mark.parametrize("effect", [True, False])
def test_an_answer_to_the_purchase_that_is_none_is_a_lost_answer(
    cloud: Cloud, function: Function, body: Any, effect: bool
) -> None:
    old = cloud.cas.add_order(domain="a.example.com", days_left=5)
    other = cloud.cas.add_order(domain="b.example.com", days_left=6, product_code="other")
    cloud.cas.fail(RENEWALS, (faults.answer_after if effect else faults.answer)(body))
    answer = function.tick()
    assert_no_internal_error(answer)
    assert answer.of(old)["outcome"] == "unknown", answer.text
    assert answer.of(other)["outcome"] == "renewed"
    ticks(cloud, function)
    assert len(cloud.cas.bought(old)) == 1
    assert sorted(published(cloud)) == sorted(bought(cloud))


# --------------------------------------------------------------------------------------- while an answer is missing


@pytest.mark.parametrize("late", [0, 600])
def test_a_new_order_that_somebody_uses_for_another_domain_is_named_to_a_person(
    cloud: Cloud, function: Function, late: int
) -> None:
    cloud.cas.visible_after = late
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    new = cloud.cas.bought(old)[0].new_order_id
    cloud.cas.order(new).bound_domain = "elsewhere.example.org"
    cloud.cas.apply(new)
    line = ticks(cloud, function, 6, 400)[-1].of(old)
    assert (line["outcome"], line["reason"], line["candidates"]) == ("held", "unexplained-orders", [str(new)])


def test_a_new_order_of_another_product_is_named_to_a_person(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    new = cloud.cas.bought(old)[0].new_order_id
    cloud.cas.order(new).product_code = "another"
    line = ticks(cloud, function, 6, 400)[-1].of(old)
    assert (line["outcome"], line["reason"], line["candidates"]) == ("held", "unexplained-orders", [str(new)])
    function.invoke({"resolve": {"order_id": str(old), "new_order_id": str(new)}})
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("late", [0, 899])
def test_an_answer_that_names_the_old_order_is_settled_or_held(
    cloud: Cloud, function: Function, effect: bool, late: int
) -> None:
    cloud.cas.visible_after = late
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.old_order_id_after() if effect else faults.old_order_id())
    assert function.tick().outcomes == {str(old): ("unknown", "answer-names-old-order")}
    line = ticks(cloud, function, 6, 400)[-1].of(old)
    assert len(cloud.cas.bought(old)) == int(effect)
    if effect:
        assert line["outcome"] == "already-renewed"
    else:
        assert (line["outcome"], line["reason"]) == ("held", "answer-names-old-order")
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("lands", [True, False])
@pytest.mark.parametrize("late", [0, 899])
@pytest.mark.parametrize(
    "stranger",
    [
        {"domain": "hosted.example.com", "status": "CHECKING", "trustee": "trustee"},
        {"domain": "other.example.com", "status": "PAYED"},
        {"domain": "other.example.com", "status": "PAYED", "product_code": "another"},
        {"domain": "www.example.com", "status": "PAYED", "product_code": "another"},
        {"domain": "", "status": "PAYED", "product_code": "another"},
    ],
    ids=lambda s: f"{s['domain'] or 'none'}-{s.get('product_code', 'same')}",
)
def test_an_unrelated_purchase_while_an_answer_is_missing_is_never_taken_for_it(
    cloud: Cloud, function: Function, lands: bool, late: int, stranger: dict[str, Any]
) -> None:
    old = cloud.cas.add_order()
    cloud.cas.visible_after = late
    cloud.cas.fail(RENEWALS, faults.timeout_after() if lands else faults.timeout_before())
    function.tick()
    new = cloud.cas.add_order(**stranger)
    line = ticks(cloud, function, 6, 400)[-1].of(old)
    assert f"{old}-{new}" not in published(cloud)
    if lands:
        assert line["outcome"] == "already-renewed"
        assert published(cloud) == bought(cloud)
    else:
        assert (line["outcome"], line["reason"], line["candidates"]) == ("held", "unexplained-orders", [str(new)])
        assert not cloud.cas.purchases


def test_a_new_order_that_is_seen_before_it_is_cancelled_is_not_bought_again(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    assert function.tick().of(old)["outcome"] == "renewed"
    cloud.cas.cancel(cloud.cas.bought(old)[0].new_order_id)
    assert ticks(cloud, function, 6, 400)[-1].of(old)["outcome"] == "already-renewed"


# ------------------------------------------------------------------------------------------------------------ odd rows

ODD: list[Any] = [
    None,
    True,
    [],
    ["a"],
    {},
    {"a": 1},
    7,
    -1,
    1.5,
    "",
    "x",
    "9" * 30,
    253402300800000,
    10**40,
    -(10**18),
]
FIELDS = ["Domain", "Status", "ProductCode", "InstanceId", "CertType", "DomainType", "SourceType", "TrusteeStatus"]
FIELDS += ["BuyDate", "CertStartTime", "CertEndTime", "OrderId"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("which", ["stranger", "old", "new"])
def test_a_row_with_an_odd_field_costs_its_own_order_at_most(
    cloud: Cloud, function: Function, field: str, which: str
) -> None:
    turn = FIELDS.index(field) + len(which)
    for number, odd in enumerate([*ODD, "absent"]):
        if (number + turn) % 4:  # each field and each value has its turn
            continue
        if field == "OrderId" and odd in (7, 253402300800000):
            continue  # an id like any other: nothing can tell that it is not the order's
        product = f"p{number}"
        old = cloud.cas.add_order(domain="a.example.com", days_left=8, product_code=product)
        healthy = cloud.cas.add_order(domain="b.example.com", days_left=9, product_code=product)
        cloud.cas.pending_domain = "filled"
        cloud.cas.fail(RENEWALS, faults.timeout_after())
        if which == "stranger":
            target = cloud.cas.add_order(domain="c.example.com", days_left=150, product_code=product)
        function.tick(MAX_RENEWALS_PER_DAY="10000")
        cloud.cas._faults.clear()
        assert len(cloud.cas.bought(healthy)) == 1
        if which != "stranger":
            target = old if which == "old" else cloud.cas.bought(old)[0].new_order_id
        if odd == "absent":
            cloud.cas.odd_row(target, field)
        else:
            cloud.cas.odd_row(target, **{field: odd})
        late = cloud.cas.add_order(domain="d.example.com", days_left=9, product_code=f"late{number}")
        cloud.clock.advance(961)
        for _ in range(2):
            answer = function.tick(MAX_RENEWALS_PER_DAY="10000")
            assert_no_internal_error(answer)
            assert answer.of(late)["outcome"] in {"renewed", "already-renewed"}, (odd, answer.text)
            cloud.clock.advance(100)
        assert_bought_at_most_once(cloud)
        for order in cloud.cas.order_ids():
            cloud.cas.odd_row(order, "Domain")
            cloud.cas.odd_row(order)
            cloud.cas.remove(order)
        cloud.oss.objects.clear()
    assert {*published(cloud)} <= {*bought(cloud)}


@pytest.mark.parametrize("row", ["text", None, 7, [], [{}], {}, {"OrderId": None}, {"OrderId": "x"}], ids=str)
@pytest.mark.parametrize("source", ["CPACK", "BUY"])
def test_a_row_that_is_no_order_is_reported_and_the_others_go_on(
    cloud: Cloud, function: Function, row: Any, source: Any
) -> None:
    bystanders(cloud, 49)
    cloud.cas.add_raw_row(row, source)
    old = cloud.cas.add_order()
    lost = cloud.cas.add_order(domain="lost.example.com", days_left=3)
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    answer = function.tick()
    assert_no_internal_error(answer)
    assert answer.of(old)["outcome"] == "renewed"
    assert [line for line in answer.orders if line["order_id"] is None], answer.text
    assert function.tick().of(lost)["outcome"] == "renewed"
    assert {*published(cloud)} == {*bought(cloud)}
