"""Checks the API keys of requests."""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion_llama_server import paths
from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.caller import caller_of, refuse
from emotion_llama_server.settings import ServerSettings

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MISSING = "An API key is needed: send `Authorization: Bearer KEY` or `X-API-Key: KEY`."
_UNKNOWN = "The API key is unknown."
VLLM_KEY_NAME = "api-key"
"""The name of a key from `--api-key` or `VLLM_API_KEY`, which have no names."""


class KeyFormatError(ValueError):
    """Reports a line that is no `name:key`; the message never contains the line."""


@dataclass(frozen=True)
class KeyRing:
    """Holds names and digests of keys, but not the keys themselves."""

    digests: Sequence[tuple[str, bytes]] = ()

    @classmethod
    def parse(cls, lines: Iterable[str], unnamed: Iterable[str] = ()) -> Self:
        """Read `name:key` lines; empty lines and comments (#) are skipped.

        Args:
            lines: the lines of a file or a setting. Two keys may have the same name, for example
                while one is replaced.
            unnamed: the keys without a name.

        Raises:
            KeyFormatError: a line has another form.
        """
        pairs = [(VLLM_KEY_NAME, key) for key in unnamed]
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, colon, key = text.partition(":")
            if not colon or not key.strip() or not _NAME.fullmatch(name.strip()):
                raise KeyFormatError(f"entry {number} is not of the form name:key")
            pairs.append((name.strip(), key.strip()))
        return cls([(name, _digest(key.encode())) for name, key in pairs])

    def __bool__(self) -> bool:
        return bool(self.digests)

    @property
    def names(self) -> set[str]:
        """Return the names of all keys."""
        return {name for name, _ in self.digests}

    def find(self, key: bytes) -> str | None:
        """Return the key's name, or None; the time does not depend on the key."""
        digest, found = _digest(key), None
        for name, known in self.digests:
            if secrets.compare_digest(digest, known):
                found = name
        return found


def read_keys(settings: ServerSettings, unnamed: Iterable[str] = ()) -> KeyRing:
    """Read the keys of the file and the environment.

    Args:
        settings: the operator's settings.
        unnamed: further keys without a name, from vLLM's own flag.

    Raises:
        KeyFormatError: an entry has another form, or the file cannot be read.
    """
    path, lines = settings.api_key_file, settings.api_keys.get_secret_value().split(",")
    if path is not None:
        try:
            lines += path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFormatError(f"{path} cannot be read ({type(error).__name__})") from error
    ring = KeyRing.parse(lines, unnamed)
    if path is not None and not ring:
        raise KeyFormatError(f"{path} holds no key")
    return ring


class Keys:
    """Admits requests with a key and requests for open paths; without keys, it admits all.

    Args:
        app: the inner app.
        ring: the keys.
        metrics_keys: the names of the keys that may read the metrics; if it is empty, all keys may.
    """

    def __init__(self, app: ASGIApp, ring: KeyRing, metrics_keys: Collection[str] = ()) -> None:
        self._app, self._ring, self._metrics_keys = app, ring, metrics_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._ring:
            given = _given(Headers(scope=scope))
            name = None if given is None else self._ring.find(given)
            caller_of(scope).key = name
            error = self._refusal(path_of(scope), name, was_given=given is not None)
            if error is not None:
                await refuse(scope, receive, send, error=error, reason="key")
                return
        await self._app(scope, receive, send)

    def _refusal(self, path: str, name: str | None, *, was_given: bool) -> HTTPException | None:
        """Return why the key of this name, or a client without a key, may not use a path."""
        if path in paths.OPEN:
            return None
        if name is None:
            words = _UNKNOWN if was_given else _MISSING
            return HTTPException(401, words, {"WWW-Authenticate": "Bearer"})
        # vLLM answers every path that begins so with its metrics.
        is_metrics = path.startswith(paths.METRICS)
        if self._metrics_keys and is_metrics and name not in self._metrics_keys:
            return HTTPException(403, "This key may not read the metrics.")
        return None


def _given(headers: Headers) -> bytes | None:
    """Return the key that a request contains."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode("latin-1")
    key = headers.get("x-api-key")
    return None if key is None else key.strip().encode("latin-1")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
