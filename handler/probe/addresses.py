"""Which addresses may be asked. Pure.

Names come from other people's settings, and a name can lead anywhere. The function stands inside a cloud: an address
that is not a public one of the internet is never connected to, nor is one that stands for another address.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_PUBLIC_V6 = ip_network("2000::/3")
_CLOSED = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' NAT; in this cloud the services inside, metadata among them
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation, as are the next two but one
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "2001::/23",  # protocols; Teredo, which stands for an IPv4 address, among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which stands for an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
"""Of IPv6 all outside of 2000::/3 is closed anyway: loopback, IPv4-mapped, NAT64, local addresses, multicast."""


def may_be_asked(text: str, *, loopback: bool = False) -> bool:
    """Tell whether a text is an address of the public internet. `loopback`, of tests alone: or of this machine."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if loopback and address.is_loopback:
        return True
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _PUBLIC_V6):
        return False
    if any(address.version == network.version and address in network for network in _CLOSED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
