"""Caches decoded clips, so that the next question about a clip does not decode it again."""

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

    @property
    def size(self) -> int | None:
        return self._decoder.size

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        key = await files.run(partial(_key, asking.get().owner, job, clip))
        kept = self._kept.get(key)
        metrics.clip_cache.labels("miss" if kept is None else "hit").inc()
        if kept is not None:
            return kept  # type: ignore[return-value]  # the same job made it
        decoded = await self._decoder.run(job, clip)
        if decoded.nbytes <= self._kept.maxsize:
            self._kept[key] = decoded
        return decoded


def _key(owner: str, job: Callable[[bytes], Decoded], clip: ClipFile) -> bytes:
    return hashlib.sha256(pickle.dumps((owner, job)) + clip.digest).digest()
