"""Refuses requests of web pages from the internet where no key is needed.

A page that someone happens to open can post to a server on the same machine, and a page whose name
was rebound to the server's address (DNS rebinding) can even read the response. Browsers name the
page's origin with each POST; programs name none.
"""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion_llama_server.gate.caller import refuse
from emotion_llama_server.shortening import printable

_NEAR = (".localhost", ".local", ".internal")
"""The ends of names that no public name server resolves."""


class Origins:
    """Admits pages from this machine, from its network, and of the named origins.

    Args:
        app: the inner layers.
        is_named: tells whether the operator names an origin.
    """

    def __init__(self, app: ASGIApp, is_named: Callable[[str], bool]) -> None:
        self._app, self._is_named = app, is_named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or self._is_named(origin) or _is_near(origin):
            await self._app(scope, receive, send)
            return
        error = HTTPException(
            403,
            f"Pages of {printable(origin)} may not use this server without a key; the operator can "
            "name their origin with --allowed-origins, or set keys.",
        )
        await refuse(scope, receive, send, error=error, reason="origin")


def _is_near(origin: str) -> bool:
    """Return whether an origin is an address, or a name without a meaning on the internet."""
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return False
    if not host:
        return False
    return "." not in host or host.endswith(_NEAR) or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
