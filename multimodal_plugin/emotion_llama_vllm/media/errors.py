"""Why a clip was refused. Each message is one sentence that says what to do."""


class MediaError(ValueError):
    """The clip cannot be used as it is; `status` is the HTTP status that says so."""

    status = 400


class MediaNotFound(MediaError):
    """Nothing is there, inside a place that the operator allows."""

    status = 404


class MediaTooLarge(MediaError):
    """More bytes than the operator allows."""

    status = 413
