"""An uploaded file is a clip wherever a clip is named, for its owner alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.media import Recipe, make_clip
from emotion_llama_server.files import store
from emotion_llama_server.routes import emotion, legacy
from emotion_llama_server.services import install
from emotion_llama_vllm.media.errors import MediaTooLarge
from emotion_llama_vllm.media.read import uploads
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Asker, asking
from tests.support.apps.emotion_app import FakeEngine, analyst
from tests.support.apps.services import services
from tests.support.apps.stored import Kept, kept, upload


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Kept]:
    """An app that also analyses, and reads no folder but the uploads."""
    engine: Any = FakeEngine()
    keys = "alice:a,bob:b"
    with kept(tmp_path / "data", keys=keys, routes=()) as running:
        running.app.include_router(emotion.router)
        running.app.include_router(legacy.router)
        parts = {"analyst": analyst(engine, tmp_path, 1), "storage": running.storage}
        install(running.app, services(keys=keys, engine=engine, **parts))
        uploads.use(running.store)
        yield running
        uploads.use(None)


def test_its_owner_analyses_it_and_nobody_else_does(house: Kept) -> None:
    alice, bob = house.client("a"), house.client("b")
    sent = upload(alice, make_clip(Recipe(seconds=1)))
    body = {"video": sent["id"], "task": "emotion"}
    assert alice.post("/v1/emotion", json=body).json()["emotion"]
    refused = bob.post("/v1/emotion", json=body)
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "video_not_found"
    alice.delete(f"/v1/files/{sent['id']}")
    assert alice.post("/v1/emotion", json=body).status_code == 404


async def test_the_reader_of_every_route_opens_it_for_the_key_of_the_request(house: Kept) -> None:
    sent, reader = upload(house.client("a")), MediaReader([], [], MediaSettings())
    token = asking.set(Asker("key:alice", key="alice"))
    with await reader.open(f" {sent['id']} ") as clip:
        assert clip.read() == b"clip"
    asking.reset(token)


async def test_the_lines_of_a_large_batch_are_no_clip(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = upload(house.client("a"), purpose="batch")
    monkeypatch.setattr(store, "media_settings", lambda: MediaSettings(max_media_mb=1e-6))
    token = asking.set(Asker("key:alice", key="alice"))
    with pytest.raises(MediaTooLarge):
        await house.store.open_clip(sent["id"])
    asking.reset(token)


async def test_a_name_of_another_form_stays_a_path(house: Kept, tmp_path: Path) -> None:
    (tmp_path / "file-1").write_bytes(b"x")
    with await MediaReader([tmp_path], [], MediaSettings()).open("file-1") as clip:
        assert clip.read() == b"x"
