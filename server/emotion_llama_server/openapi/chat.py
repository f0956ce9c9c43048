"""The messages of a chat as the OpenAPI document tells them: with the parts that are read here.

vLLM's own schema has dozens of parts more, which are refused; `emotion_llama_server.chat.clip` reads them.
"""

from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]


class ClipAddress(BaseModel):
    """A path under a media root, an http(s) URL of an allowed domain, or a data URL."""

    url: str


class ClipFile(BaseModel):
    """A clip that is sent along: a data URL, or its bytes as base64."""

    file_data: str
    filename: str | Absent = None


class ContentPart(BaseModel):
    """A clip or a text; the field of the name that is its type holds it."""

    type: Literal["text", "video_url", "image_url", "file"]
    text: str | Absent = None
    video_url: ClipAddress | Absent = None
    image_url: ClipAddress | Absent = None
    """A picture is a clip of one frame without sound."""
    file: ClipFile | Absent = None


class ChatMessage(BaseModel):
    """One turn of a conversation; the clip is in a user's."""

    role: Literal["system", "user", "assistant"]
    content: str | list[ContentPart]
