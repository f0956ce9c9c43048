"""Defines the options of a request about a clip as keywords of the clients' methods."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypedDict

from emotion_llama.media import Features, Upload, features_of, path_of, upload_of
from emotion_llama.plain import plain, timeline_of
from emotion_llama.schema import Language, Task, TimelineRequest
from emotion_llama.wire import Call

TimelineForm = Literal["csv", "vtt"]


class Options(TypedDict, total=False):
    """Holds fields of EmotionRequest; the server's default applies to each missing one."""

    question: str
    """The question for the explanation; by default the checkpoint's own question."""
    transcript: str
    """The words that the person says in the clip."""
    transcribe: bool
    """True to let the server's transcription service write the transcript, false to let it not."""
    labels: Sequence[str]
    """The labels to choose from, 2 to 64."""
    frame: Literal["first", "middle"] | float
    """The picture that the model sees: the first one, the middle one or the one at a time in
    seconds."""
    audio_track: int
    """The number of the sound track, counted from 0; by default the track that a player plays."""
    features: Features
    """A `.npy` file of float32 [3, feature size] (its bytes, path or base64), or the array."""
    timeline: Sequence[float] | TimelineRequest | dict[str, float] | float | str
    """The length of each window and the step to the next one in seconds: (2, 1), "2/1", a
    TimelineRequest or a dict; one number sets both."""
    language: Language
    temperature: float
    max_tokens: int
    seed: int


def make_call(
    video_path: str | PathLike[str] | None,
    video: Upload | None,
    task: Task,
    explain: bool,
    options: Options,
    *,
    stream: bool = False,
    accept: str = "application/json",
) -> Call:
    """Build a request.

    Raises:
        ValueError: there is no clip, or there are two, or an option has no meaning.
        TypeError: a clip or an option has a type that cannot be sent.
    """
    if (video_path is None) == (video is None):
        raise ValueError("Give one clip: `video_path`, or `video` with its bytes.")
    fields = {name: _as_field(name, value) for name, value in options.items() if value is not None}
    fields["task"] = "both" if explain and task == "emotion" else task
    if stream:
        fields["stream"] = True
    upload = None if video is None else upload_of(video)
    if isinstance(upload, Path):
        return Call(fields, str(upload), None, accept)
    return Call(fields, None if video_path is None else path_of(video_path), upload, accept)


def _as_field(name: str, value: Any) -> Any:
    if name == "timeline":
        return timeline_of(value)
    return features_of(value) if name == "features" else plain(name, value)
