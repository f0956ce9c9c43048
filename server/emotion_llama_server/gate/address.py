"""Finds the address of a client, also through the proxies that the operator trusts."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

_PORT = r"(?::\d{1,5})?"
_HOP = re.compile(rf"\[(?P<v6>[^\]]+)\]{_PORT}|(?P<v4>[\d.]+){_PORT}|(?P<bare>.+)")
"""Matches one hop: `[IPv6]` and IPv4 may have a port, IPv6 without brackets may not."""


def client_address(scope: Scope, headers: Headers, trusted: Networks) -> str:
    """Return the client's address, or the text that the server gives in its place.

    A hop of `X-Forwarded-For` counts if a trusted proxy wrote it. The search ends at the first hop
    that is no address: then the proxy that wrote it stands for the client.
    """
    peer = (scope.get("client") or ("",))[0]
    address = parse_address(peer)
    if address is None:
        return peer
    hops = [hop for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
    while hops and _is_in(address, trusted):
        hop = parse_address(hops.pop().strip())
        if hop is None:
            break
        address = hop
    return str(address)


def parse_address(text: str) -> Address | None:
    """Read an address with or without a port; return None for any other text.

    The name of an interface (`fe80::1%eth0`) is dropped, because it may be any text. The address of
    an IPv4 client on a listener for both families (`::ffff:10.0.0.1`) becomes the IPv4 address.
    """
    form = _HOP.fullmatch(text)
    if form is None:
        return None
    bare = form["v6"] or form["v4"] or form["bare"]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if form["v6"] and address.version == 4:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address, networks: Networks) -> bool:
    """Return whether a network contains the address; IPv4 addresses may also be written as IPv6."""
    forms = {address}
    if address.version == 4:
        forms.add(IPv6Address(f"::ffff:{address}"))
    return any(form in network for form in forms for network in networks)
