"""API keys: who may ask at all."""

import hashlib
import re
import secrets
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.scope import OPEN_PATHS, caller_of, refuse
from emotion_llama_server.settings import ServerSettings

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
VLLM_KEY_NAME = "api-key"
"""What a key of `--api-key` or `VLLM_API_KEY` is called: these have no names."""


class KeyFormatError(ValueError):
    """A line that is no `name:key`; the message never holds it."""


@dataclass(frozen=True)
class KeyRing:
    """Names, and digests of keys: the keys themselves are not kept."""

    digests: Sequence[tuple[str, bytes]] = ()

    @classmethod
    def parse(cls, lines: Iterable[str], unnamed: Iterable[str] = ()) -> Self:
        """Read `name:key` lines; empty ones and those that begin with # are skipped.

        Args:
            lines: of a file or a setting. Two keys may have one name, as while one is replaced.
            unnamed: keys without a name.

        Raises:
            KeyFormatError: a line of another form.
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

    def find(self, key: bytes) -> str | None:
        """The key's name; it takes the same time for each."""
        digest, found = _digest(key), None
        for name, known in self.digests:
            if secrets.compare_digest(digest, known):
                found = name
        return found


def key_ring(args: Namespace, settings: ServerSettings) -> KeyRing:
    """The keys of the file, the environment and vLLM's own flag, read once.

    Raises:
        KeyFormatError: an entry of another form, or a file that cannot be read.
    """
    if (ring := getattr(args, "key_ring", None)) is not None:
        return ring
    path, lines = settings.api_key_file, settings.api_keys.get_secret_value().split(",")
    if path is not None:
        try:
            lines += path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFormatError(f"{path} cannot be read ({type(error).__name__})") from error
    ring = KeyRing.parse(lines, unnamed=getattr(args, "unnamed_keys", ()))
    if path is not None and not ring:
        raise KeyFormatError(f"{path} holds no key")
    return ring


class Keys:
    """Lets through whoever has a key, and what is open; everything if there are no keys."""

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self._app, self._ring = app, ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._ring:
            await self._app(scope, receive, send)
            return
        given = _given(Headers(scope=scope))
        name = None if given is None else self._ring.find(given)
        caller_of(scope).key = name
        if name is None and path_of(scope) not in OPEN_PATHS:
            words = (
                "The API key is not known here."
                if given is not None
                else ("An API key is needed: send `Authorization: Bearer KEY` or `X-API-Key: KEY`.")
            )
            error = HTTPException(401, words, {"WWW-Authenticate": "Bearer"})
            await refuse(scope, receive, send, error=error, reason="key")
            return
        await self._app(scope, receive, send)


def _given(headers: Headers) -> bytes | None:
    """The key that a request brings."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode("latin-1")
    key = headers.get("x-api-key")
    return None if key is None else key.strip().encode("latin-1")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
