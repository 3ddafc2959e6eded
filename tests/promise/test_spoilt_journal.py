"""What somebody has done to the journal: each object costs its own order at most, and is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from handler.errors import EventRefused
from tests import published as published_interface
from tests.deployed import Answer, Function
from tests.promise.interleaving import Crash
from tests.promise.test_exactly_once import RENEWALS, bought, crash_at, published
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud

ORDERS = "renewals/orders/"
NOT_TEXT: list[Any] = [None, 7, True, [], ["a", "b"], {}, {"a": 1}, [[]], [{}], [None]]
NOT_MOMENTS: list[Any] = [
    *NOT_TEXT,
    "",
    "yesterday",
    "2026-11-21",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-11-21T03:00:00+08:00",
]


def entries(cloud: Cloud, order: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cloud.oss.objects[BUCKET, f"{ORDERS}{order}"].data.splitlines()]


def write(cloud: Cloud, order: object, lines: list[Any]) -> None:
    """Somebody edits a journal with a tool that keeps it appendable."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    cloud.oss.objects[BUCKET, f"{ORDERS}{order}"].data = text.encode()


def alerts(cloud: Cloud, order: object) -> list[dict[str, Any]]:
    return [
        message
        for message in cloud.smq.messages()
        if message["type"] == "cas.renewal.failed" and message["data"]["OrderId"] == str(order)
    ]


def no_internal_error(answer: Answer) -> None:
    assert not [error for error in answer.result.get("errors", ()) if "internal error" in error], answer.text


def in_state(cloud: Cloud, function: Function, state: str) -> int:
    """An order whose journal ends in that state, of a product of its own."""
    order = cloud.cas.add_order(domain="spoilt.example.com", days_left=5, product_code="its-own")
    if state == "claimed":
        crash_at(cloud, "after", "cas", RENEWALS)
        with pytest.raises(Crash):
            function.tick(timeout=60)
        cloud.clock.advance(121)
    elif state == "unknown":
        cloud.cas.fail(RENEWALS, faults.timeout_after())
        function.tick()
    elif state == "refused":
        cloud.cas.fail(RENEWALS, faults.error("OrderStateError", 403))
        function.tick()
    elif state == "held":
        cloud.cas.fail(RENEWALS, faults.timeout_after())
        function.tick()
        cloud.cas.renew_in_console(order, domain_filled=False)
        assert function.tick().of(order)["reason"] == "several-candidates"
    elif state == "renewed":
        cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
        function.tick()
    elif state == "done":
        function.tick()
    elif state == "observed":
        function.tick()
        cloud.cas.apply(cloud.cas.bought(order)[0].new_order_id)
        function.tick()
    else:
        raise ValueError(state)
    return order


STATES = ["claimed", "unknown", "refused", "held", "renewed", "done", "observed"]


# ------------------------------------------------------------------------------------------------------ edited entries


@pytest.mark.parametrize("state", STATES)
def test_whatever_somebody_writes_into_a_field_of_a_journal_the_other_orders_are_renewed(
    cloud: Cloud, function: Function, state: str
) -> None:
    spoilt = in_state(cloud, function, state)
    function.tick()
    whole = entries(cloud, spoilt)
    purchases = len(cloud.cas.bought(spoilt))
    number = 0
    for index, entry in enumerate(whole):
        for field in entry:
            for odd in NOT_MOMENTS:
                number += 1
                write(cloud, spoilt, [*whole[:index], {**entry, field: odd}, *whole[index + 1 :]])
                if number % 31:  # every one costs a run; each field and each value has its turn
                    continue
                other = cloud.cas.add_order(domain=f"n{number}.example.com", days_left=9, product_code=f"p{number}")
                answer = function.tick(MAX_RENEWALS_PER_DAY="10000")
                no_internal_error(answer)
                assert answer.of(other)["outcome"] == "renewed", (field, odd, answer.text)
                cloud.cas.remove(other)
                cloud.cas.remove(cloud.cas.bought(other)[0].new_order_id)
    assert len(cloud.cas.bought(spoilt)) == purchases <= 1


@pytest.mark.parametrize(
    "lines",
    [
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"entry":"claimed"}\n',
        b'{"entry":["claimed"],"at":"2026-11-21T03:00:00Z"}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"entry":"published","at":"2026-11-21T03:00:00Z"}\n',
        b'{"entry":"claimed","at":"2026-11-2',
        b"\x00" * 300,
    ],
    ids=range(10),
)
def test_a_journal_that_cannot_be_parsed_holds_its_order_and_tells_it_once_a_day(
    cloud: Cloud, function: Function, lines: bytes
) -> None:
    spoilt = cloud.cas.add_order(domain="a.example.com", days_left=5)
    other = cloud.cas.add_order(domain="b.example.com", days_left=6)
    cloud.oss.put_marker(f"{ORDERS}{spoilt}")
    cloud.oss.objects[BUCKET, f"{ORDERS}{spoilt}"].data = lines
    for day in range(1, 4):
        for _ in range(2):
            answer = function.tick()
            no_internal_error(answer)
            assert answer.failed
            assert answer.outcomes[str(spoilt)] == ("held", "journal-unreadable")
            assert answer.of(other)["outcome"] in {"renewed", "already-renewed"}
        assert len(alerts(cloud, spoilt)) == day
        cloud.clock.advance(days=1)
    assert not cloud.cas.bought(spoilt)
    assert published(cloud) == bought(cloud)


# -------------------------------------------------------------------------------------------------------- spoilt notes

SPOILT_NOTES = [
    b"",
    b"{}",
    b"null",
    b"\xff",
    b'{"orders":"1","deadline":"2026-11-21T03:00:00Z"}',
    b'{"orders":["1"],"deadline":"9999-12-31T23:59:59Z"}',
    b'{"orders":["1"],"deadline":"0001-01-01T00:00:00Z"}',
    b'{"orders":["1"],"deadline":null}',
    b'{"orders":["1"],"deadline":"2026-11-21T00:00:00Z","picture":7,"empty_lists":[]}',
    b'{"orders":["1"],"deadline":"2026-11-21T00:00:00Z","picture":[]}',
]


@pytest.mark.parametrize("body", SPOILT_NOTES, ids=range(len(SPOILT_NOTES)))
def test_a_spoilt_note_is_said_by_its_name_and_everything_goes_on(
    cloud: Cloud, function: Function, body: bytes
) -> None:
    cloud.oss.put_marker("renewals/open/somebody-s")
    cloud.oss.objects[BUCKET, "renewals/open/somebody-s"].data = body
    lost = cloud.cas.add_order(domain="a.example.com", days_left=5)
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    answer = function.tick()
    assert answer.failed
    (error,) = answer.result["errors"]
    assert error.startswith("open/somebody-s")
    second = function.tick()
    assert second.of(lost)["outcome"] == "renewed"
    assert published(cloud) == bought(cloud)


@pytest.mark.parametrize("orders", [[1], [None], [{}], [""], ["../../x"], ["a" * 900], [[]]], ids=str)
def test_a_note_that_names_no_orders_costs_nothing(
    cloud: Cloud, function: Function, monkeypatch: pytest.MonkeyPatch, orders: Any
) -> None:
    if orders == ["../../x"]:  # the storage refuses that name, and the result shows it in the place of an order's id
        monkeypatch.setattr(published_interface, "check", lambda *_: None)
    body = json.dumps({"orders": orders, "deadline": "2026-11-20T03:00:00Z"}).encode()
    cloud.oss.put_marker("renewals/open/x")
    cloud.oss.objects[BUCKET, "renewals/open/x"].data = body
    old = cloud.cas.add_order()
    answer = function.tick()
    no_internal_error(answer)
    assert answer.of(old)["outcome"] == "renewed"


@pytest.mark.parametrize("folder", ["", "open/", "orders/", "days/", "alerts/", "successors/", "check/"])
def test_what_a_console_makes_of_a_folder_is_in_nobody_s_way(cloud: Cloud, function: Function, folder: str) -> None:
    cloud.oss.put_marker(f"renewals/{folder}")
    lost = cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    answer = function.tick()
    assert not answer.failed
    assert answer.of(lost)["outcome"] == "renewed"


@pytest.mark.parametrize("how", ["archive", "deny_reading"])
def test_a_note_that_cannot_be_fetched_is_said_and_the_claims_it_names_are_found_by_a_scan(
    cloud: Cloud, function: Function, how: str
) -> None:
    lost = cloud.cas.add_order(domain="a.example.com")
    cloud.cas.fail(RENEWALS, faults.timeout_after())
    function.tick()
    (note,) = [key for _, key in cloud.oss.objects if "/open/" in key]
    getattr(cloud.oss, how)(note)
    other = cloud.cas.add_order(domain="b.example.com", product_code="other")
    answer = function.tick()
    assert answer.failed
    assert answer.result["errors"]
    assert answer.of(lost)["outcome"] == "renewed", "it is the only candidate of the only call"
    assert answer.of(other)["outcome"] == "renewed"
    assert len(cloud.cas.bought(lost)) == 1


# --------------------------------------------------------------------------------------------------- the day's count


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cloud, key: cloud.oss.put_marker(key),
        lambda cloud, key: cloud.oss.restore_as_ordinary(key),
        lambda cloud, key: cloud.oss.archive(key),
        lambda cloud, key: cloud.oss.deny_reading(key),
        lambda cloud, key: setattr(cloud.oss.objects[BUCKET, key], "data", b"nonsense\n"),
        lambda cloud, key: setattr(cloud.oss.objects[BUCKET, key], "data", b'{"count":"1"}\n'),
    ],
    ids=["marker", "ordinary", "archived", "forbidden", "nonsense", "no number"],
)
def test_a_count_of_the_day_that_cannot_be_kept_stops_the_buying_for_that_day_and_blames_no_order(
    cloud: Cloud, function: Function, spoil: Callable[[Cloud, str], None]
) -> None:
    cloud.cas.add_order(domain="z.example.com", days_left=3)
    assert not function.tick().failed
    orders = [cloud.cas.add_order(domain=f"{name}.example.com") for name in "ab"]
    spoil(cloud, f"renewals/days/{cloud.clock.now():%Y-%m-%d}")
    answer = function.tick()
    assert answer.failed
    for order in orders:
        assert answer.outcomes[str(order)] == ("deferred", "journal-unavailable")
        assert not alerts(cloud, order)
    assert len(cloud.cas.purchases) == 1
    cloud.clock.advance(days=1)
    assert {function.tick().of(order)["outcome"] for order in orders} <= {"renewed", "already-renewed"}
    assert published(cloud) == bought(cloud)


# ------------------------------------------------------------------------------------------- objects that cannot be had


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("how", ["archive", "deny_reading"])
def test_a_journal_out_of_reach_costs_its_own_order_in_every_state(
    cloud: Cloud, function: Function, state: str, how: str
) -> None:
    spoilt = in_state(cloud, function, state)
    purchases = len(cloud.cas.bought(spoilt))
    getattr(cloud.oss, how)(f"{ORDERS}{spoilt}")
    other = cloud.cas.add_order(domain="other.example.com", days_left=9)
    for _ in range(3):
        answer = function.tick()
        no_internal_error(answer)
        assert answer.failed
        assert answer.outcomes[str(spoilt)] == ("deferred", "journal-unavailable")
        assert answer.of(other)["outcome"] in {"renewed", "already-renewed"}
        cloud.clock.advance(days=1)
    assert len(cloud.cas.bought(spoilt)) == purchases
    assert f"{other}-{cloud.cas.bought(other)[0].new_order_id}" in published(cloud)


@pytest.mark.parametrize("state", STATES)
def test_a_journal_that_was_restored_as_an_ordinary_object_is_said_and_the_others_go_on(
    cloud: Cloud, function: Function, state: str
) -> None:
    spoilt = in_state(cloud, function, state)
    purchases = len(cloud.cas.bought(spoilt))
    cloud.oss.restore_as_ordinary(f"{ORDERS}{spoilt}")
    if state in {"done", "observed"}:
        cloud.cas.issue(cloud.cas.bought(spoilt)[0].new_order_id)
    other = cloud.cas.add_order(domain="other.example.com", days_left=19)
    cloud.clock.advance(days=1)
    for _ in range(3):
        answer = function.tick()
        no_internal_error(answer)
        assert answer.failed
        said = json.dumps([answer.of(spoilt), answer.result.get("errors")])
        assert "journal-not-appendable" in said or "ordinary object" in said or answer.of(spoilt)["outcome"] == "held"
        assert answer.of(other)["outcome"] in {"renewed", "already-renewed"}
        cloud.clock.advance(days=1)
    assert len(cloud.cas.bought(spoilt)) == purchases
    assert f"{other}-{cloud.cas.bought(other)[0].new_order_id}" in published(cloud)
    if state not in {"renewed", "done", "observed"}:
        assert alerts(cloud, spoilt), "a person is told"


def test_an_empty_object_in_the_place_of_a_journal_holds_its_order_and_no_other(
    cloud: Cloud, function: Function
) -> None:
    spoilt = cloud.cas.add_order(domain="a.example.com", days_left=5)
    other = cloud.cas.add_order(domain="b.example.com", days_left=6)
    cloud.oss.put_marker(f"{ORDERS}{spoilt}")
    answer = function.tick()
    assert answer.outcomes == {str(spoilt): ("held", "journal-not-appendable"), str(other): ("renewed", None)}
    (alert,) = alerts(cloud, spoilt)
    assert (alert["data"]["Domain"], alert["data"]["Reason"]) == ("a.example.com", "journal-not-appendable")


@pytest.mark.parametrize("event", ["resolve", "release"])
def test_a_person_s_word_on_a_journal_that_takes_no_entry_is_not_taken_as_done(
    cloud: Cloud, function: Function, event: str
) -> None:
    spoilt = in_state(cloud, function, "held")
    cloud.oss.restore_as_ordinary(f"{ORDERS}{spoilt}")
    said = {"order_id": str(spoilt)}
    if event == "resolve":
        said["new_order_id"] = str(cloud.cas.bought(spoilt)[0].new_order_id)
    answer = function.invoke({event: said})
    assert answer.failed
    assert "ordinary object" in answer.text
    assert not published(cloud)
    assert len(cloud.cas.bought(spoilt)) == 1


# --------------------------------------------------------------------------------------- what older versions have left


def strip_pictures(cloud: Cloud) -> None:
    """Make of the journal what the version before pictures wrote."""
    for (_, key), stored in cloud.oss.objects.items():
        if "/orders/" in key:
            lines = [json.loads(line) for line in stored.data.splitlines()]
            for line in lines:
                line.pop("picture", None)
            stored.data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        elif "/open/" in key:
            note = json.loads(stored.data)
            stored.data = json.dumps({"deadline": note["deadline"], "orders": note["orders"]}).encode()


@pytest.mark.parametrize("state", ["claimed", "unknown"])
@pytest.mark.parametrize("effect", [True, False])
def test_a_claim_of_an_older_version_is_settled_or_held_and_never_bought_again(
    cloud: Cloud, function: Function, state: str, effect: bool
) -> None:
    lost = cloud.cas.add_order()
    if state == "claimed":
        crash_at(cloud, "after" if effect else "before", "cas", RENEWALS)
        with pytest.raises(Crash):
            function.tick()
    else:
        cloud.cas.fail(RENEWALS, faults.timeout_after() if effect else faults.timeout_before())
        function.tick()
    strip_pictures(cloud)
    other = cloud.cas.add_order(domain="other.example.com", product_code="other")
    cloud.clock.advance(300 + 961)
    answer = function.tick()
    no_internal_error(answer)
    expected = ("renewed", None) if effect else ("held", "picture-lost")
    assert answer.outcomes == {str(lost): expected, str(other): ("renewed", None)}
    assert len(cloud.cas.bought(lost)) == int(effect)


@pytest.mark.parametrize("effect", [True, False])
def test_an_open_journal_whose_note_is_lost_is_found_by_a_scan(cloud: Cloud, function: Function, effect: bool) -> None:
    lost = cloud.cas.add_order()
    crash_at(cloud, "after" if effect else "before", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick()
    for place in [place for place in cloud.oss.objects if "/open/" in place[1]]:
        del cloud.oss.objects[place]
    assert function.tick().outcomes == {str(lost): ("deferred", "in-progress")}
    cloud.clock.advance(300 + 961)
    answer = function.tick()
    assert answer.outcomes == {str(lost): ("renewed", None) if effect else ("held", "picture-lost")}
    assert len(cloud.cas.bought(lost)) == int(effect)


def test_a_claim_of_a_clock_far_ahead_is_held_told_once_and_can_be_settled_by_a_person(
    cloud: Cloud, function: Function
) -> None:
    lost = cloud.cas.add_order(domain="a.example.com", days_left=8)
    crash_at(cloud, "after", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(skew=3 * 86400)
    other = cloud.cas.add_order(domain="b.example.com", days_left=9, product_code="other")
    for _ in range(2):
        answer = function.tick()
        assert answer.outcomes[str(lost)] == ("held", "claim-from-the-future")
        assert answer.of(other)["outcome"] in {"renewed", "already-renewed"}
    assert len(alerts(cloud, lost)) == 1
    new = str(cloud.cas.bought(lost)[0].new_order_id)
    answer = function.invoke({"resolve": {"order_id": str(lost), "new_order_id": new}})
    assert answer.of(lost)["outcome"] == "renewed"
    assert not function.tick().failed
    assert len(cloud.cas.bought(lost)) == 1


def test_a_claim_of_a_clock_an_hour_ahead_waits_for_as_long_as_it_says(cloud: Cloud, function: Function) -> None:
    lost = cloud.cas.add_order()
    crash_at(cloud, "after", "cas", RENEWALS)
    with pytest.raises(Crash):
        function.tick(skew=3600)
    for _ in range(6):
        assert function.tick().outcomes == {str(lost): ("deferred", "in-progress")}
        cloud.clock.advance(600)
    cloud.clock.advance(400)
    assert function.tick().of(lost)["outcome"] == "renewed"
    assert len(cloud.cas.bought(lost)) == 1


def test_a_person_cannot_settle_what_a_journal_cannot_say(cloud: Cloud, function: Function) -> None:
    spoilt = in_state(cloud, function, "unknown")
    write(cloud, spoilt, ["nonsense"])
    answer = function.invoke({"release": {"order_id": str(spoilt)}})
    assert answer.failed
    assert str(spoilt) in answer.text
    with pytest.raises(EventRefused, match="does not wait"):
        function.invoke({"release": {"order_id": "77"}})


def test_a_certificate_is_told_although_the_journal_takes_no_entry(cloud: Cloud, function: Function) -> None:
    old = in_state(cloud, function, "done")
    new = cloud.cas.bought(old)[0].new_order_id
    cloud.oss.restore_as_ordinary(f"{ORDERS}{old}")
    cloud.cas.apply(new)
    cloud.cas.issue(new)
    for _ in range(2):
        answer = function.tick()
        assert answer.failed
        assert "ordinary object" in answer.text
    told = [message["id"] for message in cloud.smq.messages()]
    assert told.count(f"{old}-{new}-issued") == 1
