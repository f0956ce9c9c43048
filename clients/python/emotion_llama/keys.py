"""Sends an API key or access token with each request."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from inspect import isawaitable
from typing import Any

import httpx2

from emotion_llama.errors import InvalidSettings

KEY_VARIABLE = "EMOTION_LLAMA_API_KEY"

Key = str | Callable[[], str]
"""An API key or access token, or a function that returns a fresh one for each request."""
AsyncKey = str | Callable[[], str | Awaitable[str]]
"""The same for a program with an event loop, whose function may be a coroutine."""


def key_arguments(key: Key | AsyncKey | None) -> dict[str, Any]:
    """Return the keyword arguments with which an httpx2 client sends a key.

    Args:
        key: the key; by default the environment variable EMOTION_LLAMA_API_KEY.

    Raises:
        InvalidSettings: the key cannot be sent.
    """
    if callable(key):
        return {"auth": _Fresh(key)}
    return {"headers": _header(key or os.environ.get(KEY_VARIABLE) or "")}


class _Fresh(httpx2.Auth):
    """Calls a function before each attempt of a request, because an access token expires soon."""

    def __init__(self, fresh: Callable[[], Any]) -> None:
        self._fresh = fresh

    def sync_auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers.update(_header(self._fresh()))
        yield request

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        key = self._fresh()
        request.headers.update(_header(await key if isawaitable(key) else key))
        yield request


def _header(given: str) -> dict[str, str]:
    key = given.strip()
    if not key.isascii() or not key.isprintable():
        raise InvalidSettings("The API key has characters that a key cannot have.")
    return {"Authorization": f"Bearer {key}"} if key else {}
