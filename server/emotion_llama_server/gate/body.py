"""Limits bodies: uncompressed ones, with a limit on the declared and the received size."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.caller import refuse
from emotion_llama_server.shortening import printable

_PLAIN = ("", "identity")


class BodyLimit:
    """Refuses a body that is too large with 413, and a compressed one with 415.

    Clips are already compressed, and a small body that grows when unpacked is an attack.

    Args:
        app: the inner app.
        max_bytes: the limit of most routes.
        others: the limits of the other paths.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, others: Mapping[str, int] | None = None
    ) -> None:
        self._app, self._max_bytes, self._others = app, max_bytes, others or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _PLAIN:
            await refuse(scope, receive, send, error=_compressed(encoding), reason="encoding")
            return
        most = self._others.get(path_of(scope), self._max_bytes)
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > most:
            await refuse(scope, receive, send, error=_too_large(most), reason="size")
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise _too_large(most)
            return message

        await self._app(scope, limited, send)


def _too_large(most: int) -> HTTPException:
    return HTTPException(
        413,
        f"The request is over {most / 2**20:.4g} MiB, the most that this server takes "
        "(--max-upload-mb).",
    )


def _compressed(encoding: str) -> HTTPException:
    came = f"Content-Encoding: {printable(encoding)}"
    words = f"The body is compressed ({came}), which is not supported: send it uncompressed."
    return HTTPException(415, words, {"Accept-Encoding": "identity"})
