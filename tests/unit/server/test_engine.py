"""How the engine adapter fits a question into the positions that there are."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from emotion_llama_server.emotion.engine_shares import EngineShares
from emotion_llama_server.engine import Engine, PromptStyle, SamplingParams
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.shares import Asker, asking

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


@pytest.mark.parametrize("words", ["why? " * 200, "为什么" * 300, "🙂" * 400, "x" * 10_000])
def test_a_long_transcript_loses_its_end_until_it_fits(
    engine: Engine, tokenizer: PreTrainedTokenizerFast, words: str
) -> None:
    kept = engine.cut(words, 100)
    assert words.startswith(kept)
    assert 96 <= len(tokenizer.encode(kept, add_special_tokens=False)) <= 100


@pytest.mark.parametrize("words", ["", "Oh no!", "为什么"])
def test_a_short_transcript_stays_whole(engine: Engine, words: str) -> None:
    assert engine.cut(words, 100) == words


def test_the_positions_of_a_prompt_are_counted(
    engine: Engine, tokenizer: PreTrainedTokenizerFast, config: EmotionLlamaConfig
) -> None:
    assert engine.count("why?") == positions(tokenizer, config, "why?", "eval")


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


@pytest.mark.costly
def test_an_engine_that_refuses_for_ever_is_an_error_and_no_empty_answer() -> None:
    client: Any = Refusing(100)
    with pytest.raises(RuntimeError, match="refused"):
        asyncio.run(Engine(client).complete({}, SamplingParams()))  # type: ignore[arg-type]


TREE = LabelTree({str(number): [number, 2] for number in range(10, 110)})


class Counting:
    """An engine that reads and renders when it is told to, and counts what is inside at once."""

    def __init__(self) -> None:
        self.renderer = self
        self.model_config = SimpleNamespace(max_model_len=100)
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.priorities: list[tuple[str, int]] = []
        self.rendering = self.most_rendering = 0
        self.goes_on = asyncio.Event()

    async def generate(
        self, prompt: Any, params: Any, name: str, *, priority: int = -1
    ) -> AsyncGenerator[Any, None]:
        owner = asking.get().owner
        self.priorities.append((owner, priority))
        self.inside[owner] += 1
        self.most[owner] = max(self.most[owner], self.inside[owner])
        try:
            await self.goes_on.wait()
            await asyncio.sleep(0)
            logprobs = {token: SimpleNamespace(logprob=-1.0) for token in params.logprob_token_ids}
            said = SimpleNamespace(finish_reason="length", token_ids=[7], logprobs=[logprobs])
            yield SimpleNamespace(outputs=[said], finished=True)
        finally:
            self.inside[owner] -= 1

    def get_tokenizer(self) -> Any:
        return SimpleNamespace(apply_chat_template=lambda *args, **kwargs: "")

    async def render_cmpl_async(self, prompts: Any, params: Any) -> list[Any]:
        self.rendering += 1
        self.most_rendering = max(self.rendering, self.most_rendering)
        await asyncio.sleep(0.001)
        self.rendering -= 1
        return [{"prompt_token_ids": [1]}]


async def read_for(
    engine: Engine, owner: str, *, alone: bool, tree: LabelTree = TREE, background: bool = False
) -> int:
    asking.set(Asker(owner, is_alone=lambda: alone, is_background=background))
    _, reads = await engine.read_labels({"prompt_token_ids": [1]}, tree)  # type: ignore[arg-type]
    return len(reads)


async def settle() -> None:
    for _ in range(300):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("alone", "background", "most"),
    [(True, False, 64), (True, True, 64), (False, False, 16), (False, True, 2)],
)
async def test_the_reads_of_one_request_at_once_are_bounded(
    alone: bool, background: bool, most: int
) -> None:
    client: Any = Counting()
    engine = Engine(client)
    reading = asyncio.create_task(read_for(engine, "a", alone=alone, background=background))
    await settle()
    assert client.inside["a"] == most
    client.goes_on.set()
    assert await reading == len(TREE.reads) == 101
    assert client.most["a"] == most
    assert client.inside["a"] == 0


async def test_a_request_that_is_not_alone_any_more_gives_way() -> None:
    client: Any = Counting()
    alone = True
    asking.set(Asker("a", is_alone=lambda: alone))
    engine = Engine(client)
    reading = asyncio.create_task(engine.read_labels({"prompt_token_ids": [1]}, TREE))  # type: ignore[arg-type]
    await settle()
    assert client.inside["a"] == 64
    alone = False
    client.goes_on.set()
    await asyncio.sleep(0)
    client.goes_on.clear()
    await settle()
    assert client.inside["a"] <= 64 - 1
    client.goes_on.set()
    await reading


async def test_one_keys_reads_leave_room_in_the_engine_for_anothers() -> None:
    client: Any = Counting()
    engine = Engine(client, EngineShares(32))
    many = [asyncio.create_task(read_for(engine, "a", alone=False)) for _ in range(5)]
    await settle()
    assert client.inside["a"] == 28
    small = LabelTree({"x": [5, 2], "y": [6, 2]})
    other = asyncio.create_task(read_for(engine, "b", alone=False, tree=small))
    await settle()
    assert client.inside["b"] == 3
    client.goes_on.set()
    assert await asyncio.gather(*many, other) == [101] * 5 + [3]
    assert not +client.inside


async def test_reads_that_are_given_up_leave_their_places() -> None:
    client: Any = Counting()
    engine = Engine(client, EngineShares(32))
    many = [asyncio.create_task(read_for(engine, "a", alone=False)) for _ in range(5)]
    await settle()
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)
    assert not +client.inside
    client.goes_on.set()
    assert await read_for(engine, "a", alone=True) == 101
    assert client.most["a"] == 28


async def test_the_engine_takes_a_new_key_before_what_another_has_sent_in_advance() -> None:
    client: Any = Counting()
    engine = Engine(client, by_priority=True)
    many = asyncio.create_task(read_for(engine, "a", alone=True))
    await settle()
    other = asyncio.create_task(read_for(engine, "b", alone=False))
    await settle()
    of = {owner: [p for o, p in client.priorities if o == owner] for owner in "ab"}
    assert of["a"] == list(range(of["a"][0], of["a"][0] + 64))
    assert of["b"] == of["a"][:16]
    client.goes_on.set()
    await asyncio.gather(many, other)


async def test_few_prompts_are_rendered_at_once() -> None:
    client: Any = Counting()
    engine = Engine(client)
    clip = Clip(frame=np.zeros((2, 2, 3), np.uint8), waveform=None)
    await asyncio.gather(*(engine.render_clip(clip, "x", style="eval") for _ in range(20)))
    assert client.most_rendering == 2
