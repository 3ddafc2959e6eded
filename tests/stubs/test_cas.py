"""CAS on this machine, as its real client sees it."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from alibabacloud_cas20200407 import models
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryCondition, RetryOptions

from tests.stubs import faults
from tests.stubs.cas import FAKE_PRIVATE_KEY, FIRST_RENEWAL_ID
from tests.stubs.clients import Clients
from tests.stubs.cloud import Cloud, local_cloud
from tests.stubs.lost import DID_NOT, HAPPENED, fault_name
from tests.traces import LIST, RENEWALS

pytestmark = pytest.mark.sends_any_text


@local_cloud()
def test_a_renewal_is_a_new_pending_order_and_leaves_the_old_one_as_it_was(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    old = cloud.cas.add_order(domain="www.example.com", days_left=20)

    new = clients.renew(old).order_id

    assert new == FIRST_RENEWAL_ID > 2**53
    newest, oldest = clients.orders().certificate_order_list
    assert (newest.order_id, newest.status, newest.domain, newest.cert_end_time) == (new, "PAYED", "", None)
    assert (oldest.order_id, oldest.status, oldest.domain) == (old, "WILLEXPIRED", "www.example.com")
    assert newest.product_code == oldest.product_code


@local_cloud()
def test_every_call_buys_once_more_as_the_api_has_no_idempotency_token(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    old = cloud.cas.add_order()
    cloud.cas.renew_in_console(old)

    assert len({clients.renew(old).order_id for _ in range(3)}) == 3

    assert len(cloud.cas.bought(old)) == 3
    assert len(cloud.cas.purchases) == 4


@local_cloud()
def test_an_order_changes_its_status_as_time_goes_by(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    order = cloud.cas.add_order(days_left=31)

    def refusal() -> Any:
        with pytest.raises(ClientException) as refused:
            clients.renew(order)
        return refused.value.code

    assert refusal() == "OrderStateError"
    cloud.clock.advance(days=1)
    assert clients.orders(status="WILLEXPIRED").total_count == 1
    cloud.clock.advance(days=31)
    assert clients.orders(status="EXPIRED").total_count == 1
    assert refusal() == "OrderExpired"


@local_cloud()
def test_a_renewal_can_be_hidden_for_a_while_and_be_listed_elsewhere(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    cloud.cas.visible_after, cloud.cas.pending_source, cloud.cas.pending_domain = 600, "BUY", "filled"
    clients.renew(cloud.cas.add_order(domain="www.example.com"))

    assert clients.orders(order_type="BUY").total_count == 0
    cloud.clock.advance(seconds=600)
    assert [order.domain for order in clients.orders(order_type="BUY").certificate_order_list] == ["www.example.com"]


@local_cloud()
def test_a_pending_order_goes_through_review_to_a_certificate(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    new = clients.renew(cloud.cas.add_order()).order_id

    def shown() -> tuple[str, str]:
        order = clients.orders().certificate_order_list[0]
        return order.status, order.domain

    cloud.cas.apply(new)
    assert shown() == ("CHECKING", "www.example.com")
    cloud.cas.fail_review(new)
    assert shown() == ("CHECKED_FAIL", "www.example.com")
    cloud.cas.issue(new)
    assert shown() == ("ISSUED", "www.example.com")
    cloud.cas.cancel(new)
    assert shown() == ("REVOKED", "www.example.com")
    cloud.cas.remove(new)
    assert clients.orders().total_count == 1


@local_cloud()
def test_each_kind_of_list_has_its_own_fields(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    order = cloud.cas.add_order(source="BUY", certificate_id=777)
    cloud.cas.add_upload("uploaded.example.com", certificate_id=888)

    (bought,) = clients.orders(order_type="BUY").certificate_order_list
    uploaded, issued = clients.orders(order_type="CERT").certificate_order_list

    assert (bought.order_id, bought.certificate_id) == (order, None)
    assert (issued.order_id, issued.certificate_id, issued.common_name) == (None, 777, "www.example.com")
    assert (uploaded.certificate_id, uploaded.upload) == (888, True)
    assert clients.orders(order_type="CPACK").total_count == 0


@pytest.mark.parametrize(("asked_to_filter", "key"), [(True, None), (None, FAKE_PRIVATE_KEY)])
def test_only_a_filtered_certificate_comes_without_its_private_key(asked_to_filter: bool | None, key: str) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order(certificate_id=777)
        request = models.GetUserCertificateDetailRequest(cert_id=777, cert_filter=asked_to_filter)

        detail = Clients(cloud.environ()).cas.get_user_certificate_detail(request).body

    assert (detail.order_id, detail.key) == (order, key)


@local_cloud()
def test_ten_thousand_orders_are_listed_in_seconds_however_large_the_pages_asked_for(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    for _ in range(10_000):
        cloud.cas.add_order()

    seen: set[int] = set()
    page, started = 0, time.perf_counter()
    while len(seen) < 10_000:
        page += 1
        answer = clients.orders(current_page=page, show_size=1000)
        seen |= {order.order_id for order in answer.certificate_order_list}

    assert (page, answer.show_size, answer.total_count) == (200, 50, 10_000)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("fault", HAPPENED, ids=fault_name)
def test_a_lost_answer_still_bought(fault: faults.Fault) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order()
        cloud.cas.fail(RENEWALS, fault)

        with contextlib.suppress(UnretryableException, ClientException):
            assert Clients(cloud.environ()).renew(order).order_id is None

        assert len(cloud.cas.bought(order)) == 1


@pytest.mark.parametrize("fault", DID_NOT, ids=fault_name)
def test_a_call_that_failed_before_its_effect_bought_nothing(fault: faults.Fault) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order()
        cloud.cas.fail(RENEWALS, None, fault)
        clients = Clients(cloud.environ())
        clients.renew(order)

        with pytest.raises((UnretryableException, ClientException, ServerException)):
            clients.renew(order)

        assert len(cloud.cas.bought(order)) == 1
        assert [call.params for call in cloud.cas.calls_of(RENEWALS)] == [{"OrderId": str(order)}] * 2


@local_cloud()
def test_only_the_text_tells_a_refused_connection_from_a_lost_answer(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    cloud.cas.fail(RENEWALS, faults.refused(), faults.timeout_after(), faults.reset_after())

    def text() -> str:
        with pytest.raises(UnretryableException) as lost:
            clients.renew(cloud.cas.add_order())
        return str(lost.value)

    assert "[Errno 111] Connection refused" in text()
    assert "Read timed out. (read timeout=10.0)" in text()
    assert "Connection reset by peer" in text()


@local_cloud()
def test_an_order_id_comes_as_a_number_or_as_a_text(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    cloud.cas.fail(RENEWALS, faults.order_id_as_string(), faults.order_id_as_number())

    assert clients.renew(cloud.cas.add_order()).order_id == str(FIRST_RENEWAL_ID)
    assert clients.renew(cloud.cas.add_order()).order_id == FIRST_RENEWAL_ID + 1


@local_cloud()
def test_throttling_can_say_how_long_to_wait_and_the_sdk_waits_on_the_clock(cloud: Cloud) -> None:
    condition = RetryCondition({"maxAttempts": 3, "errorCode": ["Throttling.User"], "maxDelay": 60_000})
    patient = Clients(cloud.environ(), RetryOptions({"retryable": True, "retryCondition": [condition]}))
    cloud.cas.fail(LIST, *[faults.throttle(retry_after_ms=30_000)] * 2)
    before = cloud.clock.now()

    assert patient.orders().total_count == 0
    assert (cloud.clock.now() - before).total_seconds() == 60

    cloud.cas.fail(LIST, faults.throttle(retry_after_ms=30_000), faults.throttle())
    with pytest.raises(ThrottlingException) as throttled:
        Clients(cloud.environ()).orders()
    assert throttled.value.retry_after == 30_000
