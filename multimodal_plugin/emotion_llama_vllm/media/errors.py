"""Why a clip was refused. Each message is one sentence that says what to do."""


class MediaError(ValueError):
    """The clip cannot be used as it is; `status` is the HTTP status that says so.

    `field` is the field of a request for an analysis that is to blame; `code` is what a program
    can tell an error by, where it is to do something about it.
    """

    status = 400
    field = "video"
    code: str | None = None


class MediaNotReadable(MediaError):
    """The server may not read that path, or cannot; whoever can may upload the file."""

    code = "video_not_readable"


class MediaNotFound(MediaNotReadable):
    """Nothing is there, inside a place that the operator allows."""

    status = 404


class MediaTooLarge(MediaError):
    """More bytes than the operator allows."""

    status = 413


class DecodeTimeout(MediaError):
    """Decoding took longer than the operator allows."""

    status = 504


class FrameTimeError(MediaError):
    """The clip has no frame at that time."""

    field = "frame"


class TimelineError(MediaError):
    """The clip cannot be cut into these windows."""

    field = "timeline"


class FeaturesError(MediaError):
    """These are no pre-extracted features."""

    field = "features"
