"""`LocalEmotionLLaMA` analyses clips in the calling process as `POST /v1/emotion` does."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from emotion_llama.schema import EmotionRequest, EmotionResponse, Timing
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.analysis import questions, response, sampling
from emotion_llama_vllm.analysis.clips import cut, decoding
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.analysis.prompts import label_tree, one_turn
from emotion_llama_vllm.checkpoint.served import read_served
from emotion_llama_vllm.hooks.attention_cache import default_size
from emotion_llama_vllm.hooks.cpu_defaults import engine_defaults
from emotion_llama_vllm.hooks.vllm_environment import compile_nothing, set_environment
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode.timeline import Timeline
from emotion_llama_vllm.settings import media_settings

DEMO = "demo"

_Job = tuple[dict[str, Any], Any]
"""A prompt and its sampling parameters, as `vllm.LLM.generate` takes them."""


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
        if model == DEMO:
            config = yaml.safe_load(demo_files.config().read_text(encoding="utf-8"))
            engine = {key.replace("-", "_"): value for key, value in config.items()} | engine
            name, model = demo_files.MODEL_NAME, demo_files.checkpoint()
        if engine.get("enforce_eager") and current_platform.is_cpu():
            compile_nothing()
        engine = engine_defaults(str(model), engine) | engine
        if size := default_size(str(model), engine):
            engine["kv_cache_memory_bytes"] = size.per_rank
        self.llm: Any = LLM(str(model), **engine)
        self._tokenizer = self.llm.get_tokenizer()
        self._served = read_served(name, str(model), engine.get("revision"))

    def analyze(self, video: str | PathLike[str] | bytes, **fields: Any) -> EmotionResponse:
        """Return the emotion of a clip, the probability of each label, the reason and the time.

        Args:
            video: the clip's path, or its bytes.
            fields: the fields of EmotionRequest; `task` is `both` by default.

        Raises:
            pydantic.ValidationError: a field is unknown, or its value is invalid.
            MediaError: the clip cannot be used.
            FieldError: the model cannot take the labels.
            VLLMError: the model cannot take the texts.
        """
        started = time.monotonic()
        request = EmotionRequest(**fields)
        data = video if isinstance(video, bytes) else Path(video).read_bytes()
        fetched = time.monotonic()
        size = self.llm.llm_engine.model_config.hf_config.feature_size
        timeline = cut(decoding(request, settings=media_settings())(data), request, size)
        decoded = time.monotonic()
        tree = label_tree(self._tokenizer, questions.labels(request, self._served.card))
        outputs = self._ask(list(self._jobs(timeline, request, tree)))
        timing = Timing(
            fetch=fetched - started,
            decode=decoded - fetched,
            queue=None,
            first_token=None,
            total=time.monotonic() - started,
        )
        return self._conclude(outputs, timeline, request, tree, timing)

    def _jobs(self, timeline: Timeline, request: EmotionRequest, tree: LabelTree) -> Iterator[_Job]:
        """Yield jobs for the label reads of each stretch, the answer and the explanation."""
        card = self._served.card
        asked = self._ids(questions.emotion_text(request, card))
        for clip in (timeline.whole, *(window.clip for window in timeline.windows)):
            for prefix, wanted in tree.reads.items():
                yield _prompt([*asked, *prefix], clip), sampling.reading(wanted)
        if request.task != "reason":
            limit = min(sampling.ANSWER_TOKENS, request.max_tokens)
            yield self._generating(asked, timeline.whole, request, limit)
        if request.task != "emotion":
            reason = self._ids(questions.reason_text(request, card))
            yield self._generating(reason, timeline.whole, request, request.max_tokens)

    def _prompt(self, text: str) -> str:
        return one_turn(self._tokenizer, text, "eval")

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(self._prompt(text), add_special_tokens=False)

    def _generating(
        self, ids: list[int], clip: Clip, request: EmotionRequest, max_tokens: int
    ) -> _Job:
        model = self.llm.llm_engine.model_config
        room = model.max_model_len - len(ids) + 1 - model.hf_config.embeddings_per_clip
        return _prompt(ids, clip), sampling.generating(request, max_tokens, room)

    def _ask(self, jobs: Sequence[_Job]) -> list[Any]:
        prompts, params = zip(*jobs, strict=True)
        return self.llm.generate(list(prompts), list(params), use_tqdm=False)

    def _conclude(
        self,
        outputs: Sequence[Any],
        timeline: Timeline,
        request: EmotionRequest,
        tree: LabelTree,
        timing: Timing,
    ) -> EmotionResponse:
        """Read the outputs in the order of `_jobs` and build the response."""
        left, size = iter(outputs), len(tree.reads)
        first, *others = (list(islice(left, size)) for _ in range(1 + len(timeline.windows)))
        spoken = list(left)
        words = [output.outputs[0].text.strip() for output in spoken]
        asked = [first[0], *(reads[0] for reads in others)]
        asked += spoken[-1:] if request.task != "emotion" else []
        return response.conclude(
            emotion=response.emotion_event(
                _probabilities(tree, first), words[0] if request.task != "reason" else None
            ),
            explanation=words[-1] if request.task != "emotion" else None,
            windows=[
                response.window(window.start, window.end, _probabilities(tree, reads))
                for window, reads in zip(timeline.windows, others, strict=True)
            ],
            timeline=timeline,
            request=request,
            served=self._served,
            prompt=self._prompt(questions.emotion_text(request, self._served.card)),
            prompt_tokens=sum(len(output.prompt_token_ids) for output in asked),
            completion_tokens=sum(len(output.outputs[0].token_ids) for output in outputs),
            timing=timing,
        )


def _prompt(ids: list[int], clip: Clip) -> dict[str, Any]:
    video = [(clip.frame[None], clip.metadata())]
    return {"prompt_token_ids": ids, "multi_modal_data": {"video": video}}


def _probabilities(tree: LabelTree, reads: Sequence[Any]) -> dict[str, float]:
    steps = [read.outputs[0].logprobs[0] for read in reads]
    return tree.probabilities(
        {
            prefix: [step[token].logprob for token in wanted]
            for (prefix, wanted), step in zip(tree.reads.items(), steps, strict=True)
        }
    )
