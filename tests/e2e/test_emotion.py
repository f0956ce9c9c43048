"""`POST /v1/emotion` as clients use it: numbers, windows, streams, uploads, the cache."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from demo.generate import write_clip
from demo.recipe import numbered
from devtools.server import Server
from emotion_llama.schema import EmotionResponse
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.config import FEATURE_NAMES
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings
from tests.e2e.conftest import MODEL
from tests.support.golden.reference import Reference

CHANGE_AT = 2.0


@pytest.fixture(scope="module")
def long_clip(media_root: Path) -> str:
    """A clip whose emotion changes after two seconds."""
    plan = numbered("test", 0, 8, change_at=CHANGE_AT)
    write_clip(plan, media_root)
    return f"{plan.name}.mp4"


def post(server: Server, headers: dict[str, str] | None = None, **body: Any) -> requests.Response:
    return requests.post(f"{server.url}/v1/emotion", json=body, headers=headers, timeout=120)


def analyse(server: Server, **body: Any) -> EmotionResponse:
    response = post(server, **body)
    assert response.status_code == 200, response.text
    return EmotionResponse.model_validate_json(response.content)


def test_a_transcription_service_writes_the_words_of_a_clip_and_of_its_windows(
    server: Server, long_clip: str
) -> None:
    windows = {"window": 1, "step": 1}
    found = analyse(server, video=long_clip, task="emotion", transcribe=True, timeline=windows)
    assert found.evidence.transcript == "Oh no! Really?"
    assert "The person in video says: Oh no! Really?.  [emotion]" in found.evidence.prompt
    assert found.timeline is not None
    assert [window.transcript for window in found.timeline][:3] == ["Oh no!", "Really?", ""]
    assert analyse(server, video=long_clip, task="emotion").evidence.transcript is None


def test_one_call_gives_everything(server: Server) -> None:
    found = analyse(server, video="happy_face.mp4")
    assert list(found.probabilities) == Card().labels
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-9)
    assert found.confidence == max(found.probabilities.values())
    assert found.confidence == found.probabilities[found.emotion]
    assert found.model == MODEL
    assert found.answer
    assert found.explanation
    assert found.timeline is None
    assert found.evidence.has_audio
    assert 2 < found.evidence.audio_seconds < 4.2
    assert found.evidence.frame_policy == "first"
    assert (found.evidence.frame_index, found.evidence.frame_time) == (0, 0)
    assert found.evidence.checkpoint == MODEL
    assert len(found.evidence.manifest or "") == 64
    assert "The person in video says: .  [emotion]" in found.evidence.prompt
    assert found.evidence.prompt.endswith("[/INST]")
    assert 0 < found.timing.decode < found.timing.total
    assert found.timing.queue is not None
    assert found.timing.first_token is not None
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens


@pytest.mark.parametrize(
    ("task", "has_answer", "is_explained"),
    [("emotion", True, False), ("reason", False, True), ("both", True, True)],
)
def test_the_task_decides_what_is_said(
    server: Server, task: str, has_answer: bool, is_explained: bool
) -> None:
    found = analyse(server, video="happy_face.mp4", task=task, max_tokens=20)
    assert (found.answer is not None) == has_answer == (found.answer_matches is not None)
    assert (found.explanation is not None) == is_explained
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_probabilities_are_those_of_the_labels_scored_alone(
    server: Server, reference: Reference, media_root: Path
) -> None:
    """Labels with shared beginnings and of several tokens, against the model in plain torch."""
    from transformers import PreTrainedTokenizerFast

    from emotion_llama_vllm import demo_files

    tokenizer = PreTrainedTokenizerFast.from_pretrained(demo_files.checkpoint())
    labels = ["happy", "happy and glad", "hap", "sad", "sadness", "worried", "非常高兴"]
    path = media_root / "clip3.mp4"
    found = analyse(server, video=path.name, labels=labels, task="emotion", transcript="well")
    clip = decode(path.read_bytes(), settings=MediaSettings())
    embedded = reference.embed(clip.frame, clip.waveform)
    ids = tokenizer.encode(found.evidence.prompt, add_special_tokens=False)
    place = ids.index(reference.config.video_token_id)
    ids[place : place + 1] = [reference.config.video_token_id] * len(embedded)
    scores = []
    for label in labels:
        answer = [*tokenizer.encode(label, add_special_tokens=False), 2]
        scores.append(float(reference.log_probabilities(ids, answer, embedded).sum()))
    weights = np.exp(np.array(scores) - max(scores))
    assert np.allclose(list(found.probabilities.values()), weights / weights.sum(), atol=1e-3)


def test_an_upload_is_the_same_clip(server: Server, media_root: Path) -> None:
    by_path = analyse(server, video="clip4.mp4", task="emotion")
    body = {"request": (None, json.dumps({"task": "emotion"}), "application/json")}
    upload = {"video": ("any.mp4", (media_root / "clip4.mp4").read_bytes(), "video/mp4")}
    response = requests.post(f"{server.url}/v1/emotion", files=body | upload, timeout=60)
    assert response.status_code == 200, response.text
    uploaded = EmotionResponse.model_validate_json(response.content)
    assert uploaded.probabilities == pytest.approx(by_path.probabilities, abs=1e-5)
    assert uploaded.answer == by_path.answer
    # The request's part may be left out: every field has a default.
    alone = requests.post(f"{server.url}/v1/emotion", files=upload, timeout=60)
    assert alone.json()["explanation"] is not None


def test_a_data_url_and_a_web_address_are_the_same_clip(
    server: Server, origin: str, media_root: Path
) -> None:
    encoded = base64.b64encode((media_root / "clip5.mp4").read_bytes()).decode()
    ways = ("clip5.mp4", f"http://{origin}/clip5.mp4", f"data:video/mp4;base64,{encoded}")
    found = [analyse(server, video=way, task="emotion").probabilities for way in ways]
    assert found[1] == pytest.approx(found[0], abs=1e-5)
    assert found[2] == pytest.approx(found[0], abs=1e-5)


def test_the_frame_is_that_of_the_policy(server: Server, long_clip: str) -> None:
    first, middle, timed = (
        analyse(server, video=long_clip, task="emotion", frame=frame).evidence
        for frame in ("first", "middle", 1.0)
    )
    assert (first.frame_index, middle.frame_policy, timed.frame_policy) == (0, "middle", 1.0)
    assert middle.frame_time == pytest.approx(CHANGE_AT, abs=1)
    assert timed.frame_time == pytest.approx(1.0, abs=0.1)
    assert first.audio_seconds == middle.audio_seconds == timed.audio_seconds


def features(reference: Reference, row: int, value: float) -> str:
    """One row of pre-extracted features, as the field takes them."""
    rows = np.full((3, reference.config.feature_size), np.nan, np.float32)
    rows[row] = value
    file = io.BytesIO()
    np.save(file, rows)
    return base64.b64encode(file.getvalue()).decode()


def test_features_are_given(server: Server, reference: Reference) -> None:
    """Zeros in place of what was heard are what the model knows as no sound."""
    given = features(reference, row=2, value=0)
    without = analyse(server, video="angry_voice.mp4", task="emotion")
    found = analyse(server, video="angry_voice.mp4", task="emotion", features=given)
    assert (without.evidence.features, found.evidence.features) == ([], [FEATURE_NAMES[2]])
    assert (without.emotion, found.emotion) == ("angry", "neutral")


def test_features_of_the_face_in_motion_reach_the_model(
    server: Server, reference: Reference
) -> None:
    """The demo was trained without them: sure as it is, only the log-probabilities move."""
    given = features(reference, row=1, value=5)
    without = analyse(server, video="clip6.mp4", task="emotion")
    found = analyse(server, video="clip6.mp4", task="emotion", features=given)
    assert found.evidence.features == ["VideoMAE"]
    moved = np.log(list(found.probabilities.values())) - np.log(
        list(without.probabilities.values())
    )
    assert np.abs(moved).max() > 1e-3


def test_the_question_is_the_callers(server: Server) -> None:
    own = analyse(server, video="clip1.mp4", task="reason", question="[reason] Why sad?")
    chinese = analyse(server, video="clip1.mp4", task="reason", language="zh")
    english = analyse(server, video="clip1.mp4", task="reason")
    assert "请" in chinese.evidence.prompt
    assert "请" not in english.evidence.prompt
    assert own.usage.prompt_tokens != english.usage.prompt_tokens


def test_a_timeline_covers_the_clip(server: Server, long_clip: str) -> None:
    found = analyse(server, video=long_clip, task="emotion", timeline={"window": 1, "step": 0.5})
    assert found.timeline is not None
    assert [w.start for w in found.timeline] == sorted(w.start for w in found.timeline)
    assert found.timeline[0].start == 0
    assert found.timeline[-1].end >= found.evidence.audio_seconds - 0.2
    for window in found.timeline:
        assert window.end - window.start == pytest.approx(1)
        assert sum(window.probabilities.values()) == pytest.approx(1)


def test_a_clip_shorter_than_a_window_is_one_window(server: Server) -> None:
    found = analyse(server, video="clip0.mp4", timeline={"window": 30, "step": 1})
    assert found.timeline is not None
    assert [window.start for window in found.timeline] == [0]
    assert found.timeline[0].probabilities == pytest.approx(found.probabilities, abs=1e-5)


def test_a_timeline_as_csv_and_as_subtitles(server: Server, long_clip: str) -> None:
    timeline = {"window": 1, "step": 1}
    asked = {"video": long_clip, "task": "emotion", "timeline": timeline}
    table = post(server, {"Accept": "text/csv"}, **asked)
    assert table.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    whole = analyse(server, **asked).timeline
    assert [line["emotion"] for line in lines] == [window.emotion for window in whole or []]
    cues = post(server, {"Accept": "text/vtt"}, **asked)
    assert cues.headers["Content-Type"].startswith("text/vtt")
    assert cues.text.startswith("WEBVTT\n")
    assert cues.text.count(" --> ") == len(lines)


def events(response: requests.Response) -> Iterator[tuple[str, Any]]:
    for block in response.iter_lines(delimiter=b"\n\n"):
        if block:
            name, data = block.decode().split("\n")
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def stream(server: Server, **body: Any) -> list[tuple[str, Any]]:
    response = requests.post(
        f"{server.url}/v1/emotion", json=body | {"stream": True}, stream=True, timeout=120
    )
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/event-stream")
    return list(events(response))


def test_a_stream_tells_each_part_and_ends_with_the_whole(server: Server, long_clip: str) -> None:
    told = stream(server, video=long_clip, timeline={"window": 1, "step": 1}, max_tokens=40)
    names = [name for name, _ in told]
    assert names.count("emotion") == names.count("done") == 1
    assert names[-1] == "done"
    whole = EmotionResponse.model_validate(told[-1][1])
    deltas = [data["delta"] for name, data in told if name == "explanation.delta"]
    assert deltas  # a busy engine may have written it all before the emotion was known
    assert "".join(deltas).strip() == whole.explanation
    windows = [data for name, data in told if name == "timeline.window"]
    assert sorted(windows, key=lambda w: w["start"]) == [
        window.model_dump() for window in whole.timeline or []
    ]
    emotion = next(data for name, data in told if name == "emotion")
    assert emotion["probabilities"] == whole.probabilities


def test_a_stream_that_cannot_begin_is_an_answer_with_a_status(server: Server) -> None:
    assert post(server, video="missing.mp4", stream=True).status_code == 404
    assert post(server, video="clip0.mp4", labels=["a"], stream=True).status_code == 400


def test_a_failure_midway_is_one_event(server: Server) -> None:
    """A prompt that is too long is noticed behind the first byte."""
    told = stream(server, video="clip0.mp4", transcript="word " * 5000)
    assert [name for name, _ in told] == ["error"]
    assert "length" in told[0][1]["error"]["message"]


def test_many_at_once_get_their_own_answers(server: Server) -> None:
    names = [f"clip{index}.mp4" for index in range(8)]
    alone = [analyse(server, video=name, task="emotion").probabilities for name in names]
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(lambda n: analyse(server, video=n, task="emotion").probabilities, names)
        )
    for one, other in zip(alone, together, strict=True):
        assert other == pytest.approx(one, abs=1e-3)


def test_greedy_answers_repeat_and_seeds_too(server: Server) -> None:
    once, again = (analyse(server, video="clip2.mp4", max_tokens=30) for _ in range(2))
    assert (once.answer, once.explanation) == (again.answer, again.explanation)
    assert once.id != again.id
    seeded = [
        analyse(server, video="clip2.mp4", temperature=1.5, seed=7, max_tokens=30).explanation
        for _ in range(2)
    ]
    assert seeded[0] == seeded[1]


def test_without_a_cache_nothing_is_said_about_it(server: Server) -> None:
    response = post(server, video="clip0.mp4", task="emotion")
    assert "X-Cache" not in response.headers
    assert response.headers["X-Request-Id"]


def test_max_tokens_bounds_the_explanation(server: Server) -> None:
    short = analyse(server, video="clip2.mp4", task="reason", max_tokens=1)
    reads = short.usage.completion_tokens - 1
    assert reads >= len(Card().labels)
    long = analyse(server, video="clip2.mp4", task="reason", max_tokens=100_000)
    assert len(long.explanation or "") >= len(short.explanation or "")
