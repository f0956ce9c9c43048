"""Defines what a request for `POST /v1/files` says beside its file."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from emotion_llama.stored import UploadPurpose

Lifetime = Annotated[int, Field(ge=3600, le=2_592_000)]
"""Seconds from an hour to 30 days."""


class ExpiresAfter(BaseModel):
    """Says when a file expires."""

    model_config = ConfigDict(extra="forbid")

    anchor: Literal["created_at"]
    seconds: Lifetime


class UploadForm(BaseModel):
    """Holds the fields of an upload."""

    model_config = ConfigDict(extra="forbid")

    purpose: UploadPurpose
    expires_after: ExpiresAfter | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "UploadForm":
        """Check the fields of a form, in which `expires_after[seconds]` is one of an object's.

        Raises:
            pydantic.ValidationError: a field is unknown, missing or has a wrong value.
        """
        value: dict[str, object] = {}
        expiry: dict[str, str] = {}
        for name, text in fields.items():
            if name.startswith("expires_after[") and name.endswith("]"):
                expiry[name.removeprefix("expires_after[")[:-1]] = text
            else:
                value[name] = text
        return cls.model_validate(value | ({"expires_after": expiry} if expiry else {}))
