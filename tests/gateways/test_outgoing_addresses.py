"""Which addresses requests may go to: every special network, in every form an address can have."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.gateways.outgoing_addresses import Reach, reach_of

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.0", "192.167.255.255",
    "100.63.255.255", "100.128.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2a00:1450:4001::1", "2400:cb00::1", "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]  # fmt: skip
INTERNAL = [
    "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.9", "::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "2001:db8::1", "3fff::1", "64:ff9b:1::7f00:1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b::6440:1",
]  # fmt: skip
NOWHERE = [
    "0.0.0.0", "0.1.2.3", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",  # noqa: S104 - nothing is bound
    "255.255.255.255", "::", "::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1",
    "2002:7f00:1::", "2002:808:808::1", "ff02::1", "ff0e::1", "5f00::1", "4000::1", "8000::1",
    "::ffff:0.0.0.0", "::ffff:224.0.0.1", "64:ff9b::ffff:ffff",
]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_public(text: str) -> None:
    assert reach_of(ip_address(text)) is Reach.PUBLIC


@pytest.mark.parametrize("text", INTERNAL)
def test_addresses_inside_are_used_only_when_the_operator_allows_it(text: str) -> None:
    assert reach_of(ip_address(text)) is Reach.INTERNAL


@pytest.mark.parametrize("text", NOWHERE)
def test_addresses_that_lead_nowhere_are_never_used(text: str) -> None:
    assert reach_of(ip_address(text)) is Reach.NOWHERE


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_knows_to_be_special(address) -> None:
    embeds = str(address).startswith(("64:ff9b::", "::ffff:"))
    if not embeds and (not address.is_global or address.is_multicast or address.is_reserved):
        assert reach_of(address) is not Reach.PUBLIC


@given(st.ip_addresses(v=4))
def test_a_mapped_address_leads_where_the_plain_one_leads(address) -> None:
    assert reach_of(ip_address(f"::ffff:{address}")) is reach_of(address)
    assert reach_of(ip_address((0x64FF9B << 96) | int(address))) is reach_of(address)
