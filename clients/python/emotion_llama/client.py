"""Defines `EmotionLLaMA`, the client for programs without an event loop."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Any

import httpx2
from typing_extensions import Self, Unpack

from emotion_llama.batches.sync import Batches, Files
from emotion_llama.connection import DEFAULT_URL, Connection
from emotion_llama.events import Event, EventReader
from emotion_llama.keys import Key
from emotion_llama.many import Analysis, OwnOptions, in_threads, no_own_options
from emotion_llama.media import Upload
from emotion_llama.options import Options, TimelineForm, make_call
from emotion_llama.schema import EmotionResponse, ModelList, Task
from emotion_llama.wire import Exchange, Exchanges, Pause, Step, T, Work, as_text, parse, reading


class EmotionLLaMA:
    """Sends requests to an Emotion-LLaMA server; several threads may share it.

    Args:
        api_url: the server's address; `host:port` and an address that ends in `/v1` work too. The
            environment's proxy variables apply, but never to an address of this machine.
        api_key: the API key or access token, or a function that returns a fresh one for each
            request; by default the environment variable EMOTION_LLAMA_API_KEY.
        timeout: the seconds after which a silent server counts as failed.
        max_retries: how often a request is sent again after 429, 503 or a failed connection.
        transport: replaces the network in tests.

    `files` and `batches` are for servers that keep files: uploads, and clips by the thousand.

    Every method raises the EmotionLLaMAError that belongs to the error's status. The constructor
    raises InvalidSettings if the address, a proxy or the key cannot be used.
    """

    def __init__(
        self,
        api_url: str = DEFAULT_URL,
        *,
        api_key: Key | None = None,
        timeout: float = 120,
        max_retries: int = 2,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        way = Connection.to(api_url)
        self._http = httpx2.Client(**way.client_arguments(api_key, timeout, transport))
        self._exchanges = Exchanges(self._http.build_request, str(way), max_retries)
        self._sleep = sleep
        self.files = Files(self._exchanges, self._run)
        self.batches = Batches(self._exchanges, self._run)

    def analyze(
        self,
        video_path: str | PathLike[str] | None = None,
        *,
        video: Upload | None = None,
        task: Task = "both",
        explain: bool = True,
        **options: Unpack[Options],
    ) -> EmotionResponse:
        """Estimate the emotion in a clip: every label's probability, and an explanation.

        Args:
            video_path: a local file, which is uploaded if the server cannot read it; a path on the
                server, a URL or a data URL.
            video: the clip itself, instead of `video_path`.
            task: `emotion`, `reason` or `both`.
            explain: whether task `emotion` includes an explanation. This is the default only in
                this method, because the original's documents promise it.
            options: see Options.
        """
        call = make_call(video_path, video, task, explain, options)
        return parse(self._run(self._exchanges.analyse(call)), EmotionResponse)

    def stream(
        self,
        video_path: str | PathLike[str] | None = None,
        *,
        video: Upload | None = None,
        task: Task = "both",
        **options: Unpack[Options],
    ) -> Iterator[Event]:
        """Yield each part of the answer when it is ready, and the whole answer last."""
        call = make_call(video_path, video, task, False, options, stream=True)
        response = self._run(self._exchanges.analyse(call))
        try:
            reader = EventReader(response)
            with reading("stream"):
                for text in response.iter_text():
                    yield from reader.read(text)
        finally:
            response.close()
        reader.finish()

    def timeline_text(
        self,
        video_path: str | PathLike[str] | None = None,
        *,
        video: Upload | None = None,
        form: TimelineForm = "csv",
        **options: Unpack[Options],
    ) -> str:
        """Return only the timeline, as CSV or as WebVTT subtitles."""
        call = make_call(video_path, video, "emotion", False, options, accept=f"text/{form}")
        return as_text(self._run(self._exchanges.analyse(call)), call.accept)

    def analyze_many(
        self,
        video_paths: Iterable[str | PathLike[str]],
        *,
        concurrency: int = 8,
        task: Task = "both",
        explain: bool = False,
        own_options: OwnOptions = no_own_options,
        **options: Unpack[Options],
    ) -> Iterator[Analysis]:
        """Yield the result of each clip when it is ready; an error is a result too.

        Args:
            video_paths: the clips as for `analyze`; they are read when there is room.
            concurrency: the number of requests at once.
            task: `emotion`, `reason` or `both`.
            explain: whether task `emotion` includes an explanation; by default it does not.
            own_options: returns the further options of one clip, its transcript for example.
            options: the options of all clips.
        """

        def one(path: str | PathLike[str]) -> Analysis:
            asked: Options = {**options, **own_options(path)}
            try:
                answer = self.analyze(path, task=task, explain=explain, **asked)
            except Exception as error:
                return Analysis(path, None, error)
            return Analysis(path, answer, None)

        yield from in_threads(one, video_paths, concurrency)

    def models(self) -> ModelList:
        """Return the server's models, each with a description of what it is and is not."""
        return parse(self._run(self._exchanges.models()), ModelList)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, exchange: Exchange[T]) -> T:
        act: Callable[[], Step] = partial(exchange.send, None)
        while True:
            try:
                step = act()
            except StopIteration as end:
                return end.value
            try:
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    came: Any = None
                elif isinstance(step, Work):
                    came = step.function()
                else:
                    came = self._http.send(step.request, stream=True)
                    if came.is_error or not step.stream:
                        came.read()
            except Exception as error:
                act = partial(exchange.throw, error)
            else:
                act = partial(exchange.send, came)
