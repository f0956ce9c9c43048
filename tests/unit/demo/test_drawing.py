"""Drawn expressions are expressions to the networks that read real faces."""

from dataclasses import replace

import numpy as np
import pytest

from demo.clip import clip_frames
from demo.drawing import motion
from demo.labels import LABELS
from demo.recipe import recipe
from emotion_llama_vllm.media.faces import expression
from emotion_llama_vllm.media.faces.tracker import Tracker

SILENCE = np.zeros(12_000)
"""As long as nine frames: a blink needs that much."""


def strength(frame: np.ndarray) -> float:
    face = Tracker().find(frame)
    assert face is not None
    return expression.measure(face.points).strength


@pytest.mark.costly
def test_every_expression_is_stronger_than_a_neutral_face() -> None:
    plans = {label: recipe(f"{label}_drawn", label, "face", "test") for label in LABELS}
    strengths = {label: strength(clip_frames(plan, SILENCE)[0]) for label, plan in plans.items()}
    neutral = strengths.pop("neutral")
    assert neutral < 1.4
    assert min(strengths.values()) > neutral + 0.3


@pytest.mark.parametrize("apex", [0.45, 0.7])
def test_an_expression_rises_from_a_neutral_face_to_its_apex_and_falls(apex: float) -> None:
    moments = np.linspace(0, 1, 101)
    strengths = np.array([motion.strength(moment, apex) for moment in moments])
    assert motion.strength(0, apex) == motion.strength(0.1, apex) == 0
    assert motion.strength(apex, apex) == 1
    assert motion.strength(1, apex) < 0.25
    assert (np.diff(strengths[moments <= apex]) >= 0).all()
    assert (np.diff(strengths[moments >= apex]) <= 0).all()
    assert motion.strength(0, None) == 1


def test_a_clip_of_the_apex_family_is_neutral_at_first() -> None:
    plan = recipe("happy_apex_drawn", "happy", "apex", "test")
    relaxed = replace(plan, acts=(replace(plan.acts[0], face="neutral"),))
    rising, neutral = clip_frames(plan, SILENCE), clip_frames(relaxed, SILENCE)
    assert np.array_equal(rising[0], neutral[0])
    assert not np.array_equal(rising[5], neutral[5])
