"""What becomes of one clip of many."""

from dataclasses import dataclass
from os import PathLike

from emotion_llama.errors import EmotionLLaMAError
from emotion_llama.schema import EmotionResponse


@dataclass(frozen=True)
class Analysis:
    """The answer about a clip, or why there is none."""

    video_path: str | PathLike[str]
    response: EmotionResponse | None
    error: EmotionLLaMAError | None
