"""Caches decoded clips, so that all questions about a clip decode it once."""

import asyncio
import hashlib
import pickle
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cachetools import LRUCache

from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.read.threads import files
from emotion_llama_vllm.media.workers.decoder import Decoded, Decoder
from emotion_llama_vllm.shares import asking

_T = TypeVar("_T", bound=Decoded)


class ClipCache:
    """Wraps a decoder and keeps its results, up to a number of bytes.

    Requests that come while the same clip is being decoded wait for that result, or its error.

    The key is the clip's content, not its name, together with the owner of the request: otherwise
    the decoding time would reveal that another key has sent the same clip.

    Args:
        decoder: decodes clips that are not in the cache.
        megabytes: the maximum size in MiB of the cached clips.
    """

    def __init__(self, decoder: Decoder, megabytes: float) -> None:
        self._decoder = decoder
        self._kept: LRUCache[bytes, Decoded] = LRUCache(
            int(megabytes * 2**20), getsizeof=lambda decoded: decoded.nbytes
        )
        self._running: dict[bytes, asyncio.Future[Decoded]] = {}
        """The decodings that have begun and not ended, by key."""

    @property
    def size(self) -> int | None:
        return self._decoder.size

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        key = await files.run(partial(_key, asking.get().holder, job, clip))
        known = self._kept.get(key) or await self._of_another(key)
        metrics.clip_cache.labels("miss" if known is None else "hit").inc()
        if known is None:
            return await self._decode(key, job, clip)
        return known  # type: ignore[return-value]  # the same job made it

    async def _of_another(self, key: bytes) -> Decoded | None:
        """Wait for the result of the request that decodes this clip now; None if there is none.

        If that request is cancelled, its file closes and its decoding ends. Then one of the waiting
        requests decodes its own file, and the others wait for that.
        """
        while (running := self._running.get(key)) is not None:
            await asyncio.wait({running})
            if not running.cancelled():
                return running.result()
        return None

    async def _decode(self, key: bytes, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        running = asyncio.ensure_future(self._decoder.run(job, clip))
        self._running[key] = running  # type: ignore[assignment]
        running.add_done_callback(lambda _: self._running.pop(key))
        decoded = await running
        if decoded.nbytes <= self._kept.maxsize:
            self._kept[key] = decoded
        return decoded


def _key(owner: str, job: Callable[[bytes], Decoded], clip: ClipFile) -> bytes:
    return hashlib.sha256(pickle.dumps((owner, job)) + clip.digest).digest()
