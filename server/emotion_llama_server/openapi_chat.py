"""The messages of a chat as the OpenAPI document tells them: with the parts that are read here.

vLLM's own schema has dozens of parts more, which are refused; it is `chat_clip` that reads them.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class TextPart(BaseModel):
    """What is asked, or was answered."""

    type: Literal["text"]
    text: str


class ClipAddress(BaseModel):
    """A path under a media root, an http(s) URL of an allowed domain, or a data URL."""

    url: str


class VideoPart(BaseModel):
    """A clip."""

    type: Literal["video_url"]
    video_url: ClipAddress


class ImagePart(BaseModel):
    """A picture: a clip of one frame without sound."""

    type: Literal["image_url"]
    image_url: ClipAddress


class FileData(BaseModel):
    """A clip as a data URL, or its bytes as base64."""

    file_data: str
    filename: str = ""


class FilePart(BaseModel):
    """A clip that is sent along, as OpenAI's clients send files."""

    type: Literal["file"]
    file: FileData


ContentPart = Annotated[TextPart | VideoPart | ImagePart | FilePart, Field(discriminator="type")]


class ChatMessage(BaseModel):
    """One turn of a conversation; the clip is in a user's."""

    role: Literal["system", "user", "assistant"]
    content: str | list[ContentPart]
