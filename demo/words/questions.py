"""The questions that clips are asked."""

from functools import cache
from pathlib import Path

import numpy as np
import yaml

from demo.chance import pick


@cache
def questions() -> dict:
    """Everything in questions.yaml: lists by kind, and under `free` lists by fact."""
    return yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text("utf-8"))


def emotion_question(rng: np.random.Generator) -> str:
    """One of the questions that the label alone answers."""
    return pick(rng, questions()["emotion"])
