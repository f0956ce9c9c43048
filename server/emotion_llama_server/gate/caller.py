"""Holds the middlewares' facts about a request, and refuses requests."""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from emotion_llama_server.errors import describe, failure_response
from emotion_llama_vllm import metrics
from emotion_llama_vllm.metrics import Reason

_KEY = "emotion_llama.caller"
_LINE = "emotion_llama.line"

ABORT = "emotion_llama.abort"
"""The ASGI extension of our connections; its `abort` closes without waiting for the client."""


TOKEN_PREFIX = "oidc:"  # noqa: S105
"""The beginning of the names of access tokens, which no API key's name has."""


@dataclass
class Caller:
    """Describes the client of a request; the layers fill it in, log and limits read it."""

    request_id: str
    address: str
    """The client's address, as trusted proxies report it."""
    key: str | None = None
    """The name of the client's API key, or `oidc:` and the name in its access token."""


def set_caller(scope: Scope, caller: Caller) -> None:
    """Store the client of a request for `caller_of`."""
    scope[_KEY] = caller


def caller_of(scope: Scope) -> Caller:
    """Return the client of a request; without the gate, an anonymous one."""
    return scope.get(_KEY) or Caller(request_id="", address="")


def key_name(scope: Scope) -> str:
    """Return the name of a request's key, the owner of files; empty on a server without keys."""
    return caller_of(scope).key or ""


def owner_of(caller: Caller) -> str:
    """Return the owner of the limits and shares for a request: its key or its address.

    An IPv6 /64 counts as one address, because a household or a machine has a whole one.
    """
    if caller.key is not None:
        return f"key:{caller.key}"
    try:
        address = ip_address(caller.address)
    except ValueError:
        return f"address:{caller.address}"
    if isinstance(address, IPv6Address):
        return f"address:{IPv6Network((address, 64), strict=False)}"
    return f"address:{address}"


def mark_line(scope: Scope, key: str) -> None:
    """Mark a request as a line of a batch, which this server makes itself.

    Args:
        scope: the request's scope; no client can set this in it.
        key: the name of the key that sent the batch; empty on a server without keys.
    """
    scope[_LINE] = key


def line_key(scope: Scope) -> str | None:
    """Return the name of the key whose batch this request is a line of; None for other requests."""
    return scope.get(_LINE)


def is_work(scope: Scope) -> bool:
    """Return whether a request asks for work, and not only for information."""
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


async def refuse(
    scope: Scope, receive: Receive, send: Send, *, error: HTTPException, reason: Reason
) -> None:
    """Answer with an error in place of the app, and count it."""
    metrics.refuse(reason)
    await failure_response(scope, describe(error))(scope, receive, send)
