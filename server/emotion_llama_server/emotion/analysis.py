"""Analyses one clip: probabilities, answer, explanation and windows are computed concurrently."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

from emotion_llama.schema import (
    EmotionEvent,
    EmotionResponse,
    ExplanationDelta,
    TimelineWindow,
    Timing,
)
from emotion_llama_server.engine import Engine, EngineInput, RequestOutput, SamplingParams
from emotion_llama_server.transcripts.words import Words
from emotion_llama_vllm.analysis import questions, response, sampling
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media.decode.timeline import Timeline, Window
from emotion_llama_vllm.shares import Asker, Shares, asking

Event = EmotionEvent | ExplanationDelta | TimelineWindow | EmotionResponse

_WINDOWS_ALONE, _WINDOWS = 16, 1
"""The number of windows of an analysis that are read at once: without other requests, and with
some. Another request then shares a step of the engine with at most one new prompt."""


@dataclass
class Clock:
    """Measures a request from its beginning, and what each of its steps takes, in seconds."""

    started: float = field(default_factory=time.monotonic)
    fetch: float = 0.0
    decode: float = 0.0
    transcribe: float | None = None
    queue: float | None = None
    first_token: float | None = None

    def passed(self) -> float:
        return time.monotonic() - self.started

    def timing(self) -> Timing:
        return Timing(
            fetch=self.fetch,
            decode=self.decode,
            transcribe=self.transcribe,
            queue=self.queue,
            first_token=self.first_token,
            total=self.passed(),
        )


class Analysis:
    """Computes the results for one decoded clip."""

    def __init__(
        self,
        engine: Engine,
        served: Served,
        words: Words,
        tree: LabelTree,
        timeline: Timeline,
        clock: Clock,
    ) -> None:
        self._engine, self._served = engine, served
        self._words, self._request = words, words.asked()
        self._tree, self._timeline, self._clock = tree, timeline, clock
        self._emotion_text = questions.emotion_text(self._request, served.card)
        self._prompt_tokens = self._completion_tokens = 0
        self._emotion: EmotionEvent | None = None
        self._explanation: list[str] = []
        self._windows: list[TimelineWindow] = []

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield each part of the answer when it is ready, and the whole answer last.

        Leaving the loop early cancels all parts, and waits until they have ended.
        """
        found: asyncio.Queue[Event | None] = asyncio.Queue()
        parts = [self._tell_emotion(found), self._tell_windows(found)]
        if self._request.task != "emotion":
            parts.append(self._explain(found))
        working = asyncio.create_task(_all(parts, found))
        try:
            while (event := await found.get()) is not None:
                yield event
            await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        yield self._response()

    async def _tell_emotion(self, found: asyncio.Queue[Event | None]) -> None:
        prompt = await self._render(self._emotion_text)
        if self._request.task == "reason":
            probabilities, answer = await self._read(prompt), None
        else:
            probabilities, answer = await asyncio.gather(self._read(prompt), self._answer(prompt))
        self._emotion = response.emotion_event(probabilities, answer)
        found.put_nowait(self._emotion)

    async def _answer(self, prompt: EngineInput) -> str:
        limit = min(sampling.ANSWER_TOKENS, self._request.max_tokens)
        output = await self._engine.complete(prompt, self._sampling(prompt, limit))
        self._count(output)
        return output.outputs[0].text.strip()

    async def _read(self, prompt: EngineInput) -> dict[str, float]:
        probabilities, reads = await self._engine.read_labels(prompt, self._tree)
        self._completion_tokens += len(reads)
        if (times := reads[0].metrics) is not None and self._clock.queue is None:
            self._clock.queue = max(0.0, times.scheduled_ts - times.queued_ts)
        return probabilities

    async def _explain(self, found: asyncio.Queue[Event | None]) -> None:
        prompt = await self._render(questions.reason_text(self._request, self._served.card))
        told, output = 0, None
        wanted = self._sampling(prompt, self._request.max_tokens)
        async with aclosing(self._engine.generate(prompt, wanted)) as outputs:
            async for output in outputs:
                if self._clock.first_token is None:
                    self._clock.first_token = self._clock.passed()
                text = output.outputs[0].text.lstrip()
                # The end of an unfinished character will still change.
                if len(text) > told and (output.finished or text[-1] != "\ufffd"):
                    self._explanation.append(text[told:])
                    found.put_nowait(ExplanationDelta(delta=text[told:]))
                    told = len(text)
        if output is not None:
            self._count(output)

    async def _tell_windows(self, found: asyncio.Queue[Event | None]) -> None:
        """Read one window after another; only a few of possibly many run at once."""
        asker = replace(asking.get(), is_background=True)
        asking.set(asker)
        at_once: Shares[Asker] = Shares(_WINDOWS_ALONE, _windows_at_once)
        async with asyncio.TaskGroup() as group:
            for window in self._timeline.windows:
                await at_once.start(group, asker, partial(self._tell_window, window, found))

    async def _tell_window(self, window: Window, found: asyncio.Queue[Event | None]) -> None:
        text = questions.emotion_text(self._words.asked_about(window), self._served.card)
        prompt = await self._engine.render_clip(window.clip, text, style="eval")
        self._prompt_tokens += _length(prompt)
        event = response.window_event(window, await self._read(prompt))
        told = self._words.tell_window(event, window)
        self._windows.append(told)
        found.put_nowait(told)

    async def _render(self, text: str) -> EngineInput:
        prompt = await self._engine.render_clip(self._timeline.whole, text, style="eval")
        self._prompt_tokens += _length(prompt)
        return prompt

    def _sampling(self, prompt: EngineInput, max_tokens: int) -> SamplingParams:
        room = self._engine.max_model_len - _length(prompt)
        return sampling.generating(self._request, max_tokens, room)

    def _count(self, output: RequestOutput) -> None:
        self._completion_tokens += len(output.outputs[0].token_ids)

    def _response(self) -> EmotionResponse:
        if self._emotion is None:
            raise RuntimeError("The analysis ended without an emotion.")
        explanation = "".join(self._explanation).strip()
        answer = response.conclude(
            emotion=self._emotion,
            explanation=None if self._request.task == "emotion" else explanation,
            windows=self._windows,
            timeline=self._timeline,
            request=self._request,
            served=self._served,
            prompt=self._engine.prompt_text(self._emotion_text, "eval"),
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            timing=self._clock.timing(),
        )
        return self._words.tell(answer)


def _windows_at_once(asker: Asker) -> int:
    return _WINDOWS_ALONE if asker.is_alone() else _WINDOWS


async def _all(
    parts: Sequence[Coroutine[None, None, None]], found: asyncio.Queue[Event | None]
) -> None:
    """Run the parts concurrently; the first error cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    finally:
        found.put_nowait(None)


def _first(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def _length(prompt: EngineInput) -> int:
    ids: list[int] = prompt["prompt_token_ids"]  # type: ignore[typeddict-item]
    return len(ids)
