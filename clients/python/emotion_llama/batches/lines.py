"""Makes the lines of a batch, one for each clip, and reads the lines of its results."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from emotion_llama.batch import BatchResult
from emotion_llama.errors import EmotionLLaMAError, InvalidAnswer, from_result
from emotion_llama.face_crops import FaceCrops
from emotion_llama.many import Analysis, OwnOptions
from emotion_llama.media import path_of
from emotion_llama.options import Options, make_call
from emotion_llama.schema import EmotionResponse, Task
from emotion_llama.wire import ROUTE, Call

_MOST_LINES = 50_000
_MOST_NAME = 512
_WINDOW = re.compile(r"([1-9][0-9]{0,2})h")
_MOST_HOURS, _DAY_HOURS = 168, 24


@dataclass(frozen=True)
class ClipUpload:
    """Holds what has become of one clip before the batch begins."""

    video_path: str
    """The clip's name, which is also the `custom_id` of its line."""
    video: str | None
    """The clip's name in the request: the id of the uploaded file, a URL or a path on the
    server; None if it cannot be uploaded."""
    error: Exception | None
    """The error: an EmotionLLaMAError, an OSError if the file itself cannot be read, or a
    ValueError if its face crops cannot be used."""


def stop_at_failure(upload: ClipUpload) -> None:
    """Raise the error of a clip that cannot be uploaded."""
    if upload.error is not None:
        raise upload.error


@dataclass
class Lines:
    """Gathers the lines of a batch.

    Args:
        completion_window: the hours within which the server asks the lines, as `24h`.
    """

    completion_window: str
    _fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The fields of each clip's request without `video`, in the order of the clips."""
    _crops: dict[str, FaceCrops | None] = field(default_factory=dict)
    _videos: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        clips: Iterable[str | PathLike[str]],
        completion_window: str,
        task: Task,
        explain: bool,
        own_options: OwnOptions,
        options: Options,
    ) -> "Lines":
        """Return the lines of clips, before any clip is uploaded.

        Raises:
            ValueError: there are no clips or too many, or one has a name that no line can have, or
                an option has no meaning.
            TypeError: an option has a type that cannot be sent.
        """
        lines = cls(completion_window)
        _ = lines.clip_seconds
        for path in clips:
            asked: Options = {**options, **own_options(path)}
            name = _checked(path_of(path))
            lines._crops[name] = asked.pop("face_crops", None)
            lines._fields[name] = make_call(path, None, task, explain, asked).fields
        if not 0 < len(lines._fields) <= _MOST_LINES:
            raise ValueError(f"A batch has 1 to {_MOST_LINES} clips, not {len(lines._fields)}.")
        return lines

    @property
    def clips(self) -> list[str]:
        """Return the clips, each of them once."""
        return list(self._fields)

    @property
    def clip_seconds(self) -> int:
        """Return how long an uploaded clip is kept: a day longer than the lines may take."""
        found = _WINDOW.fullmatch(self.completion_window)
        hours = int(found[1]) if found else 0
        if not 0 < hours <= _MOST_HOURS:
            raise ValueError("`completion_window` is 1h to 168h.")
        return (hours + _DAY_HOURS) * 3600

    def crops(self, clip: str) -> FaceCrops | None:
        """Return the face crops that are packed together with a clip, or None."""
        return self._crops[clip]

    def add(self, upload: ClipUpload) -> None:
        """Note by which name the server has a clip; one that failed gets no line."""
        if upload.video is not None:
            self._videos[upload.video_path] = upload.video

    def data(self) -> bytes:
        """Return the input file of the batch.

        Raises:
            ValueError: no clip has been uploaded.
        """
        if not self._videos:
            raise ValueError("No clip could be uploaded.")
        return b"".join(
            _line(clip, fields | {"video": self._videos[clip]})
            for clip, fields in self._fields.items()
            if clip in self._videos
        )


def local_content(clip: str, crops: FaceCrops | None) -> Path | bytes | IO[bytes] | None:
    """Return what is uploaded: a clip's file, or the clip packed together with its face crops.

    It is None for a URL, a file's id or another path.

    Raises:
        OSError: the clip or its face crops cannot be read.
        ValueError: the face crops cannot be used.
    """
    if crops is None:
        return Call({}, clip, None).file
    return make_call(clip, None, "both", False, {"face_crops": crops}).upload


class ResultReader:
    """Cuts a results file, which arrives in pieces, into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, piece: bytes) -> Iterator[BatchResult]:
        """Yield the results whose lines are complete.

        Raises:
            InvalidAnswer: a line is no result.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            try:
                yield BatchResult.model_validate_json(line)
            except ValidationError as error:
                raise InvalidAnswer("A line of the results file is no result.") from error


def analysis_of(result: BatchResult) -> Analysis:
    """Return the answer about one clip, or its error."""
    error: EmotionLLaMAError
    if result.response is not None and result.response.status_code == 200:
        try:
            response = EmotionResponse.model_validate(result.response.body)
        except ValidationError:
            error = InvalidAnswer("The line's answer is not that of an Emotion-LLaMA server.")
        else:
            return Analysis(result.custom_id, response, None)
    else:
        error = from_result(result)
    return Analysis(result.custom_id, None, error)


def _line(clip: str, body: dict[str, Any]) -> bytes:
    line = {"custom_id": clip, "method": "POST", "url": ROUTE, "body": body}
    return json.dumps(line).encode() + b"\n"


def _checked(clip: str) -> str:
    """Return the name of a clip.

    Raises:
        ValueError: no line can have this name.
    """
    if len(clip) > _MOST_NAME:
        raise ValueError(f"A clip's name in a batch has {_MOST_NAME} characters: {clip[:80]}...")
    if clip != clip.encode(errors="replace").decode():
        raise ValueError(f"A clip's name in a batch is in UTF-8: rename {clip!r}.")
    return clip
