"""Deletes expired files, and what a server that was killed has left."""

import asyncio

from emotion_llama_server.files.store import FileStore
from emotion_llama_server.logger import logger
from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.errors import StorageFull

_LOOK_SECONDS = 60
"""Seconds between two searches; an expired file is refused at once, and deleted soon after."""


async def keep_tidy(store: FileStore) -> None:
    """Delete expired files as long as the server runs."""
    while True:
        try:
            await tidy(store)
        except StorageFull:
            logger.warning("Expired files cannot be deleted, because the disk is full.")
        await asyncio.sleep(_LOOK_SECONDS)


async def tidy(store: FileStore) -> None:
    """Delete all files that have expired, and count those that are kept.

    Raises:
        StorageFull: there is not even the disk space to note it.
    """
    while await store.delete_expired():
        pass
    count, size = await store.kept()
    metrics.stored_files.set(count)
    metrics.stored_bytes.set(size)
