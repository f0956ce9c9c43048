"""Describes the chat messages that the server accepts for the OpenAPI document.

vLLM's own schema has dozens of further kinds of parts, which are refused.
`emotion_llama_server.chat.clip` reads these parts.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]


class ClipAddress(BaseModel):
    """Names a clip by a path under a media root, an allowed http(s) URL or a data URL."""

    url: str


class ClipFile(BaseModel):
    """Holds an uploaded clip: a data URL, or its bytes as base64."""

    file_data: str
    filename: str | Absent = None


class ContentPart(BaseModel):
    """Holds a clip or a text, in the field that has the name of its type."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: Literal["text", "video_url", "image_url", "file"]
    text: str | Absent = None
    video_url: ClipAddress | Absent = None
    image_url: ClipAddress | Absent = None
    """The URL of a picture, which is treated as a clip of one frame without sound."""
    file: ClipFile | Absent = None


class ChatMessage(BaseModel):
    """Represents one turn of a conversation; a user's turn contains the clip."""

    role: Literal["system", "user", "assistant"]
    content: str | list[ContentPart]
