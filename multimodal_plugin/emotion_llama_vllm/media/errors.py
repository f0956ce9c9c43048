"""Defines the errors about clips; each message is one sentence with the cure."""

import errno
from collections.abc import Iterator

from emotion_llama.error_codes import VIDEO_NOT_FOUND, VIDEO_NOT_READABLE


class MediaError(ValueError):
    """Reports that the clip cannot be used; `status` is the HTTP status of the response.

    `field` is the request's field that is wrong, in an analysis. `code` identifies the error for a
    client program that handles it.
    """

    status = 400
    field: str | None = "video"
    code: str | None = None


class MediaNotReadable(MediaError):
    """Reports a path that the server must not or cannot read; the caller may upload the file."""

    code = VIDEO_NOT_READABLE


class MediaNotFound(MediaNotReadable):
    """Reports that there is no such file in an allowed place."""

    status = 404
    code = VIDEO_NOT_FOUND


class MediaTooLarge(MediaError):
    """Reports a clip with more bytes than the operator allows."""

    status = 413


def clip_too_large(max_bytes: float) -> MediaTooLarge:
    """Return the error for a clip that has more than `max_bytes`."""
    most = round(max_bytes / 2**20, 2)
    return MediaTooLarge(f"The clip is over {most:g} MiB, the most that this server takes.")


class DecodeTimeout(MediaError):
    """Reports that decoding took longer than the operator allows."""

    status = 504


class ServerBusy(MediaError):
    """Reports that the server lacks descriptors, memory or threads for now, for any clip."""

    status = 503
    field = None


class StorageFull(MediaError):
    """Reports that the server has no disk space for an upload."""

    status = 507
    field = None


class FrameTimeError(MediaError):
    """Reports that the clip has no frame at the requested time."""

    field = "frame"


class TrackError(MediaError):
    """Reports that the clip has no such sound track."""

    field = "audio_track"


class TimelineError(MediaError):
    """Reports that the clip cannot be cut into the requested windows."""

    field = "timeline"


class FeaturesError(MediaError):
    """Reports invalid pre-extracted features."""

    field = "features"


_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_MEMORY = (errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC)
"""The errors for lack of memory; ENOSPC comes from memory files, the only files written here."""


def shortage(error: BaseException) -> ServerBusy | None:
    """Return a `ServerBusy` if `error` is due to a lack of descriptors, memory or threads."""
    for cause in _causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        if number in _DESCRIPTORS:
            return ServerBusy("The server has no file descriptors left; ask again later.")
        if isinstance(cause, MemoryError) or number in _MEMORY:
            return ServerBusy("The server has no memory left for this clip; ask again later.")
        if isinstance(cause, RuntimeError) and "start new thread" in str(cause):
            return ServerBusy("The server can start no thread now; ask again later.")
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all its causes, with those of a group."""
    pending, known = [error], set[int]()
    while pending:
        cause = pending.pop()
        if id(cause) not in known:
            known.add(id(cause))
            yield cause
            pending += [e for e in (cause.__cause__, cause.__context__) if e is not None]
            pending += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
