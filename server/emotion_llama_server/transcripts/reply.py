"""Reads the reply of a transcription service: its words, and their times if it tells them."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field

from emotion_llama_server.transcripts.heard import Heard, Segment

Seconds = Annotated[float, Field(allow_inf_nan=False)]


class _Segment(BaseModel):
    """Represents the fields of OpenAI's `TranscriptionSegment` that are needed here."""

    start: Seconds
    end: Seconds
    text: str


class _Reply(BaseModel):
    """Represents the fields of OpenAI's `Transcription` and `TranscriptionVerbose`."""

    text: str
    segments: list[_Segment] | None = None


def read_reply(body: bytes, seconds: float) -> Heard:
    """Return the words in the body of a reply about a sound of so many seconds.

    Raises:
        pydantic.ValidationError: the body is no JSON, or has another form.
    """
    reply = _Reply.model_validate_json(body)
    segments = None if reply.segments is None else tuple(_in_order(reply.segments, seconds))
    return Heard(_one_line(reply.text), segments)


def _in_order(segments: Iterable[_Segment], seconds: float) -> Iterable[Segment]:
    """Yield the segments with words, cut so that none overlaps another or leaves the sound."""
    told = 0.0
    for segment in sorted(segments, key=lambda segment: segment.start):
        start = min(max(segment.start, told), seconds)
        told = min(max(segment.end, start), seconds)
        if text := _one_line(segment.text):
            yield Segment(start, told, text)


def _one_line(text: str) -> str:
    """Return a text on one line, without characters that are not printed."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
