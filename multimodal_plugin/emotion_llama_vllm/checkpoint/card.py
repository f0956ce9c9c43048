"""Defines the card of a checkpoint: its description, its labels and its own questions."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

FILE_NAME = "emotion_llama.json"

Language = Literal["en", "zh"]


class Questions(BaseModel):
    """Holds the question texts that the checkpoint was trained on, with their task tags."""

    emotion: Annotated[str, StringConstraints(pattern=r"\{labels\}")]
    """The question for a label alone; `{labels}` is replaced by the labels, joined by commas."""
    reason: str
    """The question for an explanation."""


class Card(BaseModel):
    """Describes a checkpoint in `emotion_llama.json`; the defaults are the original's."""

    description: str = (
        "Emotion-LLaMA names the emotion that a face, a voice and words show in a clip. "
        "A research model: it guesses at what is shown and measures nothing that anybody feels."
    )
    demonstration: bool = False
    """True if the checkpoint shows how the server works and recognises nobody's emotions."""
    labels: Annotated[list[str], Field(min_length=2)] = [
        *("neutral", "angry", "happy", "sad", "worried", "surprise")
    ]
    """The labels; the default is those of MER2023, on which the published weights were tuned."""
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
