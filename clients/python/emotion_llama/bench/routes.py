"""Sends the requests of the measured routes, and records the times of their answers."""

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pydantic import BaseModel

from emotion_llama.bench.chat_stream import chunks
from emotion_llama.bench.clips import Clip, Question, as_base64, as_data_url, as_upload
from emotion_llama.errors import from_response
from emotion_llama.events import EventReader
from emotion_llama.prompt import with_transcript
from emotion_llama.schema import EmotionResponse
from emotion_llama.wire import parse

_LONGEST_ANSWER = 256
"""The maximum number of tokens of an answer that ends by itself."""
_CLIP = "<clip>"
"""The placeholder for the clip in a request body."""


@dataclass(frozen=True)
class Target:
    """Holds the server, the model and the length of its answers."""

    http: httpx2.AsyncClient
    model: str | None
    max_tokens: int | None


@dataclass
class Heard:
    """Records when each piece of an answer arrives (`time.perf_counter`), and the tokens."""

    pieces: list[float] = field(default_factory=list)
    output_tokens: int | None = None

    def piece(self) -> None:
        self.pieces.append(time.perf_counter())


@dataclass(frozen=True)
class Route:
    """Describes how to send a request to a route, and the form of its clips.

    `ask` raises an EmotionLLaMAError or an httpx2.RequestError if there is no good answer.
    """

    ask: Callable[[Target, Question, Heard], Awaitable[None]]
    read_clip: Callable[[Path], Clip]
    takes_max_tokens: bool = True


class _Prediction(BaseModel):
    data: list[str]


class _ProcessedVideo(BaseModel):
    response: str


def chat_text(question: Question) -> str:
    """Return the user's words in the form of the original's prompt without a transcript."""
    return with_transcript(f"[reason] {question.text}")


async def _ask_chat(target: Target, question: Question, heard: Heard) -> None:
    content = [
        {"type": "video_url", "video_url": {"url": _CLIP}},
        {"type": "text", "text": chat_text(question)},
    ]
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": target.max_tokens or _LONGEST_ANSWER,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if target.max_tokens is not None:
        body["ignore_eos"] = True
    if target.model is not None:
        body["model"] = target.model
    sent = _as_json(body, question.clip)
    async with _answer(target, "/v1/chat/completions", **sent) as response:
        async for chunk in chunks(response):
            if chunk.is_piece:
                heard.piece()
            if chunk.usage is not None:
                heard.output_tokens = chunk.usage.completion_tokens


async def _ask_emotion(target: Target, question: Question, heard: Heard) -> None:
    body: dict[str, Any] = {"question": question.text, "stream": True}
    if target.max_tokens is not None:
        body["max_tokens"] = target.max_tokens
    clip = question.clip
    if clip.data is None:
        sent = _as_json({"video": _CLIP, **body}, clip)
    else:
        fields = (None, json.dumps(body).encode(), "application/json")
        upload = (clip.name, clip.data, "application/octet-stream")
        sent = {"files": {"request": fields, "video": upload}, "headers": clip.headers}
    async with _answer(target, "/v1/emotion", **sent) as response:
        reader = EventReader(response)
        async for text in response.aiter_text():
            for event in reader.read(text):
                if not heard.pieces:  # events are no tokens, so only the first one counts
                    heard.piece()
                if isinstance(event, EmotionResponse):
                    heard.output_tokens = event.usage.completion_tokens
        reader.finish()


async def _ask_predict(target: Target, question: Question, heard: Heard) -> None:
    body = {"data": [_CLIP, f"[reason] {question.text}"]}
    async with _answer(target, "/api/predict/", **_as_json(body, question.clip)) as response:
        await response.aread()
        parse(response, _Prediction)


async def _ask_process_video(target: Target, question: Question, heard: Heard) -> None:
    body = {"video_path": _CLIP, "question": f"[reason] {question.text}"}
    async with _answer(target, "/process_video", **_as_json(body, question.clip)) as response:
        await response.aread()
        parse(response, _ProcessedVideo)


ROUTES = {
    "chat": Route(_ask_chat, as_data_url),
    "emotion": Route(_ask_emotion, as_upload),
    "predict": Route(_ask_predict, as_base64, takes_max_tokens=False),
    "process_video": Route(_ask_process_video, as_base64, takes_max_tokens=False),
}


def _as_json(body: dict[str, Any], clip: Clip) -> dict[str, Any]:
    """Return httpx2's arguments; the clip may have megabytes and is not encoded again each time."""
    content = json.dumps(body).encode().replace(json.dumps(_CLIP).encode(), clip.json, 1)
    return {"content": content, "headers": {"Content-Type": "application/json", **clip.headers}}


@asynccontextmanager
async def _answer(target: Target, path: str, **sent: Any) -> AsyncGenerator[httpx2.Response, None]:
    """Yield the response before its body is read.

    Raises:
        EmotionLLaMAError: the response is an error.
    """
    async with target.http.stream("POST", path, **sent) as response:
        if not response.is_success:
            await response.aread()
            raise from_response(response)
        yield response
