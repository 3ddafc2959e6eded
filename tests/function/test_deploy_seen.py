"""Deployed and seen from outside: whole runs whose prober shakes hands with real servers on loopback."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from handler.probe.prober import TlsProber
from tests.deployed import Answer, Function
from tests.stubs.cloud import QUEUE, Cloud
from tests.tls_servers import Server, certificate, closing, context, serving, tls

DEPLOYED, FAILED = "cas.certificate.deployed", "cas.certificate.deploy-failed"
WWW, SHOP = "www.example.com", "shop.example.com"


@pytest.fixture(autouse=True)
def no_look_up_by_the_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only this machine's own address is ever looked up, by the clients of the cloud."""
    asked: list[object] = []
    getaddrinfo = socket.getaddrinfo

    def guarded(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "127.0.0.1":
            asked.append(host)
            raise AssertionError(f"{host} was looked up")
        return getaddrinfo(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    yield
    assert asked == []


class Internet:
    """Where the names of the account lead, and which certificate is served there; each name has an address."""

    def __init__(self, cloud: Cloud, folder: Path, stack: ExitStack) -> None:
        self._cloud = cloud
        self._folder = folder
        self._stack = stack
        self._served: dict[str, ssl.SSLContext] = {}
        self._addresses: dict[str, str] = {}
        nobody = context(folder, certificate("nobody.example.net", serial=0xBAD))
        self.server = stack.enter_context(serving(tls(nobody, self._served)))
        self.looked_up: list[str] = []

    def serves(self, name: str, certificate_id: int) -> None:
        """From now on a name serves a certificate of the account, or another one with that number."""
        shown = int(self._cloud.cas.certificates.serial(certificate_id).replace(":", ""), 16)
        self._served[name] = context(self._folder, certificate(name, serial=shown))
        self._addresses[name] = "127.0.0.1"

    def is_broken(self, name: str, address: str, shape: Callable[[Server, socket.socket], None] = closing) -> Server:
        """What answers under a name is in bad shape."""
        self._addresses[name] = address
        return self._stack.enter_context(serving(shape, address, self.server.port))

    def resolver(self, name: str) -> list[str]:
        self.looked_up.append(name)
        if name not in self._addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [self._addresses[name]]

    @property
    def prober(self) -> TlsProber:
        return TlsProber(self.resolver, port=self.server.port, loopback=True)

    @property
    def asked(self) -> list[str | None]:
        return self.server.names


class World:
    """An account whose certificate was followed by another, and the resources that have the old one."""

    def __init__(self, cloud: Cloud, internet: Internet, *domains: str, **settings: str) -> None:
        self.cloud = cloud
        self.internet = internet
        self.function = Function(cloud, **{"DEPLOY_TO": "*", **settings})
        self.function.prober = internet.prober
        self.id = cloud.cas.instances.add(WWW, 10, hosted=True)
        self.old = cloud.cas.instances.of(self.id).certificate_id or 0
        for domain in domains or (WWW,):
            cloud.cas.resources.add(self.old, "CDN", domain)
        cloud.cas.certificates.serials[self.old] = f"{0x0A1B2C3D4E5F60718293A4B5C6D7E8F9:032x}"
        self.function.tick()
        self.new = cloud.cas.instances.issue(self.id)
        # Its first byte is above 7F, and CAS writes it in another fashion.
        number = f"{0x9A1B2C3D4E5F60718293A4B5C6D7E8F0:032X}"
        cloud.cas.certificates.serials[self.new] = ":".join(number[at : at + 2] for at in range(0, 32, 2))

    def ticks(self, count: int = 3, hours: float = 1) -> Answer:
        for _ in range(count):
            answer = self.function.tick()
            self.cloud.clock.advance(seconds=3600 * hours)
        return answer

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [message["data"] for message in self.cloud.smq.messages(QUEUE) if message["type"] == kind]

    def served(self, kind: str = DEPLOYED) -> dict[str, str | None]:
        """What the one message says of each domain."""
        (data,) = self.said(kind)
        assert {one["Outcome"] for one in data["Resources"]} == {"deployed"}
        return {one["Domain"]: one["Serves"] for one in data["Resources"]}

    def shown(self, answer: Answer) -> dict[str, Any]:
        (line,) = [line for line in answer.orders if self.id in {line["order_id"], line.get("instance_id")}]
        found: dict[str, Any] = line["deployment"]
        return found


@pytest.fixture
def internet(cloud: Cloud, tmp_path: Path) -> Iterator[Internet]:
    with ExitStack() as stack:
        yield Internet(cloud, tmp_path, stack)


def test_the_new_one_is_seen_once_and_that_is_said(cloud: Cloud, internet: Internet) -> None:
    world = World(cloud, internet)
    internet.serves(WWW, world.new)
    world.ticks(1)
    assert internet.looked_up == [], "before the job has ended nobody is asked"
    assert world.shown(world.ticks(1))["stage"] == "deployed"
    world.ticks(3)
    assert world.served() == {WWW: "new"}
    assert internet.asked == internet.looked_up == [WWW]
    assert world.said(FAILED) == []


def test_the_old_one_is_looked_at_again_until_the_new_one_is_served(cloud: Cloud, internet: Internet) -> None:
    world = World(cloud, internet)
    internet.serves(WWW, world.old)
    answer = world.ticks(4)
    assert world.served() == {WWW: "old"}
    assert world.shown(answer)["reason"] == "old-one-served"
    times = len(internet.asked)
    assert times > 1
    internet.serves(WWW, world.new)
    assert world.shown(world.ticks(1))["reason"] is None
    world.ticks(3, hours=24)
    assert len(internet.asked) == times + 1, "then nobody is asked any more"
    assert world.said(FAILED) == []


def test_an_old_one_that_is_served_for_three_days_is_told_once_and_looked_at_no_more(
    cloud: Cloud, internet: Internet
) -> None:
    world = World(cloud, internet)
    internet.serves(WWW, world.old)
    world.ticks(7, hours=12)
    assert (world.served(), world.said(FAILED)) == ({WWW: "old"}, [])
    world.ticks(2, hours=12)
    (data,) = world.said(FAILED)
    assert (data["Reason"], data["Resources"][0]["Serves"]) == ("old-one-served", "old")
    times = len(internet.asked)
    world.ticks(2, hours=12)
    assert (len(world.said(DEPLOYED)), len(world.said(FAILED)), len(internet.asked)) == (1, 1, times)


def test_neither_of_the_two_is_another_one(cloud: Cloud, internet: Internet) -> None:
    world = World(cloud, internet)
    another = cloud.cas.certificates.upload(WWW)
    internet.serves(WWW, another)
    world.ticks(4)
    assert world.served() == {WWW: "other"}
    assert internet.asked == [WWW]


@pytest.mark.parametrize("leads", ["to nobody", "to a server that closes", "to nowhere", "to a private address"])
def test_who_is_not_reached_is_unreachable_and_the_others_are_seen(
    cloud: Cloud, internet: Internet, leads: str
) -> None:
    world = World(cloud, internet, WWW, SHOP)
    internet.serves(SHOP, world.new)
    if leads == "to a server that closes":
        internet.is_broken(WWW, "127.0.0.2")
    elif leads == "to nowhere":
        internet.is_broken(WWW, "127.0.0.2").close()
    elif leads == "to a private address":
        internet._addresses[WWW] = "10.0.0.1"
    world.ticks(3)
    assert world.served() == {WWW: "unreachable", SHOP: "new"}
    assert sorted(internet.looked_up) == [SHOP, WWW, WWW], "who was not reached is asked again"


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_with_probe_off_and_in_a_dry_run_nobody_is_asked(cloud: Cloud, internet: Internet, dry_run: str) -> None:
    world = World(cloud, internet, PROBE="off" if dry_run == "false" else "on")
    internet.serves(WWW, world.old)
    if dry_run == "true":
        world.ticks(1)
        for _ in range(3):
            world.function.tick(DRY_RUN="true")
            cloud.clock.advance(seconds=3600)
        assert world.said(DEPLOYED) == []
    else:
        world.ticks(3)
        assert world.served() == {WWW: None}
    assert (internet.looked_up, internet.server.connections) == ([], 0)


def test_a_wildcard_is_not_asked(cloud: Cloud, internet: Internet) -> None:
    world = World(cloud, internet, "*.example.com", WWW)
    internet.serves(WWW, world.new)
    world.ticks(3)
    assert world.served() == {"*.example.com": None, WWW: "new"}
    assert internet.looked_up == [WWW]


@pytest.mark.parametrize(
    ("of_www", "of_shop", "worst"),
    [
        ("new", "new", "new"),
        ("new", "old", "old"),
        ("new", "another", "other"),
        ("new", None, "unreachable"),
        ("another", None, "other"),
        ("old", "another", "old"),
    ],
)
def test_of_several_names_of_a_resource_the_worst_is_said(
    cloud: Cloud, internet: Internet, of_www: str | None, of_shop: str | None, worst: str
) -> None:
    both = f"{WWW},{SHOP}"
    world = World(cloud, internet, both)
    ids = {"new": world.new, "old": world.old, "another": cloud.cas.certificates.upload(WWW)}
    for name, which in ((WWW, of_www), (SHOP, of_shop)):
        if which:
            internet.serves(name, ids[which])
    world.ticks(2)
    assert world.served() == {both: worst}
    assert sorted(internet.looked_up) == [SHOP, WWW]


def test_names_of_other_scripts_and_many_of_them_are_asked_in_one_run(cloud: Cloud, internet: Internet) -> None:
    names = [f"d{number}.example.com" for number in range(20)]
    world = World(cloud, internet, "例子.example.com", *names)
    internet.serves("xn--fsqu00a.example.com", world.new)
    for name in names[:-1]:
        internet.serves(name, world.new)
    internet.serves(names[-1], world.old)
    world.ticks(2)
    assert world.served() == {"例子.example.com": "new", **dict.fromkeys(names[:-1], "new"), names[-1]: "old"}
    assert len(internet.looked_up) == len(set(internet.looked_up)) == 21
