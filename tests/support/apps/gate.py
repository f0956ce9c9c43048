"""Provides a small app behind the gate without an engine, and requests message by message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import FastAPI, Request
from prometheus_client import REGISTRY
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message

from emotion_llama_server.engine import until_disconnect
from emotion_llama_server.gate import Doorkeeper, Gate
from emotion_llama_server.gate.caller import ABORT
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from tests.support.apps.services import services


class Served(Protocol):
    """Represents any object with an ASGI app."""

    @property
    def app(self) -> ASGIApp: ...


class House:
    """Runs a small app behind the gate, whose working routes wait for `go_on`."""

    def __init__(self, *, keys: str = "", origins: tuple[str, ...] = (), **settings: Any) -> None:
        self.go_on = asyncio.Event()
        self.working = 0
        self.app = FastAPI()
        self.app.add_api_route("/work", self.work, methods=["POST"])
        self.app.add_api_route("/process_video", self.work, methods=["POST"])
        self.app.add_api_route("/stream", self.stream, methods=["POST"])
        self.app.add_api_route("/later", self.work_later, methods=["POST"])
        self.app.add_api_route("/fail", self.fail, methods=["POST"])
        self.app.add_api_route("/health", self.look, methods=["GET"])
        self.app.add_api_route("/look", self.look, methods=["GET"])
        self.services = services(ServerSettings(**settings), keys=keys, origins=origins)
        self.door: Doorkeeper = self.services.doorkeeper
        install(self.app, self.services)
        self.app.add_middleware(Gate)

    async def work(self, raw_request: Request) -> Response:
        await raw_request.body()
        return await self._work(raw_request=raw_request)

    async def stream(self, raw_request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            self.working += 1
            try:
                yield b"data: 1\n\n"
                await self.go_on.wait()
                yield b"data: 2\n\n"
            finally:
                self.working -= 1

        await raw_request.body()
        return StreamingResponse(events(), media_type="text/event-stream")

    async def work_later(self, raw_request: Request) -> Response:
        async def work() -> None:
            self.working += 1
            try:
                await self.go_on.wait()
            finally:
                self.working -= 1

        await raw_request.body()
        return PlainTextResponse("done", background=BackgroundTask(work))

    async def fail(self) -> Response:
        raise RuntimeError("secret: at /srv/checkpoint")

    async def look(self) -> Response:
        return PlainTextResponse("seen")

    @property
    def _work(self) -> Callable[..., Any]:
        async def work(raw_request: Request) -> Response:
            self.working += 1
            try:
                await self.go_on.wait()
                return PlainTextResponse("done")
            finally:
                self.working -= 1

        return until_disconnect(work)


@dataclass
class Call:
    """Sends one request message by message."""

    house: Served
    path: str = "/work"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = b"{}"
    """The request's body; None means that it never arrives."""
    address: str = "127.0.0.1"
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Message] = field(default_factory=list)
    reads: int = 0
    is_aborted: bool = False

    def start(self) -> "Call":
        self.task = asyncio.ensure_future(self._run())
        return self

    async def answer(self) -> "Call":
        await asyncio.wait_for(self.start().task, 10)
        return self

    async def _run(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(errors="replace"),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "client": (self.address, 1234),
            "server": ("127.0.0.1", 80),
            "extensions": {ABORT: {"abort": self._abort}},
            "headers": [(n.lower().encode(), v.encode()) for n, v in self.headers.items()],
        }
        await self.house.app(scope, self._receive, self._send)

    def _abort(self) -> None:
        self.is_aborted = True

    async def _receive(self) -> Message:
        self.reads += 1
        if self.reads == 1 and self.body is not None:
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"] if self.sent else 0

    @property
    def answered(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def text(self) -> str:
        return b"".join(m.get("body", b"") for m in self.sent[1:]).decode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def gauge(name: str) -> float:
    return REGISTRY.get_sample_value(f"emotion_llama_{name}") or 0.0
