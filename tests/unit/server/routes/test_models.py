"""`GET /v1/models`: what a client can know before it asks, on vLLM's app without an engine."""

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotion_llama.schema import ModelList
from emotion_llama_server import services
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.settings import MediaSettings
from tests.support.apps.gate import Call
from tests.support.apps.vllm_app import VllmApp, vllm_app


@pytest.fixture
def app(clean_environment: pytest.MonkeyPatch) -> VllmApp:
    return vllm_app(clean_environment)


async def first(app: VllmApp) -> dict[str, Any]:
    call = await Call(app, "/v1/models", "GET").answer()
    assert call.status == 200
    return json.loads(call.text)["data"][0]


async def test_a_model_tells_its_labels_its_languages_and_the_limits(app: VllmApp) -> None:
    model = await first(app)
    assert model["labels"] == Card().labels
    assert model["languages"] == ["en", "zh"]
    assert model["demonstration"] is False
    assert model["limits"] == {
        "clip_bytes": 64 << 20,
        "audio_seconds": 120,
        "timeline_seconds": 3600,
        "timeline_windows": 4000,
        "request_seconds": 300,
    }


async def test_the_limits_are_those_of_the_operator(app: VllmApp) -> None:
    settings = MediaSettings(max_media_mb=0.5, max_audio_seconds=7, max_timeline_seconds=9)
    reader = MediaReader(roots=(), domains=(), settings=settings)
    built = services.services_of(app.app)
    options = replace(built.options, settings=ServerSettings(request_timeout=3))
    analyst: Any = Namespace(reader=reader, transcriber=None)
    services.install(app.app, replace(built, analyst=analyst, options=options))
    assert (await first(app))["limits"] == {
        "clip_bytes": 1 << 19,
        "audio_seconds": 7,
        "timeline_seconds": 9,
        "timeline_windows": 4000,
        "request_seconds": 3,
    }


@pytest.mark.parametrize("paths", [True, False])
@pytest.mark.parametrize("urls", [True, False])
@pytest.mark.parametrize("files", [True, False])
async def test_a_model_tells_by_which_names_clips_may_be_given(
    app: VllmApp, paths: bool, urls: bool, files: bool
) -> None:
    roots, domains = [Path("/secret")] * paths, ["intern.example"] * urls
    reader = MediaReader(roots=roots, domains=domains, settings=MediaSettings())
    analyst: Any = Namespace(reader=reader, transcriber=None)
    storage: Any = Namespace() if files else None
    built = services.services_of(app.app)
    services.install(app.app, replace(built, analyst=analyst, storage=storage))
    model = await first(app)
    assert model["sources"] == {"paths": paths, "urls": urls, "files": files}
    assert "secret" not in json.dumps(model)
    assert "intern" not in json.dumps(model)


@pytest.mark.parametrize("transcriber", [None, object()])
async def test_a_model_tells_whether_words_can_be_heard(
    app: VllmApp, transcriber: object | None
) -> None:
    built = services.services_of(app.app)
    analyst: Any = Namespace(reader=built.analyst.reader, transcriber=transcriber)
    services.install(app.app, replace(built, analyst=analyst))
    assert (await first(app))["transcribes"] is (transcriber is not None)


def test_the_client_reads_the_list_of_an_older_server() -> None:
    model = {"id": "m", "created": 0, "owned_by": "vllm", "max_model_len": 9, "description": ""}
    (read,) = ModelList.model_validate({"data": [model]}).data
    assert (read.labels, read.demonstration, read.limits, read.sources) == ([], False, None, None)
