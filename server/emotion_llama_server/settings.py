"""What the operator sets for the server; every field is a flag and `EMOTION_LLAMA_<NAME>`."""

import argparse
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

import limits
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from starlette.datastructures import State

from emotion_llama_server.rate_storage import check_uri
from emotion_llama_vllm.settings import ENV_PREFIX, MediaSettings

_MIB = 2**20
TEXT_BYTES = 4 * _MIB
"""Most bytes of everything in a request but its clip."""


class ServerSettings(BaseSettings):
    """Access, load and logs; what concerns a clip is in `MediaSettings`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, use_attribute_docstrings=True
    )

    legacy_port: int = Field(default=7887, ge=1, le=65535)
    """the second port"""

    api_key_file: Path | None = None
    """file of `name:key` lines; with keys, every route but the probes and the pages needs one"""

    api_keys: SecretStr = SecretStr("")
    """The same, separated by commas; for the environment alone, as others can read a flag."""

    metrics_key: Annotated[tuple[str, ...], NoDecode] = ()
    """name of a key that may see /metrics, which all keys may if none is named; give it again for
    more"""

    expose_route: Annotated[tuple[str, ...], NoDecode] = ()
    """answer this route of vLLM's too, as /tokenize; give it again for more"""

    rate_limit: str | None = None
    """most requests of a key, or of an address where there are no keys, as 10/minute"""

    rate_limit_storage: str = "memory://"
    """where they are counted; redis://host:6379 lets replicas count together"""

    rate_limit_fail: Literal["open", "closed"] = "open"
    """while that storage does not work: let requests through uncounted, or refuse them with 503"""

    trusted_proxy: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """address or network whose X-Forwarded-For is believed; give it again for more"""

    max_in_flight: int = Field(default=64, ge=1)
    """requests of one key, or address, that are worked on at once; there is room for half as many
    more, for the others"""

    max_waiting: int = Field(default=256, ge=0)
    """requests of one key, or address, that wait for that; more are refused with 503"""

    request_timeout: float = Field(default=300, gt=0)
    """seconds for a request, from its first byte to its last"""

    max_answer_tokens: int = Field(default=2048, ge=1)
    """most tokens of an answer: a chat that asks for more is refused"""

    keep_alive_seconds: int = Field(default=75, ge=1)
    """seconds that a connection without a request stays open; give it more than a proxy in front"""

    max_upload_mb: float | None = Field(default=None, gt=0)
    """largest body of a request in MiB; by default what --max-media-mb needs as base64"""

    allow_text_only: bool = False
    """answer chats without a clip too, as the bare Llama; they get 400 otherwise"""

    log_format: Literal["text", "json"] = "text"
    """form of the log's lines"""

    answer_cache_mb: float = Field(default=0, ge=0)
    """keep answers to a key's identical deterministic requests of /v1/emotion, up to these MiB"""

    @field_validator("metrics_key", "expose_route", "trusted_proxy", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                limits.parse(value)
            except ValueError as error:
                raise ValueError("write it as 10/minute") from error
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _check_storage(cls, value: str) -> str:
        check_uri(value)
        return value

    def max_body_bytes(self, media: MediaSettings) -> int:
        """Of a request, however its clip is in there."""
        if self.max_upload_mb is not None:
            return int(self.max_upload_mb * _MIB)
        return media.max_media_bytes * 4 // 3 + TEXT_BYTES


def server_settings(args: argparse.Namespace) -> ServerSettings:
    """Those of the flags of `emotion-llama serve`; under vLLM's launcher the environment's."""
    return getattr(args, "server_settings", None) or ServerSettings()


def running_settings(state: State) -> ServerSettings:
    """Return the settings of the app whose state this is; of the environment, where it has none."""
    return getattr(state, "emotion_llama_settings", None) or ServerSettings()


_NOT_FLAGS = {"api_keys"}


def add_flags(parser: Any, *kinds: type[BaseSettings]) -> None:
    """Add a flag for each field: its help is the field's docstring, its checks are pydantic's."""
    for kind in kinds:
        for name, field in kind.model_fields.items():
            if name in _NOT_FLAGS:
                continue
            several = "tuple" in str(field.annotation)
            # A switch may come without a value, and does so from a config file.
            switch: dict[str, Any] = {"nargs": "?", "const": "true"}
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                action="append" if several else "store",
                default=None,
                metavar=name.rpartition("_")[2].upper(),
                help=field.description,
                **(switch if field.annotation is bool else {}),
            )


def given_flags(args: argparse.Namespace, kind: type[BaseSettings]) -> dict[str, Any]:
    """The fields that were given as flags."""
    given = {name: getattr(args, name, None) for name in kind.model_fields}
    return {name: value for name, value in given.items() if value not in (None, [])}


def first_error(error: ValidationError) -> str:
    """One sentence with the flag's name."""
    found = error.errors()[0]
    flag = str(found["loc"][0]).replace("_", "-") if found["loc"] else "settings"
    return f"--{flag}: {found['msg'].removeprefix('Value error, ')}."
