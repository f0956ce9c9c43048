"""Accepts a submission: fetches, decodes and analyses its clip, or returns a cached answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from emotion_llama.schema import (
    EmotionEvent,
    EmotionRequest,
    EmotionResponse,
    ExplanationDelta,
)
from emotion_llama_server.emotion.analysis import Analysis, Clock, Event
from emotion_llama_server.emotion.answer_cache import AnswerCache
from emotion_llama_server.emotion.request import Submission
from emotion_llama_server.engine import Engine
from emotion_llama_server.transcripts import words
from emotion_llama_server.transcripts.errors import TranscriptionError
from emotion_llama_server.transcripts.transcriber import Transcriber
from emotion_llama_server.transcripts.words import Words
from emotion_llama_vllm.analysis import questions
from emotion_llama_vllm.analysis.clips import cut, decoding
from emotion_llama_vllm.analysis.response import new_id
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.timeline import Recording, Timeline
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.media.read.threads import files
from emotion_llama_vllm.media.workers.decoder import Decoder
from emotion_llama_vllm.settings import media_settings
from emotion_llama_vllm.shares import asking

Events = AsyncGenerator[Event, None]


@dataclass(frozen=True)
class Findings:
    """Holds the results of a submission: its events, the last of which is the whole answer."""

    events: Events
    cached: bool | None
    """True if the answer came from the cache; None if the cache is off or does not apply."""

    async def whole(self) -> EmotionResponse:
        """Wait for the whole answer."""
        async with aclosing(self.events) as events:
            async for event in events:
                if isinstance(event, EmotionResponse):
                    return event
        raise RuntimeError("The analysis ended without an answer.")


@dataclass(frozen=True)
class Analyst:
    """Analyses submissions; the server creates it once, when the engine is ready."""

    engine: Engine
    served: Served
    reader: MediaReader
    decoder: Decoder
    cache: AnswerCache
    transcriber: Transcriber | None = None

    async def take_up(self, submission: Submission) -> Findings:
        """Fetch and decode the clip; return findings that are computed while they are read.

        Raises:
            MediaError: the clip cannot be used, or not with this frame, these windows or features.
            FieldError: the model cannot read the labels, or the clip cannot be transcribed here.
        """
        clock, request = Clock(), submission.request
        words.check(request, self.transcriber)
        clip = submission.upload or await self.reader.open(request.video or "")
        with clip:
            clock.fetch = clock.passed()
            key = await self._key(clip, request)
            if (known := self.cache.get(key)) is not None:
                return Findings(_again(known, clock), cached=True)
            tree = self.engine.label_tree(questions.labels(request, self.served.card))
            job = decoding(
                request,
                reads=len(tree.reads),
                size=self.decoder.size,
                face_rows=self.served.face_rows,
                settings=media_settings(),
            )
            decoded = await self.decoder.run(job, clip)
            clock.decode = clock.passed() - clock.fetch
        timeline = cut(decoded, request, self.engine.feature_size)
        said = Words(request)
        if self.transcriber is not None and self.transcriber.is_wanted(request):
            said = await self._listen(self.transcriber, request, decoded, timeline)
            clock.transcribe = clock.passed() - clock.fetch - clock.decode
        analysis = Analysis(self.engine, self.served, said, tree, timeline, clock)
        cached = None if self.cache.is_off else False
        # An answer without the words that it should have is not given again.
        return Findings(self._keep(None if said.has_failed else key, analysis.events()), cached)

    async def _listen(
        self,
        transcriber: Transcriber,
        request: EmotionRequest,
        decoded: Clip | Recording,
        timeline: Timeline,
    ) -> Words:
        try:
            heard = await transcriber.hear(decoded, with_times=request.timeline is not None)
        except TranscriptionError as error:
            if request.transcribe:
                raise
            return words.without(request, error)
        if heard is None:
            return Words(request)
        return await asyncio.to_thread(
            words.divide, request, heard, timeline, self.engine, self.served.card
        )

    async def _key(self, clip: ClipFile, request: EmotionRequest) -> bytes | None:
        if self.cache.is_off:
            return None
        holder = asking.get().holder
        return await files.run(lambda: self.cache.key(holder, clip.digest, request, self.served))

    async def _keep(self, key: bytes | None, events: Events) -> Events:
        async with aclosing(events):
            async for event in events:
                if key is not None and isinstance(event, EmotionResponse):
                    self.cache.put(key, event)
                yield event


async def _again(known: EmotionResponse, clock: Clock) -> Events:
    """Yield the events of a cached answer."""
    yield EmotionEvent.model_validate(known.model_dump())
    if known.explanation:
        yield ExplanationDelta(delta=known.explanation)
    for window in known.timeline or ():
        yield window
    yield known.model_copy(update={"id": new_id(), "timing": clock.timing()})
