"""`POST /v1/emotion` with a transcription service: words in prompts, evidence, warnings, errors."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from devtools.media import Recipe, write_clip
from emotion_llama_server.routes import emotion
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.transcripts import service
from emotion_llama_server.transcripts.service import Service
from emotion_llama_server.transcripts.transcriber import Transcriber
from emotion_llama_vllm.media.read.reader import MediaReader
from tests.support.apps.emotion_app import FakeEngine, analyst
from tests.support.apps.services import services
from tests.support.services.transcription import FakeService, said

ASKED = {"video": "clip.mp4", "transcribe": True}
TIMELINE = {"timeline": {"window": 1, "step": 1}}
Make = Callable[..., TestClient]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    monkeypatch.setattr(service, "PAUSE", 0)
    return FakeService()


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.max_model_len = 2000
    return engine


@pytest.fixture
def make(fake: FakeService, engine: FakeEngine, tmp_path: Path) -> Iterator[Make]:
    """Make an app with a clip of 2 s; `automatic` transcribes it without being asked."""
    opened = []

    def app(*, automatic: bool = False, megabytes: float = 0) -> TestClient:
        made, settings = FastAPI(), ServerSettings()
        made.include_router(emotion.router)
        listener = Transcriber(Service("http://s/v1", "m", transport=fake), 60, automatic)
        used = analyst(engine, tmp_path, megabytes, transcriber=listener)
        install(made, services(settings, analyst=used))
        opened.append(TestClient(made).__enter__())
        return opened[-1]

    yield app
    for client in opened:
        client.__exit__()


def post(client: TestClient, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/emotion", json=fields)
    assert response.status_code == 200, response.text
    return response.json()


def codes(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


def test_the_words_are_in_the_prompts_and_in_the_evidence(
    make: Make, fake: FakeService, engine: FakeEngine
) -> None:
    answer = post(make(), **ASKED)
    assert answer["evidence"]["transcript"] == "Hello there!"
    assert "The person in video says: Hello there!.  [emotion]" in answer["evidence"]["prompt"]
    assert len(engine.texts) == 2
    assert all(text.startswith("The person in video says: Hello there!.") for text in engine.texts)
    assert answer["timing"]["transcribe"] > 0
    assert answer["warnings"] == []
    assert fake.asked[0].fields["response_format"] == "json"
    assert len(fake.asked[0].samples) == pytest.approx(32_000, rel=0.05)


def test_each_window_has_the_words_that_are_said_in_it(
    make: Make, fake: FakeService, engine: FakeEngine
) -> None:
    fake.answer = lambda _: said("Oh no! Really?", (0.1, 0.9, "Oh no!"), (1.1, 1.8, "Really?"))
    answer = post(make(), **ASKED, **TIMELINE, task="emotion")
    assert [w["transcript"] for w in answer["timeline"]] == ["Oh no!", "Really?"]
    assert answer["evidence"]["transcript"] == "Oh no! Really?"
    told = [text.partition(".  ")[0].removeprefix("The person in video says: ")
            for text in engine.texts]  # fmt: skip
    assert sorted(told) == ["Oh no!", "Oh no! Really?", "Really?"]


def test_windows_are_without_words_where_the_service_tells_no_times(
    make: Make, fake: FakeService
) -> None:
    answer = post(make(), **ASKED, **TIMELINE)
    assert [w["transcript"] for w in answer["timeline"]] == ["", ""]
    assert answer["evidence"]["transcript"] == "Hello there!"
    assert codes(answer) == ["transcript_without_times"]


def test_a_transcript_that_does_not_fit_is_cut(
    make: Make, fake: FakeService, engine: FakeEngine
) -> None:
    fake.answer = lambda _: said("la " * 5000)
    engine.max_model_len = 400
    answer = post(make(), **ASKED, max_tokens=50)
    # 400 positions less a prompt of 20, an answer of 50 and some slack.
    assert len(answer["evidence"]["transcript"]) == 322
    assert codes(answer) == ["transcript_cut"]


def test_the_operator_may_transcribe_every_clip_without_a_transcript(
    make: Make, fake: FakeService
) -> None:
    client = make(automatic=True)
    assert post(client, video="clip.mp4")["evidence"]["transcript"] == "Hello there!"
    given = post(client, video="clip.mp4", transcript="Given.")["evidence"]
    assert given["transcript"] is None
    assert "says: Given..  " in given["prompt"]
    left_out = post(client, video="clip.mp4", transcribe=False)
    assert left_out["evidence"]["transcript"] is None
    assert left_out["timing"]["transcribe"] is None
    assert len(fake.asked) == 1


def test_nothing_is_sent_unasked(make: Make, fake: FakeService) -> None:
    assert post(make(), video="clip.mp4")["evidence"]["transcript"] is None
    assert fake.asked == []


def test_a_follow_up_question_is_not_transcribed_again(make: Make, fake: FakeService) -> None:
    client = make()
    for question in ("Why?", "What does the mouth do?"):
        assert post(client, **ASKED, question=question)["evidence"]["transcript"] == "Hello there!"
    assert len(fake.asked) == 1


def test_a_failure_is_an_error_where_a_transcript_was_asked_for(
    make: Make, fake: FakeService
) -> None:
    fake.answer = lambda _: httpx2.Response(500)
    failed = make().post("/v1/emotion", json=ASKED)
    assert failed.status_code == 502
    error = failed.json()["error"]
    assert (error["param"], error["code"]) == ("transcribe", "transcription_failed")
    assert "http://s" not in error["message"]


def test_a_failure_is_a_warning_where_it_is_automatic(make: Make, fake: FakeService) -> None:
    fake.answer = lambda _: httpx2.Response(500)
    client = make(automatic=True, megabytes=1)
    answer = post(client, video="clip.mp4")
    assert codes(answer) == ["transcription_failed"]
    assert answer["evidence"]["transcript"] is None
    assert "says: .  " in answer["evidence"]["prompt"]
    # The answer without the words is not given again when the service is well.
    fake.answer = lambda _: said("Well again.")
    assert post(client, video="clip.mp4")["evidence"]["transcript"] == "Well again."
    assert client.post("/v1/emotion", json={"video": "clip.mp4"}).headers["X-Cache"] == "hit"


def test_a_clip_without_sound_is_not_sent(make: Make, fake: FakeService, tmp_path: Path) -> None:
    write_clip(tmp_path / "silent.mp4", Recipe(audio=None))
    answer = post(make(), **ASKED | {"video": "silent.mp4"})
    assert codes(answer) == ["no_sound"]
    assert answer["evidence"]["transcript"] is None
    assert fake.asked == []


def test_sound_alone_is_transcribed_like_any_clip(make: Make, tmp_path: Path) -> None:
    write_clip(tmp_path / "voice.wav", Recipe("wav", None, "pcm_s16le"))
    answer = post(make(), **ASKED | {"video": "voice.wav"})
    assert codes(answer) == ["no_picture"]
    assert answer["evidence"]["transcript"] == "Hello there!"


def test_words_of_ones_own_and_a_transcription_are_one_too_many(make: Make) -> None:
    refused = make().post("/v1/emotion", json={**ASKED, "transcript": "Words."})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "transcribe"


def test_a_server_without_a_service_says_so_before_it_reads_the_clip(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = FastAPI()
    made.include_router(emotion.router)
    used = dataclasses.replace(analyst(engine, tmp_path, 0), transcriber=None)
    install(made, services(ServerSettings(), analyst=used))
    monkeypatch.delattr(MediaReader, "open")
    with TestClient(made) as client:
        refused = client.post("/v1/emotion", json=ASKED)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "transcribe"
    assert "--transcriber-url" in refused.json()["error"]["message"]


def test_a_stream_has_the_words_of_each_window(make: Make, fake: FakeService) -> None:
    fake.answer = lambda _: said("Oh no!", (0.1, 0.9, "Oh no!"))
    text = make().post("/v1/emotion", json={**ASKED, **TIMELINE, "stream": True}).text
    assert text.count('"transcript":"Oh no!"') == 3  # a window, and it and the clip in `done`
