"""Which addresses may be asked: those of the public internet, and none that stands for another."""

import pytest

from handler.probe.addresses import may_be_asked


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "47.246.1.1", "100.63.255.255", "100.128.0.1", "2400:3200::1", "2001:4860:4860::8888"]
)
def test_a_public_address_may_be_asked(address):
    assert may_be_asked(address)
    assert may_be_asked(address, loopback=True)


CLOSED = {
    "this network": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104 (nothing is bound to it)
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "carriers' NAT": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    "link-local": ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0"],
    "site-local": ["fec0::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.1", "4000::1", "1000::1"],
    "documentation and benchmarks": [
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "2001:db8::1",
        "3fff::1",
    ],
    "stands for an IPv4 address": [
        *("::ffff:8.8.8.8", "::ffff:10.0.0.1", "::8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "2002:808:808::1"),
        *("2001:0:808:808::1", "192.88.99.1"),
    ],
    "no address": ["", "localhost", "8.8.8", "010.8.8.8", "8.8.8.8/32", "2400:3200::1%2", "www.example.com"],
}


@pytest.mark.parametrize(("why", "address"), [(why, address) for why, found in CLOSED.items() for address in found])
@pytest.mark.parametrize("loopback", [False, True])
def test_any_other_may_not(why, address, loopback):
    assert not may_be_asked(address, loopback=loopback)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.255.254", "::1"])
def test_the_machine_itself_may_be_asked_by_tests_alone(address):
    assert may_be_asked(address, loopback=True)
    assert not may_be_asked(address)
