"""Sends requests about many clips, until all are done, the server is gone or Ctrl-C is pressed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.progress import progress
from emotion_llama.connection import Connection
from emotion_llama.errors import (
    AuthenticationError,
    ConnectionFailed,
    EmotionLLaMAError,
    InvalidAnswer,
    InvalidSettings,
    PermissionDeniedError,
)
from emotion_llama.many import Analysis
from emotion_llama.wire import ROUTE

Take = Callable[[Analysis], None]
"""Receives each answer and each failure."""


class NoServer(CommandError):
    """Reports in one sentence, with the address, why no clip can be analysed."""


@dataclass(frozen=True)
class Server:
    """Represents the server of a command.

    Args:
        address: the server's address.
        api_key: the key for the server.
    """

    address: str
    api_key: str | None

    @classmethod
    def of(cls, address: str, api_key: str | None) -> "Server":
        """Return a server whose address and key are valid.

        Raises:
            CommandError: the address, a proxy or the key cannot be used.
        """
        try:
            Connection.to(address).client_arguments(api_key, timeout=1)
        except InvalidSettings as error:
            raise CommandError(f"--server: {error}") from error
        return cls(address, api_key)

    def connect(self, **more: Any) -> AsyncEmotionLLaMA:
        """Return a client for the server."""
        return AsyncEmotionLLaMA(self.address, api_key=self.api_key, **more)


def ask_all(server: Server, clips: Sequence[str], take: Take, **options: Any) -> bool:
    """Send requests about all clips; return False if Ctrl-C ended this early.

    Args:
        server: the server that answers.
        clips: the names of the clips.
        take: receives each answer when it arrives.
        options: those of `AsyncEmotionLLaMA.analyze_many`.

    Raises:
        NoServer: the server cannot be reached, refuses the key or is another kind of server.
    """
    try:
        asyncio.run(_ask_all(server, clips, take, options))
    except KeyboardInterrupt:
        return False
    return True


async def _ask_all(
    server: Server, clips: Sequence[str], take: Take, options: dict[str, Any]
) -> None:
    is_server = False
    async with server.connect() as client:
        with progress() as bar:
            row = bar.add_task("clips", total=len(clips))
            async for analysis in client.analyze_many(clips, **options):
                if analysis.error is not None:
                    await _check(server, analysis.error, is_server)
                is_server |= analysis.response is not None
                bar.advance(row)
                take(analysis)


async def _check(server: Server, error: Exception, is_server: bool) -> None:
    """Raise NoServer if every other clip would fail too."""
    if isinstance(error, ConnectionFailed):
        await _check_reachable(server)
    elif isinstance(error, AuthenticationError | PermissionDeniedError):
        raise NoServer(f"{server.address} refuses the API key: {error}") from error
    elif not is_server and _is_of_another_server(error):
        raise NoServer(
            f"{server.address} is no Emotion-LLaMA server, because it has no {ROUTE}: "
            "correct --server, or start one with `emotion-llama serve`."
        ) from error


async def _check_reachable(server: Server) -> None:
    async with server.connect(max_retries=0) as client:
        try:
            await client.models()
        except ConnectionFailed as error:
            raise NoServer(str(error)) from error
        except EmotionLLaMAError:
            return  # the server answers; only one connection failed


def _is_of_another_server(error: Exception) -> bool:
    if isinstance(error, InvalidAnswer):
        return True
    if not isinstance(error, EmotionLLaMAError):
        return False
    return error.status in (404, 405, 501) and error.param is None
