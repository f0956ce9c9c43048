"""Builds what answers `/v1/emotion` and `/mcp` without an engine: a fake one, and one clip."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from devtools.media import Recipe, write_clip
from emotion_llama_server.emotion.answer_cache import AnswerCache
from emotion_llama_server.emotion.service import Analyst
from emotion_llama_server.transcripts.transcriber import Transcriber
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.media.workers.decoder import InProcess
from emotion_llama_vllm.settings import MediaSettings

WORDS: tuple[str, ...] = ("Because", "Because of", "Because of the mouth.")


def output(text: str, finished: bool = True) -> Any:
    said = SimpleNamespace(text=text, token_ids=text.split())
    return SimpleNamespace(outputs=[said], metrics=None, finished=finished)


class FakeEngine:
    """Says the same about every clip, and counts how often it is asked."""

    feature_size, max_model_len = 8, 100

    def __init__(self) -> None:
        self.reads, self.running = 0, 0
        self.texts: list[str] = []
        self.fails, self.words = False, WORDS
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    def label_tree(self, labels: Mapping[str, str]) -> LabelTree:
        """Labels in other words than the checkpoint's get other tokens."""
        self.scored = list(labels.values())
        return LabelTree({label: [10 + n, 2] for n, label in enumerate(labels)})

    def count(self, text: str) -> int:
        return 20

    def cut(self, words: str, tokens: int) -> str:
        return words[:tokens]

    def prompt_text(self, text: str, style: str) -> str:
        return f"{style}: {text}"

    async def render_clip(self, clip: Any, text: str, *, style: str) -> dict[str, Any]:
        self.texts.append(text)
        return {"prompt_token_ids": [1, 2, 3]}

    async def read_labels(self, prompt: Any, tree: LabelTree) -> tuple[dict[str, float], list[Any]]:
        self.reads += 1
        logprobs = {p: [-float(n) for n, _ in enumerate(w)] for p, w in tree.reads.items()}
        return tree.probabilities(logprobs), [output("x")] * len(tree.reads)

    async def complete(self, prompt: Any, params: Any) -> Any:
        return output("neutral")

    async def generate(self, prompt: Any, params: Any) -> AsyncGenerator[Any, None]:
        self.running += 1
        self.max_tokens = params.max_tokens
        try:
            for text in self.words:
                await self.goes_on.wait()
                yield output(text, finished=text == self.words[-1])
                if self.fails:
                    raise RuntimeError("secret: the engine is on fire")
        finally:
            self.running -= 1


def analyst(
    engine: Any,
    root: Path,
    megabytes: float,
    face_rows: tuple[int, ...] = (),
    transcriber: Transcriber | None = None,
) -> Analyst:
    write_clip(root / "clip.mp4", Recipe(seconds=2))
    return Analyst(
        engine,
        Served("demo", Card(), "abc", face_rows),
        MediaReader([root], [], MediaSettings()),
        InProcess(),
        AnswerCache(megabytes),
        transcriber,
    )
