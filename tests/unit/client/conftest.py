"""Both clients behind one face, against a server made of a function."""

import asyncio
from collections.abc import Callable, Iterator
from copy import copy
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from emotion_llama import AsyncEmotionLLaMA, EmotionLLaMA

if TYPE_CHECKING:
    from tests.unit.client.command_server import FakeServer

Handler = Callable[[httpx2.Request], httpx2.Response]

ANSWER: dict[str, Any] = {
    "id": "emotion-1",
    "model": "demo",
    "emotion": "happy",
    "confidence": 0.9,
    "probabilities": {"happy": 0.9, "sad": 0.1},
    "answer": "happy",
    "answer_matches": True,
    "explanation": "The corners of the mouth are up.",
    "timeline": None,
    "evidence": {
        "frame_index": 0,
        "frame_time": 0,
        "frame_policy": "first",
        "audio_seconds": 2.5,
        "has_audio": True,
        "features": [],
        "checkpoint": "demo",
        "manifest": None,
        "prompt": "",
    },
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "timing": {"fetch": 0, "decode": 0, "queue": None, "first_token": None, "total": 0},
    "notice": "",
}


def refusal(status: int, message: str = "no", **more: Any) -> httpx2.Response:
    error = {"message": message, "type": "x", "param": None, "code": status}
    return httpx2.Response(status, json={"error": error | more}, headers={"X-Request-Id": "r1"})


class Face:
    """A client of either kind, whose methods all return when they are done."""

    def __init__(self, is_async: bool, handler: Handler, **options: Any) -> None:
        self.pauses: list[float] = []
        self._is_async = is_async
        transport = httpx2.MockTransport(handler)
        if is_async:
            self._client: Any = AsyncEmotionLLaMA(
                transport=transport, sleep=self._async_pause, **options
            )
        else:
            self._client = EmotionLLaMA(transport=transport, sleep=self.pauses.append, **options)

    async def _async_pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def part(self, name: str) -> "Face":
        """Return `files` or `batches` of the client."""
        part = copy(self)
        part._client = getattr(self._client, name)
        return part

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        made = getattr(self._client, method)(*args, **options)
        return asyncio.run(made) if self._is_async else made

    def each(self, method: str, *args: Any, **options: Any) -> list[Any]:
        made = getattr(self._client, method)(*args, **options)

        async def collect() -> list[Any]:
            return [event async for event in made]

        return asyncio.run(collect()) if self._is_async else list(made)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Callable[..., Face]:
    """Make a client of a handler."""
    return lambda handler, **options: Face(request.param, handler, **options)


@pytest.fixture
def server() -> "Iterator[FakeServer]":
    """Run a server that the commands can ask."""
    from tests.unit.client.command_server import serving  # which needs what stands above

    with serving() as made:
        yield made
