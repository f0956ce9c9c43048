"""What the plugin gives vLLM's app, with an engine that only has a configuration."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from emotion_llama_server import plugin
from emotion_llama_server.engine import Engine
from emotion_llama_server.gate.keys import KeyFormatError, KeyRing
from emotion_llama_server.plugin import EmotionLlamaApi
from emotion_llama_server.services import services_of
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.options import StartOptions
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.read import uploads
from emotion_llama_vllm.media.workers import decoder

MODELS = object()


@pytest.fixture
def app(clean_environment: pytest.MonkeyPatch) -> FastAPI:
    async def warm_up(self: Engine) -> None:
        """Ask nothing, as there is no model."""

    clean_environment.setenv("EMOTION_LLAMA_DECODE_WORKERS", "0")
    clean_environment.setattr(Engine, "warm_up", warm_up)
    clean_environment.setattr(plugin, "shorten_log", lambda: None)
    clean_environment.setattr(decoder, "use", lambda _, face_rows: None)
    app = FastAPI()
    app.state.openai_serving_models = MODELS
    return app


@pytest.fixture
def client(checkpoint: Path, config: EmotionLlamaConfig) -> Any:
    model = SimpleNamespace(
        model=str(checkpoint),
        served_model_name=["first", "second"],
        revision=None,
        hf_config=config,
        allowed_local_media_path="",
        allowed_media_domains=None,
    )
    scheduler = SimpleNamespace(max_num_seqs=8, policy="priority")
    ranks = SimpleNamespace(data_parallel_size=2)
    whole = SimpleNamespace(scheduler_config=scheduler, parallel_config=ranks)
    return SimpleNamespace(model_config=model, vllm_config=whole, renderer=None, errored=False)


async def begin(app: FastAPI, client: Any, args: Namespace) -> None:
    api = EmotionLlamaApi()
    api.attach_router(app)
    await api.init_state(client, app.state, args)


async def test_chats_get_the_rows_that_the_checkpoint_computes_from_faces(
    app: FastAPI, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[tuple[int, ...]] = []
    monkeypatch.setattr(decoder, "use", lambda _, face_rows: used.append(face_rows))
    config = client.model_config.hf_config.to_dict()
    client.model_config.hf_config = EmotionLlamaConfig.from_dict(config | {"video_mae_config": {}})
    await begin(app, client, Namespace(shutdown_timeout=9))
    assert used == [(1,)]


async def test_the_app_has_its_services_before_its_start_goes_on(app: FastAPI, client: Any) -> None:
    ready: list[str] = []
    options = StartOptions(
        ServerSettings(request_timeout=7),
        KeyRing.parse(["alice:k"]),
        on_ready=lambda app: ready.append(services_of(app).analyst.served.name),
    )
    args = Namespace(shutdown_timeout=9)
    options.put_on(args)
    await begin(app, client, args)
    services = services_of(app)
    assert ready == ["first"]
    assert services.options is options
    assert (services.models, services.client) == (MODELS, client)
    assert services.lifecycle.doorkeeper is services.doorkeeper
    assert (services.lifecycle.drain_seconds, services.doorkeeper.seconds) == (9, 7)
    assert services.analyst.engine is services.engine
    assert services.shares.sequences.has_room("anybody", 14)
    assert services.is_ready


async def test_a_start_does_not_import_the_sdk_for_agents(
    app: FastAPI, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most servers never need it, and its import takes 0.4 s."""
    monkeypatch.delitem(sys.modules, "emotion_llama.agents.http", raising=False)
    await begin(app, client, Namespace(shutdown_timeout=9))
    assert "emotion_llama.agents.http" not in sys.modules


async def test_the_server_accepts_nothing_after_its_engine_or_its_door_has_closed(
    app: FastAPI, client: Any
) -> None:
    await begin(app, client, Namespace(shutdown_timeout=9))
    services = services_of(app)
    client.errored = True
    assert not services.is_ready
    client.errored = False
    services.doorkeeper.close("The server is shutting down.")
    assert not services.is_ready


async def test_the_server_is_not_ready_from_the_signal_on_though_it_takes_requests(
    app: FastAPI, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = Namespace(shutdown_timeout=9)
    StartOptions(ServerSettings(drain_delay=60), KeyRing.parse([])).put_on(args)
    await begin(app, client, args)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as probe:
        assert (await probe.get("/readyz")).status_code == 200
        lifecycle = services_of(app).lifecycle
        lifecycle._on_signal()
        assert (await probe.get("/readyz")).status_code == 503
        await asyncio.sleep(0)
    assert services_of(app).doorkeeper.refusal("anybody") is None
    for task in list(lifecycle._tasks):
        task.cancel()


@pytest.mark.parametrize("no_page", [False, True])
async def test_the_page_is_served_unless_the_operator_wants_none(
    app: FastAPI, client: Any, no_page: bool
) -> None:
    args = Namespace(shutdown_timeout=9)
    StartOptions(ServerSettings(no_page=no_page), KeyRing.parse([])).put_on(args)
    await begin(app, client, args)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as browser:
        for path in ("/", "/page/app.js"):
            assert (await browser.get(path)).status_code == (404 if no_page else 200)
        assert (await browser.get("/docs")).status_code == 200


@pytest.mark.parametrize("is_on", [False, True])
async def test_files_are_kept_only_in_a_folder_that_the_operator_names(
    app: FastAPI, client: Any, tmp_path: Path, is_on: bool
) -> None:
    args = Namespace(shutdown_timeout=9)
    StartOptions(ServerSettings(data_dir=tmp_path if is_on else None), KeyRing()).put_on(args)
    await begin(app, client, args)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as asker:
        assert (await asker.get("/v1/files")).status_code == (200 if is_on else 404)
        document = (await asker.get("/openapi.json")).json()
    assert ("/v1/files" in document["paths"]) == is_on
    await _end(app)


async def _end(app: FastAPI) -> None:
    """End the tasks of the server, and close its data folder."""
    services = services_of(app)
    tasks = list(services.lifecycle._tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if services.storage is not None:
        services.storage.files.folder.close()
        uploads.use(None)


async def test_under_vllm_alone_the_settings_come_from_the_environment(
    app: FastAPI, client: Any, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("EMOTION_LLAMA_API_KEYS", "alice:k")
    clean_environment.setenv("EMOTION_LLAMA_MAX_ANSWER_TOKENS", "7")
    await begin(app, client, Namespace(shutdown_timeout=9))
    services = services_of(app)
    assert services.options.keys.names == {"alice"}
    assert services.settings.max_answer_tokens == 7
    assert (services.options.cors, services.options.on_ready) == (None, None)


async def test_a_malformed_key_ends_the_start_under_vllm_alone(
    app: FastAPI, client: Any, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("EMOTION_LLAMA_API_KEYS", "no name")
    with pytest.raises(KeyFormatError):
        await begin(app, client, Namespace(shutdown_timeout=9))


async def test_without_an_engine_there_is_nothing_to_serve(app: FastAPI) -> None:
    with pytest.raises(RuntimeError, match="need an engine"):
        await begin(app, None, Namespace())
