"""Reads the vocabulary that describes facts."""

from functools import cache
from pathlib import Path

import yaml


@cache
def phrases() -> dict[str, dict]:
    """Return phrases.yaml, which maps aspect to value to language to phrase."""
    return yaml.safe_load(Path(__file__).with_name("phrases.yaml").read_text("utf-8"))


def phrase(aspect: str, value: str | bool, language: str) -> str:
    """Return the phrase for this value of this aspect."""
    return phrases()[aspect][value][language]
