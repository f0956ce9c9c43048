"""Builds the services of small apps, which lack the parts that a test does not need."""

from dataclasses import fields
from typing import Any

from emotion_llama_server.gate import Doorkeeper
from emotion_llama_server.gate.keys import KeyRing
from emotion_llama_server.gate.oidc.tokens import Tokens
from emotion_llama_server.services import Services
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.lifecycle import Lifecycle
from emotion_llama_server.start.options import Cors, StartOptions


def services(
    settings: ServerSettings | None = None,
    *,
    keys: str = "",
    origins: tuple[str, ...] = (),
    **parts: Any,
) -> Services:
    """Build services for an app without an engine; parts that are not given are None.

    Args:
        settings: the operator's settings; those of the environment by default.
        keys: `name:key` entries, separated by commas.
        origins: the origins whose pages may send requests.
        parts: fields of `Services`.
    """
    settings = settings or ServerSettings()
    doorkeeper = Doorkeeper(settings)
    lifecycle = Lifecycle(doorkeeper, parts.get("client"), drain_seconds=5)  # type: ignore[arg-type]
    cors = Cors(origins, allow_credentials=False, allow_methods=["*"], allow_headers=["*"])
    given = {
        "options": StartOptions(
            settings, KeyRing.parse(keys.split(",")), cors if origins else None
        ),
        "doorkeeper": doorkeeper,
        "tokens": Tokens.of(settings, lifecycle.start),
        "lifecycle": lifecycle,
    }
    absent = dict.fromkeys(field.name for field in fields(Services))
    return Services(**absent | given | parts)  # type: ignore[arg-type]
