"""Defines the body of `POST /v1/batches`."""

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from emotion_llama.batch import BatchEndpoint
from emotion_llama_server.files.form import ExpiresAfter

_Key = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Value = Annotated[str, StringConstraints(max_length=512)]
_HOUR = 3600


class BatchRequest(BaseModel):
    """Requests that the lines of a file are answered."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    input_file_id: str
    """A file that was uploaded with the purpose `batch`."""
    endpoint: BatchEndpoint
    """The route that each line asks."""
    completion_window: Annotated[str, Field(pattern=r"^([1-9]|[1-9]\d|1[0-5]\d|16[0-8])h$")]
    """The hours after which no further line is asked, from `1h` to `168h`."""
    metadata: Annotated[dict[_Key, _Value], Field(max_length=16)] | None = None
    """Up to 16 values for the client's own use."""
    output_expires_after: ExpiresAfter | None = None
    """When the files with the results expire."""

    @property
    def metadata_text(self) -> str | None:
        """Return the metadata as JSON."""
        return None if self.metadata is None else json.dumps(self.metadata)

    @property
    def window_seconds(self) -> int:
        """Return the completion window in seconds."""
        return int(self.completion_window.removesuffix("h")) * _HOUR
