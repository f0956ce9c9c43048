"""What a checkpoint says about itself: what it is, its labels, and its own questions."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

FILE_NAME = "emotion_llama.json"

Language = Literal["en", "zh"]


class Questions(BaseModel):
    """The wordings that the checkpoint was made for, with their task tags."""

    emotion: Annotated[str, StringConstraints(pattern=r"\{labels\}")]
    """Asks for a label alone; `{labels}` stands for the labels, joined by commas."""
    reason: str
    """Asks for an explanation."""


class Card(BaseModel):
    """Written as `emotion_llama.json`. The defaults are those of the original's weights."""

    description: str = (
        "Emotion-LLaMA names the emotion that a face, a voice and words show in a clip. "
        "A research model: it guesses at what is shown and measures nothing that anybody feels."
    )
    labels: Annotated[list[str], Field(min_length=2)] = [
        *("neutral", "angry", "happy", "sad", "worried", "surprise")
    ]
    """Those of MER2023, on which the published weights were tuned."""
    questions: dict[Language, Questions] = {
        "en": Questions(
            emotion="[emotion] Please determine which emotion label in the video represents: "
            "{labels}.",
            reason="[reason] Please analyze all the clues in the video and reason out the "
            "emotional label of the person in the video.",
        ),
        "zh": Questions(
            emotion="[emotion] 请判断视频中的人物是哪种情绪：{labels}。",
            reason="[reason] 请分析视频中的所有线索，推断人物的情绪。",
        ),
    }
