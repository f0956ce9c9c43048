"""The clips of a load test: each in the form in which it is sent, and which one is next."""

import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
"""Those that a server of the demo checkpoint has under these names."""

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
    """A clip, ready to be sent.

    Args:
        name: of its file.
        json: what stands for it in a JSON body, as a JSON string with its quotes.
        data: its bytes, where it is uploaded instead.
    """

    name: str
    json: bytes = b""
    data: bytes | None = None


@dataclass(frozen=True)
class Question:
    """The `number`-th question about a clip, counted from 0."""

    clip: Clip
    number: int

    @property
    def text(self) -> str:
        """Different for each number."""
        times, index = divmod(self.number, len(_QUESTIONS))
        return _QUESTIONS[index] + (f" Look once more, for the {times + 1}. time." if times else "")


class Deck:
    """Hands out clips in their order, and from the first again when there is none left."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._clips = clips
        self._handed = 0

    @property
    def has_begun_again(self) -> bool:
        return self._handed > len(self._clips)

    def next_clip(self, questions: int) -> list[Question]:
        """So many questions about the next clip."""
        clip = self._clips[self._handed % len(self._clips)]
        self._handed += 1
        return [Question(clip, number) for number in range(questions)]


def named(name: str) -> Clip:
    """A clip that the server has."""
    return Clip(name, json=_quoted(name))


def as_data_url(file: Path) -> Clip:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Clip(file.name, json=_quoted(f"data:{kind};base64,{_base64(file)}"))


def as_base64(file: Path) -> Clip:
    return Clip(file.name, json=_quoted(_base64(file)))


def as_upload(file: Path) -> Clip:
    return Clip(file.name, data=file.read_bytes())


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _quoted(text: str) -> bytes:
    """As JSON: none of these texts has a character that JSON escapes."""
    return f'"{text}"'.encode()
