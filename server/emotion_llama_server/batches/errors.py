"""Defines the errors about batches."""

from starlette.exceptions import HTTPException

from emotion_llama.error_codes import BATCH_NOT_FOUND


class BatchMissing(HTTPException):
    """Reports that the asker has no batch of this id, whether another one has it or nobody."""

    param, code = "batch_id", BATCH_NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            404, "You have no batch of this id; GET /v1/batches lists those that exist."
        )


class TooManyBatches(HTTPException):
    """Reports that the asker has too many batches that are not finished."""

    def __init__(self, most: int) -> None:
        super().__init__(
            429,
            f"You have {most} batches that are not finished, the most of a key here; wait for one.",
            {"Retry-After": "60"},
        )
