"""Parses URLs, hosts and addresses strictly, and decides which addresses are public.

A URL is parsed once and a request is built from its parts, so that the server connects to the very
host that it checked.
"""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import quote, urljoin

import idna

from emotion_llama_vllm.media.errors import MediaError

_FORM = "The clip's URL must read http(s)://host/path."
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Without ASCII, IGNORECASE would match "httpſ" as https. User info is not matched.
_FLAGS = re.ASCII | re.IGNORECASE
_HOST_AND_PORT = r"(?P<host>\[[0-9a-f:.]+\]|[^\[\]/?#@:]{1,253})(?::(?P<port>\d{1,5}))?"
_ENTRY = re.compile(_HOST_AND_PORT, _FLAGS)
_URL = re.compile(rf"(?P<scheme>https?)://{_HOST_AND_PORT}(?P<target>[/?][^#]*)?(?:#.*)?", _FLAGS)
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
# The last label of an IPv4 address, in every form that resolvers accept.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# All public addresses of IPv6; loopback, unique local and NAT64 addresses are outside it.
_GLOBAL_UNICAST = ip_network("2000::/3")
# `is_global` of some Python versions takes these for public, but they lead elsewhere.
_NOT_PUBLIC = [
    ip_network("168.63.129.16/32"),  # Azure's own services, on each of its machines
    ip_network("192.0.0.0/24"),  # protocol assignments; a metadata service in one cloud
    ip_network("192.88.99.0/24"),  # 6to4 relays
    ip_network("2001::/23"),  # Teredo and other protocols
    ip_network("2002::/16"),  # 6to4, with any embedded address
    ip_network("3fff::/20"),  # documentation
]
# The addresses of these networks end in the IPv4 address that a gateway connects to.
_IPV4_AT_THE_END = [
    ip_network(network) for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
]


@dataclass(frozen=True)
class Target:
    """Represents a parsed URL; `host` is in the one form used to compare, connect and name it."""

    scheme: str
    host: str
    port: int
    path: str
    """The path with the query."""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def join(self, location: bytes) -> str:
        """Return the URL of a Location header.

        Raises:
            MediaError: the header holds no valid URL.
        """
        text = location.decode(errors="surrogateescape")
        if not _is_plain(text):  # urljoin would drop tabs and line ends
            raise MediaError(_FORM)
        try:
            return urljoin(f"{self.scheme}://{self.authority}{self.path}", text)
        except ValueError as error:
            raise MediaError(_FORM) from error


def parse_url(url: str) -> Target:
    """Parse an http(s) URL.

    Raises:
        MediaError: it is no valid URL, or other parsers might read it differently.
    """
    match = _URL.fullmatch(url)
    if match is None or not _is_plain(url):
        raise MediaError(_FORM)
    scheme, path = match["scheme"].lower(), match["target"] or "/"
    try:
        host, port = _parse_host_and_port(match)
    except ValueError as error:
        raise MediaError(_FORM) from error
    path = path if path.startswith("/") else f"/{path}"
    # ASCII is kept as it was written, because signatures cover it.
    return Target(scheme, host, port or _DEFAULT_PORTS[scheme], quote(path, string.punctuation))


def parse_entries(entries: Iterable[str]) -> set[tuple[str, int | None]]:
    """Return hosts with their port, or None for a missing port; invalid entries are left out."""
    parsed: set[tuple[str, int | None]] = set()
    for match in filter(None, map(_ENTRY.fullmatch, entries)):
        try:
            parsed.add(_parse_host_and_port(match))
        except ValueError:
            continue
    return parsed


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is public and leads to no other address."""
    return (
        address.is_global
        and not address.is_multicast
        and (address.version == 4 or address in _GLOBAL_UNICAST)
        and not any(address in network for network in _NOT_PUBLIC)
    )


def is_vouched(address: IPv4Address | IPv6Address, host: str) -> bool:
    """Return whether an address is allowed by an operator who allows `host` to be private.

    It must be an address of one machine, and not a link-local one, where clouds keep credentials,
    unless `host` is that address itself.
    """
    reached = _reached(address)
    if reached.is_multicast or reached.is_unspecified:
        return False
    return not reached.is_link_local or str(address) == host


def _is_plain(text: str) -> bool:
    """Return whether a text has no characters that URL parsers skip, trim or misread."""
    return text.isprintable() and " " not in text and "\\" not in text


def _parse_host_and_port(match: re.Match[str]) -> tuple[str, int | None]:
    """Return the host and the port of a match of `_HOST_AND_PORT`, or raise ValueError."""
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 2**16:
        raise ValueError("no such port")
    return _parse_host(match["host"]), port


def _parse_host(text: str) -> str:
    """Return the address, or the lower-case ASCII name without a last dot, or raise ValueError."""
    if text.startswith("["):
        return str(IPv6Address(text[1:-1]))
    host = text.lower().removesuffix(".")
    if not host.isascii():
        host = idna.encode(host).decode()
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return str(IPv4Address(host))  # refuses forms that only resolvers accept: 127.1, 0x7f.1
    if not _NAME.fullmatch(host):
        raise ValueError("no host name")
    return host


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that the kernel or a gateway extracts from an IPv6 one, if any."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _IPV4_AT_THE_END):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour or address
