"""Converts clips and pre-extracted features from every form in which a program holds them."""

import base64
import inspect
import io
from os import PathLike, fspath
from pathlib import Path
from typing import IO, Any

Upload = bytes | bytearray | memoryview | PathLike[str] | IO[bytes]
Features = bytes | bytearray | memoryview | PathLike[str] | str


def is_url(text: str) -> bool:
    """Return whether a clip is named by a URL, such as a data URL, instead of a path."""
    return "://" in text[:32] or is_data_url(text)


def is_data_url(text: str) -> bool:
    """Return whether a text is a data URL."""
    return text[:5].lower() == "data:"


def path_of(video_path: str | PathLike[str]) -> str:
    """Return a clip's path, URL or data URL as text.

    Raises:
        TypeError: the value is something else.
    """
    if isinstance(video_path, bytes | bytearray | memoryview):
        raise TypeError("`video_path` names a clip; give the bytes of one as `video`.")
    if hasattr(video_path, "read"):
        raise TypeError("`video_path` names a clip; give an open file as `video`.")
    if not isinstance(video_path, str | PathLike):  # a URL object of a library
        text = str(video_path)
        if not is_url(text):
            raise TypeError(f"`video_path` is a path or a URL, not a {type(video_path).__name__}.")
        return text
    return fspath(video_path)


def upload_of(video: Any) -> bytes | IO[bytes] | Path:
    """Return a clip in a form that can be sent: its bytes, an open file, or a file's path.

    Raises:
        TypeError: the value does not hold bytes.
    """
    if isinstance(video, bytes):
        return video
    if isinstance(video, str):
        raise TypeError(
            "`video` takes a clip's bytes or an open file; give a path as `video_path`."
        )
    if isinstance(video, PathLike):
        return Path(video)
    if isinstance(video, io.TextIOBase):
        raise TypeError('`video` is open as text: open it with mode "rb".')
    if callable(read := getattr(video, "read", None)):
        if inspect.iscoroutinefunction(read):
            raise TypeError("`video` is read asynchronously: give the bytes, `await video.read()`.")
        return video
    try:
        return memoryview(video).tobytes()
    except TypeError as error:
        raise TypeError(
            f"`video` takes a clip's bytes or an open file, not a {type(video).__name__}."
        ) from error


def features_of(features: Any) -> str:
    """Return features as base64: from a `.npy` file's bytes or path, an array, or base64.

    Raises:
        TypeError: the value is none of these.
    """
    if isinstance(features, str):
        return features
    if isinstance(features, PathLike):
        data = Path(features).read_bytes()
    elif isinstance(features, bytes | bytearray | memoryview):
        data = bytes(features)
    elif hasattr(features, "__array__"):
        data = _as_npy(features)
    else:
        raise TypeError(
            "`features` takes a `.npy` file's bytes or path, a numpy array or base64, "
            f"not a {type(features).__name__}."
        )
    return base64.b64encode(data).decode()


def _as_npy(array: Any) -> bytes:
    import numpy as np  # a program with an array has numpy; the client does not need it

    file = io.BytesIO()
    np.save(file, np.asarray(array, dtype=np.float32), allow_pickle=False)
    return file.getvalue()
