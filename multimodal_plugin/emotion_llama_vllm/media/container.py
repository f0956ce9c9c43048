"""Opening a video file: which containers are read, and that nothing else is reached."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import av
import av.logging as av_logging
from av.container import InputContainer
from av.error import FFmpegError

from emotion_llama_vllm.media.errors import MediaError

_OPTIONS = {
    # Playlists, concat scripts and SDP texts would make FFmpeg open other files or hosts.
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi",
    "protocol_whitelist": "none",
}

av_logging.set_level(None)


@contextmanager
def open_container(data: bytes) -> Iterator[InputContainer]:
    """Open the bytes of a video file for reading its packets inside the `with` block.

    Raises:
        MediaError: not a container that is read here, or a damaged one.
    """
    _check_riff_size(data)
    try:
        container = av.open(io.BytesIO(data), mode="r", options=_OPTIONS, metadata_errors="replace")
    except (FFmpegError, ValueError, OSError) as error:
        raise MediaError(
            "The file is no video that can be read: send an intact MP4, MOV, AVI, MKV or WebM, "
            "or a PNG or JPEG."
        ) from error
    with container:
        try:
            yield container
        except FFmpegError as error:
            raise MediaError("The file is damaged: it cannot be read to its end.") from error


def _check_riff_size(data: bytes) -> None:
    """FFmpeg reads a cut-off AVI as a shorter one; its header knows better."""
    if data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise MediaError("The file is cut off: it is shorter than its header says.")
