"""Reads the parts of `POST /v1/chat/completions` streams that a load test needs."""

from collections.abc import AsyncIterator

import httpx2
from pydantic import BaseModel, ValidationError

from emotion_llama.errors import InvalidAnswer, from_event
from emotion_llama.schema import ErrorDetail


class _Delta(BaseModel):
    role: str | None = None
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta


class _Usage(BaseModel):
    completion_tokens: int


class Chunk(BaseModel):
    """Represents one event of the stream."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: ErrorDetail | None = None

    @property
    def is_piece(self) -> bool:
        """Return whether it brings a token, maybe without text; the first one has a role only."""
        deltas = (choice.delta for choice in self.choices)
        return any(delta.role is None or delta.content for delta in deltas)


async def chunks(response: httpx2.Response) -> AsyncIterator[Chunk]:
    """Yield the events up to `[DONE]`.

    Raises:
        EmotionLLaMAError: an event is an error or cannot be read, or the stream breaks off.
    """
    rest = b""
    async for piece in response.aiter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            name, _, data = line.strip().partition(b":")
            if name != b"data":
                continue
            if data.strip() == b"[DONE]":
                return
            yield _parse(data)
    raise InvalidAnswer("The stream broke off.")


def _parse(data: bytes) -> Chunk:
    try:
        chunk = Chunk.model_validate_json(data)
    except ValidationError as error:
        raise InvalidAnswer(f"A piece of the stream cannot be read: {error}") from error
    if chunk.error is not None:
        raise from_event(chunk.error, None)
    return chunk
