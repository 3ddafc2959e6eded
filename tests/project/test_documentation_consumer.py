"""The consumers in the documents are run with the official SDKs: each message is used once, and none is lost."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message

from handler.outbox.cloud_event import MessageType
from tests.deployed import Function
from tests.project.documents import EDITIONS, Edition
from tests.stubs.backend import ApiError
from tests.stubs.cas_api import CasApi
from tests.stubs.cloud import QUEUE, Cloud, local_cloud
from tests.stubs.loopback import served
from tests.stubs.smq import SmqStub, _xml_response
from tests.stubs.wire import Request, Response

both = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)


class ReceivingSmq(SmqStub):
    """A queue from which somebody receives, too. A received message stays until it is deleted."""

    actions: ClassVar = SmqStub.actions | {"ReceiveMessage", "DeleteMessage"}
    readers: ClassVar = ()
    empty = ApiError("MessageNotExist", 404, "Message not exist.")

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        action = {"GET": "ReceiveMessage", "DELETE": "DeleteMessage"}.get(request.method)
        if action and request.path.endswith("/messages"):
            return action, {"QueueName": request.path.split("/")[2], **request.query}
        return super()._identify(request)

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        queue = self._queues[params["QueueName"]]
        if action == "DeleteMessage":
            assert params["ReceiptHandle"] == handle_of(queue[0])
            del queue[0]
            return Response(204, {"x-mns-request-id": "1"})
        if action != "ReceiveMessage":
            return super()._perform(action, params, request)
        if not queue:
            raise self.empty
        body = b64encode(queue[0].encode()).decode()
        fields = dict.fromkeys(["EnqueueTime", "FirstDequeueTime", "NextVisibleTime"], "1795230000000")
        fields |= {"MessageId": "1", "DequeueCount": "1", "Priority": "8", "MessageBody": body}
        fields |= {"MessageBodyMD5": hashlib.md5(body.encode()).hexdigest(), "ReceiptHandle": handle_of(queue[0])}
        return _xml_response("Message", fields, 200, "1")


def handle_of(body: str) -> str:
    return hashlib.sha1(body.encode()).hexdigest()


@pytest.fixture
def smq(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ReceivingSmq, Account]]:
    cloud = Cloud()
    stub = ReceivingSmq(cloud.clock, cloud.credentials, cloud.account_id, [QUEUE])
    key, secret, token = vars(cloud.credentials).values()
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", key)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
    with served(stub) as server:
        account = Account(server.url, key, secret, token)
        yield stub, account
        account.mns_client.close_connection()


def consumer(edition: Edition, name: str, number: int = 0) -> dict[str, Any]:
    """Run the consumer of the documents, or what it may do (number 1), as a module of that name."""
    code = edition.blocks_in("python")[number]
    module: dict[str, Any] = {"__name__": name}
    exec(compile(code, "the documents", "exec"), module)  # noqa: S102
    return module


def renewed(new_order_id: str, kind: str = MessageType.RENEWED) -> Message:
    return Message(json.dumps({"id": f"1-{new_order_id}", "type": kind, "data": {"OrderId": new_order_id}}))


@both
def test_the_consumer_uses_each_renewal_once_and_takes_everything_off_the_queue(edition: Edition, smq: Any):
    stub, account = smq
    queue = account.get_queue(QUEUE)
    for message in (renewed("7"), renewed("7"), renewed("8", "cas.order.another"), renewed("9")):
        queue.send_message(message)
    consume, done, used = consumer(edition, "consumer")["consume"], set[str](), list[Any]()
    while consume(queue, done, {MessageType.RENEWED: used.append}):
        pass
    assert [data["OrderId"] for data in used] == ["7", "9"]
    assert not stub.messages()


@both
def test_the_consumer_keeps_a_message_that_it_could_not_use(edition: Edition, smq: Any):
    stub, account = smq
    queue = account.get_queue(QUEUE)
    queue.send_message(renewed("7"))

    def fail(_data: object) -> None:
        raise RuntimeError

    done = set[str]()
    with pytest.raises(RuntimeError):
        consumer(edition, "consumer")["consume"](queue, done, {MessageType.RENEWED: fail})
    assert len(stub.messages()) == 1
    assert not done


@both
def test_the_consumer_runs_as_a_program(
    edition: Edition, smq: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    stub, account = smq
    stub.empty = ApiError("QueueNotExist", 404, "The queue name you provided is not exist.")  # ends it
    account.get_queue(QUEUE).send_message(renewed("7"))
    given: list[tuple[str, ...]] = []

    def made_here(_url: str, *key: str) -> Account:
        given.append(key)
        return account

    monkeypatch.setattr("mns.account.Account", made_here)
    with pytest.raises(MNSServerException, match="QueueNotExist"):
        consumer(edition, "__main__")
    assert "{'OrderId': '7'}" in capsys.readouterr().out
    assert given == [(os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])]


# --- validation records into the DNS ----------------------------------------------------------------------------------

ZONE = "example.com"


class AlidnsStub(CasApi):
    """Zones of Alibaba Cloud DNS, with what it says of a record that it does not take."""

    actions: ClassVar = frozenset({"AddDomainRecord"})
    kinds: ClassVar = frozenset({"TXT", "CNAME"})

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.records: list[tuple[str, str, str, str]] = []
        """Zone, host, type and value of each."""

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError

    def from_json(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _operate(self, action: str, params: Mapping[str, str]) -> dict[str, Any]:
        record = (params["DomainName"], params["RR"], params["Type"], params["Value"])
        if record[0] != ZONE:
            raise ApiError("IncorrectDomainUser", 400, "The domain name does not belong to this user.")
        if record[2] not in self.kinds:
            raise ApiError("InvalidParameter", 400, "The parameter Type is invalid.")
        if record in self.records:
            raise ApiError("DomainRecordDuplicate", 400, "The domain record is duplicated.")
        self.records.append(record)
        return {"RecordId": str(len(self.records))}


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[AlidnsStub]:
    """Alibaba Cloud DNS, to which the example is led although it names the real one."""
    cloud = Cloud()
    stub = AlidnsStub(cloud.clock, cloud.credentials)
    key, secret, token = vars(cloud.credentials).values()
    monkeypatch.setenv("DNS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("DNS_ACCESS_KEY_SECRET", secret)
    with served(stub) as server:

        def config_of_here(*given: str, endpoint: str) -> Config:
            assert endpoint == "alidns.aliyuncs.com"
            return Config(*given, token, endpoint=server.url.partition("://")[2], protocol="HTTP")

        monkeypatch.setattr("alibabacloud_tea_openapi.utils_models.Config", config_of_here)
        yield stub


def asked_for(*names: str) -> tuple[Cloud, str, dict[str, Any]]:
    """Let the function apply where the platform adds no records: the cloud, the instance, the message about it."""
    with local_cloud() as cloud:
        function = Function(cloud, INSTANCES="apply")
        instance = cloud.cas.instances.add(",".join(names), 20, own_dns=False)
        function.tick()
        cloud.clock.advance(seconds=700)
        function.tick()
        (message,) = [one for one in cloud.smq.messages(QUEUE) if one["type"] == MessageType.VALIDATION]
    return cloud, instance, message


@both
def test_the_records_that_a_message_asks_for_are_all_that_the_authority_waits_for(edition: Edition, dns: AlidnsStub):
    cloud, instance, message = asked_for("pay.example.com", "*.pay.example.com", "example.com")
    add_records = consumer(edition, "records", 1)["add_records"]
    before = cloud.cas.instances.of(instance).certificate_id
    for _ in range(2):  # a message may come twice
        add_records(message["data"])
    assert len(dns.records) == len(set(dns.records))
    for record in dns.records:
        cloud.cas.authority.add_record(*record)
    cloud.clock.advance(seconds=600)
    assert cloud.cas.instances.of(instance).certificate_id != before, "the certificate is issued"


@both
@pytest.mark.parametrize("wrong", [{"Zone": "example.org"}, {"Type": "HTTP"}], ids=str)
def test_records_that_cannot_be_added_are_asked_for_again(
    edition: Edition, smq: Any, dns: AlidnsStub, wrong: dict[str, str]
):
    record = {"Domain": "www.example.com", "Zone": ZONE, "Host": "_dnsauth.www", "Type": "TXT", "Value": "1", **wrong}
    body = json.dumps({"id": "1-2-validation-3", "type": MessageType.VALIDATION, "data": {"Records": [record]}})
    stub, account = smq
    queue, done = account.get_queue(QUEUE), set[str]()
    queue.send_message(Message(body))
    uses = {MessageType.VALIDATION: consumer(edition, "records", 1)["add_records"]}
    with pytest.raises(AlibabaCloudException, match=r"IncorrectDomainUser|InvalidParameter"):
        consumer(edition, "consumer")["consume"](queue, done, uses)
    assert len(stub.messages()) == 1
    assert not done
    assert dns.records == []
