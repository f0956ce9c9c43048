"""Checks the API keys of requests, and the access tokens that count as keys."""

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
from emotion_llama_server.gate.caller import TOKEN_PREFIX, Caller, caller_of, line_key, refuse
from emotion_llama_server.gate.oidc.tokens import Tokens
from emotion_llama_server.settings import ServerSettings

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MISSING = "An API key is needed: send `Authorization: Bearer KEY` or `X-API-Key: KEY`."
_MISSING_EITHER = "An access token or API key is needed: send `Authorization: Bearer TOKEN`."
_UNKNOWN = "The API key is unknown."
_UNKNOWN_EITHER = "This is neither a known API key nor an access token in the form of a JWT."
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


@dataclass(frozen=True)
class _Given:
    """Holds what a request contains as its key."""

    text: bytes
    is_bearer: bool

    @property
    def may_be_token(self) -> bool:
        """Return whether it has the place and the three parts of an access token."""
        return self.is_bearer and self.text.count(b".") == 2

    @classmethod
    def by(cls, headers: Headers) -> Self | None:
        """Read a request's headers."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return cls(token.strip().encode("latin-1"), is_bearer=True)
        key = headers.get("x-api-key")
        return None if key is None else cls(key.strip().encode("latin-1"), is_bearer=False)


class Keys:
    """Admits requests with a key and requests for open paths; without keys, it admits all.

    Args:
        app: the inner app.
        ring: the keys.
        tokens: verifies access tokens, which count as keys; None if there are none.
        metrics_keys: the names of the keys that may read the metrics; if it is empty, all keys may.
    """

    def __init__(
        self,
        app: ASGIApp,
        ring: KeyRing,
        tokens: Tokens | None = None,
        metrics_keys: Collection[str] = (),
    ) -> None:
        self._app, self._ring, self._tokens = app, ring, tokens
        self._metrics_keys = metrics_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (line := line_key(scope)) is not None:
            caller_of(scope).key = line or None
            if not self._still_counts(line):
                error = HTTPException(401, "The key that sent this batch does not count any more.")
                await refuse(scope, receive, send, error=error, reason="key")
                return
        elif scope["type"] == "http" and (self._ring or self._tokens):
            given, caller = _Given.by(Headers(scope=scope)), caller_of(scope)
            caller.key = self._ring.find(given.text) if given else None
            try:
                if not paths.is_open(path := path_of(scope)):
                    await self._check(path, given, caller)
            except HTTPException as error:
                reason = "issuer" if error.status_code == 503 else "key"
                await refuse(scope, receive, send, error=error, reason=reason)
                return
        await self._app(scope, receive, send)

    def _still_counts(self, key: str) -> bool:
        """Return whether the key of a batch, which was checked when it came, still exists."""
        if key.startswith(TOKEN_PREFIX):  # a provider cannot be asked without the token
            return self._tokens is not None
        return key in self._ring.names or not (key or self._ring or self._tokens)

    async def _check(self, path: str, given: _Given | None, caller: Caller) -> None:
        """Check that a client may use a path; store the name if an access token contains it.

        Raises:
            HTTPException: the client may not, or the issuer of its token does not answer.
        """
        if caller.key is None and given and given.may_be_token and self._tokens:
            holder = await self._tokens.holder(given.text)
            caller.key = holder.name
            if holder.refusal is not None:
                raise holder.refusal
        if caller.key is None:
            raise HTTPException(401, self._words(given), {"WWW-Authenticate": "Bearer"})
        # vLLM answers every path that begins so with its metrics.
        is_limited = self._metrics_keys and path.startswith(paths.METRICS)
        if is_limited and caller.key not in self._metrics_keys:
            raise HTTPException(403, "This key may not read the metrics.")

    def _words(self, given: _Given | None) -> str:
        """Return what is wrong with a request that has no key, or an unknown one."""
        if given is None:
            return _MISSING if self._tokens is None else _MISSING_EITHER
        return _UNKNOWN if self._tokens is None else _UNKNOWN_EITHER


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
