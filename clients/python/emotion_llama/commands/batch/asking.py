"""Sends the requests about batches, and shows their progress."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.batch import Batch
from emotion_llama.batches.lines import ClipUpload
from emotion_llama.commands.asking import Server, Take
from emotion_llama.commands.failure import CommandError, note
from emotion_llama.commands.progress import progress
from emotion_llama.error_codes import QUOTA_EXCEEDED
from emotion_llama.errors import (
    AuthenticationError,
    BadRequestError,
    EmotionLLaMAError,
    PayloadTooLargeError,
    PermissionDeniedError,
)
from emotion_llama.many import Analysis

T = TypeVar("T")
OPTIONS = "options"
"""The name under which a batch keeps the options of all clips, which a results file contains."""
_EVERY_SECONDS = 2.0


def ask(server: Server, do: Callable[[AsyncEmotionLLaMA], Awaitable[T]]) -> T:
    """Return the result of a function that sends requests.

    Raises:
        CommandError: a request fails.
        KeyboardInterrupt: Ctrl-C was pressed.
    """

    async def connected() -> T:
        async with server.connect() as client:
            return await do(client)

    try:
        return asyncio.run(connected())
    except (AuthenticationError, PermissionDeniedError) as error:
        raise CommandError(f"{server.address} refuses the API key: {error}") from error
    except (EmotionLLaMAError, ValueError) as error:
        raise CommandError(str(error)) from error


def ask_as_batch(
    server: Server, clips: Sequence[str], take: Take, options: str, **asked: Any
) -> bool:
    """Do the same as ask_all by one batch.

    Args:
        server: the server that answers.
        clips: the names of the clips.
        take: receives each result when the batch is over.
        options: the options of all clips, as text.
        asked: those of `AsyncBatches.submit`.

    Raises:
        CommandError: a request fails.
    """

    async def do(client: AsyncEmotionLLaMA) -> None:
        batch = await submit(client, clips, take, options, **asked)
        note("analyze", f"Submitted as {batch.id}, which goes on if this command ends.")
        async for analysis in client.batches.results(await watch(client, batch)):
            take(analysis)

    try:
        if clips:
            ask(server, do)
    except KeyboardInterrupt:
        return False
    return True


async def submit(
    client: AsyncEmotionLLaMA, clips: Sequence[str], take: Take, options: str, **asked: Any
) -> Batch:
    """Upload clips and submit them as a batch; `take` receives each clip that the server refuses.

    Raises:
        EmotionLLaMAError: no clip can be uploaded now.
        ValueError: the clips are no batch.
    """
    with progress() as bar:
        row = bar.add_task("upload", total=len(clips))

        def count(upload: ClipUpload) -> None:
            if upload.error is not None:
                if not _is_about_clip(upload.error):
                    raise upload.error
                take(Analysis(upload.video_path, None, upload.error))
            bar.advance(row)

        return await client.batches.submit(
            clips, metadata={OPTIONS: options}, on_upload=count, **asked
        )


async def watch(client: AsyncEmotionLLaMA, batch: Batch | str) -> Batch:
    """Show the progress of a batch until it is over, and return it."""
    with progress() as bar:
        row = bar.add_task("clips", total=None)

        def show(found: Batch) -> None:
            counts = found.request_counts
            done = counts.completed + counts.failed
            bar.update(row, description=found.status, total=counts.total or None, completed=done)

        return await client.batches.wait(batch, every=_EVERY_SECONDS, on_update=show)


def _is_about_clip(error: Exception) -> bool:
    """Return whether the other clips may be uploaded nevertheless."""
    if isinstance(error, BadRequestError | PayloadTooLargeError):
        return error.code != QUOTA_EXCEEDED
    return isinstance(error, OSError | ValueError)
