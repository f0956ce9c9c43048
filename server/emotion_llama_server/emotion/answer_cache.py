"""Caches answers to identical deterministic requests in memory; it is off by default.

A key, or an address if there are no keys, gets only its own answers: otherwise a hit would reveal
another client's requests.
"""

import hashlib

from cachetools import LRUCache

from emotion_llama.schema import EmotionRequest, EmotionResponse
from emotion_llama_vllm import metrics
from emotion_llama_vllm.checkpoint.served import Served


class AnswerCache:
    """Holds the most recently used answers.

    Args:
        megabytes: the maximum size of all kept answers; 0 turns the cache off.
    """

    def __init__(self, megabytes: float) -> None:
        self._answers: LRUCache[bytes, bytes] = LRUCache(int(megabytes * 2**20), getsizeof=len)

    @property
    def is_off(self) -> bool:
        return not self._answers.maxsize

    def key(self, owner: str, clip: bytes, request: EmotionRequest, served: Served) -> bytes | None:
        """Return the cache key of an answer, or None if the answer must not be kept.

        Args:
            owner: the client that sends the request.
            clip: the digest of the clip's bytes.
            request: the request about the clip.
            served: the checkpoint that answers.
        """
        if self.is_off or (request.temperature > 0 and request.seed is None):
            return None
        asked = request.model_dump_json(exclude={"video", "stream"})
        card = served.card.model_dump_json()
        parts = (
            owner.encode(),
            clip,
            asked.encode(),
            f"{served.manifest} {served.name} {card}".encode(),
        )
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()

    def get(self, key: bytes | None) -> EmotionResponse | None:
        """Return the answer as it was sent before, or None if it is not in the cache."""
        kept = None if key is None else self._answers.get(key)
        if not self.is_off:
            metrics.answer_cache.labels("miss" if kept is None else "hit").inc()
        if key is None or kept is None:
            return None
        return EmotionResponse.model_validate_json(kept)

    def put(self, key: bytes, answer: EmotionResponse) -> None:
        """Store an answer; the least recently used ones are removed if there is no room."""
        kept = answer.model_dump_json().encode()
        if len(kept) <= self._answers.maxsize:
            self._answers[key] = kept
