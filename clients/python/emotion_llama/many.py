"""Holds the options and the result of each clip in a request about many."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

from emotion_llama.options import Options
from emotion_llama.schema import EmotionResponse

OwnOptions = Callable[[str | PathLike[str]], Options]
"""Maps the path of a clip to its own options."""


def no_own_options(_: str | PathLike[str]) -> Options:
    """Return no further options for any clip."""
    return {}


@dataclass(frozen=True)
class Analysis:
    """Holds the answer about one clip, or its error."""

    video_path: str | PathLike[str]
    response: EmotionResponse | None
    error: Exception | None
    """The error: an EmotionLLaMAError, or an OSError if the file itself cannot be read."""
