"""Defines the operator's settings for media; every process reads them from the environment."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from emotion_llama_vllm.media.faces.sampling import FEWEST

ENV_PREFIX = "EMOTION_LLAMA_"
_FEWEST_DECODE_WORKERS, _MOST_DECODE_WORKERS = 2, 8


class MediaSettings(BaseSettings):
    """Limits the media of requests; `EMOTION_LLAMA_<NAME>` sets each field."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, use_attribute_docstrings=True
    )

    media_root: Annotated[tuple[Path, ...], NoDecode] = ()
    """folder whose clips requests may name; repeat it"""

    max_media_mb: float = Field(default=64, gt=0)
    """MiB of a clip, however it comes"""

    max_audio_seconds: float = Field(default=120, gt=0)
    """seconds of a clip's sound, never cut"""

    max_timeline_seconds: float = Field(default=3600, gt=0)
    """seconds of a clip that is cut into windows"""

    max_face_crops: int = Field(default=300, ge=FEWEST)
    """face crops of a clip, never left out"""

    face_frames: int | Literal["all"] = 49
    """frames of a clip in which the face is sought"""

    media_fetch_seconds: float = Field(default=30, gt=0)
    """seconds for fetching a clip"""

    allow_private_media_host: Annotated[tuple[str, ...], NoDecode] = ()
    """allowed domain with a private address; repeat it"""

    media_trust_env: bool = False
    """fetch through the environment's proxy"""

    decode_workers: int = Field(default=0, ge=0)
    """processes that decode [half of the cores, 2 to 8]"""

    decode_seconds: float = Field(default=20, gt=0)
    """seconds, and CPU seconds, for decoding a clip"""

    decode_memory_mb: float = Field(default=2048, ge=256)
    """MiB of memory for decoding a clip"""

    clip_cache_mb: float = Field(default=256, ge=0)
    """MiB of decoded clips kept for more questions"""

    @field_validator("face_frames", mode="before")
    @classmethod
    def _check_frames(cls, value: object) -> object:
        if value != "all" and not (str(value).isdecimal() and int(str(value)) >= FEWEST):
            raise ValueError(f"write all, or a number from {FEWEST} on")
        return value

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

    @property
    def most_face_frames(self) -> int:
        """Return the maximum number of frames of a clip in which the face is sought."""
        wanted = self.max_face_crops if self.face_frames == "all" else self.face_frames
        return min(wanted, self.max_face_crops)

    @property
    def max_base64_bytes(self) -> int:
        """Return the size of the largest clip as base64."""
        return self.max_media_bytes * 4 // 3


@cache
def media_settings() -> MediaSettings:
    """Return this process's settings, read on first use, because plugins load before the flags."""
    return MediaSettings()


def default_decode_workers() -> int:
    """Return half of the cores that this process may use, within limits.

    With two workers on 16 cores beside a GPU, only 19 to 25 of 64 simultaneous requests were in the
    engine; the others waited before it.
    """
    from vllm.utils.torch_utils import available_cpu_count

    half = available_cpu_count() // 2
    return min(max(_FEWEST_DECODE_WORKERS, half), _MOST_DECODE_WORKERS)
