"""Which addresses requests may go to, by a table of our own.

The standard library's `is_global` is not enough: it takes addresses that embed another one (NAT64,
6to4) for public ones. Whatever the table does not know to be public is refused.
"""

from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final


class Reach(Enum):
    """What an address is to us. INTERNAL ones are used when the operator allows it."""

    PUBLIC = "public"
    INTERNAL = "internal"
    NOWHERE = "nowhere"


_V4: Final = tuple(
    (ip_network(network), reach)
    for network, reach in (
        ("0.0.0.0/8", Reach.NOWHERE),  # this network; connects to this machine on some systems
        ("10.0.0.0/8", Reach.INTERNAL),
        ("100.64.0.0/10", Reach.INTERNAL),  # shared by customers of a provider
        ("127.0.0.0/8", Reach.INTERNAL),  # this machine
        ("169.254.0.0/16", Reach.INTERNAL),  # the link; metadata services of clouds
        ("172.16.0.0/12", Reach.INTERNAL),
        ("192.0.0.0/24", Reach.INTERNAL),  # protocol assignments
        ("192.0.2.0/24", Reach.INTERNAL),  # documentation
        ("192.88.99.0/24", Reach.NOWHERE),  # relays of 6to4
        ("192.168.0.0/16", Reach.INTERNAL),
        ("198.18.0.0/15", Reach.INTERNAL),  # benchmarks
        ("198.51.100.0/24", Reach.INTERNAL),  # documentation
        ("203.0.113.0/24", Reach.INTERNAL),  # documentation
        ("224.0.0.0/4", Reach.NOWHERE),  # multicast
        ("240.0.0.0/4", Reach.NOWHERE),  # reserved; broadcast
        ("0.0.0.0/0", Reach.PUBLIC),
    )
)
_V6: Final = tuple(
    (ip_network(network), reach)
    for network, reach in (
        ("::1/128", Reach.INTERNAL),
        ("64:ff9b:1::/48", Reach.INTERNAL),  # NAT64 of a site
        ("fc00::/7", Reach.INTERNAL),  # unique local
        ("fe80::/10", Reach.INTERNAL),  # the link
        ("fec0::/10", Reach.INTERNAL),  # the site, as it was once
        ("2001::/23", Reach.NOWHERE),  # protocol assignments; Teredo embeds an address
        ("2001:db8::/32", Reach.INTERNAL),  # documentation
        ("2002::/16", Reach.NOWHERE),  # 6to4 embeds an address
        ("3fff::/20", Reach.INTERNAL),  # documentation
        ("2000::/3", Reach.PUBLIC),  # all that was ever given out
        ("::/0", Reach.NOWHERE),  # unspecified, IPv4-compatible, discard, multicast, unknown
    )
)
_EMBEDDING: Final = (
    ip_network("::ffff:0:0/96"),  # IPv4-mapped
    ip_network("64:ff9b::/96"),  # NAT64: the ordinary way to IPv4 from a network without it
)


def reach_of(address: IPv4Address | IPv6Address) -> Reach:
    """Where an address leads; one that stands for an IPv4 address, where that one leads."""
    if isinstance(address, IPv4Address):
        return next(reach for network, reach in _V4 if address in network)
    plain = IPv6Address(int(address))  # without the name of an interface
    if any(plain in network for network in _EMBEDDING):
        return reach_of(IPv4Address(int(plain) & 0xFFFFFFFF))
    return next(reach for network, reach in _V6 if plain in network)
