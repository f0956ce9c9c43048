"""A server with the real routes for files and batches, whose model reads emotions from names."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from emotion_llama import AsyncEmotionLLaMA, EmotionLLaMA
from tests.support.apps.light_server import light_server
from tests.support.apps.stored import Kept, kept, running
from tests.unit.client.conftest import ANSWER

Use = Callable[..., Any]


@dataclass
class BatchServer:
    """Holds a running server, and what its model was asked."""

    house: Kept
    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    is_held: bool = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no line be answered inside the block."""
        self.is_held = True
        try:
            yield
        finally:
            self.is_held = False

    async def answer(self, raw_request: Request) -> Response:
        """Answer with the content of the clip as the emotion; `bad` is refused."""
        body = await raw_request.json()
        self.asked.append(body)
        while self.is_held:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        emotion = await self._content(body["video"])
        if emotion == "bad":
            error = {"message": "damaged", "type": "x", "param": "video", "code": "invalid_request"}
            return JSONResponse({"error": error}, 400)
        return JSONResponse(ANSWER | {"emotion": emotion, "explanation": "Two\u2028lines."})

    async def _content(self, video: str) -> str:
        if not video.startswith("file-"):
            return _content_of(Path(video))
        _, opened = await self.house.store.open("", video)
        with opened:
            return opened.read().decode(errors="replace")


def _content_of(path: Path) -> str:
    return path.read_text() if path.is_file() else "happy"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchServer]:
    """Run one server for all tests; each looks only at the batches that it makes."""
    with kept(tmp_path_factory.mktemp("kept"), routes=()) as house:
        # Otherwise lines would wait a second after the requests of the test before.
        house.storage.batches.pace._quiet_seconds = 0.0
        made = BatchServer(house, "")
        house.app.add_api_route("/v1/emotion", made.answer, methods=["POST"])
        with light_server(house.app, during=running(house)) as port:
            made.url = f"http://127.0.0.1:{port}"
            yield made


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Two clips and a damaged one."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for name, content in (("a.mp4", "happy"), ("b.mp4", "sad"), ("c.mp4", "bad")):
        (folder / name).write_text(content)
    return sorted(folder.iterdir())


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def use(request: pytest.FixtureRequest, server: BatchServer) -> Use:
    """Call a method of `files` or `batches` of either client; return what it returns or yields."""

    def call_sync(part: str, method: str, *args: Any, **options: Any) -> Any:
        with EmotionLLaMA(server.url) as client:
            made = getattr(getattr(client, part), method)(*args, **options)
            return list(made) if isinstance(made, Iterator) else made

    async def call_async(part: str, method: str, *args: Any, **options: Any) -> Any:
        async with AsyncEmotionLLaMA(server.url) as client:
            made = getattr(getattr(client, part), method)(*args, **options)
            if isinstance(made, AsyncIterator):
                return [item async for item in made]
            return await made

    if request.param:
        return lambda *args, **options: asyncio.run(call_async(*args, **options))
    return call_sync


def lines_of(server: BatchServer, input_file_id: str) -> list[dict[str, Any]]:
    """Return the lines of a batch as the server has them."""

    async def read() -> bytes:
        _, opened = await server.house.store.open("", input_file_id)
        with opened:
            return opened.read()

    return [json.loads(line) for line in asyncio.run(read()).splitlines()]
