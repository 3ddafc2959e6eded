"""The stand-in where it is not what one would expect: lists that move, answers that are none, objects in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from alibabacloud_oss_v2.exceptions import OperationError
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from darabonba.exceptions import UnretryableException
from mns.mns_exception import MNSClientNetworkException

from handler.errors import EventRefused
from tests.deployed import TIMER, Function, platform
from tests.points import crash_at
from tests.promise.interleaving import PausedInvocation
from tests.stubs import faults
from tests.stubs.clients import Clients, oss_code
from tests.stubs.cloud import BUCKET, Cloud, local_cloud
from tests.stubs.misbehaviour import MovingLists
from tests.traces import LIST, RENEWALS, entries

ASK: dict[str, tuple[str, dict[str, str]]] = {
    "cas": ("https://cas.aliyuncs.com/", {"x-acs-action": LIST}),
    "oss": (f"https://{BUCKET}.oss-cn-hangzhou.aliyuncs.com/renewals/open/1", {}),
}


@pytest.fixture
def clients(cloud: Cloud) -> Clients:
    return Clients(cloud.environ())


def pages(clients: Clients, order_type: str = "CPACK", size: int = 2) -> list[list[Any]]:
    """The ids on each page, as somebody reads them who goes on until a page is not full."""
    read: list[list[Any]] = []
    while not read or len(read[-1]) == size:
        answer = clients.orders(order_type=order_type, current_page=len(read) + 1, show_size=size)
        read.append([row.order_id for row in answer.certificate_order_list])
    return read


def raw(service: str) -> requests.Response:
    """What comes over the wire, before an SDK makes something of it."""
    address, headers = ASK[service]
    return requests.get(address, headers=headers, timeout=1)


def listed(cloud: Cloud, **params: str) -> dict[str, Any]:
    """A page of a list as it is sent, by whom the SDK does not read."""
    return cloud.cas._list(params)


# -------------------------------------------------------------------------------------------------- lists that shift


@pytest.mark.parametrize(
    ("happens", "read"),
    [
        (lambda cas: cas.remove(5), [[5, 4], [2, 1], []]),
        (lambda cas: cas.cancel(5), [[5, 4], [3, 2], [1]]),
        (lambda cas: cas.move(5, "BUY"), [[5, 4], [2, 1], []]),
        (lambda cas: cas.add_order(order_id=9), [[5, 4], [4, 3], [2, 1], []]),
        (lambda cas: cas.add_order(order_id=9, place=4), [[5, 4], [3, 2], [9, 1], []]),
        (lambda cas: cas.move_row(1, 0), [[5, 4], [4, 3], [2]]),
        (lambda cas: cas.move_row(5, 4), [[5, 4], [2, 1], [5]]),
    ],
    ids=["removed", "revoked, which stays", "moved", "bought", "bought, and shown later", "row up", "row down"],
)
def test_what_happens_between_two_pages_hides_a_row_or_shows_it_twice(
    cloud: Cloud, clients: Clients, happens: Callable[[Any], object], read: list[list[int]]
) -> None:
    for order_id in range(1, 6):
        cloud.cas.add_order(order_id=order_id)
    cloud.cas.once_after_page("CPACK", 1, lambda: happens(cloud.cas))

    assert pages(clients) == read

    assert cloud.cas.between_pages is None


def test_an_order_that_moves_between_two_lists_can_be_in_neither(cloud: Cloud, clients: Clients) -> None:
    order = cloud.cas.add_order(source="BUY")
    cloud.cas.once_after_page("CPACK", 1, lambda: cloud.cas.move(order, "CPACK"))

    assert [pages(clients, "CPACK"), pages(clients, "BUY")] == [[[]], [[]]]
    assert pages(clients, "CPACK") == [[order]]


def test_the_same_happens_again_after_every_page_if_it_is_told_to(cloud: Cloud, clients: Clients) -> None:
    answered: list[tuple[str, int]] = []
    cloud.cas.between_pages = lambda *page: answered.append(page)
    for _ in range(3):
        cloud.cas.add_order()

    pages(clients)

    assert answered == [("CPACK", 1), ("CPACK", 2)]


def test_nothing_happens_between_pages_if_there_was_no_page(cloud: Cloud, clients: Clients) -> None:
    cloud.cas.between_pages = lambda *page: pytest.fail(str(page))
    cloud.cas.fail(LIST, faults.timeout_before(), faults.error("InternalError", status=500))
    for _ in range(2):
        with pytest.raises((UnretryableException, AlibabaCloudException)):
            clients.orders()


def test_lists_that_move_by_chance_move_alike_with_their_seed_and_touch_no_other_orders() -> None:
    def read(seed: int) -> list[list[Any]]:
        with local_cloud() as cloud:
            mine = [cloud.cas.add_order() for _ in range(5)]
            cloud.cas.between_pages = MovingLists(cloud.cas, seed, share=1.0)
            clients = Clients(cloud.environ())
            found = [page for _ in range(5) for page in pages(clients)]
            cloud.cas.between_pages = None
            assert set(mine) <= {row for kind in ("CPACK", "BUY") for page in pages(clients, kind) for row in page}
            assert [cloud.cas.status(order) for order in mine] == ["WILLEXPIRED"] * 5
            assert not cloud.cas.purchases
            return found

    assert read(1) == read(1) != read(2)


# ------------------------------------------------------------------------------------------------ lists that are wrong


def test_a_total_can_be_wrong_and_a_row_can_come_twice(cloud: Cloud, clients: Clients) -> None:
    for order_id in range(1, 4):
        cloud.cas.add_order(order_id=order_id)
    cloud.cas.total_count_off_by = -1
    assert clients.orders().total_count == 2

    cloud.cas.list_twice = {2}
    assert pages(clients) == [[3, 2], [2, 1], []]
    assert clients.orders().total_count == 3


def test_a_row_can_lack_fields_or_have_odd_ones_until_it_is_as_it_was(cloud: Cloud) -> None:
    order = cloud.cas.add_order()
    usual = listed(cloud)["CertificateOrderList"]

    cloud.cas.odd_row(order, "OrderId", "BuyDate", CertEndTime=253402300800000, Domain=["a"], CertType=7, Status=None)

    (row,) = listed(cloud)["CertificateOrderList"]
    assert not {"OrderId", "BuyDate"} & set(row)
    assert [row[name] for name in ("CertEndTime", "Domain", "CertType", "Status")] == [253402300800000, ["a"], 7, None]
    cloud.cas.odd_row(order)
    assert listed(cloud)["CertificateOrderList"] == usual


def test_a_raw_row_is_any_value_at_any_place_of_one_list(cloud: Cloud) -> None:
    order = cloud.cas.add_order()
    cloud.cas.add_raw_row("text")
    cloud.cas.add_raw_row(None, place=99)
    cloud.cas.add_raw_row({"OrderId": 7}, "BUY")

    answer = listed(cloud)
    assert [row if row in ("text", None) else row["OrderId"] for row in answer["CertificateOrderList"]] == [
        "text",
        order,
        None,
    ]
    assert answer["TotalCount"] == 3
    assert listed(cloud, OrderType="BUY")["CertificateOrderList"] == [{"OrderId": 7}]


def test_what_is_odd_in_a_list_survives_in_the_state() -> None:
    cloud, again = Cloud(), Cloud()
    cas = cloud.cas
    orders = [cas.add_order() for _ in range(3)]
    cas.move_row(orders[0], 0)
    cas.odd_row(orders[1], "Domain", BuyDate=-1)
    cas.add_raw_row(["x"], place=1)
    cas.list_twice, cas.total_count_off_by = {orders[2]}, 2

    again.cas.from_json(json.loads(json.dumps(cas.to_json())))

    assert listed(again) == listed(cloud)
    assert listed(again)["TotalCount"] == 7


# ----------------------------------------------------------------------------------------------- answers that are none


@pytest.mark.parametrize("service", ASK)
@pytest.mark.parametrize("body", [{}, [], None, "text", {"ok": True}], ids=str)
def test_any_call_can_be_answered_with_json_that_is_not_the_service_s(cloud: Cloud, service: str, body: object) -> None:
    backend = cloud.backends[service]  # type: ignore[index]
    backend.fail({"cas": LIST, "oss": "GetObject"}[service], faults.answer(body))

    answer = raw(service)

    assert (answer.status_code, answer.json()) == (200, body)


@pytest.mark.sends_any_text
def test_such_an_answer_comes_from_a_queue_too_and_hides_what_happened_or_did_not(
    cloud: Cloud, clients: Clients
) -> None:
    cloud.smq.fail(
        "SendMessage", faults.answer({"ok": True}, status=201), faults.answer_after({"ok": True}, status=201)
    )
    cloud.cas.fail(RENEWALS, faults.answer({}), faults.answer_after({}))
    order = cloud.cas.add_order()
    for sent in (0, 1):
        with pytest.raises(MNSClientNetworkException, match="RespDataDamaged"):
            clients.send({"id": "1"})
        assert len(cloud.smq.messages()) == sent
        assert clients.renew(order).order_id is None
        assert len(cloud.cas.bought(order)) == sent


@pytest.mark.parametrize("fault", faults.NO_LISTS, ids=lambda fault: fault.kind)
def test_a_list_can_be_no_list_or_a_wrong_one_and_the_next_answer_is_right(cloud: Cloud, fault: faults.Fault) -> None:
    clients = Clients(cloud.environ())
    for order_id in range(1, 6):
        cloud.cas.add_order(order_id=order_id)
    cloud.cas.fail(LIST, fault)

    expected = {
        "no_list": (5, 2, []),  # the SDK makes no difference between these two and a page without rows
        "null_list": (5, 2, []),
        "no_total": (None, 2, [3, 2]),
        "empty_list": (0, 2, []),
        "short_page": (5, 2, [3]),
        "first_page": (5, 2, [5, 4]),
    }

    def second_page() -> tuple[Any, Any, Any]:
        answer = clients.orders(current_page=2, show_size=2)
        return answer.total_count, answer.current_page, [row.order_id for row in answer.certificate_order_list]

    assert second_page() == expected[fault.kind]
    assert second_page() == (5, 2, [3, 2])


@pytest.mark.parametrize(("fault", "bought"), [(faults.old_order_id(), 0), (faults.old_order_id_after(), 1)], ids=str)
def test_a_renewal_can_name_the_old_order_as_the_new_one(cloud: Cloud, fault: faults.Fault, bought: int) -> None:
    order = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, fault)

    assert Clients(cloud.environ()).renew(order).order_id == order

    assert len(cloud.cas.bought(order)) == bought


def test_a_fault_of_lists_leaves_an_error_as_it_is(cloud: Cloud, clients: Clients) -> None:
    cloud.cas.deny()
    cloud.cas.fail(LIST, faults.empty_list())
    with pytest.raises(AlibabaCloudException, match="NoPermission"):
        clients.orders()


def test_every_fault_is_a_plain_value_that_survives_in_the_state() -> None:
    cloud, again = Cloud(), Cloud()
    every = [*faults.NO_ANSWERS, *faults.NO_LISTS, faults.old_order_id(), faults.answer_after({"ok": [1]})]
    cloud.cas.fail(LIST, *every)

    again.cas.from_json(json.loads(json.dumps(cloud.cas.to_json())))

    assert list(again.cas._faults[LIST]) == every


# -------------------------------------------------------------------------------------------------- objects in the way


def test_an_object_that_was_restored_reads_as_before_and_takes_no_more(cloud: Cloud, clients: Clients) -> None:
    clients.append("renewals/orders/1", 0, b"one")
    cloud.oss.restore_as_ordinary("renewals/orders/1")

    assert clients.get("renewals/orders/1") == b"one"
    with pytest.raises(OperationError) as refused:
        clients.append("renewals/orders/1", 3, b"two")
    assert (refused.value.unwrap().status_code, oss_code(refused)) == (409, "ObjectNotAppendable")


@pytest.mark.parametrize(("lock", "code"), [("archive", "InvalidObjectState"), ("deny_reading", "AccessDenied")])
def test_one_object_can_be_out_of_reach_and_still_be_listed(lock: str, code: str) -> None:
    cloud, again = Cloud(), Cloud()
    with local_cloud() as first:
        for key in ("renewals/orders/1", "renewals/orders/2"):
            Clients(first.environ()).append(key, 0, b"one")
        getattr(first.oss, lock)("renewals/orders/1")
        cloud.oss.from_json(first.oss.to_json())
    again.oss.from_json(json.loads(json.dumps(cloud.oss.to_json())))
    with local_cloud() as opened:
        opened.oss.from_json(again.oss.to_json())
        clients = Clients(opened.environ())

        with pytest.raises(OperationError) as refused:
            clients.get("renewals/orders/1")

        assert (refused.value.unwrap().status_code, oss_code(refused)) == (403, code)
        assert clients.get("renewals/orders/2") == b"one"
        assert b"renewals/orders/1" in opened.oss._list(BUCKET, {"prefix": "renewals/"}).body


def test_a_folder_marker_is_an_object_without_a_byte(cloud: Cloud, clients: Clients) -> None:
    for key in ("renewals/open/", "renewals/orders/", "renewals/open/note"):
        cloud.oss.put_marker(key)
        assert clients.get(key) == b""
    assert not cloud.oss.history


# ---------------------------------------------------------------------------------------------- clocks and the platform


@pytest.mark.parametrize("skew", [-60, 0, 60])
def test_an_instance_may_have_a_clock_of_its_own(cloud: Cloud, function: Function, skew: float) -> None:
    old = cloud.cas.add_order()

    function.tick(skew=skew)

    claimed = next(entry for entry in entries(cloud, old) if entry["entry"] == "claimed")
    assert (
        claimed["deadline"]
        == {
            -60: "2026-11-21T03:04:00Z",
            0: "2026-11-21T03:05:00Z",
            60: "2026-11-21T03:06:00Z",
        }[int(skew)]
    )
    assert cloud.cas.purchases[0].at == cloud.clock.now()


@pytest.mark.parametrize("skew", [-60, 60])
def test_the_platform_ends_an_invocation_by_the_cloud_s_clock(cloud: Cloud, skew: float) -> None:
    cloud.cas.add_order()
    run = PausedInvocation(cloud, TIMER, "run-1", 60, skew=skew)
    cloud.clock.advance(59)
    run.step()
    assert not run.finished
    cloud.clock.advance(2)
    run.step()
    assert (run.finished, run.text, run.bug) == (True, None, None)


@pytest.mark.parametrize("same", [True, False])
def test_the_platform_repeats_a_failed_event_with_some_time_between(
    cloud: Cloud, function: Function, same: bool
) -> None:
    cloud.cas.add_order()
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", status=500)] * 50)
    start = cloud.clock.now()

    answers = platform(function, TIMER, seconds_between=90, same_request_id=same)

    assert [answer.failed for answer in answers] == [True] * 4
    assert (cloud.clock.now() - start).total_seconds() >= 3 * 90
    assert len({answer.result["request_id"] for answer in answers}) == (1 if same else 4)
    assert len(cloud.cas.purchases) == 1


def test_the_platform_repeats_nothing_that_went_well(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order()
    assert [answer.failed for answer in platform(function, TIMER)] == [False]


def test_the_platform_repeats_what_was_refused_and_what_has_died(cloud: Cloud, function: Function) -> None:
    with pytest.raises(EventRefused):
        function.invoke({"nonsense": 1})
    assert len(platform(function, {"nonsense": 1}, retries=2)) == 3
    cloud.cas.add_order()
    crash_at(cloud, "before", "cas", LIST)
    assert [answer.failed for answer in platform(function, TIMER)] == [True, False]
