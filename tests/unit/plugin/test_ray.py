"""The actor class for Ray: which rows it makes of a batch, and where it reads clips."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama.many import Analysis
from emotion_llama.schema import AnalysisWarning, EmotionResponse
from emotion_llama_vllm import ray
from emotion_llama_vllm.ray import ClipAnnotator, answer_schema, read_clip

LABELS = ["happy", "sad"]
ANSWER: dict[str, Any] = {
    "emotion": "sad",
    "confidence": 0.75,
    "probabilities": {"happy": 0.25, "sad": 0.75},
    "answer": "sad",
    "answer_matches": True,
    "explanation": None,
    "timeline": None,
    "warnings": [{"code": "no_sound", "message": "There is no sound."}],
    "model": "scripted",
}


class Model:
    """Answers `ANSWER` with the transcript as explanation; a clip named bad is an error."""

    labels = LABELS

    def __init__(self, model: str, **engine: Any) -> None:
        self.engine = engine

    def analyze_many(
        self, clips: list[str], *, at_once: int, read: Any, own_fields: Any, **fields: Any
    ) -> Iterator[Analysis]:
        assert at_once == len(clips)
        for clip in clips:
            if clip == "dead":
                raise EngineDeadError
            if clip == "bad":
                yield Analysis(clip, None, OSError("no clip"))
                continue
            said = own_fields(clip).get("transcript")
            warnings = [AnalysisWarning(**one) for one in ANSWER["warnings"]]
            values = ANSWER | {"explanation": said, "warnings": warnings}
            yield Analysis(clip, EmotionResponse.model_construct(**values), None)


@pytest.fixture
def annotator(monkeypatch: pytest.MonkeyPatch) -> ClipAnnotator:
    monkeypatch.setattr(ray, "LocalEmotionLLaMA", Model)
    return ClipAnnotator("demo", task="emotion")


def test_each_clip_gets_its_answer_or_its_error(annotator: ClipAnnotator) -> None:
    rows = annotator(pa.table({"clip": ["a", "bad"]})).to_pylist()
    assert rows[0] == {"clip": "a", **ANSWER, "error": None}
    assert rows[1] == {"clip": "bad", **dict.fromkeys(ANSWER), "error": "no clip"}


def test_all_batches_have_the_same_columns(annotator: ClipAnnotator) -> None:
    tables = [annotator(pa.table({"clip": [clip]})) for clip in ("a", "bad")]
    assert tables[0].schema == tables[1].schema
    assert tables[0].schema.field("probabilities") == answer_schema(LABELS).field("probabilities")


def test_what_is_said_goes_along_and_other_columns_stay(annotator: ClipAnnotator) -> None:
    batch = pa.table(
        {"clip": ["a", "b"], "transcript": ["Hello.", None], "take": [1, 2], "error": ["x", "y"]}
    )
    found = annotator(batch)
    assert found["explanation"].to_pylist() == ["Hello.", None]
    assert found["take"].to_pylist() == [1, 2]
    assert found["error"].to_pylist() == [None, None]


def test_an_actor_ends_with_its_engine(
    annotator: ClipAnnotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(SystemExit) as caught:
        annotator(pa.table({"clip": ["dead"]}))
    assert caught.value.code == 1


def test_a_wrong_field_is_refused_before_the_engine_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(ray, "LocalEmotionLLaMA")
    with pytest.raises(ValidationError, match="tusk"):
        ClipAnnotator("demo", tusk="emotion")


def test_a_clip_is_read_from_a_path_or_a_url(tmp_path: Path) -> None:
    clip = tmp_path / "a clip #1.mp4"
    clip.write_bytes(b"clip")
    assert read_clip(str(clip)) == b"clip"
    assert read_clip(f"file://{clip}") == b"clip"


@pytest.mark.parametrize("clip", ["/nowhere.mp4", "file:///nowhere.mp4", "https://host/clip.mp4"])
def test_a_clip_that_cannot_be_read_is_an_error(clip: str) -> None:
    with pytest.raises((OSError, ValueError)):
        read_clip(clip)
