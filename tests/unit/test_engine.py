"""How the engine adapter fits a question into the positions that there are."""

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from emotion_llama_server.engine import Engine, PromptStyle, SamplingParams
from emotion_llama_vllm.config import EmotionLlamaConfig

POSITIONS = 300


@pytest.fixture
def engine(tokenizer: PreTrainedTokenizerFast, config: EmotionLlamaConfig) -> Engine:
    client: Any = SimpleNamespace(
        renderer=SimpleNamespace(get_tokenizer=lambda: tokenizer),
        model_config=SimpleNamespace(hf_config=config),
    )
    return Engine(client)


def positions(
    tokenizer: PreTrainedTokenizerFast, config: EmotionLlamaConfig, text: str, style: str
) -> int:
    """Of the whole prompt about a clip, counted without the engine."""
    content: Any = [{"type": "video"}, {"type": "text", "text": text}]
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, prompt_style=style
    )
    ids = tokenizer.encode(str(prompt), add_special_tokens=False)
    return len(ids) - 1 + config.embeddings_per_clip


@pytest.mark.parametrize("style", ["demo", "eval"])
@pytest.mark.parametrize(
    "text", ["why? " * 200, "为什么" * 300, "🙂" * 400, "x" * 100_000, "a <unk> b </s> " * 60]
)
def test_a_long_question_loses_characters_from_the_left_until_it_fits(
    engine: Engine,
    tokenizer: PreTrainedTokenizerFast,
    config: EmotionLlamaConfig,
    text: str,
    style: PromptStyle,
) -> None:
    kept = asyncio.run(engine.fit(text, style=style, max_positions=POSITIONS))
    assert text.endswith(kept)
    used = positions(tokenizer, config, kept, style)
    assert POSITIONS - 8 <= used <= POSITIONS  # full, but for the last character's few tokens


@pytest.mark.parametrize("text", ["", "why?", " spaces  stay "])
def test_a_question_that_fits_stays_as_it_is(engine: Engine, text: str) -> None:
    assert asyncio.run(engine.fit(text, style="demo", max_positions=POSITIONS)) == text


def test_a_template_that_does_not_fit_loses_the_whole_question(engine: Engine) -> None:
    assert asyncio.run(engine.fit("why?", style="demo", max_positions=10)) == ""


class Refusing:
    """An engine that refuses a request some times, as vLLM does one that overtook its clip."""

    renderer = None

    def __init__(self, refusals: int) -> None:
        self._refusals = refusals

    async def generate(self, prompt: Any, params: Any, name: str) -> AsyncGenerator[Any, None]:
        self._refusals -= 1
        reason, said = ("error", []) if self._refusals >= 0 else ("stop", [7])
        yield SimpleNamespace(outputs=[SimpleNamespace(finish_reason=reason, token_ids=said)])


def test_a_request_that_overtook_its_clip_is_sent_again() -> None:
    client: Any = Refusing(2)
    output = asyncio.run(Engine(client).complete({}, SamplingParams()))  # type: ignore[arg-type]
    assert output.outputs[0].token_ids == [7]


def test_an_engine_that_refuses_for_ever_is_an_error_and_no_empty_answer() -> None:
    client: Any = Refusing(100)
    with pytest.raises(RuntimeError, match="refused"):
        asyncio.run(Engine(client).complete({}, SamplingParams()))  # type: ignore[arg-type]
