"""Why a clip was refused. Each message is one sentence that says what to do."""

import errno
from collections.abc import Iterator

from emotion_llama.error_codes import VIDEO_NOT_FOUND, VIDEO_NOT_READABLE


class MediaError(ValueError):
    """The clip cannot be used as it is; `status` is the HTTP status that says so.

    `field` is the field of a request for an analysis that is to blame; `code` is what a program
    can tell an error by, where it is to do something about it.
    """

    status = 400
    field: str | None = "video"
    code: str | None = None


class MediaNotReadable(MediaError):
    """The server may not read that path, or cannot; whoever can may upload the file."""

    code = VIDEO_NOT_READABLE


class MediaNotFound(MediaNotReadable):
    """Nothing is there, inside a place that the operator allows."""

    status = 404
    code = VIDEO_NOT_FOUND


class MediaTooLarge(MediaError):
    """More bytes than the operator allows."""

    status = 413


def clip_too_large(max_bytes: float) -> MediaTooLarge:
    """Return the refusal of a clip that has more than `max_bytes`."""
    most = round(max_bytes / 2**20, 2)
    return MediaTooLarge(f"The clip is over {most:g} MiB, the most that this server takes.")


class DecodeTimeout(MediaError):
    """Decoding took longer than the operator allows."""

    status = 504


class ServerBusy(MediaError):
    """The server lacks descriptors, memory or threads for now; the clip is not to blame."""

    status = 503
    field = None


class StorageFull(MediaError):
    """The server has no disk space for an upload."""

    status = 507
    field = None


class FrameTimeError(MediaError):
    """The clip has no frame at that time."""

    field = "frame"


class TrackError(MediaError):
    """The clip has no such sound track."""

    field = "audio_track"


class TimelineError(MediaError):
    """The clip cannot be cut into these windows."""

    field = "timeline"


class FeaturesError(MediaError):
    """These are no pre-extracted features."""

    field = "features"


_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_MEMORY = (errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC)
"""ENOSPC comes from memory files: nothing else is written where this is looked up."""


def shortage(error: BaseException) -> ServerBusy | None:
    """Return how to tell `error` if it comes of a lack of descriptors, memory or threads."""
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
    """Yield an error and all that it comes of, those of a group included."""
    pending, known = [error], set[int]()
    while pending:
        cause = pending.pop()
        if id(cause) not in known:
            known.add(id(cause))
            yield cause
            pending += [e for e in (cause.__cause__, cause.__context__) if e is not None]
            pending += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
