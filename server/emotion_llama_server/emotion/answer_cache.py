"""Answers to identical deterministic requests, in memory, bounded by bytes, off by default.

A key, or an address where there are no keys, finds its own answers alone: a hit would otherwise
show what another one has asked about.
"""

import hashlib

from cachetools import LRUCache

from emotion_llama.schema import EmotionRequest, EmotionResponse
from emotion_llama_vllm import metrics
from emotion_llama_vllm.checkpoint.served import Served


class AnswerCache:
    """The answers that were used last.

    Args:
        megabytes: of answers that are kept at most; 0 turns it off.
    """

    def __init__(self, megabytes: float) -> None:
        self._answers: LRUCache[bytes, bytes] = LRUCache(int(megabytes * 2**20), getsizeof=len)

    @property
    def is_off(self) -> bool:
        return not self._answers.maxsize

    def key(self, owner: str, clip: bytes, request: EmotionRequest, served: Served) -> bytes | None:
        """Return what an answer is kept under; None for one that is not kept.

        Args:
            owner: who asks.
            clip: the digest of the clip's bytes.
            request: what is asked about it.
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
        """Return the answer as it was given; None for what is not there, or not kept."""
        kept = None if key is None else self._answers.get(key)
        if not self.is_off:
            metrics.answer_cache.labels("miss" if kept is None else "hit").inc()
        if key is None or kept is None:
            return None
        return EmotionResponse.model_validate_json(kept)

    def put(self, key: bytes, answer: EmotionResponse) -> None:
        """Keep an answer; those that were not used for longest give way."""
        kept = answer.model_dump_json().encode()
        if len(kept) <= self._answers.maxsize:
            self._answers[key] = kept
