"""Drawn expressions are expressions to the networks that read real faces."""

import numpy as np

from demo.clip import make_clip
from demo.labels import LABELS
from demo.recipe import recipe
from emotion_llama_vllm.media.faces import expression
from emotion_llama_vllm.media.faces.tracker import Tracker


def strength(frame: np.ndarray) -> float:
    face = Tracker().find(frame)
    assert face is not None
    return expression.measure(face.points).strength


def test_every_expression_is_stronger_than_a_neutral_face() -> None:
    strengths = {
        label: strength(make_clip(recipe(f"{label}_drawn", label, "face", "test")).frames[0])
        for label in LABELS
    }
    neutral = strengths.pop("neutral")
    assert neutral < 1.4
    assert min(strengths.values()) > neutral + 0.3
