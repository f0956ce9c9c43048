"""The address of a client, however its proxies write it."""

from collections.abc import Iterable
from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers

from emotion_llama_server.gate.address import client_address
from emotion_llama_server.gate.caller import Caller, owner_of

PROXIES = ("10.0.0.0/8", "2001:db8:f::/48")


def address_of(
    forwarded: str | list[str], peer: str = "10.0.0.1", trusted: Iterable[str] = PROXIES
) -> str:
    """Return the address of a request that has come through these hops."""
    lines = [forwarded] if isinstance(forwarded, str) else forwarded
    headers = Headers(raw=[(b"x-forwarded-for", line.encode("latin-1")) for line in lines])
    networks = [ip_network(network) for network in trusted]
    return client_address({"client": (peer, 1234)}, headers, networks)


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("  203.0.113.7:1  ", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("fe80::1%a\tb" + "x" * 5000, "fe80::1"),
    ],
)
def test_a_hop_in_any_form_is_its_address(hop: str, address: str) -> None:
    assert address_of(hop) == address
    assert address_of(f"6.6.6.6, {hop}, 10.9.9.9:80") == address
    assert address_of(["6.6.6.6", hop]) == address


@pytest.mark.parametrize(
    "hop",
    [
        *("", "unknown", "_hidden", "example.com", "é", "%eth0", '"203.0.113.7"', '"[::1]:80"'),
        *("203.0.113.7:", "203.0.113.7:port", "203.0.113.7:123456", "203.0.113.7 80"),
        *("203.0.113", "0x7f.1", "1" * 5000, "[203.0.113.7]", "::1:x", "::1]"),
        *("[::1", "[::1]x", "[]", "[]:80"),
    ],
)
def test_what_is_no_address_leaves_the_proxy_that_wrote_it(hop: str) -> None:
    assert address_of(f"203.0.113.7, {hop}") == "10.0.0.1"
    assert address_of(f"203.0.113.7, {hop}, 10.2.2.2") == "10.2.2.2"


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.0.0.1", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.0/104"),
        ("10.0.0.1", "::ffff:10.0.0.0/104"),
        ("::ffff:10.0.0.1", "::/0"),
        ("fe80::1%eth0", "fe80::/10"),
        ("2001:db8::1", "2001:db8::/32"),
    ],
)
def test_a_trusted_network_has_its_proxies_in_every_form(peer: str, trusted: str) -> None:
    assert address_of("203.0.113.7", peer, (trusted,)) == "203.0.113.7"


@pytest.mark.parametrize("peer", ["::ffff:11.0.0.1", "11.0.0.1", "2001:db8::1", "fe80::1%10.0.0.1"])
def test_another_peer_is_not_believed(peer: str) -> None:
    assert address_of("203.0.113.7", peer) != "203.0.113.7"


def test_a_peer_without_an_address_is_what_the_server_calls_it() -> None:
    assert address_of("203.0.113.7", "testclient", ("0.0.0.0/0", "::/0")) == "testclient"
    assert client_address({"client": None}, Headers(), [ip_network("::/0")]) == ""


@pytest.mark.costly
def test_thousands_of_hops_are_read_in_one_pass() -> None:
    hops = ",".join(["10.1.1.1"] * 30_000)
    assert address_of(f"203.0.113.7,{hops}") == "203.0.113.7"


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("203.0.113.7", "address:203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::/64"),
        ("testclient", "address:testclient"),
        ("", "address:"),
    ],
)
def test_without_a_key_an_address_or_an_ipv6_network_owns_a_request(
    address: str, owner: str
) -> None:
    assert owner_of(Caller("id", address)) == owner


def test_with_a_key_its_name_owns_a_request() -> None:
    assert owner_of(Caller("id", "203.0.113.7", key="alice")) == "key:alice"
