"""Many clips: what each is asked, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

from emotion_llama.options import Options
from emotion_llama.schema import EmotionResponse

OwnOptions = Callable[[str | PathLike[str]], Options]
"""Path of a clip to what this one is asked beside what all are."""


def no_own_options(_: str | PathLike[str]) -> Options:
    """All clips are asked the same."""
    return {}


@dataclass(frozen=True)
class Analysis:
    """The answer about a clip, or why there is none."""

    video_path: str | PathLike[str]
    response: EmotionResponse | None
    error: Exception | None
    """An EmotionLLaMAError, or an OSError where the file itself cannot be read."""
