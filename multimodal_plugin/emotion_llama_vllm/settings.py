"""What the operator allows and limits for media, read from the environment in every process."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ENV_PREFIX = "EMOTION_LLAMA_"


class MediaSettings(BaseSettings):
    """Limits of the media that requests bring; every field is `EMOTION_LLAMA_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, use_attribute_docstrings=True
    )

    media_root: Annotated[tuple[Path, ...], NoDecode] = ()
    """folder whose clips requests may name; give it again, or join several with `:`"""

    max_media_mb: float = Field(default=64, gt=0)
    """largest clip in MiB, however it comes"""

    max_audio_seconds: float = Field(default=120, gt=0)
    """longest sound of a clip; a longer one is refused, never cut"""

    max_timeline_seconds: float = Field(default=3600, gt=0)
    """longest clip; over the longest sound it can only be cut into windows"""

    media_fetch_seconds: float = Field(default=30, gt=0)
    """deadline for fetching a clip over http(s), redirects included"""

    allow_private_media_host: Annotated[tuple[str, ...], NoDecode] = ()
    """allowed media domain that may have a private address; give it again for more"""

    media_trust_env: bool = False
    """true: fetch clips through the proxy that the environment names, which then looks up hosts"""

    decode_workers: int = Field(default=0, ge=0)
    """processes that decode; with 0 a hostile file can end the server"""

    decode_seconds: float = Field(default=20, gt=0)
    """deadline for decoding a clip, and the CPU time it may take"""

    decode_memory_mb: float = Field(default=2048, ge=256)
    """memory in MiB that decoding a clip may take"""

    clip_cache_mb: float = Field(default=256, ge=0)
    """MiB of decoded clips that are kept for further questions of the same key about them"""

    @field_validator("allow_private_media_host", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

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
