"""Defines the types and codes of errors for programs: OpenAI's types, and one table of codes."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

ErrorType = Literal[
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "not_found_error",
    "rate_limit_error",
    "server_error",
]


@dataclass(frozen=True)
class ErrorCode:
    """Describes an error code: its status, and when a server sends it."""

    status: int
    meaning: str


VIDEO_NOT_READABLE = "video_not_readable"
VIDEO_NOT_FOUND = "video_not_found"
MODEL_NOT_FOUND = "model_not_found"
FILE_NOT_FOUND = "file_not_found"
BATCH_NOT_FOUND = "batch_not_found"
QUOTA_EXCEEDED = "quota_exceeded"
CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"

ERROR_CODES = {
    "invalid_request": ErrorCode(400, "A field or the clip cannot be used; `param` names it."),
    CONTEXT_LENGTH_EXCEEDED: ErrorCode(400, "The prompt is longer than the model reads."),
    VIDEO_NOT_READABLE: ErrorCode(400, "The server may not read that path: upload the file."),
    "invalid_api_key": ErrorCode(401, "The API key is missing or unknown."),
    "invalid_token": ErrorCode(401, "The access token is not valid, or no longer."),
    "permission_denied": ErrorCode(403, "The key, the token or the web page may not do this."),
    "route_not_found": ErrorCode(404, "There is no such route."),
    MODEL_NOT_FOUND: ErrorCode(404, "No model of that name is served."),
    VIDEO_NOT_FOUND: ErrorCode(404, "There is no such file in the folders that the server reads."),
    FILE_NOT_FOUND: ErrorCode(404, "The key has no file of this id."),
    BATCH_NOT_FOUND: ErrorCode(404, "The key has no batch of this id."),
    "method_not_allowed": ErrorCode(405, "The route answers other methods."),
    "request_timeout": ErrorCode(408, "The request took too long to arrive."),
    "too_large": ErrorCode(413, "The request or the clip is larger than the server accepts."),
    QUOTA_EXCEEDED: ErrorCode(413, "The key keeps as many files as it may: delete some."),
    "unsupported_media_type": ErrorCode(415, "The body's type or encoding is not supported."),
    "rate_limit_exceeded": ErrorCode(429, "Too many requests; retry after `Retry-After`."),
    "headers_too_large": ErrorCode(431, "The request's header is too large."),
    "internal_error": ErrorCode(500, "The server failed; its log says why."),
    "transcription_failed": ErrorCode(502, "The transcription service failed; send the words."),
    "server_unavailable": ErrorCode(503, "The server accepts no requests now."),
    "processing_timeout": ErrorCode(504, "Decoding or answering took too long."),
    "insufficient_storage": ErrorCode(507, "There is no disk space for what the request sends."),
}
"""All codes. The first code of a status is the default for errors with this status.

In a chat a missing file is a 400, because OpenAI's clients read every 404 as a missing model.
"""

_TYPES: dict[int, ErrorType] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def error_type(status: int) -> ErrorType:
    """Return the type of an error with this status."""
    is_servers = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _TYPES.get(status, "server_error" if is_servers else "invalid_request_error")


def code_of_status(status: int) -> str:
    """Return the default code of errors with this status."""
    for code, known in ERROR_CODES.items():
        if known.status == status:
            return code
    is_servers = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return "internal_error" if is_servers else "invalid_request"


def status_of_code(code: int | str | None) -> int | None:
    """Return the status of a code; older servers sent the status as the code."""
    if isinstance(code, int):
        return code
    known = ERROR_CODES.get(code or "")
    return None if known is None else known.status
