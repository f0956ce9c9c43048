"""Limits bodies: uncompressed ones, with a limit on the declared and the received size."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.gate.caller import refuse
from emotion_llama_server.shortening import printable

_PLAIN = ("", "identity")


class BodyLimit:
    """Refuses a body that is too large with 413, and a compressed one with 415.

    Clips are already compressed, and a small body that grows when unpacked is an attack.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _PLAIN:
            await refuse(scope, receive, send, error=_compressed(encoding), reason="encoding")
            return
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self._max_bytes:
            await refuse(scope, receive, send, error=self._too_large(), reason="size")
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, limited, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413,
            f"The request is over {self._max_bytes / 2**20:.4g} MiB, the most that this server "
            "takes (--max-upload-mb).",
        )


def _compressed(encoding: str) -> HTTPException:
    came = f"Content-Encoding: {printable(encoding)}"
    words = f"The body is compressed ({came}), which is not supported: send it uncompressed."
    return HTTPException(415, words, {"Accept-Encoding": "identity"})
