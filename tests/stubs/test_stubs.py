"""The stubs, as the real SDK clients see them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import alibabacloud_oss_v2 as oss
import pytest
import requests
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client as CasClient
from alibabacloud_oss_v2.exceptions import OperationError
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryCondition, RetryOptions
from mns.account import Account
from mns.mns_exception import MNSClientNetworkException, MNSServerException
from mns.queue import Message

from tests.stubs import faults
from tests.stubs.cas import FAKE_PRIVATE_KEY, FIRST_RENEWAL_ID
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, Phase, Service, forget_sessions, local_cloud, serve
from tests.stubs.credentials import issue
from tests.stubs.misbehaviour import RandomFaults
from tests.stubs.wire import NotStubbed

BUCKET = "journal-bucket"
QUEUE = "renewed-certificates"
RENEW = "RenewCertificateOrderForPackageRequest"


class Clients:
    """One client of each SDK, made from nothing but the environment that a function would have."""

    def __init__(self, environ: dict[str, str], retry_options: RetryOptions | None = None) -> None:
        key, secret, token = (
            environ[f"ALIBABA_CLOUD_{name}"] for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
        )
        cas = urlsplit(environ.get("CAS_ENDPOINT", "https://cas.aliyuncs.com"))
        self.cas = CasClient(
            Config(
                access_key_id=key,
                access_key_secret=secret,
                security_token=token,
                endpoint=cas.netloc,
                protocol=cas.scheme,
                retry_options=retry_options,
            )
        )
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(key, secret, token)
        config.region = "cn-hangzhou"
        config.endpoint = environ.get("OSS_ENDPOINT", "https://oss-cn-hangzhou-internal.aliyuncs.com")
        self.oss = oss.Client(config)
        self.smq = Account(environ["SMQ_ENDPOINT"], key, secret, token)

    def orders(self, **params: Any) -> models.ListUserCertificateOrderResponseBody:
        request = models.ListUserCertificateOrderRequest(**params)
        return self.cas.list_user_certificate_order(request).body

    def renew(self, order_id: int) -> models.RenewCertificateOrderForPackageRequestResponseBody:
        request = models.RenewCertificateOrderForPackageRequestRequest(order_id=order_id)
        return self.cas.renew_certificate_order_for_package_request(request).body

    def append(self, key: str, position: int, body: bytes) -> int:
        request = oss.AppendObjectRequest(bucket=BUCKET, key=key, position=position, body=body)
        return int(self.oss.append_object(request).next_position)

    def get(self, key: str) -> bytes:
        return bytes(self.oss.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key)).body.read())

    def send(self, body: dict[str, Any], queue: str = QUEUE) -> Message:
        try:
            return self.smq.get_queue(queue).send_message(Message(json.dumps(body)))
        finally:
            self.smq.mns_client.close_connection()


def oss_code(failed: pytest.ExceptionInfo[OperationError]) -> Any:
    return failed.value.unwrap().code


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


@local_cloud()
def test_a_wrong_signature_is_refused_by_every_service(cloud: Cloud) -> None:
    clients = Clients(cloud.environ(ALIBABA_CLOUD_ACCESS_KEY_SECRET="FAKE-guess"))

    with pytest.raises(ClientException) as cas:
        clients.orders()
    with pytest.raises(OperationError) as journal:
        clients.append("a", 0, b"entry")
    with pytest.raises(MNSServerException) as smq:
        clients.send({})

    assert [cas.value.code, oss_code(journal), smq.value.type] == ["SignatureDoesNotMatch"] * 3
    assert set(cas.value.data) == {"RequestId", "HostId", "Code", "Message", "Recommend", "statusCode"}
    assert not cloud.oss.objects
    assert not cloud.smq.messages()


@local_cloud()
def test_credentials_of_yesterday_are_refused_by_every_service_and_new_ones_are_not(cloud: Cloud) -> None:
    yesterday = Clients(cloud.environ())
    cloud.rotate_credentials()

    with pytest.raises(ClientException) as cas:
        yesterday.orders()
    with pytest.raises(OperationError) as journal:
        yesterday.append("a", 0, b"entry")
    with pytest.raises(MNSServerException) as smq:
        yesterday.send({})

    assert [cas.value.code, oss_code(journal), smq.value.type] == [
        "InvalidSecurityToken.Expired",
        "SecurityTokenExpired",
        "AccessDenied",
    ]
    today = Clients(cloud.environ())
    assert today.orders().total_count == 0
    assert today.append("a", 0, b"entry") == 5
    assert today.send({}).message_id


@local_cloud()
def test_a_token_that_is_wrong_expired_or_not_allowed_to_do_anything_is_refused(cloud: Cloud) -> None:
    def code(**overrides: str) -> Any:
        with pytest.raises(ClientException) as refused:
            Clients(cloud.environ(**overrides)).orders()
        return refused.value.code

    assert code(ALIBABA_CLOUD_ACCESS_KEY_ID="FAKE") == "InvalidAccessKeyId.NotFound"
    assert code(ALIBABA_CLOUD_SECURITY_TOKEN="FAKE") == "InvalidSecurityToken.Expired"
    cloud.cas.deny()
    assert code() == "NoPermission"
    cloud.cas.expire_credentials()
    assert code() == "InvalidSecurityToken.Expired"


@pytest.mark.parametrize(
    "ask",
    [
        lambda clients: clients.cas.update_instance(models.UpdateInstanceRequest()),
        lambda clients: clients.oss.list_buckets(oss.ListBucketsRequest()),
        lambda clients: clients.oss.get_object(oss.GetObjectRequest(bucket=BUCKET, key="a", range_header="bytes=0-1")),
        lambda clients: clients.smq.get_queue(QUEUE).receive_message(),
        lambda _: requests.get("https://www.example.com/", timeout=1),
    ],
    ids=[
        "UpdateInstance",
        "oss-cn-hangzhou-internal",
        "range",
        "/queues/renewed-certificates/messages",
        "www.example.com",
    ],
)
def test_what_the_stubs_lack_fails_loudly_and_names_itself(ask: Any, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotStubbed, match=request.node.callspec.id), local_cloud() as cloud:
        ask(Clients(cloud.environ()))


def test_what_the_stubs_lack_comes_out_in_the_end_even_if_somebody_swallowed_it() -> None:
    @local_cloud()
    def careless(cloud: Cloud) -> None:
        with contextlib.suppress(BaseException):
            Clients(cloud.environ()).cas.update_instance(models.UpdateInstanceRequest())

    with pytest.raises(NotStubbed, match="UpdateInstance"):
        careless()


HAPPENED = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.html_after(502),
    faults.empty_after(),
    faults.error_after("InternalError", status=400),
    faults.missing_order_id(),
]
DID_NOT = [
    faults.timeout_before(),
    faults.reset_before(),
    faults.refused(),
    faults.html(),
    faults.empty(),
    faults.error("InternalError", status=500),
    faults.throttle(),
]


def fault_name(fault: faults.Fault) -> str:
    return f"{fault.kind}-{fault.code}"


@pytest.mark.parametrize("fault", HAPPENED, ids=fault_name)
def test_a_lost_answer_still_bought(fault: faults.Fault) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order()
        cloud.cas.fail(RENEW, fault)

        with contextlib.suppress(UnretryableException, ClientException):
            assert Clients(cloud.environ()).renew(order).order_id is None

        assert len(cloud.cas.bought(order)) == 1


@pytest.mark.parametrize("fault", DID_NOT, ids=fault_name)
def test_a_call_that_failed_before_its_effect_bought_nothing(fault: faults.Fault) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order()
        cloud.cas.fail(RENEW, None, fault)
        clients = Clients(cloud.environ())
        clients.renew(order)

        with pytest.raises((UnretryableException, ClientException, ServerException)):
            clients.renew(order)

        assert len(cloud.cas.bought(order)) == 1
        assert [call.params for call in cloud.cas.calls_of(RENEW)] == [{"OrderId": str(order)}] * 2


@local_cloud()
def test_only_the_text_tells_a_refused_connection_from_a_lost_answer(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    cloud.cas.fail(RENEW, faults.refused(), faults.timeout_after(), faults.reset_after())

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
    cloud.cas.fail(RENEW, faults.order_id_as_string(), faults.order_id_as_number())

    assert clients.renew(cloud.cas.add_order()).order_id == str(FIRST_RENEWAL_ID)
    assert clients.renew(cloud.cas.add_order()).order_id == FIRST_RENEWAL_ID + 1


@local_cloud()
def test_throttling_can_say_how_long_to_wait_and_the_sdk_waits_on_the_clock(cloud: Cloud) -> None:
    condition = RetryCondition({"maxAttempts": 3, "errorCode": ["Throttling.User"], "maxDelay": 60_000})
    patient = Clients(cloud.environ(), RetryOptions({"retryable": True, "retryCondition": [condition]}))
    cloud.cas.fail("ListUserCertificateOrder", *[faults.throttle(retry_after_ms=30_000)] * 2)
    before = cloud.clock.now()

    assert patient.orders().total_count == 0
    assert (cloud.clock.now() - before).total_seconds() == 60

    cloud.cas.fail("ListUserCertificateOrder", faults.throttle(retry_after_ms=30_000), faults.throttle())
    with pytest.raises(ThrottlingException) as throttled:
        Clients(cloud.environ()).orders()
    assert throttled.value.retry_after == 30_000


@local_cloud()
def test_of_two_appends_at_one_position_exactly_one_wins(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    assert clients.append("renewals/1", 0, b"claimed ") == 8
    both_are_about_to_append = threading.Barrier(2, timeout=10)
    outcomes: list[str] = []

    def meet(phase: Phase, service: Service, action: str) -> None:
        if phase == "before":
            both_are_about_to_append.wait()

    def append() -> None:
        try:
            outcomes.append(str(Clients(cloud.environ()).append("renewals/1", 8, b"renewed ")))
        except OperationError as lost:
            outcomes.append(lost.unwrap().code)

    cloud.hooks.append(meet)
    runs = [threading.Thread(target=append) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()

    assert sorted(outcomes) == ["16", "PositionNotEqualToLength"]
    cloud.hooks.clear()
    assert clients.get("renewals/1") == b"claimed renewed "
    assert cloud.oss.history == [("renewals/1", "append", b"claimed "), ("renewals/1", "append", b"renewed ")]


@local_cloud()
def test_an_append_whose_answer_was_lost_conflicts_with_itself_when_the_sdk_retries(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    cloud.oss.fail("AppendObject", faults.timeout_after())

    with pytest.raises(OperationError) as conflict:
        clients.append("renewals/1", 0, b"claimed")

    assert (conflict.value.unwrap().status_code, oss_code(conflict)) == (409, "PositionNotEqualToLength")
    assert clients.get("renewals/1") == b"claimed"


@local_cloud()
def test_objects_are_put_read_listed_in_small_pages_and_deleted(cloud: Cloud) -> None:
    client = Clients(cloud.environ()).oss
    keys = [f"renewals/{number} of 5 & m\u00f6re" for number in range(5)]
    for key in [*keys, "elsewhere"]:
        client.put_object(oss.PutObjectRequest(bucket=BUCKET, key=key, body=key.encode()))

    pages = [
        [found.key for found in page.contents]
        for page in client.list_objects_v2_paginator().iter_page(
            oss.ListObjectsV2Request(bucket=BUCKET, prefix="renewals/", start_after=keys[0])
        )
    ]

    assert pages == [keys[1:4], keys[4:]]
    head = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=keys[0]))
    assert (head.content_length, head.object_type) == (len(keys[0].encode()), "Normal")
    for _ in range(2):
        assert client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=keys[0])).status_code == 204
    with pytest.raises(OperationError) as gone:
        client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=keys[0]))
    assert (oss_code(gone), gone.value.unwrap().ec) == ("NoSuchKey", "0026-00000001")


@local_cloud()
def test_what_was_put_cannot_be_appended_to_and_a_bucket_must_exist(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    clients.oss.put_object(oss.PutObjectRequest(bucket=BUCKET, key="a", body=b"put"))

    with pytest.raises(OperationError) as refused:
        clients.append("a", 3, b"more")
    with pytest.raises(OperationError) as missing:
        clients.oss.get_object(oss.GetObjectRequest(bucket="no-such-bucket", key="a"))

    assert [oss_code(refused), oss_code(missing)] == ["ObjectNotAppendable", "NoSuchBucket"]


@local_cloud()
def test_a_message_arrives_as_it_was_sent_and_only_in_a_queue_that_exists(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())

    sent = clients.send({"id": "1", "domain": "b\u00fccher.example.com"})

    assert sent.message_id
    assert sent.message_body_md5.isupper()
    assert cloud.smq.messages() == [{"id": "1", "domain": "b\u00fccher.example.com"}]
    with pytest.raises(MNSServerException) as missing:
        clients.send({}, queue="another")
    assert missing.value.type == "QueueNotExist"


@local_cloud()
def test_the_endpoint_that_a_function_has_by_default_is_stubbed_too(cloud: Cloud) -> None:
    endpoint = "https://123456789012.mns.cn-hangzhou.aliyuncs.com"

    Clients(cloud.environ(SMQ_ENDPOINT=endpoint)).send({"id": "1"})

    assert len(cloud.smq.messages()) == 1
    with pytest.raises(NotStubbed, match=r"queue\.example\.com"):
        Clients(cloud.environ(SMQ_ENDPOINT="https://queue.example.com")).send({"id": "1"})
    cloud.not_stubbed.clear()


@pytest.mark.parametrize(("fault", "arrived"), [(faults.reset_after(), 1), (faults.timeout_before(), 0)], ids=str)
def test_a_message_whose_answer_was_lost_may_or_may_not_have_arrived(fault: faults.Fault, arrived: int) -> None:
    with local_cloud() as cloud:
        cloud.smq.fail("SendMessage", fault)

        with pytest.raises(MNSClientNetworkException):
            Clients(cloud.environ()).send({"id": "1"})

        assert len(cloud.smq.messages()) == arrived
        assert len(cloud.smq.calls) == 1


class Crash(BaseException):
    """The end of a process, as far as the code under test can tell."""


@pytest.mark.parametrize(("when", "bought"), [("before", 0), ("after", 1)])
def test_a_hook_can_crash_the_client_on_either_side_of_an_effect(when: Phase, bought: int) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order()

        def crash(phase: Phase, service: Service, action: str) -> None:
            if (phase, service, action) == (when, "cas", RENEW):
                raise Crash

        cloud.hooks.append(crash)
        clients = Clients(cloud.environ())
        with pytest.raises(Crash):
            clients.renew(order)

        assert len(cloud.cas.bought(order)) == bought
        assert clients.orders().total_count == 1 + bought


@local_cloud()
def test_hooks_see_every_service_in_the_thread_of_the_client(cloud: Cloud) -> None:
    seen: list[tuple[str, ...]] = []

    def note(*event: str) -> None:
        seen.append((*event, threading.current_thread().name))

    cloud.hooks.append(note)
    clients = Clients(cloud.environ())
    clients.orders()
    clients.append("a", 0, b"entry")
    clients.send({})

    assert seen == [
        (phase, *call, threading.current_thread().name)
        for call in [("cas", "ListUserCertificateOrder"), ("oss", "AppendObject"), ("smq", "SendMessage")]
        for phase in ("before", "after")
    ]


def test_state_survives_in_a_folder_unless_a_fresh_start_is_wanted(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path) as cloud:
        clients = Clients(cloud.environ())
        old = cloud.cas.add_order()
        new = clients.renew(old).order_id
        clients.append("a", 0, b"entry")
        clients.send({"id": "1"})
        cloud.cas.fail(RENEW, faults.throttle())

    with local_cloud(state=tmp_path) as cloud:
        clients = Clients(cloud.environ())
        assert [order.order_id for order in clients.orders().certificate_order_list] == [new, old]
        assert [purchase.new_order_id for purchase in cloud.cas.bought(old)] == [new]
        assert clients.get("a") == b"entry"
        assert clients.append("a", 5, b"more") == 9
        assert cloud.smq.messages() == [{"id": "1"}]
        with pytest.raises(ClientException, match=r"Throttling\.User"):
            clients.renew(old)

    with local_cloud(state=tmp_path, fresh=True) as cloud:
        assert Clients(cloud.environ()).orders().total_count == 0


def test_a_context_is_that_of_the_platform() -> None:
    cloud = Cloud()
    older, newer = cloud.context("3.10", timeout=60), cloud.context("3.12", request_id="1-2-3")

    assert vars(older.credentials) == vars(issue(1))
    assert not hasattr(newer, "credentials")
    assert (older.function.timeout, newer.request_id) == (60, "1-2-3")
    assert (older.region, older.account_id) == ("cn-hangzhou", "123456789012")


def test_the_same_cloud_is_served_over_http() -> None:
    cloud = Cloud()
    order = cloud.cas.add_order()
    cloud.cas.fail(RENEW, None, faults.timeout_after())
    with serve(cloud, hang_seconds=0):
        clients = Clients(cloud.environ())

        assert clients.renew(order).order_id == FIRST_RENEWAL_ID
        with pytest.raises(UnretryableException, match="Connection reset by peer"):
            clients.renew(order)
        assert clients.orders().total_count == 3
        assert clients.append("renewals/\u00f6 1", 0, b"entry") == 5
        assert clients.get("renewals/\u00f6 1") == b"entry"
        with pytest.raises(OperationError) as missing:
            clients.oss.head_object(oss.HeadObjectRequest(bucket=BUCKET, key="b"))
        assert oss_code(missing) == "NoSuchKey"
        assert clients.send({"id": "1"}).message_id


def test_what_a_served_cloud_lacks_fails_loudly_as_well() -> None:
    def ask() -> None:
        with serve(Cloud()) as cloud:
            clients = Clients(cloud.environ())
            with pytest.raises(UnretryableException, match="UpdateInstance"):
                clients.cas.update_instance(models.UpdateInstanceRequest())

    with pytest.raises(NotStubbed, match="UpdateInstance"):
        ask()


def test_a_cloud_in_a_process_of_its_own_keeps_its_state_and_its_faults(tmp_path: Path) -> None:
    with local_cloud(SystemClock(), state=tmp_path) as cloud:
        order = cloud.cas.add_order()
        cloud.cas.fail(RENEW, faults.error_after("InternalError", status=400))

    command = [sys.executable, "-m", "tests.stubs", "--state", str(tmp_path), "--print-environ", "--cas-qps", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        environ = json.loads(process.stdout.readline())
        clients = Clients(environ)
        with pytest.raises(ClientException, match="InternalError"):
            clients.renew(order)
        assert [clients.orders().total_count for _ in range(2)] == [2, 2]
        with pytest.raises(ClientException, match=r"Throttling\.User"):
            clients.orders()
        process.stdin.close()

    assert process.returncode == 0
    forget_sessions(environ["CAS_ENDPOINT"])
    with local_cloud(SystemClock(), state=tmp_path) as cloud:
        assert len(cloud.cas.bought(order)) == 1


def test_bad_days_come_again_with_their_seed() -> None:
    def drawn(seed: int) -> list[faults.Fault | None]:
        source = RandomFaults(seed)
        return [source(RENEW) for _ in range(1000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert {fault.happens for fault in drawn(1) if fault} == {True, False}
    assert 100 < sum(fault is not None for fault in drawn(1)) < 300


def test_hundreds_of_clouds_leave_nothing_behind() -> None:
    def one_more() -> None:
        with local_cloud() as cloud:
            Clients(cloud.environ()).send({})

    one_more()
    threads, started = threading.active_count(), time.perf_counter()
    for _ in range(200):
        one_more()

    assert time.perf_counter() - started < 10
    assert threading.active_count() <= threads + 1
