"""The probe against what nobody expects: odd certificates, servers that speak TLS badly, names, addresses, threads."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from handler.certificates.domains import canonical
from handler.deployment.served import Served, Unreachable
from handler.probe import prober
from handler.probe.prober import MOST_ADDRESSES, TlsProber
from tests.examples import rsa_key
from tests.tls_servers import (
    ALERT,
    FAILURE,
    HANDSHAKE,
    HELLO_REQUEST,
    TLS_1_0,
    TLS_1_2,
    WARNING,
    Server,
    certificate,
    certificates,
    closing,
    context,
    der,
    hanging,
    record,
    saying,
    server_hello,
    serving,
    tls,
)

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "www.example.com"
ENOUGH = 3.0
SHORT = 0.25
PROMPT = 1.5
"""A short probe takes no longer than this, on a machine that is busy."""
NEW = certificate(DOMAIN, serial=0x2002)
HELLO = record(HANDSHAKE, server_hello())
EMPTY = bytes([HANDSHAKE]) + TLS_1_2 + b"\x00\x00"


def prober_of(server: Server, *addresses: str) -> TlsProber:
    return TlsProber(lambda _: addresses or ("127.0.0.1",), port=server.port, loopback=True)


def seen(answer: Served | Unreachable) -> int | str:
    return answer.serial if isinstance(answer, Served) else answer.why


# --- certificates -----------------------------------------------------------------------------------------------------


FIVE = der(certificate(DOMAIN, serial=5))


@pytest.mark.parametrize(
    ("served", "serial"),
    [
        (FIVE.replace(b"\x02\x01\x05", b"\x02\x01\xfb", 1), -5),
        (FIVE.replace(b"\x02\x01\x05", b"\x02\x01\x00", 1), 0),
        (b"www.\xffxample".join(FIVE.rsplit(b"www.example", 1)), 5),
        (der(certificate(DOMAIN, serial=5, tells_names=False)), 5),
        (der(certificate(*(f"d{number}.example.com" for number in range(3000)), serial=5)), 5),
    ],
    ids=["a negative number", "zero", "names that cannot be read", "no names", "3000 names"],
)
def test_of_an_odd_certificate_the_number_is_known(tmp_path: Path, served: bytes, serial: int) -> None:
    with serving(tls(context(tmp_path, served))) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == serial


ED25519 = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
@pytest.mark.parametrize("key", [rsa_key(), rsa_key(1024), ED25519], ids=["RSA", "short RSA", "Ed25519"])
def test_keys_of_every_kind_will_do(tmp_path: Path, key: Any, version: ssl.TLSVersion) -> None:
    alone = context(tmp_path, certificate(DOMAIN, serial=8, key=key), key)
    alone.minimum_version = alone.maximum_version = version
    with serving(tls(alone)) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 8


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA"])
def test_ciphers_that_only_browsers_still_take_will_do(tmp_path: Path, cipher: str) -> None:
    alone = context(tmp_path, certificate(DOMAIN, serial=8, key=rsa_key()), rsa_key())
    alone.maximum_version = ssl.TLSVersion.TLSv1_2
    alone.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with serving(tls(alone)) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 8


def test_a_server_that_asks_for_another_beginning_gets_it_and_nothing_after_it(tmp_path: Path) -> None:
    picky = context(tmp_path, NEW)
    picky.minimum_version = ssl.TLSVersion.TLSv1_3
    picky.set_ecdh_curve("secp521r1")  # for which no client sends its half at first
    with serving(tls(picky)) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 0x2002
        server.close()
        assert server.received == [b""]


@pytest.mark.parametrize(
    ("version", "answer"), [(ssl.TLSVersion.TLSv1_2, "SSLError"), (ssl.TLSVersion.TLSv1_3, 0x2002)], ids=str
)
def test_a_server_that_wants_a_certificate_of_the_client_is_seen_unless_that_ends_the_handshake(
    tmp_path: Path, version: ssl.TLSVersion, answer: object
) -> None:
    wary = context(tmp_path, NEW)
    wary.minimum_version = wary.maximum_version = version
    wary.verify_mode = ssl.CERT_REQUIRED
    with serving(tls(wary)) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == answer


# --- servers that speak TLS badly -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (saying(record(HANDSHAKE, server_hello(TLS_1_0))), "SSLError"),
        (saying(HELLO, record(HANDSHAKE, certificates())), "SSLError"),
        (saying(HELLO, record(HANDSHAKE, certificates(b""))), "SSLError"),
        (saying(HELLO, record(HANDSHAKE, certificates(b"no certificate"))), "SSLError"),
        (saying(HELLO, record(HANDSHAKE, certificates(*[der(NEW)] * 2000))), "SSLError"),
        (saying(record(ALERT, FAILURE)), "SSLError"),
        (saying(HELLO, again=record(ALERT, WARNING)), "SSLError"),
        (saying(again=record(HANDSHAKE, HELLO_REQUEST)), "it took too long"),
        (saying(HELLO, record(HANDSHAKE, certificates(der(NEW))), again=EMPTY), "SSLError"),
    ],
    ids=[
        "TLS 1.0",
        "no certificate",
        "an empty certificate",
        "what is no certificate",
        "a chain of 2000",
        "an alert",
        "warnings for ever",
        "requests for ever",
        "empty records for ever",
    ],
)
def test_a_server_that_speaks_badly_is_unreachable_and_costs_no_more_time_than_there_is(
    shape: Callable[[Server, socket.socket], None], why: str
) -> None:
    with serving(shape) as server:
        began = time.monotonic()
        assert seen(prober_of(server).ask(DOMAIN, SHORT)) == why
        assert time.monotonic() - began < PROMPT
        assert server.connections == 1


# --- names ------------------------------------------------------------------------------------------------------------

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    ("name", "asked_for"),
    [
        (canonical("例子.example.com"), "xn--fsqu00a.example.com"),
        (LONGEST, LONGEST),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("www.example.com.", "www.example.com."),
        ("127.0.0.1", None),
        ("::1", None),
    ],
)
def test_a_name_is_asked_for_as_it_is_and_an_address_without_a_name(
    tmp_path: Path, name: str, asked_for: str | None
) -> None:
    with serving(tls(context(tmp_path, NEW))) as server:
        assert seen(prober_of(server).ask(name, ENOUGH)) == 0x2002
        assert server.names == [asked_for]


@pytest.mark.parametrize("name", ["", ".", ".example.com", "a\0.example.com", "a" * 300, "\udc80.example.com", "a..b"])
def test_what_is_no_name_is_unreachable(name: str) -> None:
    with serving(hanging) as server:
        began = time.monotonic()
        assert isinstance(prober_of(server).ask(name, SHORT), Unreachable)
        assert time.monotonic() - began < PROMPT


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [
        ["no address"],
        ["999.1.1.1", "1.1.1", "0x7f.1", "010.0.0.1", ""],
        ["fe80::1%lo", "::1%lo", "::ffff:10.0.0.1", "::127.0.0.1"],
        [f"10.{number >> 8}.{number & 255}.1" for number in range(5000)],
        [0x08080808],
        [b"\x08\x08\x08\x08"],
        [None],
        [["8.8.8.8"]],
        7,
        None,
    ],
)
def test_rubbish_from_the_resolver_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(prober, "served_certificate", lambda *all_of_it: asked.append(all_of_it))
    assert isinstance(TlsProber(lambda _: found).ask(DOMAIN, ENOUGH), Unreachable)
    assert asked == []


def test_an_address_that_swallows_what_is_sent_leaves_the_others_their_share_of_the_time(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(tls(context(tmp_path, NEW))))
        for address in ("127.0.0.2", "127.0.0.3"):
            stack.enter_context(serving(hanging, address, server.port))
        began = time.monotonic()
        answer = prober_of(server, "127.0.0.2", "127.0.0.3", "127.0.0.1").ask(DOMAIN, 4 * SHORT)
        assert seen(answer) == 0x2002
        assert time.monotonic() - began < 4 * SHORT


def test_addresses_that_all_swallow_what_is_sent_cost_no_more_time_than_there_is() -> None:
    with ExitStack() as stack:
        first = stack.enter_context(serving(hanging))
        others = [f"127.0.0.{number}" for number in range(2, MOST_ADDRESSES + 3)]
        servers = [first, *(stack.enter_context(serving(hanging, one, first.port)) for one in others)]
        began = time.monotonic()
        answer = prober_of(first, "127.0.0.1", *others).ask(DOMAIN, 2 * SHORT)
        took = time.monotonic() - began
        assert seen(answer) == "it took too long"
        assert 1.9 * SHORT < took < PROMPT
        assert [server.connections for server in servers] == [1] * MOST_ADDRESSES + [0, 0]


def test_addresses_of_ipv4_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(address: str, *_: object) -> bytes:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(prober, "served_certificate", refuse)
    found = ["2400:3200::1", "2400:3200:baba::1", "223.5.5.5", "2400:3200::2", "223.6.6.6"]
    assert seen(TlsProber(lambda _: found).ask(DOMAIN, ENOUGH)) == "ConnectionRefusedError"
    assert asked == ["223.5.5.5", "223.6.6.6", "2400:3200::1"]


def test_an_address_that_is_found_twice_is_asked_once() -> None:
    with serving(closing) as server:
        prober_of(server, *["127.0.0.1"] * 5000).ask(DOMAIN, ENOUGH)
        assert server.connections == 1


# --- threads ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def few_look_ups(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(prober, "_looking_up", threading.BoundedSemaphore(3))
    return 3


def test_without_a_thread_to_be_had_a_domain_is_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_look_ups: int
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with serving(tls(context(tmp_path, NEW))) as server:
        probe = prober_of(server)
        with monkeypatch.context() as full:
            full.setattr(threading.Thread, "start", start)
            assert {seen(probe.ask(DOMAIN, SHORT)) for _ in range(few_look_ups + 1)} == {"RuntimeError"}
        assert seen(probe.ask(DOMAIN, ENOUGH)) == 0x2002


def test_look_ups_that_never_end_do_not_pile_up_however_many_runs_there_are(tmp_path: Path, few_look_ups: int) -> None:
    over, under_way = threading.Event(), []

    def resolver(name: str) -> Sequence[str]:
        under_way.append(threading.current_thread())
        over.wait(30)
        return ()

    answers = {seen(TlsProber(resolver).ask(DOMAIN, 0.02)) for _ in range(3 * few_look_ups)}
    assert answers == {"it took too long"}
    assert len(under_way) == few_look_ups
    over.set()
    for thread in under_way:
        thread.join(5)
    with serving(tls(context(tmp_path, NEW))) as server:
        assert seen(prober_of(server).ask(DOMAIN, ENOUGH)) == 0x2002


def test_several_threads_may_ask_at_once_and_change_nothing_for_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading: list[int] = []
    read = x509.load_der_x509_certificate

    def slowly(data: bytes) -> x509.Certificate:
        reading.append(1)
        threading.Event().wait(0.005)
        assert reading == [1], "what becomes of warnings is the same for all threads"
        reading.pop()
        return read(data)

    monkeypatch.setattr(x509, "load_der_x509_certificate", slowly)
    before = list(warnings.filters)
    with serving(tls(context(tmp_path, NEW))) as server, ThreadPoolExecutor(8) as pool:
        probe = prober_of(server)
        assert {seen(one) for one in pool.map(lambda _: probe.ask(DOMAIN, ENOUGH), range(32))} == {0x2002}
    assert list(warnings.filters) == before


HUNG = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from handler.deployment.certificate import IssuedCertificate
from handler.deployment import served
from handler.probe.prober import TlsProber
from handler.runtime.clock import SystemClock
from handler.runtime.countdown import Countdown

served.SECONDS = 0.1
clock = SystemClock()
one = IssuedCertificate("1", "www.example.com", "a", "issued", "BUY", None, "0a1b")
names = [f"d{number}.example.com" for number in range(12)]
prober = TlsProber(lambda name: threading.Event().wait())
found = served.ask_all(prober, names, one, one, Countdown(clock, clock.now(), 60))
print(len(found), {str(one.value) for one in found.values()})
"""


def test_look_ups_that_never_end_keep_no_process_from_ending() -> None:
    command = [sys.executable, "-I", "-c", HUNG, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "12 {'unreachable'}\n", "")


def test_nothing_stays_open_whatever_the_server_does(tmp_path: Path) -> None:
    shapes = [tls(context(tmp_path, NEW)), closing, hanging, saying(record(ALERT, FAILURE))]

    def open_files() -> int:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 (no path is meant)

    for shape in shapes:
        with serving(shape) as server:
            probe = prober_of(server, "127.0.0.1", "127.0.0.9")
            before = open_files()
            for _ in range(3):
                probe.ask(DOMAIN, 0.05)
            server.close()
            assert open_files() <= before
