"""Which of two certificates a domain serves, and which domains are asked."""

import threading

import pytest

from handler.deployment import served as deployment_served
from handler.deployment.certificate import IssuedCertificate
from handler.deployment.served import (
    AT_ONCE,
    MOST,
    SECONDS,
    TOO_LONG,
    Served,
    Serves,
    Unreachable,
    ask_all,
    looks_again,
    names_to_ask,
    serves,
    trouble,
    verdict,
)
from handler.outcomes import Reason
from handler.runtime.countdown import Countdown
from tests.examples import DAY, NOW, SECOND
from tests.stubs.clock import FakeClock

NAMES = frozenset({"www.example.com", "example.com"})
OLD = IssuedCertificate("1", "www.example.com,example.com", "a", "willExpire", "BUY", NOW + 9 * DAY, "0a1b2c3d4e5f")
NEW = IssuedCertificate("2", "www.example.com,example.com", "a", "issued", "BUY", NOW + 99 * DAY, "0A:1B:2C:3D:4E:60")


def served(serial, ends=NOW + 99 * DAY, names=NAMES):
    return Served(serial, ends, names)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (served(0x0A1B2C3D4E60), Serves.NEW),
        (served(0x0A1B2C3D4E5F), Serves.OLD),
        (served(0x0A1B2C3D4E5F, names=frozenset()), Serves.OLD),
        (served(0x0A1B2C3D4E61), Serves.OTHER),
        (Unreachable("it took too long"), Serves.UNREACHABLE),
    ],
)
def test_the_serial_number_says_which_it_is_whatever_else_looks_the_same(answer, expected):
    assert verdict(answer, OLD, NEW) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (served(5), Serves.NEW),
        (served(5, NOW + 99 * DAY + 59 * SECOND), Serves.NEW),
        (served(5, NOW + 99 * DAY + 61 * SECOND), Serves.OTHER),
        (served(5, names=NAMES - {"example.com"}), Serves.OTHER),
        (served(5, NOW + 9 * DAY), Serves.OTHER),
        (served(0x0A1B2C3D4E5F), Serves.OLD),
    ],
)
def test_without_a_serial_number_the_end_and_the_names_say_it(answer, expected):
    assert verdict(answer, OLD, NEW._replace(serial="")) is expected


def test_what_could_be_both_is_neither():
    assert verdict(served(0x0A1B2C3D4E60), OLD._replace(serial=NEW.serial), NEW) is Serves.OTHER
    assert verdict(served(5), OLD._replace(serial="", ends=NEW.ends), NEW._replace(serial="")) is Serves.OTHER


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("WWW.Example.com.", ("www.example.com",)),
        ("*.example.com", ()),
        (".example.com", ()),
        ("*.example.com,example.com", ("example.com",)),
        ("straße.example.com", ("xn--strae-oqa.example.com",)),
        ("", ()),
        ("alb-1", ()),
        ("192.168.0.1/24", ()),
    ],
)
def test_wildcards_and_what_is_no_name_are_not_asked(domain, names):
    assert names_to_ask(domain) == names


class Asked:
    """A prober that remembers, and takes its time."""

    def __init__(self, clock, seconds=0.0):
        self.clock, self.seconds, self.names = clock, seconds, []

    def ask(self, domain, seconds):
        assert seconds == SECONDS
        self.names.append(domain)
        self.clock.advance(seconds=self.seconds)
        return served(0x0A1B2C3D4E60)


def test_each_name_is_asked_once():
    clock = FakeClock(NOW)
    prober = Asked(clock)
    domains = ["www.example.com", "*.example.com", "", "WWW.example.com", "example.com"]
    found = ask_all(prober, domains, OLD, NEW, Countdown(clock, NOW, 300))
    assert sorted(prober.names) == ["example.com", "www.example.com"]
    assert found == dict.fromkeys(prober.names, Serves.NEW)


def test_no_more_are_asked_in_a_run_than_there_may_be():
    clock = FakeClock(NOW)
    prober = Asked(clock)
    domains = [f"d{number}.example.com" for number in range(MOST + 10)]
    found = ask_all(prober, domains, OLD, NEW, Countdown(clock, NOW, 300))
    assert [*found] == sorted(prober.names, key=domains.index) == domains[:MOST]


def test_nobody_is_asked_once_the_run_has_no_time_for_it(monkeypatch):
    monkeypatch.setattr(deployment_served, "AT_ONCE", 1)
    clock = FakeClock(NOW)
    prober = Asked(clock, seconds=SECONDS)
    domains = [f"d{number}.example.com" for number in range(10)]
    assert [*ask_all(prober, domains, OLD, NEW, Countdown(clock, NOW, 20))] == prober.names == domains[:5]
    assert clock.now() <= NOW + 20 * SECOND


class Together:
    """A prober that answers so many at a time, and nobody before they are all there."""

    def __init__(self, count):
        self.all_there = threading.Barrier(count, timeout=5)
        self.lock = threading.Lock()
        self.now = self.most = 0

    def ask(self, domain, seconds):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.all_there.wait()
        with self.lock:
            self.now -= 1
        return served(int(domain[1 : domain.index(".")]))


def test_so_many_are_asked_at_the_same_time_and_each_answer_is_its_own():
    old, new = OLD._replace(serial="0x3"), NEW._replace(serial="0x5")
    domains = [f"d{number}.example.com" for number in range(4 * AT_ONCE)]
    prober = Together(AT_ONCE)
    clock = FakeClock(NOW)
    found = ask_all(prober, domains, old, new, Countdown(clock, NOW, 300))
    assert prober.most == AT_ONCE
    assert [*found] == domains
    assert {name: answer for name, answer in found.items() if answer is not Serves.OTHER} == {
        "d3.example.com": Serves.OLD,
        "d5.example.com": Serves.NEW,
    }


@pytest.mark.parametrize("threads", [0, 1, AT_ONCE - 1])
def test_without_threads_to_be_had_all_are_asked_all_the_same(monkeypatch, threads):
    left, start = threads, threading.Thread.start

    def start_a_few(thread):
        nonlocal left
        if left == 0:
            raise RuntimeError("can't start new thread")
        left -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_a_few)
    clock = FakeClock(NOW)
    domains = [f"d{number}.example.com" for number in range(MOST)]
    found = ask_all(Asked(clock), domains, OLD, NEW, Countdown(clock, NOW, 300))
    assert found == dict.fromkeys(domains, Serves.NEW)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, None),
        ({"www.example.com": Serves.NEW}, Serves.NEW),
        ({"www.example.com": Serves.NEW, "example.com": Serves.OLD}, Serves.OLD),
        ({"www.example.com": Serves.NEW, "example.com": Serves.UNREACHABLE}, Serves.UNREACHABLE),
        ({"www.example.com": Serves.OTHER, "example.com": Serves.UNREACHABLE}, Serves.OTHER),
        ({"shop.example.com": Serves.OLD}, None),
    ],
)
def test_of_several_names_of_a_resource_the_worst_counts(found, expected):
    assert serves("www.example.com,example.com", found) is expected


@pytest.mark.parametrize("others", [[], [Serves.NEW], [Serves.UNREACHABLE]])
def test_the_old_one_may_be_served_for_three_days_and_then_a_person_is_told(others):
    found = [Serves.OLD, *others]
    assert looks_again(found)
    assert trouble(found, NOW, NOW + TOO_LONG - SECOND) is None
    assert trouble(found, NOW, NOW + TOO_LONG) == Reason.OLD_ONE_SERVED
    assert not looks_again(others)
    assert trouble(others, NOW, NOW + 9 * DAY) is None
