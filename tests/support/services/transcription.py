"""Runs a transcription service in OpenAI's form, which checks what it gets and may misbehave."""

import asyncio
import io
import json
import threading
import wave
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import numpy as np
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

KEY = "sk-secret"
Answer = Callable[["Asked"], httpx2.Response | Awaitable[httpx2.Response]]


@dataclass(frozen=True)
class Asked:
    """Holds a request to the service, whose form was checked."""

    path: str
    headers: httpx2.Headers
    fields: dict[str, str]
    samples: np.ndarray


def said(text: str = "Hello there!", *segments: tuple[float, float, str]) -> httpx2.Response:
    """Return a reply of OpenAI's form, with times if there are segments."""
    if not segments:
        return httpx2.Response(200, json={"text": text})
    told = [
        {"id": n, "seek": 0, "start": start, "end": end, "text": f" {words}", "tokens": [1]}
        for n, (start, end, words) in enumerate(segments)
    ]
    return httpx2.Response(200, json={"text": text, "language": "en", "segments": told})


@dataclass
class FakeService(httpx2.AsyncBaseTransport):
    """Answers in place of the network, and keeps what it was asked."""

    answer: Answer = lambda _: said()
    asked: list[Asked] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(await _read(request))
        answer = self.answer(self.asked[-1])
        made = answer if isinstance(answer, httpx2.Response) else await answer
        # A response that was made with its body counts as read, and cannot be streamed.
        body = httpx2.ByteStream(made.content)
        return httpx2.Response(made.status_code, headers=made.headers, stream=body)


async def _read(request: httpx2.Request) -> Asked:
    """Read a request as a service does, and check that it is one of OpenAI's form."""
    assert request.method == "POST"
    kind, options = parse_options_header(request.headers["content-type"])
    assert kind == b"multipart/form-data"
    assert options[b"boundary"]
    body = await request.aread()

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    form = await MultiPartParser(Headers(dict(request.headers)), stream()).parse()
    try:
        file: Any = form["file"]
        assert (file.filename, file.content_type) == ("clip.wav", "audio/wav")
        samples = _samples(await file.read())
        fields = {name: str(value) for name, value in form.items() if name != "file"}
    finally:
        await form.close()
    assert set(fields) == {"model", "response_format"}
    return Asked(request.url.path, request.headers, fields, samples)


def _samples(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / np.float32(32767)


class _Handler(BaseHTTPRequestHandler):
    """Answers each sound with the same words; half of them are said in the first second."""

    def do_POST(self) -> None:
        assert self.path == "/v1/audio/translations"
        self.rfile.read(int(self.headers["Content-Length"]))
        body = said("Oh no! Really?", (0, 1, "Oh no!"), (1, 2, "Really?")).content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def running_service() -> Iterator[str]:
    """Run a service for other processes inside the block, at the yielded base address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


class RawService:
    """Listens on a port of this machine, and answers each request with bytes as they are.

    Args:
        answer: what is sent after each request; None sends nothing and keeps the connection open.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.requests = 0
        self._over = asyncio.Event()

    async def __aenter__(self) -> "RawService":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.split("content-length:")[1].split("\r\n")[0])
            await reader.readexactly(size)
            self.requests += 1
            if self.answer is None:
                await self._over.wait()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()


def reply(body: bytes | dict[str, Any], *headers: str, length: int | None = None) -> bytes:
    """Return a response as bytes; its length may be a lie."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = len(data) if length is None else length
    head = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {told}", "Connection: close"]
    return "\r\n".join([*head, "", ""]).encode() + data
