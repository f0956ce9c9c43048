"""The vocabulary that facts are told in."""

from functools import cache
from pathlib import Path

import yaml


@cache
def phrases() -> dict[str, dict]:
    """phrases.yaml: aspect to value to language to phrase."""
    return yaml.safe_load(Path(__file__).with_name("phrases.yaml").read_text("utf-8"))


def phrase(aspect: str, value: str | bool, language: str) -> str:
    """How this value of this aspect is said."""
    return phrases()[aspect][value][language]
