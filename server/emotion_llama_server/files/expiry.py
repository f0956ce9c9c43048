"""Deletes what has expired."""

import asyncio

from emotion_llama_server.batches.store import BatchStore
from emotion_llama_server.files.store import FileStore
from emotion_llama_server.logger import logger
from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.errors import StorageFull

_LOOK_SECONDS = 60
"""Seconds between two searches; an expired file is refused at once, and deleted soon after."""


async def keep_tidy(files: FileStore, batches: BatchStore) -> None:
    """Delete expired files and old batches as long as the server runs."""
    while True:
        try:
            await tidy(files, batches)
        except StorageFull:
            logger.warning("Expired files cannot be deleted, because the disk is full.")
        await asyncio.sleep(_LOOK_SECONDS)


async def tidy(files: FileStore, batches: BatchStore) -> None:
    """Delete all that has expired, and count the files that are kept.

    Raises:
        StorageFull: there is not even the disk space to note it.
    """
    while await files.delete_expired():
        pass
    await batches.delete_old(files.most_seconds)
    count, size = await files.kept()
    metrics.stored_files.set(count)
    metrics.stored_bytes.set(size)
