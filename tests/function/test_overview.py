"""What a run leaves behind for people and for alarms: the report beside the journal, and the metrics in the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import sample_account
from tests.deployed import Function
from tests.situations import lose_two
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud
from tests.traces import RENEWALS


def report(cloud: Cloud) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(cloud.oss.objects[BUCKET, "renewals/report.json"].data)
    return written


def order(cloud: Cloud, order_id: object) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [line for line in report(cloud)["orders"] if line["order_id"] == str(order_id)]
    (line,) = lines
    return line


def metrics(function: Function) -> dict[str, Any]:
    return [line for line in function.log_lines if line["event"] == "metrics"][-1]


def test_the_report_follows_an_order_from_expiring_to_issued(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    function.tick(DRY_RUN="true")
    assert (order(cloud, old)["stage"], order(cloud, old)["outcome"]) == ("expiring", "would-renew")
    function.tick()
    assert order(cloud, old)["stage"] == "application"
    new = cloud.cas.purchases[0].new_order_id
    stages = []
    for move in (lambda _: None, cloud.cas.apply, cloud.cas.fail_review, cloud.cas.apply, cloud.cas.issue):
        move(new)
        function.tick()
        stages.append((order(cloud, old)["stage"], order(cloud, old)["need"]))
    assert stages == [
        ("application", "apply"),
        ("review", None),
        ("review-failed", "mend"),
        ("review", None),
        ("issued", None),
    ]


def test_the_report_says_who_needs_a_person_and_for_what(cloud: Cloud, function: Function) -> None:
    held = [cloud.cas.add_order(domain=f"{name}.example.com", days_left=5) for name in "ab"]
    refused = cloud.cas.add_order(domain="c.example.com", days_left=7, product_code="other")
    free = cloud.cas.add_order(domain="d.example.com", days_left=8, cert_type="FREE")
    cloud.cas.fail(RENEWALS, faults.timeout_after(), faults.timeout_before(), faults.error("InsufficientQuota"))
    function.tick()
    assert {order(cloud, one)["stage"] for one in held} == {"settling"}
    function.tick()
    assert {order(cloud, one)["need"] for one in held} == {"settle"}
    assert order(cloud, held[0])["candidates"] == [str(cloud.cas.purchases[0].new_order_id)]
    assert (order(cloud, refused)["need"], order(cloud, refused)["reason"]) == ("refused", "InsufficientQuota")
    assert order(cloud, free)["need"] == "by-hand"


def test_a_new_order_that_is_gone_needs_a_person(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    function.tick()
    cloud.cas.cancel(cloud.cas.purchases[0].new_order_id)
    cloud.clock.advance(days=1)
    function.tick()
    assert order(cloud, old)["need"] == "lost"


def test_the_report_of_a_narrow_run_shows_the_whole_account(cloud: Cloud, function: Function) -> None:
    sample_account.furnish(cloud)
    function.tick()
    before = {line["order_id"]: line["stage"] for line in report(cloud)["orders"]}
    function.invoke({"order_ids": ["123451230"]})
    after = {line["order_id"]: line["stage"] for line in report(cloud)["orders"]}
    assert after.keys() == before.keys()
    assert after["123451222"] == after["123451230"] == "application"


def test_settling_by_hand_is_in_the_report_at_once(cloud: Cloud, function: Function) -> None:
    orders = lose_two(cloud, function, faults.timeout_after(), faults.timeout_before())
    function.tick()
    function.invoke({"release": {"order_id": orders[1]}})
    assert [order(cloud, one)["stage"] for one in orders] == ["held", "expiring"]


def test_the_page_is_written_beside_the_journal_and_hostile_names_stay_text(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(domain="<script>alert(1)</script>.example.com", cert_type="FREE")
    function.tick()
    page = cloud.oss.objects[BUCKET, "renewals/report.html"].data.decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_no_secret_is_in_the_report(cloud: Cloud, function: Function) -> None:
    secrets = vars(cloud.credentials).values()
    cloud.cas.add_order()
    cloud.cas.fail(RENEWALS, faults.error("SignatureDoesNotMatch", 403, f"signed: {' '.join(secrets)}"))
    function.tick()
    written = b"".join(stored.data for (_, key), stored in cloud.oss.objects.items() if "/report." in key).decode()
    assert written
    assert not [secret for secret in secrets if secret in written]


def test_a_report_that_cannot_be_written_spoils_nothing(
    cloud: Cloud, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("handler.run.summary.page", broken)
    old = cloud.cas.add_order()
    answer = function.tick()
    assert not answer.failed
    assert answer.of(old)["outcome"] == "renewed"
    assert (
        "ZeroDivisionError"
        in next(line for line in function.log_lines if line["event"] == "report-not-written")["message"]
    )


def test_the_metrics_count_outcomes_calls_and_the_time_that_is_left(cloud: Cloud, function: Function) -> None:
    cloud.cas.add_order(domain="a.example.com", days_left=5.5)
    cloud.cas.add_order(domain="b.example.com", days_left=3.25)
    cloud.cas.add_order(domain="b.example.com", days_left=40, product_code="other")
    cloud.cas.add_order(domain="c.example.com", days_left=1)
    cloud.cas.fail(RENEWALS, faults.timeout_before(), None)
    function.tick(RENEW_DOMAINS_EXCEPT="c.example.com", MAX_RENEWALS_PER_RUN="1")
    line = metrics(function)
    assert line["counts"] == {"unknown": 1, "deferred": 1, "skipped": 1}
    assert line["nearest_unprotected_days"] == 5.5
    assert line["oldest_open_work_seconds"] == 0
    assert line["services"]["cas"]["calls"] == len(cloud.cas.calls)
    assert line["services"]["journal"]["calls"] == len(cloud.oss.calls) - 2 + 2
    cloud.clock.advance(500)
    function.tick(MAX_RENEWALS_PER_RUN="0")
    assert 500 <= metrics(function)["oldest_open_work_seconds"] <= 501
    assert metrics(function)["nearest_unprotected_days"] == 1.0


def test_a_run_that_could_not_read_the_orders_still_tells_its_metrics(cloud: Cloud, function: Function) -> None:
    cloud.cas.deny()
    assert function.tick().failed
    assert metrics(function)["services"]["cas"]["calls"] == 1


def test_an_order_renewed_in_the_console_stands_where_its_successor_stands(cloud: Cloud, function: Function) -> None:
    old = cloud.cas.add_order()
    new = cloud.cas.renew_in_console(old)
    stages = []
    for move in (lambda _: None, cloud.cas.apply, cloud.cas.issue):
        move(new)
        function.tick()
        stages.append(order(cloud, old)["stage"])
    assert stages == ["application", "review", "issued"]
