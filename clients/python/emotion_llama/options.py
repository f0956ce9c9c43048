"""Defines the options of a request about a clip as keywords of the clients' methods."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypedDict

from emotion_llama.face_crops import FaceCrops, pack
from emotion_llama.media import Features, Upload, features_of, is_url, path_of, upload_of
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
    frame: Literal["first", "middle", "peak"] | float
    """The picture that the model sees: the first one, the middle one, the peak (the strongest
    expression of the face) or the one at a time in seconds."""
    audio_track: int
    """The number of the sound track, counted from 0; by default the track that a player plays."""
    features: Features
    """A `.npy` file of float32 [3, feature size] (its bytes, path or base64), or the array."""
    face_crops: FaceCrops
    """The crops of the face, one for each frame: a folder of pictures, or uint8 [n, 112, 112, 3].
    The clip is then uploaded, so it has to be a local file or its bytes."""
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
        OSError: the clip or its face crops cannot be read.
        TypeError: a clip or an option has a type that cannot be sent.
    """
    if (video_path is None) == (video is None):
        raise ValueError("Give one clip: `video_path`, or `video` with its bytes.")
    if (crops := options.get("face_crops")) is not None:
        video_path, video = None, pack(_bytes_of(video_path, video), crops)
    fields = {
        name: _as_field(name, value)
        for name, value in options.items()
        if value is not None and name != "face_crops"
    }
    fields["task"] = "both" if explain and task == "emotion" else task
    if stream:
        fields["stream"] = True
    upload = None if video is None else upload_of(video)
    if isinstance(upload, Path):
        return Call(fields, str(upload), None, accept)
    return Call(fields, None if video_path is None else path_of(video_path), upload, accept)


def _bytes_of(video_path: str | PathLike[str] | None, video: Upload | None) -> bytes:
    """Return the bytes of a clip, which is packed together with its face crops."""
    if video is None:
        if is_url(path := path_of(video_path or "")):
            raise ValueError("A clip with `face_crops` is a local file or its bytes, not a URL.")
        return Path(path).read_bytes()
    upload = upload_of(video)
    if isinstance(upload, Path):
        return upload.read_bytes()
    return upload if isinstance(upload, bytes) else upload.read()


def _as_field(name: str, value: Any) -> Any:
    if name == "timeline":
        return timeline_of(value)
    return features_of(value) if name == "features" else plain(name, value)
