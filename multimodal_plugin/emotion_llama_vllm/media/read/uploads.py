"""Defines the interface of files that were uploaded ahead, which a server may keep."""

import re
from typing import Protocol

from emotion_llama_vllm.media.clip_file import ClipFile

_ID = re.compile("file-[0-9a-f]{32}")


class Uploads(Protocol):
    """Opens the uploaded files of the current request's key."""

    async def open_clip(self, file_id: str) -> ClipFile:
        """Return a file, which the caller closes.

        Raises:
            MediaError: the key has no such file, or it is too large for a clip.
        """
        ...


def is_file_id(text: str) -> bool:
    """Return whether a text has the form of an uploaded file's id."""
    return _ID.fullmatch(text) is not None


_used: Uploads | None = None


def current() -> Uploads | None:
    """Return the uploaded files of this process; None if it keeps none."""
    return _used


def use(uploads: Uploads | None) -> None:
    """Set the uploaded files of this process; vLLM creates its connectors itself."""
    global _used
    _used = uploads
