"""Renders prompts and generates with vLLM's public parts; no other module calls the model."""

import asyncio
import bisect
import functools
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar, cast

import numpy as np
from starlette.requests import ClientDisconnect
from vllm import SamplingParams
from vllm.engine.protocol import EngineClient
from vllm.entrypoints.serve.utils.api_utils import with_cancellation
from vllm.inputs import EngineInput
from vllm.outputs import RequestOutput
from vllm.renderers import ChatParams, TokenizeParams
from vllm.sampling_params import RequestOutputKind

from emotion_llama_server.emotion.engine_shares import EngineShares
from emotion_llama_vllm.analysis import prompts, sampling
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.analysis.prompts import PromptStyle
from emotion_llama_vllm.media.clip import SAMPLING_RATE, Clip
from emotion_llama_vllm.media.decode.npz import CROP
from emotion_llama_vllm.media.faces.sampling import FEWEST
from emotion_llama_vllm.shares import asking, turns_of
from emotion_llama_vllm.telemetry import headers_of, stage

__all__ = [
    "Engine",
    "EngineInput",
    "Message",
    "PromptStyle",
    "RequestOutput",
    "SamplingParams",
    "until_disconnect",
]

_T = TypeVar("_T")
Message = dict[str, Any]
"""A chat message in the form of the OpenAI API."""


_MAX_PIECE = 32
"""A generous maximum of characters in one token; a longer text can never fit."""

_PAUSES = (0, 0.01, 0.05, 0.25, 1)
"""Seconds before each attempt to send a request; it is repeated if it overtook its clip."""


class Engine:
    """Renders prompts and generates answers for all of our routes.

    Args:
        client: vLLM's engine client.
        shares: the places of each key in the engine.
        by_priority: whether the engine takes the requests with the lowest priority first.
    """

    def __init__(
        self,
        client: EngineClient,
        shares: EngineShares | None = None,
        *,
        by_priority: bool = False,
    ) -> None:
        self._client = client
        self._renderer = client.renderer
        self._shares = shares or EngineShares()
        self._by_priority = by_priority

    @property
    def max_model_len(self) -> int:
        return self._client.model_config.max_model_len

    @property
    def feature_size(self) -> int:
        return cast(Any, self._client.model_config.hf_config).feature_size

    async def warm_up(self) -> None:
        """Answer a request about a blank clip, to load everything before the first real one."""
        silence = np.zeros(SAMPLING_RATE, np.float32)
        crops = np.zeros((FEWEST, CROP, CROP, 3), np.uint8)  # for checkpoints with face encoders
        clip = Clip(frame=np.zeros((16, 16, 3), np.uint8), waveform=silence, face_crops=crops)
        prompt = await self.render_clip(clip, "", style="demo")
        await self.complete(prompt, SamplingParams(max_tokens=1, logprobs=1))

    async def render(self, messages: Sequence[Message], *, style: PromptStyle) -> EngineInput:
        """Render chat messages to the engine's input, and fetch and decode their clip.

        Raises:
            VLLMError: the clip or the messages cannot be used; the error has its own HTTP status.
        """
        params = ChatParams(
            chat_template_content_format="openai",
            chat_template_kwargs={"prompt_style": style, "tokenize": False},
        )
        _, rendered = await self._renderer.render_chat_async(
            [cast(Any, list(messages))], params, self._tokenize_params()
        )
        return rendered[0]

    async def render_clip(self, clip: Clip, text: str, *, style: PromptStyle) -> EngineInput:
        """Render a prompt about a clip that is already decoded."""
        prompt = {
            "prompt": self.prompt_text(text, style),
            "multi_modal_data": {"video": [(clip.frame[None], clip.metadata())]},
        }
        async with self._shares.renders.take(asking.get().owner):
            rendered = await self._renderer.render_cmpl_async(
                [cast(Any, prompt)], self._tokenize_params()
            )
        return rendered[0]

    async def generate(
        self, prompt: EngineInput, params: SamplingParams
    ) -> AsyncGenerator[RequestOutput, None]:
        """Yield the answer as it grows; leaving the loop early ends the request.

        The request waits until its key has a free place in the engine.

        Raises:
            RuntimeError: the engine refuses the request in every attempt.
        """
        owner = asking.get().owner
        with stage("engine") as span:
            async with self._shares.sequences.take(owner):
                with turns_of(owner).take(owner) as turn:
                    options = self._options(turn, headers_of(span))
                    async with aclosing(self._send(prompt, params, options)) as outputs:
                        async for output in outputs:
                            yield output

    def _options(self, turn: int, trace: Mapping[str, str] | None) -> dict[str, Any]:
        """Return a request's place in the engine's queue, and in a trace if it has one."""
        options: dict[str, Any] = {"priority": turn} if self._by_priority else {}
        return options if trace is None else {**options, "trace_headers": trace}

    async def _send(
        self, prompt: EngineInput, params: SamplingParams, options: Mapping[str, Any]
    ) -> AsyncGenerator[RequestOutput, None]:
        """Yield the engine's outputs for a request, which is sent with these options.

        If several requests have the same new clip, the first rendered one carries the clip to the
        engine. vLLM refuses a request that arrives before the clip; that request is sent again.
        """
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            request_id = f"emotion-llama-{uuid.uuid4().hex}"
            is_refused = False
            async with aclosing(
                self._client.generate(prompt, params, request_id, **options)
            ) as outputs:
                async for output in outputs:
                    is_refused = _is_refused(output)
                    if not is_refused:
                        yield output
            if not is_refused:
                return
        raise RuntimeError("The engine refused a request.")

    async def complete(self, prompt: EngineInput, params: SamplingParams) -> RequestOutput:
        """Return the whole answer at once."""
        params.output_kind = RequestOutputKind.FINAL_ONLY
        final: RequestOutput | None = None
        async for output in self.generate(prompt, params):
            final = output
        if final is None:
            raise RuntimeError("The engine ended a request without an answer.")
        return final

    def label_tree(self, labels: Mapping[str, str]) -> LabelTree:
        """Return the tree of labels, each mapped to the spelling that this model is scored on."""
        return prompts.label_tree(self._tokenizer, labels)

    async def read_labels(
        self, prompt: EngineInput, tree: LabelTree
    ) -> tuple[dict[str, float], list[RequestOutput]]:
        """Return the label probabilities after a prompt, and the reads behind them."""
        asker, tasks = asking.get(), []
        async with asyncio.TaskGroup() as group:
            for prefix, wanted in tree.reads.items():
                read = functools.partial(self._read, prompt, prefix, wanted)
                tasks.append(await self._shares.reads.start(group, asker, read))
        reads = [task.result() for task in tasks]
        logprobs = {p: found for p, (found, _) in zip(tree.reads, reads, strict=True)}
        return tree.probabilities(logprobs), [output for _, output in reads]

    async def _read(
        self, prompt: EngineInput, prefix: Sequence[int], wanted: Sequence[int]
    ) -> tuple[list[float], RequestOutput]:
        """Return the log-probabilities of these tokens after a prompt and a prefix."""
        ids = [*cast(Any, prompt)["prompt_token_ids"], *prefix]
        longer = cast(Any, {**prompt, "prompt_token_ids": ids})
        output = await self.complete(longer, sampling.reading(wanted))
        steps = output.outputs[0].logprobs
        if not steps:
            raise RuntimeError("The engine read no log-probabilities.")
        return [steps[0][token].logprob for token in wanted], output

    def count(self, text: str) -> int:
        """Return the number of positions of the evaluation prompt with this text and a clip."""
        return self._count(text, "eval")

    def cut(self, words: str, tokens: int) -> str:
        """Return the beginning of a text that has at most so many tokens."""
        if len(words.encode()) <= tokens:  # a token has a byte at least
            return words
        lengths = range(1, len(words) + 1)
        return words[: bisect.bisect_right(lengths, tokens, key=lambda n: self._tokens(words[:n]))]

    def _tokens(self, words: str) -> int:
        return len(self._tokenizer.encode(words, add_special_tokens=False))

    async def fit(self, text: str, *, style: PromptStyle, max_positions: int) -> str:
        """Drop characters from the left of `text` until the prompt about a clip fits.

        Args:
            text: the user's text.
            style: the kind of prompt that contains the text.
            max_positions: the limit of the whole prompt, including the clip's embeddings.
        """
        text = text[-max_positions * _MAX_PIECE :]
        return await asyncio.to_thread(self._fit, text, style, max_positions)

    def _fit(self, text: str, style: PromptStyle, max_positions: int) -> str:
        if self._count(text, style) <= max_positions:
            return text
        # Fewer characters never make more tokens; rare single steps do not matter here.
        cut = bisect.bisect_left(
            range(len(text)),
            True,
            key=lambda start: self._count(text[start:], style) <= max_positions,
        )
        return text[cut:]

    def _count(self, text: str, style: PromptStyle) -> int:
        """Return the number of positions of the prompt with this text and a clip."""
        prompt = self.prompt_text(text, style)
        tokens = self._tokenizer.encode(prompt, add_special_tokens=False)
        config = cast(Any, self._client.model_config.hf_config)
        return len(tokens) - 1 + config.embeddings_per_clip

    def prompt_text(self, text: str, style: PromptStyle) -> str:
        """Return the prompt of one turn about a clip, which `<unk>` represents."""
        return prompts.one_turn(self._tokenizer, text, style)

    @property
    def _tokenizer(self) -> Any:
        return self._renderer.get_tokenizer()

    def _tokenize_params(self) -> TokenizeParams:
        return TokenizeParams(max_total_tokens=self.max_model_len, add_special_tokens=False)


def until_disconnect(
    handler: Callable[..., Coroutine[Any, Any, _T]],
) -> Callable[..., Coroutine[Any, Any, _T]]:
    """Cancel a route's work if its client disconnects; the route needs a `raw_request`."""
    cancellable = with_cancellation(handler)

    @functools.wraps(handler)
    async def answer(*args: Any, **kwargs: Any) -> _T:
        answered = await cancellable(*args, **kwargs)
        if answered is None:  # vLLM sends the same status to a client that has disconnected
            raise ClientDisconnect
        return answered

    return answer


def _is_refused(output: RequestOutput) -> bool:
    said = output.outputs[0]
    return said.finish_reason == "error" and not said.token_ids
