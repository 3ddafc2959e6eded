"""The consumer in the documents is run against the official SDK's client: it takes each renewal once and loses none."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message

from handler.outbox.cloud_event import MessageType
from tests.project.documents import EDITIONS, Edition
from tests.stubs.backend import ApiError
from tests.stubs.cloud import QUEUE, Cloud
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


def consumer(edition: Edition, name: str) -> dict[str, Any]:
    """Run the consumer of the documents as a module of that name."""
    (code,) = edition.blocks_in("python")
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
    while consume(queue, done, used.append):
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
        consumer(edition, "consumer")["consume"](queue, done, fail)
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
