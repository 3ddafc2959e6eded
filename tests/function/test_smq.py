"""The queue's client: what its SDK does not do by itself."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from handler.cloud import smq
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.errors import PublishFailed
from tests.deployed import Function
from tests.situations import expiring
from tests.stubs import faults
from tests.stubs.clock import FakeClock
from tests.stubs.cloud import QUEUE, Cloud

GIVES_UP_AFTER = 20
"""Seconds after which the silent server hangs up, so that a client without a time-out fails the test instead of
stopping it."""


@pytest.fixture
def silent():
    """A server that accepts connections and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        def hang_up() -> None:
            for connection in held:
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        timer = threading.Timer(GIVES_UP_AFTER, hang_up)
        timer.start()
        yield server.getsockname()[1]
        timer.cancel()
        server.shutdown(socket.SHUT_RDWR)
        hang_up()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_queue_that_never_answers_is_given_up(scheme, silent, monkeypatch):
    monkeypatch.setattr(smq, "TIMEOUT_SECONDS", 0.1)
    clock = FakeClock()
    queue = smq.Smq(f"{scheme}://127.0.0.1:{silent}", Credentials("id", "secret", ""), Meter(clock))
    with pytest.raises(PublishFailed, match="timed out") as failed:
        queue.send(QUEUE, "{}")
    queue.close()
    assert failed.value.code == "no-answer"
    assert not failed.value.misconfigured


@pytest.mark.sends_any_text
def test_one_client_sends_to_several_queues(cloud: Cloud):
    cloud.smq.add_queue("renewal-alerts")
    held = Credentials(**vars(cloud.credentials))
    queue = smq.Smq(cloud.environ()["SMQ_ENDPOINT"], held, Meter(cloud.clock))
    queue.send(QUEUE, '{"n": 1}')
    queue.send("renewal-alerts", '{"n": 2}')
    assert cloud.smq.messages(QUEUE) == [{"n": 1}]
    assert cloud.smq.messages("renewal-alerts") == [{"n": 2}]


@pytest.mark.parametrize("token", ["", "a-token"])
def test_a_key_with_and_without_a_token_is_understood(token):
    queue = smq.Smq("https://127.0.0.1:9", Credentials("id", "secret", token), Meter(FakeClock()))
    with pytest.raises(PublishFailed, match="refused"):
        queue.send(QUEUE, "{}")


# --- a queue that hangs must not eat the time of the run --------------------------------------------------------------


def sender(cloud: Cloud) -> tuple[smq.Smq, Meter]:
    meter = Meter(cloud.clock)
    return smq.Smq(cloud.environ()["SMQ_ENDPOINT"], Credentials(**vars(cloud.credentials)), meter), meter


def codes(queue: smq.Smq, times: int) -> list[str]:
    found = []
    for _ in range(times):
        try:
            queue.send(QUEUE, "{}")
            found.append("sent")
        except PublishFailed as failed:
            found.append(failed.code)
    return found


def calls(cloud: Cloud) -> int:
    return len(cloud.smq.calls_of("SendMessage"))


@pytest.mark.sends_any_text
def test_after_two_messages_in_a_row_without_an_answer_the_queue_is_not_asked_again(cloud: Cloud):
    queue, meter = sender(cloud)
    cloud.smq.fail("SendMessage", *[faults.reset_before()] * 6)
    assert codes(queue, 4) == ["no-answer"] * 4
    assert calls(cloud) == 6
    assert meter.to_dict()["smq"]["calls"] == 6
    with pytest.raises(PublishFailed, match="not tried"):
        queue.send("another-queue", "{}")
    fresh, _ = sender(cloud)
    assert codes(fresh, 1) == ["sent"], "the next invocation tries again"


@pytest.mark.sends_any_text
@pytest.mark.parametrize(
    "answer",
    [
        [faults.error("InternalError", 500)] * 3,
        [faults.reset_before(), faults.html(502), faults.reset_before()],
        [faults.html(502)] * 3,
        [faults.reset_before(), None],
    ],
    ids=["error", "a page in between", "pages", "sent"],
)
def test_a_message_that_somebody_answered_does_not_count(cloud: Cloud, answer):
    queue, _ = sender(cloud)
    silent = [faults.reset_before()] * 3
    cloud.smq.fail("SendMessage", *silent, *answer, *silent)
    assert codes(queue, 4)[-1] == "sent"


def test_a_queue_that_never_answers_costs_a_run_two_messages_and_no_more(cloud: Cloud, function: Function):
    orders = expiring(cloud, 6)
    cloud.smq.fail("SendMessage", *[faults.reset_before()] * 6)
    assert {function.tick().of(order)["reason"] for order in orders[:1]} == {"no-answer"}
    assert calls(cloud) == 6
    assert not function.tick().failed
    assert len(cloud.smq.messages()) == len(cloud.cas.purchases) == 6


# --- the size of a message --------------------------------------------------------------------------------------------


@pytest.mark.sends_any_text
def test_a_message_above_the_limit_is_refused_before_any_call(cloud: Cloud):
    queue, _ = sender(cloud)
    fits = json.dumps("x" * (smq.MAX_BYTES // 4 * 3 - 2))
    queue.send(QUEUE, fits)
    for too_large in (fits + " ", json.dumps("é" * (smq.MAX_BYTES // 8 * 3), ensure_ascii=False)):
        with pytest.raises(PublishFailed, match=str(smq.MAX_BYTES)) as refused:
            queue.send(QUEUE, too_large)
        assert (refused.value.code, refused.value.misconfigured) == ("message-too-large", False)
    assert calls(cloud) == 1
    assert codes(queue, 1) == ["sent"]
