"""Asks this server's own app about a line of a batch, as a client asks it over the network."""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Scope

from emotion_llama_server.errors import describe, openai_error
from emotion_llama_server.gate.caller import mark_line


@dataclass
class LineCall:
    """Makes one request.

    Args:
        app: the whole app, with its gate.
        path: the route.
        body: the request's body as JSON.
        key: the name of the key that sent the batch; empty on a server without keys.
    """

    app: ASGIApp
    path: str
    body: bytes
    key: str
    request_id: str = field(default_factory=lambda: f"batch_req_{uuid.uuid4().hex}")
    status: int = 0
    """The status of the response; 0 if there is none."""
    _received: bytearray = field(default_factory=bytearray)
    _is_asked: bool = False

    async def make(self) -> Any:
        """Return the value of the response's body; a failure of the app has the status 500."""
        try:
            await self.app(self._scope(), self._receive, self._send)
        except Exception as error:  # the gate answers most failures, and raises them again
            failure = describe(error)
            self.status = failure.status
            return openai_error(failure).model_dump()
        try:
            return from_json(bytes(self._received))
        except ValueError:
            return self._received.decode(errors="replace")

    def _scope(self) -> Scope:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "client": None,
            "server": None,
            "extensions": {},
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(self.body)).encode()),
                (b"x-request-id", self.request_id.encode()),
            ],
        }
        mark_line(scope, self.key)
        return scope

    async def _receive(self) -> Message:
        if self._is_asked:
            await asyncio.Event().wait()  # the server does not hang up on itself
        self._is_asked = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self._received += message.get("body", b"")
