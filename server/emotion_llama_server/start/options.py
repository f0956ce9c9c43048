"""Holds what `emotion-llama serve` decides beyond vLLM's own flags."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from fastapi import FastAPI

from emotion_llama_server.gate.keys import KeyRing, read_keys
from emotion_llama_server.settings import ServerSettings

_ATTRIBUTE = "emotion_llama"


@dataclass(frozen=True)
class Cors:
    """Holds vLLM's flags for pages of other origins, which our gate obeys in vLLM's place."""

    allow_origins: Sequence[str]
    allow_credentials: bool
    allow_methods: Sequence[str]
    allow_headers: Sequence[str]


@dataclass(frozen=True)
class StartOptions:
    """Holds the checked settings of a start.

    vLLM gives plugins its parsed arguments and nothing else, so the options travel on them.
    """

    settings: ServerSettings
    keys: KeyRing
    cors: Cors | None = None
    """The rule for pages of other origins; None if vLLM applies its own flags, or no page may."""
    on_ready: Callable[[FastAPI], None] | None = None
    """Is called with the app when its services are ready, before it listens."""

    @classmethod
    def of(cls, args: Namespace) -> Self:
        """Return the options on vLLM's arguments, or under vLLM alone those of the environment.

        Raises:
            pydantic.ValidationError: a variable of the environment has a wrong value.
            KeyFormatError: a key of the environment has another form than `name:key`.
        """
        if (options := getattr(args, _ATTRIBUTE, None)) is not None:
            return options
        settings = ServerSettings()
        return cls(settings, read_keys(settings))

    @property
    def needs_key(self) -> bool:
        """Return whether clients need a key or an access token."""
        return bool(self.keys) or self.settings.oidc_issuer is not None

    def names_origin(self, origin: str) -> bool:
        """Return whether the operator lets the pages of an origin send requests."""
        allowed = self.cors.allow_origins if self.cors else ()
        return "*" in allowed or origin in allowed

    def put_on(self, args: Namespace) -> None:
        """Store the options on vLLM's arguments."""
        setattr(args, _ATTRIBUTE, self)
