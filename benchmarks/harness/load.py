"""Sends questions to the measured servers, with parts of the load tool."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.harness.servers import MODEL
from emotion_llama.bench.asking import ask
from emotion_llama.bench.clips import Clip, Deck, Question, named
from emotion_llama.bench.figures import Figures, Record
from emotion_llama.bench.load import ClosedLoop
from emotion_llama.bench.routes import ROUTES, Heard, Route, Target, chat_text

_SILENCE = 900.0


async def _ask_for_the_whole(target: Target, question: Question, heard: Heard) -> None:
    body = _chat(question.clip.name, chat_text(question), target.max_tokens)
    response = await target.http.post("/v1/chat/completions", json=body)
    response.raise_for_status()


WHOLE = Route(_ask_for_the_whole, lambda clip: named(clip.name))
"""The route that the original's way needs: chat completions about a file on the server, with the
whole answer in one piece."""


class Further(Deck):
    """Hands out all questions about a clip except the first."""

    def next_clip(self, questions: int) -> list[Question]:
        return super().next_clip(1 + questions)[1:]


def as_sent(clips: Sequence[Path], route: Route = ROUTES["chat"]) -> list[Clip]:
    """Return the clips in the form in which a client sends them to a route."""
    return [route.read_clip(clip) for clip in clips]


def measure(
    url: str,
    clips: Sequence[Clip],
    *,
    at_once: int,
    tokens: int,
    questions: int = 1,
    route: Route = ROUTES["chat"],
    deck: type[Deck] = Deck,
) -> tuple[Figures, list[Record]]:
    """Ask this many questions about each clip, `at_once` of them at any time.

    Returns:
        The total figures, and the record of each request.

    Raises:
        RuntimeError: an answer failed.
    """

    async def run() -> tuple[float, list[Record]]:
        async with _client(url) as http:
            target = Target(http, MODEL, tokens)
            began = time.perf_counter()

            async def once(question: Question) -> Record:
                return await ask(route, target, question, began)

            load, requests = ClosedLoop(at_once), len(clips) * questions
            records = await load.run(once, deck(clips), requests, questions)
            return time.perf_counter() - began, records

    seconds, records = asyncio.run(run())
    if bad := [record for record in records if record.error is not None]:
        raise RuntimeError(f"{len(bad)} of {len(records)} requests failed: {bad[0].message}")
    return Figures.of(records, seconds), records


def seconds_each(
    url: str, clips: Sequence[Path], *, at_once: int, tokens: int, further: int = 0
) -> float:
    """Ask the first question about each clip on the server, or this many further ones.

    Returns:
        The seconds per request.
    """
    found, _ = measure(
        url,
        as_sent(clips, WHOLE),
        at_once=at_once,
        tokens=tokens,
        questions=further or 1,
        route=WHOLE,
        deck=Further if further else Deck,
    )
    return found.seconds / found.requests


def complete(url: str, prompts: Sequence[Sequence[int]], tokens: int) -> float:
    """Let vLLM's own server continue token ids, all at once; return the seconds."""

    async def one(http: httpx2.AsyncClient, prompt: Sequence[int]) -> None:
        body = {
            "model": MODEL,
            "prompt": list(prompt),
            "max_tokens": tokens,
            "temperature": 0,
            "ignore_eos": True,
        }
        response = await http.post("/v1/completions", json=body)
        response.raise_for_status()

    async def run() -> float:
        async with _client(url) as http:
            began = time.perf_counter()
            await asyncio.gather(*(one(http, prompt) for prompt in prompts))
            return time.perf_counter() - began

    return asyncio.run(run())


def first_tokens(url: str, clip: Path, question: str, tokens: int) -> list[int]:
    """Return the ids of an answer's first tokens."""
    body = _chat(clip.name, question, tokens) | {"return_token_ids": True}
    answer = httpx2.post(f"{url}/v1/chat/completions", json=body, timeout=_SILENCE)
    return answer.raise_for_status().json()["choices"][0]["token_ids"]


def _chat(clip: str, text: str, tokens: int | None) -> dict[str, Any]:
    """Return a request about a file on the server."""
    content = [
        {"type": "video_url", "video_url": {"url": clip}},
        {"type": "text", "text": text},
    ]
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": tokens,
        "temperature": 0,
        "ignore_eos": True,
    }


def _client(url: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx2.AsyncClient(base_url=url, timeout=_SILENCE, limits=limits)
