"""What can be asked about a clip, as keywords of the clients' methods."""

import base64
from os import PathLike, fspath
from typing import IO, Any, Literal, TypedDict

from emotion_llama.schema import Language, Task, TimelineRequest
from emotion_llama.wire import Call

Upload = bytes | IO[bytes]
TimelineForm = Literal["csv", "vtt"]


class Options(TypedDict, total=False):
    """The fields of EmotionRequest; what is left out is the server's default."""

    question: str
    """Instead of the checkpoint's own question for an explanation."""
    transcript: str
    """What the person says."""
    labels: list[str]
    """2 to 64 to choose from."""
    frame: Literal["first", "middle"] | float
    """Which picture is looked at: the first, the middle one, or that of a time in seconds."""
    features: bytes | str
    """A `.npy` file of float32 [3, feature size], or its base64."""
    timeline: tuple[float, float] | TimelineRequest
    """Seconds of each window, and from one's start to the next one's."""
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
    """Put a request together.

    Raises:
        ValueError: no clip, or two.
    """
    if (video_path is None) == (video is None):
        raise ValueError("Give one clip: `video_path`, or `video` with its bytes.")
    fields: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    fields["task"] = "both" if explain and task == "emotion" else task
    if isinstance(timeline := fields.get("timeline"), TimelineRequest):
        fields["timeline"] = timeline.model_dump()
    elif timeline is not None:
        fields["timeline"] = dict(zip(("window", "step"), timeline, strict=True))
    if isinstance(features := fields.get("features"), bytes):
        fields["features"] = base64.b64encode(features).decode()
    if stream:
        fields["stream"] = True
    return Call(fields, None if video_path is None else fspath(video_path), video, accept)
