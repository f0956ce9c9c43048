"""Answers every error in the layers inside, and headers that are too large.

This layer stands inside the one for CORS, so that a page can read these answers too.
"""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.errors import describe, failure_response
from emotion_llama_server.gate.caller import refuse

_MAX_HEADER_BYTES = 8 << 10
_MAX_HEADERS_BYTES = 32 << 10


class Failures:
    """Answers in place of an app that raises before it has begun its response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _is_too_large(scope["headers"]):
            error = HTTPException(431, "The request's header is too large.")
            await refuse(scope, receive, send, error=error, reason="header")
            return
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            failure = describe(error)
            if not has_begun:
                await failure_response(scope, failure)(scope, receive, send)


def _is_too_large(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    sizes = [len(name) + len(value) for name, value in headers]
    return max(sizes, default=0) > _MAX_HEADER_BYTES or sum(sizes) > _MAX_HEADERS_BYTES
