"""Defines the objects of `/v1/files`: files that are uploaded ahead, in OpenAI's shape."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Purpose = Literal["batch", "batch_output", "vision", "user_data"]
UploadPurpose = Literal["batch", "vision", "user_data"]


class FileObject(BaseModel):
    """Describes a file that the server keeps."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    """The name of the file in requests, for example as the clip of `/v1/emotion`."""
    object: Literal["file"] = "file"
    bytes: int
    """The size in bytes."""
    created_at: int
    """The time of the upload, in Unix seconds."""
    expires_at: int
    """The time at which the server deletes the file, in Unix seconds."""
    filename: str
    """The name on the machine from which it came; the server never uses it."""
    purpose: Purpose
    """What the file is for: `batch` holds the requests of a batch, `batch_output` their answers;
    `vision` and `user_data` are clips."""
    status: Literal["processed"] = "processed"
    status_details: str | None = None
    """Always null, because a file that is not usable is refused."""


class FileList(BaseModel):
    """Lists files in the order of their uploads."""

    object: Literal["list"] = "list"
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    """The value of `after` for the next page."""
    has_more: bool


class FileDeleted(BaseModel):
    """Confirms that a file is deleted."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
