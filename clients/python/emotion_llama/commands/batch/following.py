"""Implements `emotion-llama batch status`, `watch` and `cancel`."""

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.batch import Batch
from emotion_llama.commands.asking import Server
from emotion_llama.commands.batch.asking import ask
from emotion_llama.commands.batch.asking import watch as watch_until_over
from emotion_llama.commands.failure import INTERRUPTED, CommandError, fail, note
from emotion_llama.commands.flags import Address, ApiKey
from emotion_llama.commands.output import count_of_clips
from emotion_llama.commands.terminal import printable
from emotion_llama.connection import DEFAULT_URL

T = TypeVar("T")
BatchId = Annotated[str, typer.Argument(help="id of the batch")]
_LISTED = 20


def status(
    batch_id: Annotated[
        str | None, typer.Argument(help="id of the batch; by default the newest are listed")
    ] = None,
    server: Address = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Print the state of a batch, or of the newest ones."""

    async def find(client: AsyncEmotionLLaMA) -> list[Batch]:
        if batch_id is not None:
            return [await client.batches.retrieve(batch_id)]
        found: list[Batch] = []
        async for batch in client.batches.list():
            found.append(batch)
            if len(found) == _LISTED:
                break
        return found

    for batch in _ask("batch status", server, api_key, find):
        _tell(batch)


def watch(batch_id: BatchId, server: Address = DEFAULT_URL, api_key: ApiKey = None) -> None:
    """Show the progress of a batch until it is over."""
    try:
        batch = _ask(
            "batch watch", server, api_key, lambda client: watch_until_over(client, batch_id)
        )
    except KeyboardInterrupt:
        note("batch watch", "Stopped watching: the batch goes on.")
        sys.exit(INTERRUPTED)
    _tell(batch)
    is_good = batch.status == "completed" and not batch.request_counts.failed
    sys.exit(0 if is_good else 1)


def cancel(batch_id: BatchId, server: Address = DEFAULT_URL, api_key: ApiKey = None) -> None:
    """End a batch; the results until then are kept."""
    _tell(_ask("batch cancel", server, api_key, lambda client: client.batches.cancel(batch_id)))


def _ask(
    command: str,
    server: str,
    api_key: str | None,
    do: Callable[[AsyncEmotionLLaMA], Awaitable[T]],
) -> T:
    try:
        return ask(Server.of(server, api_key), do)
    except CommandError as error:
        fail(command, error)


def _tell(batch: Batch) -> None:
    """Print one line about a batch, and what is wrong with its lines."""
    counts = batch.request_counts
    created = datetime.fromtimestamp(batch.created_at).strftime("%Y-%m-%d %H:%M")
    done = f"{counts.completed + counts.failed} of {count_of_clips(counts.total)}"
    failed = f", {counts.failed} failed" if counts.failed else ""
    print(f"{batch.id}  {created}  {batch.status}  {done}{failed}")
    for error in batch.errors.data if batch.errors else ():
        place = "the file" if error.line is None else f"line {error.line}"
        print(f"  {place}: {printable(error.message)}")
