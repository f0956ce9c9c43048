"""Defines `AsyncEmotionLLaMA`, the client for programs with an event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Any

import httpx2
from typing_extensions import Self, Unpack

from emotion_llama.batches.asynchronous import AsyncBatches, AsyncFiles
from emotion_llama.connection import DEFAULT_URL, Connection
from emotion_llama.events import Event, EventReader
from emotion_llama.keys import AsyncKey
from emotion_llama.many import Analysis, OwnOptions, in_tasks, no_own_options
from emotion_llama.media import Upload
from emotion_llama.options import Options, TimelineForm, make_call
from emotion_llama.schema import EmotionResponse, ModelList, Task
from emotion_llama.wire import Exchange, Exchanges, Pause, Step, T, Work, as_text, parse, reading


class AsyncEmotionLLaMA:
    """Sends requests to an Emotion-LLaMA server; its arguments and methods are EmotionLLaMA's.

    A function as `api_key` may be a coroutine.
    """

    def __init__(
        self,
        api_url: str = DEFAULT_URL,
        *,
        api_key: AsyncKey | None = None,
        timeout: float = 120,
        max_retries: int = 2,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        way = Connection.to(api_url)
        self._http = httpx2.AsyncClient(**way.client_arguments(api_key, timeout, transport))
        self._exchanges = Exchanges(self._http.build_request, str(way), max_retries)
        self._sleep = sleep
        self.files = AsyncFiles(self._exchanges, self._run)
        self.batches = AsyncBatches(self._exchanges, self._run)

    async def analyze(
        self,
        video_path: str | PathLike[str] | None = None,
        *,
        video: Upload | None = None,
        task: Task = "both",
        explain: bool = True,
        **options: Unpack[Options],
    ) -> EmotionResponse:
        """Do the same as EmotionLLaMA.analyze."""
        call = make_call(video_path, video, task, explain, options)
        return parse(await self._run(self._exchanges.analyse(call)), EmotionResponse)

    async def stream(
        self,
        video_path: str | PathLike[str] | None = None,
        *,
        video: Upload | None = None,
        task: Task = "both",
        **options: Unpack[Options],
    ) -> AsyncIterator[Event]:
        """Do the same as EmotionLLaMA.stream."""
        call = make_call(video_path, video, task, False, options, stream=True)
        response = await self._run(self._exchanges.analyse(call))
        try:
            reader = EventReader(response)
            with reading("stream"):
                async for text in response.aiter_text():
                    for event in reader.read(text):
                        yield event
        finally:
            await response.aclose()
        reader.finish()

    async def timeline_text(
        self,
        video_path: str | PathLike[str] | None = None,
        *,
        video: Upload | None = None,
        form: TimelineForm = "csv",
        **options: Unpack[Options],
    ) -> str:
        """Do the same as EmotionLLaMA.timeline_text."""
        call = make_call(video_path, video, "emotion", False, options, accept=f"text/{form}")
        return as_text(await self._run(self._exchanges.analyse(call)), call.accept)

    async def analyze_many(
        self,
        video_paths: Iterable[str | PathLike[str]],
        *,
        concurrency: int = 8,
        task: Task = "both",
        explain: bool = False,
        own_options: OwnOptions = no_own_options,
        **options: Unpack[Options],
    ) -> AsyncIterator[Analysis]:
        """Do the same as EmotionLLaMA.analyze_many."""

        async def one(path: str | PathLike[str]) -> Analysis:
            asked: Options = {**options, **own_options(path)}
            try:
                answer = await self.analyze(path, task=task, explain=explain, **asked)
            except Exception as error:
                return Analysis(path, None, error)
            return Analysis(path, answer, None)

        analyses = in_tasks(one, video_paths, concurrency)
        async with aclosing(analyses):
            async for analysis in analyses:
                yield analysis

    async def models(self) -> ModelList:
        """Do the same as EmotionLLaMA.models."""
        return parse(await self._run(self._exchanges.models()), ModelList)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _run(self, exchange: Exchange[T]) -> T:
        act: Callable[[], Step] = partial(exchange.send, None)
        while True:
            try:
                step = act()
            except StopIteration as end:
                return end.value
            try:
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    came: Any = None
                elif isinstance(step, Work):
                    came = await asyncio.to_thread(step.function)
                else:
                    came = await self._http.send(step.request, stream=True)
                    if came.is_error or not step.stream:
                        await came.aread()
            except Exception as error:
                act = partial(exchange.throw, error)
            else:
                act = partial(exchange.send, came)
