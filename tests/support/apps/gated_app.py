"""A small app behind the gate, as a proxy or a router meets it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from emotion_llama_server.gate import Gate
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from tests.support.apps.services import services


@dataclass
class GatedApp:
    """Trusts proxies of this machine; its stream waits for `go_on` between its two events."""

    go_on: threading.Event = field(default_factory=threading.Event, kw_only=True)

    def __post_init__(self) -> None:
        self.app = FastAPI()
        settings = ServerSettings(trusted_proxy="127.0.0.1")
        install(self.app, services(settings))
        self.app.add_middleware(Gate)

    async def stream(self) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            while not self.go_on.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            yield b"data: 2\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")
