"""Answers one message of an agent over HTTP, without a session and without a stream."""

import asyncio
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from emotion_llama.agents.server import make_server
from emotion_llama.agents.tools import Backend


@dataclass(frozen=True)
class Reply:
    """Holds the SDK's response to one message."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


async def exchange(backend: Backend, scope: MutableMapping[str, Any], body: bytes) -> Reply:
    """Return the response to a message; a caller that is cancelled ends the tool's work.

    Args:
        backend: answers the tools.
        scope: the ASGI scope of a POST request.
        body: the request's body, which need not have the declared length.
    """
    manager = StreamableHTTPSessionManager(
        make_server(backend),
        json_response=True,
        stateless=True,
        max_request_body_size=max(1, len(body)),
    )
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    messages = _Messages(body)
    async with manager.run():
        await manager.handle_request({**scope, "headers": headers}, messages.receive, messages.send)
    start, *rest = messages.sent
    content = b"".join(part.get("body", b"") for part in rest)
    return Reply(start["status"], start["headers"], content)


@dataclass
class _Messages:
    """Gives the SDK a body that was read before, and collects what it sends."""

    body: bytes | None
    sent: list[Any] = field(default_factory=list)

    async def receive(self) -> dict[str, Any]:
        """Return the body, and then nothing: the caller watches whether the client leaves."""
        if self.body is None:
            await asyncio.Event().wait()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
