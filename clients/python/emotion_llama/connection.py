"""Builds the connection of a client: the server's address, the proxy and the key."""

import ipaddress
import re
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx2

from emotion_llama.errors import InvalidSettings
from emotion_llama.keys import AsyncKey, Key, key_arguments

DEFAULT_URL = "http://localhost:7889"

_ENDPOINT = re.compile(r"/v1(/emotion|/chat/completions|/models)?$", re.IGNORECASE)
"""Matches the end of an address that was copied from another client's settings or an example."""


@dataclass(frozen=True)
class Connection:
    """Represents the connection to one server.

    Args:
        url: the server's base address, without `/v1`.
        proxy: the proxy for the requests; None for a direct connection.
    """

    url: httpx2.URL
    proxy: httpx2.Proxy | None

    @classmethod
    def to(cls, address: str) -> "Connection":
        """Return the connection to an address, with the proxy that the environment names for it.

        Raises:
            InvalidSettings: the address or the proxy cannot be used.
        """
        url = base_url(address)
        return cls(url, _proxy_for(url))

    def __str__(self) -> str:
        server = str(self.url.copy_with(userinfo=b""))  # messages must not contain the password
        return server if self.proxy is None else f"{server}, through the proxy {self.proxy.url},"

    def client_arguments(
        self, api_key: Key | AsyncKey | None, timeout: float, transport: Any = None
    ) -> dict[str, Any]:
        """Return the keyword arguments of an httpx2 client.

        Args:
            api_key: the key, as for `key_arguments`.
            timeout: the seconds after which a silent server counts as failed.
            transport: replaces the network in tests.

        Raises:
            InvalidSettings: the key cannot be sent.
        """
        way = {"proxy": self.proxy} if transport is None else {"transport": transport}
        return {
            "base_url": self.url,
            "timeout": httpx2.Timeout(timeout, connect=10),
            # httpx2 would create a proxy from every variable, even from one for other servers.
            "trust_env": False,
            "verify": self._certificates(),
            **way,
            **key_arguments(api_key),
        }

    def _certificates(self) -> ssl.SSLContext:
        """Return the certificates to trust: none for plain HTTP, as reading them takes 40 ms."""
        if self.url.scheme == "https":
            return httpx2.create_ssl_context()
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def base_url(address: str) -> httpx2.URL:
    """Return a server's base address; `host:port` and an address that ends in `/v1` work too.

    Raises:
        InvalidSettings: the text is no http(s) address.
    """
    text = str(address).strip()
    try:
        url = httpx2.URL(text if "://" in text else f"http://{text}")
    except httpx2.InvalidURL as error:
        raise InvalidSettings(f"{text!r} is no server's address: {error}.") from error
    if url.scheme not in ("http", "https") or not _has_place(url):
        raise InvalidSettings(f"{text!r} is no server's address; one reads {DEFAULT_URL}.")
    path = _ENDPOINT.sub("", url.path.rstrip("/")).rstrip("/")
    base = url.copy_with(path=path or "/", query=None, fragment=None)
    return httpx2.URL(str(base).rstrip("/"))


def _has_place(url: httpx2.URL) -> bool:
    """Return whether a URL has a valid host and a valid port."""
    is_host = bool(url.host) and not set(url.host) & set("[]{}<>%|")
    return is_host and (url.port is None or 0 < url.port < 2**16)


def _proxy_for(url: httpx2.URL) -> httpx2.Proxy | None:
    """Return the proxy that the environment names for an address; loopback never has one."""
    if _is_loopback(url.host) or _is_excepted(url):
        return None
    named = {name: value.strip() for name, value in getproxies().items()}
    name = next((name for name in (url.scheme, "all") if named.get(name)), None)
    if name is None:
        return None
    address = named[name] if "://" in named[name] else f"http://{named[name]}"
    address = re.sub("^socks://", "socks5://", address, flags=re.IGNORECASE)  # GNOME's spelling
    advice = f"correct the variable {name}_proxy, or put {url.host} into no_proxy"
    try:
        proxy = httpx2.Proxy(address)
    except (httpx2.InvalidURL, ValueError):
        raise InvalidSettings(f"The environment names a proxy that is none: {advice}.") from None
    if not _has_place(proxy.url):
        raise InvalidSettings(f"The environment names a proxy without a usable host: {advice}.")
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise InvalidSettings(
            f"The environment names a SOCKS proxy for {url.host}, which needs a package: "
            f"run `pip install socksio`, or {advice}."
        )
    return proxy


def _is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


def _is_excepted(url: httpx2.URL) -> bool:
    """Return whether `no_proxy` contains a host by its name, domain or network."""
    if proxy_bypass(url.host) or (url.port and proxy_bypass(f"{url.host}:{url.port}")):
        return True
    try:
        address = ipaddress.ip_address(url.host)
    except ValueError:
        return False
    return any(address in network for network in _networks(getproxies().get("no", "")))


def _networks(no_proxy: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for entry in no_proxy.split(","):
        try:
            found.append(ipaddress.ip_network(entry.strip().strip("[]"), strict=False))
        except ValueError:
            continue  # a name, which is compared as text
    return found
