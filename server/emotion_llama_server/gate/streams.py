"""Keeps event streams alive through proxies: headers against buffering, and comments."""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama.schema import EVENT_STREAM
from emotion_llama_server import paths
from emotion_llama_server.errors import path_of

_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""The headers of streams; the second makes nginx and similar proxies pass each event at once."""

_COMMENTED = frozenset({paths.CHAT, paths.EMOTION})
"""The routes whose clients skip comments, as the format demands; Gradio's clients would fail."""

_COMMENT = b": keep-alive\n\n"
_SECONDS = 15
"""Seconds between two checks of a stream, which is silent for less than twice as long."""


class Streams:
    """Adds headers to every event stream, and comments to silent ones."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _Response(send, takes_comments=path_of(scope) in _COMMENTED)
        try:
            await self._app(scope, receive, response)
        finally:
            await response.end()


class _Response:
    """Sends one response. Each of its messages holds whole events, so comments fit between."""

    def __init__(self, send: Send, *, takes_comments: bool) -> None:
        self._send, self._takes_comments = send, takes_comments
        self._commenting: asyncio.Task[None] | None = None
        self._is_silent = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(MutableHeaders(raw=message["headers"]))
        elif not message.get("more_body"):
            await self.end()
        self._is_silent = False
        await self._send(message)

    async def end(self) -> None:
        """Stop sending comments; raise the error of one that could not be sent."""
        if self._commenting is not None:
            self._commenting.cancel()
            (error,) = await asyncio.gather(self._commenting, return_exceptions=True)
            if isinstance(error, Exception):
                raise error

    def _begin(self, headers: MutableHeaders) -> None:
        if headers.get("content-type", "").startswith(EVENT_STREAM):
            headers.update(_HEADERS)
            if self._takes_comments:
                self._commenting = asyncio.create_task(self._comment())

    async def _comment(self) -> None:
        while True:
            self._is_silent = True
            await asyncio.sleep(_SECONDS)
            if self._is_silent:
                await self._send(
                    {"type": "http.response.body", "body": _COMMENT, "more_body": True}
                )
