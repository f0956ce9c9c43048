"""Adds the missing limits to uvicorn's HTTP/1.1 protocol, which handles one connection.

uvicorn accepts a request's head, trailers and chunk extensions of any length, waits for them
without a limit, and loses the body of a request that offers another protocol by `Upgrade`.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emotion_llama_server.errors import Failure, openai_error
from emotion_llama_server.gate.caller import ABORT
from emotion_llama_server.logger import logger
from emotion_llama_vllm import metrics

MAX_HEAD_BYTES = 64 << 10
MAX_HEADERS = 256
_MAX_PIPELINED = 16


class Connection(HttpToolsProtocol):
    """Limits what a client may send outside of bodies, and the time for it.

    The limits in bytes and headers are those of vLLM's flags `--h11-max-incomplete-event-size` and
    `--h11-max-header-count`, which uvicorn applies only to its slower parser.
    """

    parser: httptools.HttpRequestParser
    """uvicorn's own parser; None after the connection is lost, when nothing more is received."""

    head_seconds: ClassVar[float] = 20
    """Seconds for a head, counted from the connection's start for the first one and from the first
    byte for a later one, and for the rest of a body that was already answered."""

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._max_head_bytes = config.h11_max_incomplete_event_size or MAX_HEAD_BYTES
        self._max_headers: int = getattr(config, "h11_max_header_count", MAX_HEADERS)
        self._deadline: asyncio.TimerHandle | None = None
        self._awaits_head = True
        self._is_refused = False
        self._pieces: list[bytes] = []
        self._idle_bytes = 0
        """The number of bytes since the last head or piece of a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._is_refused:
            return
        self._idle_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooLarge):
                self._refuse_as_too_large()
            else:
                self._refuse(HTTPStatus.BAD_REQUEST, "The request is not valid HTTP/1.1.")
            return
        if self._idle_bytes > self._max_head_bytes:
            self._refuse_as_too_large()
        elif self._deadline is None and self._is_answered():
            self._set_deadline()

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
                self._hand_body_over()
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                self._read_head_without_upgrade()

    def _read_head_without_upgrade(self) -> None:
        """Parse the last head again without its upgrade, because a server may ignore an upgrade.

        Raises:
            HttpParserError: the request is a CONNECT, which has no other meaning.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserError("CONNECT")
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        # The old parser stops after a head with `Connection: close`.
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._awaits_head:
            return  # A trailer would be added to headers that were already checked.
        if len(self.headers) >= self._max_headers:
            raise _TooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # The parser stops here, and `_parse` continues.
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise httptools.HttpParserError("Too many requests wait for their turn.")
        self._clear_deadline()
        self._awaits_head = False
        self._idle_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        # One call for all chunks: uvicorn needs 0.2 s for 40 000 chunks of one byte.
        self._pieces.append(body)

    def _hand_body_over(self) -> None:
        if self._pieces:
            body = b"".join(self._pieces)
            self._pieces.clear()
            self._idle_bytes = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._hand_body_over()
        self._awaits_head = True
        super().on_message_complete()

    def _is_answered(self) -> bool:
        """Return whether every request of this connection has its response."""
        return self.cycle is None or self.cycle.response_complete

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self._on_late)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_late(self) -> None:
        if self._awaits_head and self._idle_bytes:
            words = f"The request's header took over {self.head_seconds:g} s."
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, words)
        else:
            self.transport.abort()

    def _refuse_as_too_large(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(status, "The request's header or trailer is too large.")

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        """Stop reading, and send the error to the client when all earlier requests are answered."""
        self._is_refused = True
        metrics.refuse("header")
        logger.info("Refused a connection of %s: %s", self.client and self.client[0], words)
        if self._awaits_head and not self._is_answered():
            self.cycle.keep_alive = False  # earlier requests are answered first
        elif self._is_answered() or not (self.pipeline or self.cycle.response_started):
            if self.cycle is not None:
                self.cycle.disconnected = True  # or the route's response would follow this one
            self.transport.write(_response(status, words))
            self.transport.close()
        else:
            self.transport.abort()


class _TooLarge(Exception):
    """Reports that a head has too many headers."""


def _response(status: HTTPStatus, words: str) -> bytes:
    """Return the complete response to a request that no route can answer."""
    body = openai_error(Failure(status, status.phrase, words)).model_dump_json().encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
