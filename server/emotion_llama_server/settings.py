"""Defines the operator's settings; each is a flag and the variable `EMOTION_LLAMA_<NAME>`."""

import argparse
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import limits
from limits.aio.storage import MovingWindowSupport
from limits.errors import ConfigurationError
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from emotion_llama_server.start.arguments import LEGACY_PORT
from emotion_llama_vllm.settings import ENV_PREFIX, MediaSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MIB = 2**20
TEXT_BYTES = 4 * _MIB
"""The maximum number of bytes in a request, not counting its clip."""
BATCH_BYTES = 200 * 10**6
"""The maximum number of bytes of a batch's lines, as OpenAI has it."""


class ServerSettings(BaseSettings):
    """Holds the settings for access, load and logs; `MediaSettings` holds those for clips."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, use_attribute_docstrings=True
    )

    legacy_port: int = Field(default=LEGACY_PORT, ge=1, le=65535)
    """port of the original's API"""

    api_key_file: Path | None = None
    """keys that clients need, as name:key lines"""

    api_keys: SecretStr = SecretStr("")
    """The name:key lines, separated by commas; not a flag, because other users can read flags."""

    metrics_key: Annotated[tuple[str, ...], NoDecode] = ()
    """key that may read /metrics; repeat it [all keys]"""

    oidc_issuer: str | None = None
    """OpenID provider whose access tokens count as keys"""

    oidc_audience: str | None = Field(default=None, min_length=1)
    """audience that its tokens must name"""

    oidc_scope: str | None = Field(default=None, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")
    """scope that its tokens must have"""

    oidc_name_claim: str = Field(default="sub", min_length=1)
    """claim of a token that names its holder"""

    no_page: bool = False
    """do not serve the page at /"""

    expose_route: Annotated[tuple[str, ...], NoDecode] = ()
    """enable a vLLM route, as /tokenize; repeat it"""

    rate_limit: str | None = None
    """maximum rate of a key or address, as 10/minute"""

    rate_limit_storage: str = "memory://"
    """where to count: memory:// or redis://…"""

    rate_limit_fail: Literal["open", "closed"] = "open"
    """if that fails: let requests in, or refuse"""

    trusted_proxy: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """proxy whose X-Forwarded-For is trusted; repeat it"""

    max_in_flight: int = Field(default=64, ge=1)
    """requests of a key that run at once"""

    max_waiting: int = Field(default=256, ge=0)
    """requests of a key that wait for a place"""

    request_timeout: float = Field(default=300, gt=0)
    """seconds for a request, including its upload"""

    max_answer_tokens: int = Field(default=2048, ge=1)
    """maximum tokens of an answer"""

    drain_delay: float = Field(default=0, ge=0, allow_inf_nan=False)
    """seconds that requests are taken after SIGTERM"""

    keep_alive_seconds: int = Field(default=75, ge=1)
    """seconds an idle connection stays open"""

    max_upload_mb: float | None = Field(default=None, gt=0)
    """MiB of a request [4/3 of --max-media-mb, plus 4]"""

    allow_text_only: bool = False
    """answer chats without a clip too"""

    transcriber_url: str | None = None
    """transcription service, as http://HOST:PORT/v1"""

    transcriber_model: str = Field(default="whisper-1", min_length=1)
    """name of its model"""

    transcriber_key_file: Path | None = None
    """file with its API key"""

    transcriber_seconds: float = Field(default=30, gt=0, allow_inf_nan=False)
    """seconds for the transcript of a clip"""

    transcribe: Literal["asked", "auto"] = "asked"
    """transcribe what asks for it, or all"""

    log_format: Literal["text", "json"] = "text"
    """format of every log line"""

    log_file: Path | None = None
    """write the whole log here too, including vLLM's"""

    answer_cache_mb: float = Field(default=0, ge=0)
    """MiB of answers kept for identical requests"""

    data_dir: Path | None = None
    """private folder to keep files and batches in"""

    max_stored_gb: float = Field(default=10, gt=0)
    """GiB of files that a key may keep"""

    keep_days: int = Field(default=30, ge=1, le=3650)
    """days after which files are deleted"""

    @field_validator("metrics_key", "expose_route", "trusted_proxy", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str | None) -> str | None:
        """Refuse what would let others answer in the provider's place, or is no issuer."""
        if value is not None:
            if not is_https(value) and not is_local_http(value):
                raise ValueError("write https://HOST; http is for providers on this machine alone")
            if set(value) & set("?#@ "):
                raise ValueError("an issuer has no query, fragment, password or space")
        return value

    @field_validator("oidc_audience", "oidc_scope")
    @classmethod
    def _check_that_there_is_an_issuer(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Refuse an issuer without an audience, whose tokens for any other service would count."""
        has_issuer = info.data.get("oidc_issuer") is not None
        if value is not None and not has_issuer:
            raise ValueError("it needs --oidc-issuer")
        if value is None and has_issuer and info.field_name == "oidc_audience":
            raise ValueError("--oidc-issuer needs it, or tokens for other services would count")
        return value

    @field_validator("transcriber_url")
    @classmethod
    def _check_transcriber(cls, value: str | None) -> str | None:
        if value is not None:
            if _scheme_and_host(value)[0] not in ("http", "https"):
                raise ValueError("write http://HOST:PORT/v1 or https://HOST/v1")
            if set(value) & set("?#@ "):
                raise ValueError("the address has no query, fragment, password or space")
        return value

    @field_validator("transcriber_key_file", "transcribe")
    @classmethod
    def _check_that_there_is_a_transcriber(cls, value: object, info: ValidationInfo) -> object:
        if value not in (None, "asked") and info.data.get("transcriber_url") is None:
            raise ValueError("it needs --transcriber-url")
        return value

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
        """Check the form of the storage's URI, without connecting to it."""
        try:
            store = limits.storage.storage_from_string(f"async+{value}")
        except (ConfigurationError, ImportError, ValueError) as error:
            raise ValueError(
                "write memory://, or redis://host:port after `pip install 'limits[async-redis]'`"
            ) from error
        if not isinstance(store, MovingWindowSupport):
            raise ValueError("this storage cannot count in moving windows; redis://host:port can")
        return value

    def max_body_bytes(self, media: MediaSettings) -> int:
        """Return the maximum size of a request body in bytes, whatever form the clip has in it."""
        if self.max_upload_mb is not None:
            return int(self.max_upload_mb * _MIB)
        return media.max_base64_bytes + TEXT_BYTES

    def max_file_body_bytes(self, media: MediaSettings) -> int:
        """Return the maximum size of an upload's body in bytes: a clip, or a batch's lines."""
        most = self.max_body_bytes(media)
        return most if self.max_upload_mb is not None else max(most, BATCH_BYTES + TEXT_BYTES)


def is_https(url: str) -> bool:
    """Return whether a URL has https and a host."""
    return _scheme_and_host(url)[0] == "https"


def is_local_http(url: str) -> bool:
    """Return whether a URL leads to this machine by http."""
    scheme, host = _scheme_and_host(url)
    return scheme == "http" and host in LOOPBACK


def _scheme_and_host(url: str) -> tuple[str, str]:
    """Return both in small letters; they are empty for what is no URL with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return (parts.scheme, parts.hostname) if parts.hostname else ("", "")


_NOT_FLAGS = {"api_keys"}
_METAVARS = {
    "metrics_key": "NAME",
    "expose_route": "PATH",
    "rate_limit": "RATE",
    "rate_limit_storage": "URI",
    "trusted_proxy": "NETWORK",
    "oidc_issuer": "URL",
    "transcriber_url": "URL",
    "transcriber_model": "NAME",
    "oidc_audience": "NAME",
    "oidc_scope": "SCOPE",
    "oidc_name_claim": "CLAIM",
    "media_root": "DIR",
    "data_dir": "DIR",
    "face_frames": "all|N",
    "allow_private_media_host": "HOST",
}
"""The metavars of flags whose type does not say what value they take."""


def add_flags(parser: Any, *kinds: type[BaseSettings], only: Collection[str] = ()) -> None:
    """Add a flag for each field: its help is the field's docstring, its checks are pydantic's.

    Args:
        parser: a parser or one of its argument groups.
        kinds: the settings classes.
        only: the names of the fields to add, in this order; if it is empty, all fields are added.
    """
    fields = {name: field for kind in kinds for name, field in kind.model_fields.items()}
    for name in only or [name for name in fields if name not in _NOT_FLAGS]:
        field = fields[name]
        several = "tuple" in str(field.annotation)
        # A switch may come without a value, and does so from a config file.
        switch: dict[str, Any] = {"nargs": "?", "const": "true", "metavar": "BOOL"}
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            action="append" if several else "store",
            default=argparse.SUPPRESS,
            help=_with_default(field),
            **(switch if field.annotation is bool else {"metavar": _metavar(name, field)}),
        )


def _metavar(name: str, field: FieldInfo) -> str:
    if choices := [choice for choice in get_args(field.annotation) if isinstance(choice, str)]:
        return "|".join(choices)
    return _METAVARS.get(name) or ("FILE" if "Path" in str(field.annotation) else "N")


def _with_default(field: FieldInfo) -> str:
    """Return a flag's help with its default, unless the docstring already ends with one."""
    words = field.description or ""
    if field.default in (None, ()) or words.endswith("]"):
        return words
    default = "false" if field.default is False else field.default
    return f"{words} [{default}]"


def given_flags(args: argparse.Namespace, kind: type[BaseSettings]) -> dict[str, Any]:
    """Return the fields that were set by flags."""
    given = {name: getattr(args, name, None) for name in kind.model_fields}
    return {name: value for name, value in given.items() if value not in (None, [])}


def first_error(error: ValidationError) -> str:
    """Return one sentence that names the flag and its first error."""
    found = error.errors()[0]
    flag = str(found["loc"][0]).replace("_", "-") if found["loc"] else "settings"
    return f"--{flag}: {found['msg'].removeprefix('Value error, ')}."
