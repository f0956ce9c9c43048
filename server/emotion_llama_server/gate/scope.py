"""What the middlewares know about a request, and how they refuse one."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from emotion_llama_server.errors import describe, failure_response
from emotion_llama_vllm import metrics

_KEY = "emotion_llama.caller"

OPEN_PATHS = frozenset({"/", "/health", "/livez", "/readyz"})
"""What answers without a key."""


@dataclass
class Caller:
    """Who asks: filled in by the middlewares on the way in, told in the log on the way out."""

    request_id: str
    address: str
    """Of the client, or what a trusted proxy says it is."""
    key: str | None = None
    """The name of its key."""


def set_caller(scope: Scope, caller: Caller) -> None:
    scope[_KEY] = caller


def caller_of(scope: Scope) -> Caller:
    return scope[_KEY]


def is_work(scope: Scope) -> bool:
    """Whether a request asks for work, and not only to look at something."""
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


async def refuse(
    scope: Scope, receive: Receive, send: Send, *, error: HTTPException, reason: str
) -> None:
    """Answer in place of the app, and count it."""
    metrics.refusals.labels(reason).inc()
    await failure_response(scope, describe(error))(scope, receive, send)
