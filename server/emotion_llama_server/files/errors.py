"""Defines the errors about files that are kept."""

from starlette.exceptions import HTTPException

from emotion_llama.error_codes import FILE_NOT_FOUND, QUOTA_EXCEEDED


class FileMissing(HTTPException):
    """Reports that the asker has no file of this id, whether another one has it or nobody."""

    param, code = "file_id", FILE_NOT_FOUND

    def __init__(self) -> None:
        super().__init__(404, "You have no file of this id; GET /v1/files lists those that exist.")


class QuotaExceeded(HTTPException):
    """Reports that the asker keeps too much."""

    param, code = "file", QUOTA_EXCEEDED

    def __init__(self, words: str) -> None:
        super().__init__(413, f"{words}; delete some with DELETE /v1/files/{{id}}.")
