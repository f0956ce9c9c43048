"""Transcribes the sound of clips, each once, and for each key only so many at once."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Self

from cachetools import LRUCache

from emotion_llama.schema import EmotionRequest
from emotion_llama_server.logger import logger
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.transcripts.errors import TranscriptionError, TranscriptionTimeout
from emotion_llama_server.transcripts.heard import Heard, join
from emotion_llama_server.transcripts.service import Service
from emotion_llama_server.transcripts.sound import Samples, as_wav, pieces_of, sound_of
from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.clip import SAMPLING_RATE, Clip
from emotion_llama_vllm.media.decode.timeline import Recording
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Shares, asking, with_reserve
from emotion_llama_vllm.telemetry import stage

AT_ONCE = 8
"""The number of sounds of one key that the service gets at once; the others' are half as many."""
_KEPT_BYTES = 4 << 20
"""The size of the replies that are kept: about an hour of speech has 100 KB."""
_SEGMENT_BYTES = 150
"""About the size of a segment in memory beside its text."""


@dataclass(eq=False)
class Transcriber:
    """Transcribes sounds, and keeps the transcripts for more questions about a clip.

    Args:
        service: the service that is asked.
        seconds: the deadline for a piece of ten minutes, including the wait for a place.
        is_automatic: whether every request is transcribed that brings no transcript.
        kept_bytes: the size of the transcripts that are kept; 0 keeps none.
    """

    service: Service
    seconds: float
    is_automatic: bool
    kept_bytes: int = _KEPT_BYTES
    _places: Shares[str] = field(default_factory=lambda: Shares(with_reserve(AT_ONCE), AT_ONCE))

    def __post_init__(self) -> None:
        self._kept: LRUCache[bytes, Heard] = LRUCache(self.kept_bytes, getsizeof=_size)

    @classmethod
    def of(cls, settings: ServerSettings, media: MediaSettings) -> Self | None:
        """Return the transcriber that the operator wants, or None.

        Raises:
            TranscriberSettingsError: its settings cannot be used.
        """
        if (service := Service.of(settings, media)) is None:
            return None
        kept = min(_KEPT_BYTES, int(media.clip_cache_mb * 2**20))
        return cls(service, settings.transcriber_seconds, settings.transcribe == "auto", kept)

    def is_wanted(self, request: EmotionRequest) -> bool:
        """Return whether a request is to be transcribed."""
        if request.transcribe is not None:
            return request.transcribe
        return self.is_automatic and not request.transcript.strip()

    async def hear(self, clip: Clip | Recording, *, with_times: bool) -> Heard | None:
        """Return the words in a clip; a long sound is sent in pieces, one after another.

        Args:
            clip: the decoded clip.
            with_times: whether the times of the words are needed.

        Returns:
            The words, or None for a clip without sound.

        Raises:
            TranscriptionError: the service failed, or took too long.
        """
        if (sound := sound_of(clip)) is None:
            return None
        heard, start = [], 0
        for piece in pieces_of(sound):
            heard.append((start / SAMPLING_RATE, await self._hear_piece(piece, with_times)))
            start += len(piece)
        return join(heard)

    async def _hear_piece(self, samples: Samples, with_times: bool) -> Heard:
        asker = asking.get()
        wav, digest = await asyncio.to_thread(_prepare, samples)
        # As in the cache of clips, the owner is part of the key: the time would tell another one
        # that this clip has been sent before.
        key = hashlib.sha256(f"{asker.holder}\0{with_times}\0".encode() + digest).digest()
        if (known := self._kept.get(key)) is not None:
            return known
        try:
            with stage("transcribe"):
                heard = await self._ask(wav, len(samples) / SAMPLING_RATE, with_times, asker.owner)
        except TranscriptionError as error:
            metrics.transcription_failures.labels(error.cause).inc()
            logger.warning("No transcript came from %s: %s.", self.service.url, error.reason)
            raise
        if _size(heard) <= self._kept.maxsize:
            self._kept[key] = heard
        return heard

    async def _ask(self, wav: bytes, seconds: float, with_times: bool, owner: str) -> Heard:
        try:
            async with asyncio.timeout(self.seconds), self._places.take(owner):
                return await self.service.hear(wav, seconds=seconds, with_times=with_times)
        except TimeoutError as error:
            reason = f"it did not answer within {self.seconds:g} s"
            words = f"The transcription service did not answer within {self.seconds:g} s."
            raise TranscriptionTimeout(words, "deadline", reason) from error


def _prepare(samples: Samples) -> tuple[bytes, bytes]:
    """Return a sound as a file, and its digest."""
    wav = as_wav(samples)
    return wav, hashlib.sha256(wav).digest()


def _size(heard: Heard) -> int:
    """Return about how many bytes a transcript takes in memory."""
    segments = heard.segments or ()
    return 1000 + 8 * len(heard.text) + _SEGMENT_BYTES * len(segments)
