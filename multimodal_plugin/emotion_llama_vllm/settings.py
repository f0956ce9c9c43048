"""What the operator allows and limits for media, read from the environment in every process."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ENV_PREFIX = "EMOTION_LLAMA_"


class MediaSettings(BaseSettings):
    """Limits of the media that requests bring; every field is `EMOTION_LLAMA_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    media_root: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders whose files a request may name, separated by `:` in the environment."""

    max_media_mb: float = Field(default=64, gt=0)
    """Largest clip in MiB, however it comes."""

    max_audio_seconds: float = Field(default=120, gt=0)
    """Longest sound; a longer one is refused, never cut."""

    max_timeline_seconds: float = Field(default=3600, gt=0)
    """Longest sound of a clip that is analysed window by window."""

    media_fetch_seconds: float = Field(default=30, gt=0)
    """Deadline for fetching a clip over http(s), redirects included."""

    @field_validator("media_root", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part for part in value.split(":") if part] if isinstance(value, str) else value

    @property
    def max_media_bytes(self) -> int:
        return int(self.max_media_mb * 2**20)


@cache
def media_settings() -> MediaSettings:
    """This process's settings, read when they are first needed: plugins load before the flags."""
    return MediaSettings()
