"""`LocalEmotionLLaMA` gives the server's result, and probabilities that are the model's own."""

import json
from typing import Any

import numpy as np
import pytest

from demo.generate import write_clip
from demo.recipe import numbered
from emotion_llama.schema import EmotionResponse
from emotion_llama_vllm.checkpoint.card import Card
from tests.support.scripts import offline

LABEL_SETS = (
    Card().labels,
    ["happy", "happiness", "happy and glad", "hap", "sad", "sadness", "sad and angry"],
    ["worried about it", "worried", "angry", "surprised", "surprise", "非常高兴", "🙂"],
)
_OWN = {"id", "timing", "confidence", "probabilities"}
"""The fields that differ between two analyses of a clip, if only by rounding."""


@pytest.fixture(scope="module", params=[3, pytest.param(20, marks=pytest.mark.slow)])
def found(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    user_environment: dict[str, str],
) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("emotion")
    clips = []
    for index in range(request.param):
        plan = numbered("val", 5, index)
        write_clip(plan, folder)
        labels = LABEL_SETS[index % len(LABEL_SETS)]
        clips.append({"path": str(folder / f"{plan.name}.mp4"), "labels": labels})
    given, out = folder / "given.json", folder / "out.json"
    given.write_text(json.dumps({"clips": clips}))
    offline.run("emotion", str(given), str(out), environment=user_environment)
    return json.loads(out.read_text())


def test_the_probabilities_are_those_of_labels_scored_alone(found: list[dict[str, Any]]) -> None:
    assert len(found) >= len(LABEL_SETS)
    for clip in found:
        scores = np.array(clip["scores"])
        weights = np.exp(scores - scores.max())
        ours = list(clip["analysis"]["probabilities"].values())
        assert np.allclose(ours, weights / weights.sum(), rtol=0, atol=1e-3)


def test_the_result_is_that_of_the_server(found: list[dict[str, Any]]) -> None:
    for index, clip in enumerate(found):
        analysis = EmotionResponse.model_validate(clip["analysis"])
        assert list(analysis.probabilities) == LABEL_SETS[index % len(LABEL_SETS)]
        assert analysis.answer
        assert analysis.explanation
        assert analysis.model == "emotion-llama-demo"
        assert analysis.usage.completion_tokens > len(analysis.probabilities)
        assert analysis.evidence.faces is not None
        assert analysis.evidence.faces.frames == 17  # as the demo's file says


def test_a_clip_among_others_has_the_result_that_it_has_alone(found: list[dict[str, Any]]) -> None:
    for clip in found:
        alone, together = (
            EmotionResponse.model_validate(clip[way]) for way in ("analysis", "together")
        )
        assert together.model_dump(exclude=_OWN) == alone.model_dump(exclude=_OWN)
        assert together.probabilities == pytest.approx(alone.probabilities, abs=1e-4)
