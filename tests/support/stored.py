"""Runs the routes for files and batches behind the gate, without an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from emotion_llama_server.data.folder import DataFolder
from emotion_llama_server.files import routes as files
from emotion_llama_server.files.store import FileStore
from emotion_llama_server.gate import Gate
from emotion_llama_server.routes import error_route
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.storage import Storage
from tests.support.services import services


@dataclass
class SetClock:
    """Tells the time that a test sets."""

    time: int = 1_800_000_000

    def now(self) -> int:
        return self.time


@dataclass
class Kept:
    """Holds an app that keeps files, and what is behind its routes."""

    app: FastAPI
    storage: Storage
    clock: SetClock

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
        """Return what is in the folder of uploads."""
        return list(self.store.folder.uploads.iterdir())


@contextmanager
def kept(path: Path, *, keys: str = "", **settings: Any) -> Iterator[Kept]:
    """Run an app on a data folder; the block's end closes the folder."""
    folder, clock = DataFolder(path), SetClock()
    given = ServerSettings(data_dir=path, **settings)
    storage = Storage(FileStore(folder, clock, given))  # type: ignore[arg-type]
    app = FastAPI()
    app.include_router(files.router)
    error_route.install(app)
    app.add_middleware(Gate)
    install(app, services(given, keys=keys, storage=storage))
    try:
        yield Kept(app, storage, clock)
    finally:
        folder.close()


def upload(
    client: TestClient, data: bytes = b"clip", purpose: str = "vision", **fields: str
) -> dict[str, Any]:
    """Upload a file that must be taken; return its object."""
    answer = client.post(
        "/v1/files", files={"file": ("a.mp4", data)}, data={"purpose": purpose, **fields}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()
