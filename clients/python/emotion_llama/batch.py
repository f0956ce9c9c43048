"""Defines the objects of `/v1/batches`: many requests as one job, in OpenAI's shape."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

BatchEndpoint = Literal["/v1/chat/completions", "/v1/emotion"]
BatchStatus = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]
LineErrorCode = Literal["batch_expired", "batch_cancelled", "server_failed"]


class _Documented(BaseModel):
    """Makes the docstrings of the fields their descriptions in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class BatchError(_Documented):
    """Reports what is wrong with a line of a batch's input file, or with the whole file."""

    code: str
    line: int | None = None
    """The number of the line, counted from 1; null for the whole file."""
    message: str
    param: str | None = None
    """The field of the line."""


class BatchErrors(_Documented):
    """Lists why a batch has failed, up to the first 100 reasons."""

    object: Literal["list"] = "list"
    data: list[BatchError]


class RequestCounts(_Documented):
    """Counts the lines of a batch."""

    total: int = 0
    completed: int = 0
    """The lines whose answer is in the output file."""
    failed: int = 0
    """The lines that were answered with an error, which is in the error file."""


class Batch(_Documented):
    """Describes a batch. Times are in Unix seconds, and null for what has not come about."""

    id: str
    object: Literal["batch"] = "batch"
    endpoint: BatchEndpoint
    errors: BatchErrors | None = None
    input_file_id: str
    completion_window: str
    status: BatchStatus
    output_file_id: str | None = None
    """The file with the answers; null if there are none, or not yet."""
    error_file_id: str | None = None
    """The file with the errors; null if there are none, or not yet."""
    created_at: int
    in_progress_at: int | None = None
    expires_at: int
    """The time after which no further line is asked."""
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: RequestCounts
    metadata: dict[str, str] | None = None


class BatchList(_Documented):
    """Lists batches, the newest first."""

    object: Literal["list"] = "list"
    data: list[Batch]
    first_id: str | None
    last_id: str | None
    """The value of `after` for the next page."""
    has_more: bool


class LineResponse(_Documented):
    """Holds the response to a line."""

    status_code: int
    request_id: str
    body: Any


class LineError(_Documented):
    """Says why a line was not answered."""

    code: LineErrorCode
    message: str


class BatchResult(_Documented):
    """Represents a line of an output file or an error file."""

    id: str = Field(pattern="^batch_req_[0-9a-f]{32}$")
    custom_id: str
    """The name that the request has in the input file; results come in any order."""
    response: LineResponse | None
    error: LineError | None
