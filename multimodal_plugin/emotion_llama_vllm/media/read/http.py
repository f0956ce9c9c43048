"""Fetches a clip over http(s) from allowed hosts at public addresses only.

The client is httpcore2, which keeps no cookies, follows no redirect, decodes no body and reads no
proxy from the environment.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import cache, partial
from ipaddress import ip_address
from typing import BinaryIO, cast
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from emotion_llama_vllm.media.errors import MediaError, clip_too_large, shortage
from emotion_llama_vllm.media.read.hosts import (
    Target,
    is_public,
    is_vouched,
    parse_entries,
    parse_url,
)
from emotion_llama_vllm.media.read.threads import names

_LookUp = Callable[[str, int], Awaitable[Sequence[str]]]

_MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_CODINGS = {b"", b"identity", b"aws-chunked"}
"""The content codings that change nothing; S3 keeps the last one from uploads of plain bytes."""
_FAILURES = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.TimeoutException,
    socket.gaierror,
    ssl.SSLError,
)


async def _look_up(host: str, port: int) -> Sequence[str]:
    """Return a host's addresses, from a thread that a slow name server may block."""
    found = await names.run(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class Fetcher:
    """Fetches clips from allowed hosts at public addresses.

    Args:
        domains: `host` (its ports 80 and 443) or `host:port`; IPv6 in brackets. An invalid entry
            allows nothing.
        private_hosts: `host` or `host:port` out of `domains` that may have a private address. A
            link-local address, where clouds keep credentials, must be given as itself.
        max_bytes: the maximum size of the body.
        seconds: the deadline for the whole fetch, with redirects and body.
        trust_env: use the proxy of the environment. The proxy then looks up hosts and connects, so
            no address is checked; domains and redirects still are.
        resolve: a function that returns the addresses of a host.
    """

    domains: Sequence[str]
    private_hosts: Sequence[str]
    max_bytes: int
    seconds: float
    trust_env: bool = False
    resolve: _LookUp = _look_up

    async def fetch(self, url: str, into: BinaryIO) -> None:
        """Write the body of `url` to `into` as it arrives; after an error it may hold a part of it.

        Raises:
            MediaError: `url` is not allowed or cannot be fetched (400), or is too large (413).
        """
        try:
            async with asyncio.timeout(self.seconds):
                for _ in range(_MAX_REDIRECTS + 1):
                    location = await self._get(self._allowed(url), into)
                    if location is None:
                        return
                    url = location
        except TimeoutError as error:
            raise MediaError(f"Fetching the clip took over {self.seconds:g} s.") from error
        except _FAILURES as error:
            failed = MediaError("The clip's URL could not be fetched; check host and path.")
            raise shortage(error) or failed from error
        raise MediaError(f"The clip's URL redirects over {_MAX_REDIRECTS} times.")

    def _allowed(self, url: str) -> Target:
        target = parse_url(url)
        allowed = parse_entries(self.domains)
        host, port = target.host, target.port
        if (host, port) in allowed or ((host, None) in allowed and port in (80, 443)):
            return target
        raise MediaError(
            f"This server does not fetch from {host!r}; "
            "its operator can allow a domain with --allowed-media-domains."
        )

    async def _get(self, target: Target, into: BinaryIO) -> str | None:
        """Write the body, or return the URL of a redirect."""
        proxy = _environment_proxy(target) if self.trust_env else None
        dialler = _Dialler(self._checked_addresses if proxy is None else self.resolve, self.seconds)
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=_trusted(), proxy=proxy, network_backend=dialler
        )
        async with aclosing(dialler), pool, _request(pool, target) as response:
            headers = {name.lower(): value for name, value in response.headers}
            if response.status in _REDIRECTS and b"location" in headers:
                return target.join(headers[b"location"])
            if response.status != 200:
                raise MediaError(f"The clip's URL answered with status {response.status}.")
            if not _is_plain(response.headers):
                raise MediaError("The clip's URL must send the clip without a content encoding.")
            self._check_size(int(headers.get(b"content-length", 0)))
            await self._write(response, into)
        return None

    async def _write(self, response: httpcore2.Response, into: BinaryIO) -> None:
        size = 0
        try:
            async with aclosing(response.aiter_stream()) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    self._check_size(size)
                    into.write(piece)
                    await asyncio.sleep(0)  # otherwise chunks of a byte would keep others waiting
        except _FAILURES as error:
            cut_off = MediaError("The clip's URL was cut off before its end; try again.")
            raise shortage(error) or cut_off from error
        if not size:
            raise MediaError("The clip is empty: its URL has no bytes.")

    def _check_size(self, size: int) -> None:
        if size > self.max_bytes:
            raise clip_too_large(self.max_bytes)

    async def _checked_addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of `host` if all of them are allowed.

        Raises:
            MediaError: an address is not allowed.
        """
        addresses = [ip_address(address) for address in await self.resolve(host, port)]
        private_hosts = parse_entries(self.private_hosts)
        if private_hosts.isdisjoint({(host, port), (host, None)}):
            if not all(map(is_public, addresses)):
                raise MediaError(
                    f"{host!r} has an address that is not public; "
                    "the server's operator can allow it with --allow-private-media-host."
                )
        elif not all(is_vouched(address, host) for address in addresses):
            raise MediaError(f"{host!r} has an address that this server never fetches from.")
        return [str(address) for address in addresses]


def _is_plain(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a body is not encoded, whatever object stores write about its upload."""
    codings = b",".join(v for name, v in headers if name.lower() == b"content-encoding")
    return {coding.strip().lower() for coding in codings.split(b",")} <= _NO_CODINGS


class _Dialler(httpcore2.AsyncNetworkBackend):
    """Looks a host up once, connects to its addresses in order, and closes its connections."""

    def __init__(self, look_up: _LookUp, seconds: float) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._opened: list[httpcore2.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the interface's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        backend = cast(httpcore2.AsyncNetworkBackend, httpcore2.AnyIOBackend())
        addresses = await self._look_up(host, port)
        failed: Exception = httpcore2.ConnectError()
        for address in addresses:
            # Each address gets a share of the time, so that a silent one leaves time for the
            # others.
            share = self._seconds / len(addresses)
            try:
                stream = await backend.connect_tcp(address, port, timeout=share)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
                continue
            self._opened.append(stream)
            return stream
        raise failed

    async def aclose(self) -> None:
        """Close the connections; httpcore2 leaves them open after a cancelled TLS handshake."""
        for stream in self._opened:
            await stream.aclose()


def _request(
    pool: httpcore2.AsyncConnectionPool, target: Target
) -> AbstractAsyncContextManager[httpcore2.Response]:
    return pool.stream(
        "GET",
        httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
        headers=[
            ("Host", target.authority),
            ("User-Agent", "emotion-llama-server"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ],
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Load the system's certificates, or those of SSL_CERT_FILE, once, because it takes a while."""
    return httpcore2.default_ssl_context()


def _environment_proxy(target: Target) -> httpcore2.Proxy | None:
    named = getproxies()
    url = named.get(target.scheme) or named.get("all")
    if not url or proxy_bypass(f"{target.host}:{target.port}"):
        return None
    proxy = httpx2.Proxy(url if "://" in url else f"http://{url}")
    return httpcore2.Proxy(
        httpcore2.URL(
            scheme=proxy.url.raw_scheme,
            host=proxy.url.raw_host,
            port=proxy.url.port,
            target=proxy.url.raw_path,
        ),
        auth=proxy.raw_auth,
    )
