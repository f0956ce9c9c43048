"""Reads the questions about clips."""

from functools import cache
from pathlib import Path

import numpy as np
import yaml

from demo.chance import pick


@cache
def questions() -> dict:
    """Return questions.yaml: lists by kind, and lists by fact under `free`."""
    return yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text("utf-8"))


def emotion_question(rng: np.random.Generator) -> str:
    """Return one of the questions whose answer is the label alone."""
    return pick(rng, questions()["emotion"])
