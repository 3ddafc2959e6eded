"""What the stubs have in common, as the real SDK clients see it: credentials, hooks, state, ways to bring them up."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
import requests
from alibabacloud_cas20200407 import models
from alibabacloud_oss_v2.exceptions import OperationError
from alibabacloud_tea_openapi.exceptions import ClientException
from darabonba.exceptions import UnretryableException
from mns.mns_exception import MNSServerException

from tests.points import Crash, crash_at
from tests.stubs import faults
from tests.stubs.cas import FIRST_RENEWAL_ID
from tests.stubs.clients import Clients, oss_code
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import BUCKET, QUEUE, Cloud, Phase, forget_sessions, local_cloud, serve
from tests.stubs.credentials import issue
from tests.stubs.misbehaviour import RandomFaults
from tests.stubs.wire import NotStubbed
from tests.traces import LIST, RENEWALS

pytestmark = pytest.mark.sends_any_text


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


@pytest.mark.parametrize(("when", "bought"), [("before", 0), ("after", 1)])
def test_a_hook_can_crash_the_client_on_either_side_of_an_effect(when: Phase, bought: int) -> None:
    with local_cloud() as cloud:
        order = cloud.cas.add_order()
        crash_at(cloud, when, "cas", RENEWALS)
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
        for call in [("cas", LIST), ("oss", "AppendObject"), ("smq", "SendMessage")]
        for phase in ("before", "after")
    ]


def test_state_survives_in_a_folder_unless_a_fresh_start_is_wanted(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path) as cloud:
        clients = Clients(cloud.environ())
        old = cloud.cas.add_order()
        new = clients.renew(old).order_id
        clients.append("a", 0, b"entry")
        clients.send({"id": "1"})
        cloud.cas.fail(RENEWALS, faults.throttle())

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
    cloud.cas.fail(RENEWALS, None, faults.timeout_after())
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
        cloud.cas.fail(RENEWALS, faults.error_after("InternalError", status=400))

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
        return [source(RENEWALS) for _ in range(1000)]

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
