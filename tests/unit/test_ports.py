"""Another queue, another store, another service of orders: the run needs no more of them than its ports say.

What is checked here is as much the types (mypy reads this file strictly) as what happens.
"""

from __future__ import annotations

import io
import json

import pytest

from handler.certificates.csr import Csr
from handler.command import Check, Command, Renew, Selection
from handler.errors import CasMisconfigured, CasOutcomeUnknown, PublishFailed
from handler.instances.detail import Detail, Task, detail_in
from handler.instances.service import InstanceList, InstanceService
from handler.journal.store import Store
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.service import OrderService
from handler.outbox.queue import Queue
from handler.outcomes import Outcome, Reason
from handler.result import RunResult
from handler.run.run import run
from handler.run.services import Identity, Services
from handler.runtime.clock import Clock
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from handler.watch.service import CertificateList, CertificateService
from tests.examples import ACCOUNT, HOUR, NEW, OLD, OTHER, order, pending, settings
from tests.memory_store import MemoryStore
from tests.stubs.clock import FakeClock
from tests.unit.no_deployments import NO_DEPLOYMENTS, NO_PROBER


class ListQueue:
    """Queues that are lists."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.is_down = False

    def send(self, queue: str, body: str) -> str:
        self.probe(queue)
        self.messages.append((queue, body))
        return f"list-{len(self.messages)}"

    def probe(self, queue: str) -> None:
        if self.is_down:
            raise PublishFailed("down", queue, misconfigured=False)


class ListedOrders:
    """A service of orders that is a list."""

    def __init__(self, clock: Clock, *orders: Order) -> None:
        self._clock = clock
        self.orders = list(orders)
        self.purchases: list[tuple[str, Csr | None]] = []
        self.loses_answers = False

    def order_book(self) -> OrderBook:
        return OrderBook(self.orders, self._clock.now())

    def order_of_certificate(self, certificate_id: str) -> str | None:
        return {"7654321": OLD}.get(certificate_id)

    def purchase(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        self.purchases.append((order_id, csr))
        self.orders.append(pending(NEW, bought_at=self._clock.now()))
        if self.loses_answers:
            raise CasOutcomeUnknown(Reason.NO_ANSWER, "the line went dead")
        return NEW, "request-of-the-list"

    def probe(self) -> None:
        self.order_book()


class NothingElse:
    """An account without instances and without certificates of other origin; whoever asks may be forbidden to."""

    def __init__(self) -> None:
        self.is_forbidden = False

    def instances(self) -> InstanceList:
        self.probe_instances()
        return InstanceList()

    def detail(self, instance_id: str) -> Detail:
        self.probe_instances()
        return detail_in({"InstanceId": instance_id})

    def task(self, instance_id: str) -> Task:
        self.probe_instances()
        return Task(has_failed=False, said="")

    def apply(self, instance_id: str, seconds: float) -> str:
        raise CasMisconfigured("NoPermission", f"nobody applies for {instance_id}")

    def certificates(self) -> CertificateList:
        self.probe_certificates()
        return CertificateList()

    def of_instance(self, instance_id: str) -> CertificateList:
        return self.certificates()

    def probe_instances(self) -> None:
        if self.is_forbidden:
            raise CasMisconfigured("NoPermission", "no")

    def probe_certificates(self) -> None:
        self.probe_instances()


class World:
    """Everything that a run needs, and none of it the cloud's."""

    def __init__(self, *orders: Order) -> None:
        self.clock = FakeClock()
        self.queue = ListQueue()
        self.service = ListedOrders(self.clock, *orders)
        self.others = NothingElse()
        self.store = MemoryStore()
        self.watch = "orders,instances,certificates"
        self.runs = 0

    def run(self, command: Command) -> RunResult:
        queue: Queue = self.queue
        orders: OrderService = self.service
        instances: InstanceService = self.others
        certificates: CertificateService = self.others
        store: Store = self.store
        self.runs += 1
        self.store.now = self.clock.now()
        request_id = f"request-{self.runs}"
        services = Services(
            identity=Identity(request_id, ACCOUNT, "cn-hangzhou"),
            settings=settings(WATCH=self.watch),
            time=Countdown(self.clock, self.clock.now(), 300),
            log=Log(io.StringIO(), self.clock, request_id, str),
            orders=orders,
            instances=instances,
            certificates=certificates,
            deployments=NO_DEPLOYMENTS,
            prober=NO_PROBER,
            queue=queue,
            store=store,
        )
        result = RunResult(request_id, "unknown")
        run(command, services, result)
        assert result.errors == []
        return result

    def subjects(self) -> list[str]:
        return [json.loads(body)["subject"] for _, body in self.queue.messages]


SCAN = Command("timer", Renew(Selection()))


def outcomes(result: RunResult) -> dict[str, tuple[Outcome, str | None]]:
    return {id_: (line.outcome, line.reason) for id_, line in result.lines.items()}


def test_a_run_renews_over_any_queue_store_and_service() -> None:
    world = World(order(OLD), order(OTHER, domain="shop.example.com", trustee_status="trustee"))
    assert outcomes(world.run(SCAN)) == {OLD: (Outcome.RENEWED, None), OTHER: (Outcome.SKIPPED, "hosted")}
    assert world.service.purchases == [(OLD, None)]
    ((queue, body),) = world.queue.messages
    assert (queue, json.loads(body)["data"]["RequestId"]) == ("renewed-certificates", "request-of-the-list")
    assert outcomes(world.run(SCAN))[OLD] == (Outcome.ALREADY_RENEWED, None)
    assert len(world.service.purchases) == len(world.queue.messages) == 1
    assert {"report.html", "report.json"} <= world.store.notes.keys()


def test_a_lost_answer_is_settled_over_any_of_them() -> None:
    world = World(order(OLD))
    world.service.loses_answers = True
    assert outcomes(world.run(SCAN)) == {OLD: (Outcome.UNKNOWN, "no-answer")}
    assert world.queue.messages == []
    world.clock.advance(HOUR.total_seconds())
    assert outcomes(world.run(SCAN)) == {OLD: (Outcome.RENEWED, None)}
    assert (len(world.service.purchases), world.subjects()) == (1, [NEW])


def test_what_a_queue_that_is_down_did_not_take_is_sent_by_the_next_run() -> None:
    world = World(order(OLD))
    world.queue.is_down = True
    assert outcomes(world.run(SCAN)) == {OLD: (Outcome.RENEWED, "down")}
    world.queue.is_down = False
    assert outcomes(world.run(SCAN)) == {OLD: (Outcome.RENEWED, None)}
    assert (len(world.service.purchases), world.subjects()) == (1, [NEW])


@pytest.mark.parametrize("is_down", [False, True])
def test_the_self_check_asks_the_ports_alone(is_down: bool) -> None:
    world = World()
    world.queue.is_down = is_down
    checks = world.run(Command("manual", Check())).checks or []
    assert {line["check"]: line["ok"] for line in checks} == {
        "settings": True,
        "credentials": True,
        "cas": True,
        "instances": True,
        "certificates": True,
        "smq": not is_down,
        "journal": True,
        "alone": True,
    }


@pytest.mark.parametrize("kind", ["instances", "certificates"])
def test_the_self_check_looks_at_what_is_watched_and_at_nothing_else(kind: str) -> None:
    world = World()
    world.others.is_forbidden = True
    world.watch = kind
    checks = world.run(Command("manual", Check())).checks or []
    tried = {line["check"]: line["ok"] for line in checks if line["check"] in {"cas", "instances", "certificates"}}
    assert tried == {"cas": True, kind: False}


def test_a_certificate_is_found_by_whoever_lists_the_orders() -> None:
    world = World(order(OLD), order(OTHER, domain="shop.example.com"))
    command = Command("cloudmonitor", Renew(Selection(certificate_ids=("7654321", "5"))))
    assert outcomes(world.run(command)) == {
        OLD: (Outcome.RENEWED, None),
        "certificate 5": (Outcome.SKIPPED, "uploaded"),
    }
