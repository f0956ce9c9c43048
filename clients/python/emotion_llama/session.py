"""Computes the header by which a router sends all requests about a clip to the same replica."""

import base64
import hashlib
from typing import IO

from emotion_llama.media import is_data_url

HEADER = "X-Session-ID"
_PIECE = 2**20


def session_headers(clip: str | bytes | IO[bytes] | None) -> dict[str, str]:
    """Return the header of a request about a clip; it reads an open file from its beginning.

    A stream that cannot be rewound gets none: it would have to be in memory as a whole.

    Args:
        clip: the clip's bytes, a file that is open, or its path, URL or data URL.
    """
    digest = _digest(clip)
    return {} if digest is None else {HEADER: digest}


def _digest(clip: str | bytes | IO[bytes] | None) -> str | None:
    """Return the SHA-256 of a clip's bytes, or of its name, in hexadecimal digits."""
    if clip is None:
        return None
    if isinstance(clip, str):
        clip = _content(clip)
    if isinstance(clip, bytes):
        return hashlib.sha256(clip).hexdigest()
    if not (hasattr(clip, "seekable") and clip.seekable()):
        return None
    return _digest_of_file(clip)


def _digest_of_file(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _content(name: str) -> bytes:
    """Return the bytes in a data URL in base64; of any other name, the name itself."""
    head, _, text = name.partition(",")
    if is_data_url(name) and head.lower().endswith(";base64"):
        try:
            return base64.b64decode(text)
        except ValueError:  # the server will say what is wrong
            pass
    return name.encode(errors="replace")
