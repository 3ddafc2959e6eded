"""The probe against real servers on loopback: which certificate they serve, and how long it may take to say so."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from handler.certificates.domains import canonical
from handler.deployment.served import Served, Unreachable
from handler.probe import prober
from handler.probe.prober import TlsProber
from tests.tls_servers import (
    NOW,
    Server,
    certificate,
    closing,
    context,
    dripping,
    hanging,
    plain_http,
    serving,
    tls,
)

DOMAIN = "www.example.com"
ENOUGH = 3.0
SHORT = 0.25
PROMPT = 1.5
"""A short probe takes no longer than this, on a machine that is busy."""
OLD = certificate(DOMAIN, "example.com", serial=0x1001, ends=NOW + timedelta(days=9))
NEW = certificate(DOMAIN, "example.com", serial=0x2002)


def prober_of(server: Server, *addresses: str) -> TlsProber:
    """A probe for which every name is at these addresses of loopback."""
    return TlsProber(lambda _: addresses or ("127.0.0.1",), port=server.port, loopback=True)


def seen(answer: Served | Unreachable) -> int | str:
    return answer.serial if isinstance(answer, Served) else answer.why


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """It serves the new certificate."""
    with serving(tls(context(tmp_path, NEW))) as one:
        yield one


def test_a_certificate_is_seen_with_its_number_its_names_and_its_end(server: Server) -> None:
    answer = prober_of(server).ask(DOMAIN, ENOUGH)
    assert answer == Served(0x2002, NOW + timedelta(days=90), frozenset({DOMAIN, "example.com"}))


def test_the_name_that_is_asked_for_chooses_among_two(tmp_path: Path) -> None:
    by_name = {DOMAIN: context(tmp_path, NEW)}
    with serving(tls(context(tmp_path, OLD), by_name)) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 0x2002
        assert seen(prober_of(server).ask("shop.example.com", ENOUGH)) == 0x1001
        assert server.names == [DOMAIN, "shop.example.com"]


def test_a_name_of_another_script_is_asked_for_in_ascii(server: Server) -> None:
    assert seen(prober_of(server).ask(canonical("Straße.example.com"), ENOUGH)) == 0x2002
    assert server.names == ["xn--strae-oqa.example.com"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_both_versions_of_tls_are_spoken_and_nothing_is_sent_after_the_handshake(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    alone = context(tmp_path, NEW)
    alone.minimum_version = alone.maximum_version = version
    with serving(tls(alone)) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 0x2002
        server.close()
        assert server.received == [b""], "and the handshake was finished"


@pytest.mark.parametrize(
    "served",
    [
        certificate(DOMAIN, serial=7, ends=NOW - timedelta(days=1)),
        certificate(DOMAIN, serial=7, ends=NOW + timedelta(days=900)),
        certificate("another.example.net", serial=7),
    ],
    ids=["expired", "not yet valid", "for another name"],
)
def test_what_no_browser_would_trust_is_seen_all_the_same(tmp_path: Path, served: object) -> None:
    with serving(tls(context(tmp_path, served))) as server:  # type: ignore[arg-type]
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 7


# --- servers in bad shape ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (closing, {"SSLEOFError", "SSLError", "ConnectionResetError"}),
        (plain_http, {"SSLError"}),
        (hanging, {"it took too long"}),
        (dripping, {"it took too long"}),
    ],
    ids=["closes", "plain http", "hangs", "drips"],
)
def test_a_server_in_bad_shape_is_unreachable_and_costs_no_more_time_than_there_is(
    shape: Callable[[Server, socket.socket], None], why: set[str]
) -> None:
    with serving(shape) as server:
        began = time.monotonic()
        assert seen(prober_of(server).ask(DOMAIN, SHORT)) in why
        assert time.monotonic() - began < PROMPT
        assert server.connections == 1


def test_where_nobody_listens_it_is_unreachable(server: Server) -> None:
    server.close()
    assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == "ConnectionRefusedError"


def test_a_connection_that_is_not_taken_costs_no_more_time_than_there_is() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        answer = TlsProber(lambda _: ("127.0.0.1",), port=port, loopback=True).ask(DOMAIN, SHORT)
        assert seen(answer) == "it took too long"
        assert time.monotonic() - began < PROMPT
        for one in waiting:
            one.close()


def test_a_resolver_that_hangs_costs_no_more_time_than_there_is(server: Server) -> None:
    over = threading.Event()

    def resolver(_: str) -> list[str]:
        over.wait(5)
        return ["127.0.0.1"]

    began = time.monotonic()
    assert seen(TlsProber(resolver, port=server.port, loopback=True).ask(DOMAIN, SHORT)) == "it took too long"
    assert time.monotonic() - began < PROMPT
    over.set()
    assert server.connections == 0


def test_looking_up_connecting_and_shaking_hands_share_one_time() -> None:
    def resolver(_: str) -> list[str]:
        threading.Event().wait(SHORT * 0.8)
        return ["127.0.0.1"]

    with serving(hanging) as server:
        began = time.monotonic()
        assert seen(TlsProber(resolver, port=server.port, loopback=True).ask(DOMAIN, SHORT)) == "it took too long"
        assert time.monotonic() - began < SHORT * 1.7


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_unreachable(error: Exception) -> None:
    def resolver(_: str) -> list[str]:
        raise error

    assert seen(TlsProber(resolver).ask(DOMAIN, ENOUGH)) == type(error).__name__
    assert seen(TlsProber(lambda _: ()).ask(DOMAIN, ENOUGH)) == "it has no address"


def test_what_is_no_certificate_is_unreachable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober, "served_certificate", lambda *_: b"0\x03\x02\x01\x07")
    assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == "ValueError"


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.0.0.1", "100.100.100.200", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
)
def test_an_address_that_is_not_public_is_not_connected_to(server: Server, address: str) -> None:
    deployed = TlsProber(lambda _: (address,), port=server.port)
    assert seen(deployed.ask(DOMAIN, ENOUGH)) == "it has no public address"
    assert server.connections == 0


def test_of_several_addresses_those_that_may_not_be_asked_are_left_out(server: Server) -> None:
    probe = prober_of(server, "10.0.0.1", "169.254.169.254", "127.0.0.1")
    assert seen(probe.ask(DOMAIN, ENOUGH)) == 0x2002


def test_the_name_is_looked_up_once_and_exactly_the_address_that_was_found_is_asked(
    server: Server, tmp_path: Path
) -> None:
    asked: list[str] = []

    def resolver(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    with serving(tls(context(tmp_path, OLD)), "127.0.0.2", server.port) as another:
        probe = TlsProber(resolver, port=server.port, loopback=True)
        assert seen(probe.ask(DOMAIN, ENOUGH)) == 0x1001
        assert (asked, another.names, server.connections) == ([DOMAIN], [DOMAIN], 0)


def test_an_address_that_does_not_answer_leaves_the_next_one(server: Server) -> None:
    assert seen(prober_of(server, "127.0.0.3", "127.0.0.1").ask(DOMAIN, ENOUGH)) == 0x2002


def test_an_answer_is_an_answer_and_no_other_address_is_asked(server: Server, tmp_path: Path) -> None:
    with serving(tls(context(tmp_path, OLD)), "127.0.0.2", server.port) as another:
        assert seen(prober_of(server, "127.0.0.1", "127.0.0.2").ask(DOMAIN, ENOUGH)) == 0x2002
        assert another.connections == 0


def test_the_system_s_own_resolver_is_asked_for_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(prober.system_resolver("127.0.0.1")) == {"127.0.0.1"}
