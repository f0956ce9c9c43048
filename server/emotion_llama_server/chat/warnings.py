"""Sends warnings about an answer to chat clients, in a header beside vLLM's own body."""

from collections.abc import Sequence

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Warning"
_KEY = "emotion_llama.warnings"


def warn(request: Request, warnings: Sequence[str]) -> None:
    """Store warnings, each `code: sentence` in ASCII, for the answer's headers."""
    request.scope.setdefault(_KEY, []).extend(warnings)


class WarningHeaders:
    """Adds the warnings stored during a request to its response, one header for each."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        noted: list[str] = scope.setdefault(_KEY, []) if scope["type"] == "http" else []

        async def send_with_warnings(message: Message) -> None:
            if message["type"] == "http.response.start" and noted:
                headers = MutableHeaders(scope=message)
                for warning in noted:
                    headers.append(HEADER, warning)
            await send(message)

        await self._app(scope, receive, send_with_warnings)
