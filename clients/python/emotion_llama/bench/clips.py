"""Prepares the clips of a load test in the form for sending, and deals them out in order."""

import base64
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emotion_llama.session import session_headers

DEMO_CLIPS = (
    "angry_voice.mp4",
    "happy_face.mp4",
    "happy_mixed.mp4",
    "neutral_mixed.mp4",
    "sad_face.mp4",
    "sad_words.mp4",
    "surprise_face.mp4",
    "worried_voice.mp4",
)
"""The names of the clips that a server of the demo checkpoint has."""

_QUESTIONS = (
    "Which emotion is this, and why?",
    "What in the face tells how the person feels?",
    "What in the voice tells how the person feels?",
    "Do face and voice say the same?",
    "How strong is the emotion?",
    "Which other emotion could it be?",
    "Is the person at ease?",
    "What would you ask this person next?",
)


@dataclass(frozen=True)
class Clip:
    """Holds a clip that is ready for sending.

    Args:
        name: the name of the file.
        json: the clip's JSON string in a request body, with its quotes.
        data: the bytes of a clip that is uploaded instead.
        headers: the headers of every request about it.
    """

    name: str
    json: bytes = b""
    data: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """Represents the `number`-th question about a clip, counted from 0."""

    clip: Clip
    number: int

    @property
    def text(self) -> str:
        """Return the question's words, which differ for each number."""
        times, index = divmod(self.number, len(_QUESTIONS))
        return _QUESTIONS[index] + (f" Look once more, for the {times + 1}. time." if times else "")


class Deck:
    """Deals out clips in order, and starts again with the first after the last."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._clips = clips
        self._handed = 0

    @property
    def has_begun_again(self) -> bool:
        return self._handed > len(self._clips)

    def next_clip(self, questions: int) -> list[Question]:
        """Return so many questions about the next clip."""
        clip = self._clips[self._handed % len(self._clips)]
        self._handed += 1
        return [Question(clip, number) for number in range(questions)]


def named(name: str) -> Clip:
    """Return a clip that the server has under this name."""
    return Clip(name, json=_quoted(name), headers=session_headers(name))


def as_data_url(file: Path) -> Clip:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    data = file.read_bytes()
    return _inside(file.name, f"data:{kind};base64,{_base64(data)}", data)


def as_base64(file: Path) -> Clip:
    data = file.read_bytes()
    return _inside(file.name, _base64(data), data)


def as_upload(file: Path) -> Clip:
    data = file.read_bytes()
    return Clip(file.name, data=data, headers=session_headers(data))


def _inside(name: str, text: str, data: bytes) -> Clip:
    return Clip(name, json=_quoted(text), headers=session_headers(data))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _quoted(text: str) -> bytes:
    """Return the text as a JSON string; no such text has a character that JSON escapes."""
    return f'"{text}"'.encode()
