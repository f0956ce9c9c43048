"""`LocalEmotionLLaMA` analyses clips in the calling process as `POST /v1/emotion` does."""

import asyncio
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property
from itertools import islice
from os import PathLike
from pathlib import Path
from threading import Thread
from typing import Any

import yaml
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama.many import Analysis
from emotion_llama.schema import EmotionRequest, EmotionResponse, Timing
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.analysis import questions, response, sampling
from emotion_llama_vllm.analysis.clips import cut, decoding
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.analysis.prompts import label_tree, one_turn
from emotion_llama_vllm.checkpoint.served import read_served
from emotion_llama_vllm.engine_thread import EngineThread, Prompt
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.hooks.attention_cache import default_size
from emotion_llama_vllm.hooks.cpu_defaults import engine_defaults
from emotion_llama_vllm.hooks.vllm_environment import compile_nothing, set_environment
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.timeline import Recording, Timeline
from emotion_llama_vllm.media.workers.pool import Workers
from emotion_llama_vllm.settings import MediaSettings, default_decode_workers, media_settings

DEMO = "demo"

Name = str | PathLike[str]
"""The name of a clip, which is a path if nothing else reads it."""


def read_file(name: Name) -> bytes:
    """Return the bytes of a file."""
    return Path(name).read_bytes()


def no_own_fields(_: Name) -> Mapping[str, Any]:
    """Return no further fields for any clip."""
    return {}


class LocalEmotionLLaMA:
    """Analyses clips with a vLLM engine that it starts itself, without a server.

    Args:
        model: `demo`, a checkpoint folder, or a repository on Hugging Face.
        engine: options of `vllm.LLM`.
    """

    def __init__(self, model: str | PathLike[str] = DEMO, **engine: Any) -> None:
        set_environment()
        from vllm import LLM
        from vllm.platforms import current_platform

        name = str(model)
        self._media = media_settings()
        if model == DEMO:
            ours, engines = _demo_options()
            self._media = self._media.model_copy(update=ours)
            engine = engines | engine
            name, model = demo_files.MODEL_NAME, demo_files.checkpoint()
        if engine.get("enforce_eager") and current_platform.is_cpu():
            compile_nothing()
        engine = engine_defaults(str(model), engine) | engine
        if size := default_size(str(model), engine):
            engine["kv_cache_memory_bytes"] = size.per_rank
        self.llm: Any = LLM(str(model), **engine)
        self._config: Any = self.llm.llm_engine.model_config
        self._tokenizer = self.llm.get_tokenizer()
        face_rows = self._config.hf_config.face_rows
        self._served = read_served(name, str(model), engine.get("revision"), face_rows=face_rows)
        self._engine = EngineThread(self.llm.llm_engine)
        weakref.finalize(self, self._engine.stop)
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, name="analyze-many", daemon=True).start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    @property
    def labels(self) -> list[str]:
        """Return the checkpoint's own labels, which a request without labels is answered in."""
        return list(self._served.card.labels)

    def analyze(self, video: Name | bytes, **fields: Any) -> EmotionResponse:
        """Return the emotion of a clip, the probability of each label, the reason and the time.

        Args:
            video: the clip's path, or its bytes.
            fields: the fields of EmotionRequest; `task` is `both` by default.

        Raises:
            pydantic.ValidationError: a field is unknown, or its value is invalid.
            MediaError: the clip cannot be used.
            FieldError: the model cannot take the labels, or a transcript is asked for.
            VLLMError: the model cannot take the texts.
        """
        times = [time.monotonic()]
        request = _request(fields)
        data = video if isinstance(video, bytes) else read_file(video)
        times.append(time.monotonic())
        decoded = self._decoding(request, size=None)(data)
        timeline = cut(decoded, request, self._config.hf_config.feature_size)
        times.append(time.monotonic())
        tree = self._tree(request)
        outputs = self._engine.submit(list(self._prompts(timeline, request, tree))).result()
        return self._conclude(outputs, timeline, request, tree, times)

    def analyze_many(
        self,
        videos: Iterable[Name],
        *,
        at_once: int = 64,
        read: Callable[[Name], bytes] = read_file,
        own_fields: Callable[[Name], Mapping[str, Any]] = no_own_fields,
        **fields: Any,
    ) -> Iterator[Analysis]:
        """Yield the result of each clip in their order; an error of a clip is a result too.

        The clips are decoded in worker processes, which a bad clip cannot leave, and the engine
        begins a clip as soon as another one has finished. Threads that call this at the same time
        share the workers and the engine.

        Args:
            videos: the clips; they are read when there is room.
            at_once: the number of clips at once.
            read: a function that returns the bytes of a clip; by default `videos` are files.
            own_fields: a function that returns further fields for one clip, such as its
                transcript.
            fields: the fields of EmotionRequest for all clips; `task` is `both` by default.

        Raises:
            EngineDeadError: the engine has failed, and this object is of no more use.
        """
        started: deque[tuple[Name, Future[EmotionResponse]]] = deque()
        try:
            for video in videos:
                asked = {**fields, **own_fields(video)}
                work = self._decode_and_ask(video, read, asked)
                started.append((video, asyncio.run_coroutine_threadsafe(work, self._loop)))
                if len(started) >= at_once:
                    yield _result(*started.popleft())
            while started:
                yield _result(*started.popleft())
        finally:
            for _, future in started:
                future.cancel()

    async def _decode_and_ask(
        self, video: Name, read: Callable[[Name], bytes], fields: dict[str, Any]
    ) -> EmotionResponse:
        times = [time.monotonic()]
        request = _request(fields)
        tree, workers = self._tree(request), self._workers
        with await asyncio.to_thread(lambda: ClipFile.in_memory(read(video))) as clip:
            times.append(time.monotonic())
            job = self._decoding(request, reads=len(tree.reads), size=workers.size)
            decoded = await workers.run(job, clip)
        timeline = cut(decoded, request, self._config.hf_config.feature_size)
        times.append(time.monotonic())
        prompts = list(self._prompts(timeline, request, tree))
        outputs = await asyncio.wrap_future(self._engine.submit(prompts))
        return self._conclude(outputs, timeline, request, tree, times)

    def _decoding(
        self, request: EmotionRequest, *, reads: int = 1, size: int | None
    ) -> Callable[[bytes], Clip | Recording]:
        rows = self._served.face_rows
        return decoding(request, reads=reads, size=size, face_rows=rows, settings=self._media)

    @cached_property
    def _workers(self) -> Workers:
        """Return the decode workers, which start with the first clips and end with this object."""
        settings = self._media
        if not settings.decode_workers:
            settings = settings.model_copy(update={"decode_workers": default_decode_workers()})
        workers = Workers(settings, self._config.hf_config.vision.image_size)
        weakref.finalize(self, workers.stop)
        return workers

    def _tree(self, request: EmotionRequest) -> LabelTree:
        return label_tree(self._tokenizer, questions.labels(request, self._served.card))

    def _prompts(
        self, timeline: Timeline, request: EmotionRequest, tree: LabelTree
    ) -> Iterator[Prompt]:
        """Yield the question for a label about the clip and its windows, then for a reason."""
        card = self._served.card
        asked = self._ids(questions.emotion_text(request, card))
        reads = [(prefix, sampling.reading(wanted)) for prefix, wanted in tree.reads.items()]
        answer = []
        if request.task != "reason":
            limit = min(sampling.ANSWER_TOKENS, request.max_tokens)
            answer = [((), self._generating(asked, request, limit))]
        yield _prompt(asked, timeline.whole, [*reads, *answer])
        for window in timeline.windows:
            yield _prompt(asked, window.clip, reads)
        if request.task != "emotion":
            reason = self._ids(questions.reason_text(request, card))
            asks = [((), self._generating(reason, request, request.max_tokens))]
            yield _prompt(reason, timeline.whole, asks)

    def _prompt(self, text: str) -> str:
        return one_turn(self._tokenizer, text, "eval")

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(self._prompt(text), add_special_tokens=False)

    def _generating(self, ids: list[int], request: EmotionRequest, max_tokens: int) -> Any:
        embeddings = self._config.hf_config.embeddings_per_clip
        room = self._config.max_model_len - len(ids) + 1 - embeddings
        return sampling.generating(request, max_tokens, room)

    def _conclude(
        self,
        outputs: Sequence[Any],
        timeline: Timeline,
        request: EmotionRequest,
        tree: LabelTree,
        times: Sequence[float],
    ) -> EmotionResponse:
        """Read the outputs in the order of `_prompts` and build the response.

        Args:
            outputs: the outputs of all requests.
            timeline: the analysed clip and its windows.
            request: the request.
            tree: the labels that were read.
            times: when the clip's turn began, when it was read, and when it was decoded.
        """
        left, size = iter(outputs), len(tree.reads)
        first = list(islice(left, size))
        answer = next(left) if request.task != "reason" else None
        others = [list(islice(left, size)) for _ in timeline.windows]
        reason = next(left) if request.task != "emotion" else None
        asked = [first[0], *(reads[0] for reads in others)]
        asked += [] if reason is None else [reason]
        started, fetched, decoded = times
        return response.conclude(
            emotion=response.emotion_event(
                _probabilities(tree, first), None if answer is None else _text(answer)
            ),
            explanation=None if reason is None else _text(reason),
            windows=[
                response.window_event(window, _probabilities(tree, reads))
                for window, reads in zip(timeline.windows, others, strict=True)
            ],
            timeline=timeline,
            request=request,
            served=self._served,
            prompt=self._prompt(questions.emotion_text(request, self._served.card)),
            prompt_tokens=sum(len(output.prompt_token_ids) for output in asked),
            completion_tokens=sum(len(output.outputs[0].token_ids) for output in outputs),
            timing=Timing(
                fetch=fetched - started,
                decode=decoded - fetched,
                queue=None,
                first_token=None,
                total=time.monotonic() - started,
            ),
        )


def _demo_options() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options in the demo's file: those for reading clips, and the engine's."""
    file = yaml.safe_load(demo_files.config().read_text(encoding="utf-8"))
    options = {key.replace("-", "_"): value for key, value in file.items()}
    ours = {key: options.pop(key) for key in options.keys() & MediaSettings.model_fields.keys()}
    return ours, options


def _request(fields: Mapping[str, Any]) -> EmotionRequest:
    """Return the request of some fields.

    Raises:
        FieldError: the request asks for a transcript.
    """
    request = EmotionRequest(**fields)
    if request.transcribe:
        words = "Only a server transcribes clips; give the words as `transcript`."
        raise FieldError(words, field="transcribe")
    return request


def _result(video: Name, future: Future[EmotionResponse]) -> Analysis:
    """Wait for the answer about a clip, or for its error."""
    try:
        return Analysis(video, future.result(), None)
    except EngineDeadError:
        raise
    except Exception as error:
        return Analysis(video, None, error)


def _prompt(ids: list[int], clip: Clip, asks: Sequence[Any]) -> Prompt:
    video = [(clip.frame[None], clip.metadata())]
    return Prompt({"prompt_token_ids": ids, "multi_modal_data": {"video": video}}, asks)


def _text(output: Any) -> str:
    return output.outputs[0].text.strip()


def _probabilities(tree: LabelTree, reads: Sequence[Any]) -> dict[str, float]:
    steps = [read.outputs[0].logprobs[0] for read in reads]
    return tree.probabilities(
        {
            prefix: [step[token].logprob for token in wanted]
            for (prefix, wanted), step in zip(tree.reads.items(), steps, strict=True)
        }
    )
