"""Runs the routes for files and batches behind the gate, without an engine."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient

from emotion_llama.batch import Batch
from emotion_llama_server import storage
from emotion_llama_server.data.folder import DataFolder
from emotion_llama_server.files.store import FileStore
from emotion_llama_server.gate import Gate
from emotion_llama_server.gate.caller import caller_of
from emotion_llama_server.routes import error_route
from emotion_llama_server.services import install, services_of
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.storage import Storage
from tests.support.apps.services import services

MODEL = "demo"
_ROUTES = ("/v1/emotion", "/v1/chat/completions")
_FINAL = ("completed", "failed", "expired", "cancelled")


@dataclass
class SetClock:
    """Tells the time that a test sets."""

    time: int = 1_800_000_000

    def now(self) -> int:
        return self.time


@dataclass
class Model:
    """Answers lines in the model's place, and holds them up while `goes_on` is not set."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[str | None, Any]] = field(default_factory=list)
    """The key and the body of each request."""
    statuses: dict[Any, int] = field(default_factory=dict)
    """The status of the response to each `question`, 200 by default."""
    running: int = 0
    most: int = 0
    """The largest number of requests at once."""

    def __post_init__(self) -> None:
        self.goes_on.set()

    async def answer(self, raw_request: Request) -> Response:
        body = await raw_request.json()
        self.asked.append((caller_of(raw_request.scope).key, body))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.goes_on.wait()
        finally:
            self.running -= 1
        status = self.statuses.get(body.get("question"), 200)
        if status < 0:
            raise RuntimeError("secret: the model is on fire")
        return JSONResponse({"said": body.get("question")}, status)


@dataclass
class Kept:
    """Holds an app that keeps files, and what is behind its routes."""

    app: FastAPI
    storage: Storage
    clock: SetClock
    model: Model

    @property
    def store(self) -> FileStore:
        return self.storage.files

    def client(self, key: str = "") -> TestClient:
        """Return a client that sends this key, or none."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return TestClient(self.app, headers=headers)

    def contents(self) -> list[str]:
        """Return the digests of the contents on the disk."""
        return sorted(self.store.objects.digests())

    def left(self) -> list[Path]:
        """Return what is in the folders of work that is not finished."""
        folder = self.store.folder
        return [path for room in (folder.uploads, folder.results) for path in room.iterdir()]


@contextmanager
def kept(
    path: Path, *, keys: str = "", routes: Sequence[str] = _ROUTES, **settings: Any
) -> Iterator[Kept]:
    """Run an app on a data folder; the block's end closes the folder.

    Args:
        path: the folder.
        keys: `name:key` entries, separated by commas.
        routes: the routes that the fake model answers.
        settings: the operator's settings.
    """
    given = ServerSettings(data_dir=path, **settings)
    app, model, clock = FastAPI(), Model(), SetClock()
    storage.install(app)
    for route in routes:
        app.add_api_route(route, model.answer, methods=["POST"])
    error_route.install(app)
    app.add_middleware(Gate)
    parts = services(given, keys=keys)
    folder = DataFolder(path)
    opened = Storage.of(folder, clock, app, given, parts.lifecycle, _models)  # type: ignore[arg-type]
    install(app, services(given, keys=keys, storage=opened, **_shared(parts)))
    try:
        yield Kept(app, opened, clock, model)
    finally:
        folder.close()


def _shared(parts: Any) -> dict[str, Any]:
    return {name: getattr(parts, name) for name in ("doorkeeper", "lifecycle")}


async def _models() -> Sequence[str]:
    return [MODEL]


def upload(
    client: TestClient, data: bytes = b"clip", purpose: str = "vision", **fields: str
) -> dict[str, Any]:
    """Upload a file that must be taken; return its object."""
    answer = client.post(
        "/v1/files", files={"file": ("a.mp4", data)}, data={"purpose": purpose, **fields}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def lines(count: int, first: int = 0, **body: Any) -> bytes:
    """Return the lines of a batch, each with its own question."""
    return b"".join(
        line(f"line-{number}", question=number, **body) for number in range(first, first + count)
    )


def line(custom_id: str, url: str = "/v1/emotion", **body: Any) -> bytes:
    """Return one line of a batch."""
    asked = {"custom_id": custom_id, "method": "POST", "url": url, "body": body}
    return json.dumps(asked).encode() + b"\n"


@dataclass
class Batches:
    """Sends one key's requests to a running app."""

    client: AsyncClient

    async def create(self, data: bytes, **more: Any) -> dict[str, Any]:
        """Upload lines, and have them answered."""
        sent = await self.client.post(
            "/v1/files", files={"file": ("a.jsonl", data)}, data={"purpose": "batch"}
        )
        body = {"endpoint": "/v1/emotion", "completion_window": "24h"} | more
        answer = await self.client.post(
            "/v1/batches", json={"input_file_id": sent.json()["id"], **body}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def get(self, batch_id: str) -> dict[str, Any]:
        return (await self.client.get(f"/v1/batches/{batch_id}")).json()

    async def cancel(self, batch_id: str) -> dict[str, Any]:
        return (await self.client.post(f"/v1/batches/{batch_id}/cancel")).json()

    async def reaches(self, batch_id: str, *states: str) -> dict[str, Any]:
        """Wait until a batch is in one of these states, by default until it is over."""
        async with asyncio.timeout(20):
            while (batch := await self.get(batch_id))["status"] not in (states or _FINAL):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return batch

    async def results(self, file_id: str | None) -> dict[str, dict[str, Any]]:
        """Return the results in a file by the names of their lines; each must come once."""
        if file_id is None:
            return {}
        content = await self.client.get(f"/v1/files/{file_id}/content")
        found = [json.loads(text) for text in content.text.splitlines()]
        named = {result["custom_id"]: result for result in found}
        assert len(named) == len(found)
        return named


@asynccontextmanager
async def running(house: Kept) -> AsyncIterator[None]:
    """Run the tasks of an app's server while the block runs."""
    lifecycle = services_of(house.app).lifecycle
    await house.storage.start(lifecycle)
    try:
        yield
    finally:
        storage.uploads.use(None)
        tasks = list(lifecycle._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def over(house: Kept, owner: str, batch_id: str) -> Batch:
    """Wait until a batch is over, whoever may ask for it."""
    async with asyncio.timeout(20):
        while True:
            found = await house.storage.batches.store.get(owner, batch_id)
            if found.status in _FINAL:
                return found
            await asyncio.sleep(0.005)


@asynccontextmanager
async def asking(house: Kept, key: str = "") -> AsyncIterator[Batches]:
    """Yield what sends a key's requests."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = ASGITransport(house.app)
    async with AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
        yield Batches(client)
