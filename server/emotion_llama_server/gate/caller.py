"""What the middlewares know about a request, and how they refuse one."""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from emotion_llama_server.errors import describe, failure_response
from emotion_llama_server.routes import pages
from emotion_llama_vllm import metrics

_KEY = "emotion_llama.caller"

ABORT = "emotion_llama.abort"
"""ASGI extension of our connections: its `abort` closes without waiting for the client to read."""

OPEN_PATHS = pages.PATHS | {"/health", "/livez", "/readyz"}
"""What answers without a key."""


@dataclass
class Caller:
    """The client of one request: the layers fill it in, the log and the limits read it."""

    request_id: str
    address: str
    """The client's address, as far as trusted proxies tell it."""
    key: str | None = None
    """The name of the client's API key."""


def set_caller(scope: Scope, caller: Caller) -> None:
    """Note who asks, for `caller_of`."""
    scope[_KEY] = caller


def caller_of(scope: Scope) -> Caller:
    """Return who asks; without the gate, nobody in particular."""
    return scope.get(_KEY) or Caller(request_id="", address="")


def owner_of(caller: Caller) -> str:
    """Return whose limits and shares a request counts against: its key's, or its address's.

    A household or a machine has a whole IPv6 /64, so all of it counts as one.
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


def is_work(scope: Scope) -> bool:
    """Whether a request asks for work, and not only to look at something."""
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


async def refuse(
    scope: Scope, receive: Receive, send: Send, *, error: HTTPException, reason: str
) -> None:
    """Answer in place of the app, and count it."""
    metrics.refusals.labels(reason).inc()
    await failure_response(scope, describe(error))(scope, receive, send)
