"""SMQ on this machine, as its real client sees it."""

from __future__ import annotations

import pytest
from mns.mns_exception import MNSClientNetworkException, MNSServerException

from tests.stubs import faults
from tests.stubs.clients import Clients
from tests.stubs.cloud import Cloud, local_cloud
from tests.stubs.wire import NotStubbed

pytestmark = pytest.mark.sends_any_text


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
