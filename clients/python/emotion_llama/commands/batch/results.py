"""Implements `emotion-llama batch results`, which writes the results of a batch."""

import json
import sys
from pathlib import Path

from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.batch import Batch
from emotion_llama.commands.asking import Server, Take
from emotion_llama.commands.batch.asking import OPTIONS, ask
from emotion_llama.commands.batch.following import BatchId
from emotion_llama.commands.failure import INTERRUPTED, CommandError, fail, note
from emotion_llama.commands.flags import Address, ApiKey, Out
from emotion_llama.commands.output import Output, count_of_clips, list_failures
from emotion_llama.commands.results import Results, check_form
from emotion_llama.commands.saved import Saved
from emotion_llama.commands.words import Words
from emotion_llama.connection import DEFAULT_URL

_COMMAND = "batch results"


def results(
    batch_id: BatchId, server: Address = DEFAULT_URL, api_key: ApiKey = None, out: Out = None
) -> None:
    """Write the results of a batch that is over, in the form of `analyze`."""
    try:
        asked_server = Server.of(server, api_key)
        if out:
            _check_new(out)
        batch, words = ask(asked_server, lambda client: _find(client, batch_id))
        options = (batch.metadata or {}).get(OPTIONS, "")
        output = Output(words, options, Results(out, Saved()) if out else None)
    except CommandError as error:
        fail(_COMMAND, error)
    try:
        ask(asked_server, lambda client: _write(client, batch, output.take))
    except (CommandError, KeyboardInterrupt) as error:
        output.close()
        if out:  # a part of the results has no use, as all of them are still on the server
            out.unlink(missing_ok=True)
        if isinstance(error, CommandError):
            fail(_COMMAND, error, code=1)
        sys.exit(INTERRUPTED)
    output.close()
    if out:
        note(_COMMAND, f"Wrote {out} ({count_of_clips(output.count)}).")
    list_failures(output.failed)
    sys.exit(1 if output.failed else 0)


async def _find(client: AsyncEmotionLLaMA, batch_id: str) -> tuple[Batch, Words]:
    """Return a batch, and the words of its clips.

    Raises:
        CommandError: none of its clips was analysed.
    """
    batch = await client.batches.retrieve(batch_id)
    if batch.status == "failed":
        cure = f"`emotion-llama batch status {batch.id}` says why."
        raise CommandError(f"{batch.id} has failed: {cure}")
    if "transcripts=yes" not in (batch.metadata or {}).get(OPTIONS, ""):
        return batch, {}
    lines = map(json.loads, (await client.files.content(batch.input_file_id)).splitlines())
    said = {line["custom_id"]: line["body"].get("transcript") for line in lines}
    return batch, {clip: words for clip, words in said.items() if words is not None}


async def _write(client: AsyncEmotionLLaMA, batch: Batch, take: Take) -> None:
    async for analysis in client.batches.results(batch):
        take(analysis)


def _check_new(out: Path) -> None:
    """Raise CommandError if a file has another format, or is there already."""
    check_form(out)
    if out.is_file() and out.stat().st_size:
        raise CommandError(f"{out} is there already: name another file.")
