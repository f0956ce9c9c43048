"""Serves the routes for Gradio's clients behind the gate, with an engine that repeats requests."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from emotion_llama_server.gate import Doorkeeper, Gate
from emotion_llama_server.gradio.desk import Desk
from emotion_llama_server.routes import gradio, legacy
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import MediaNotFound
from tests.support.apps.light_server import HOST, light_server
from tests.support.apps.services import services

KEYS = {"alice": "a" * 16, "bob": "b" * 16}
MISSING = "There is no such file."
QUESTION = "[emotion] Which emotion is this?"


def said(clip: str | bytes, question: str = QUESTION) -> str:
    """Return the engine's answer about a clip, which is named or given as bytes."""
    if isinstance(clip, bytes):
        clip = hashlib.sha256(clip).hexdigest()
    return f"{clip} in the style demo: {question}"


class Engine:
    """Answers with the clip and the question of the request; each answer waits for `go_on`."""

    max_model_len = 2048

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.working = 0

    async def fit(self, text: str, *, style: str, max_positions: int) -> str:
        return text

    async def render(self, messages: Any, *, style: str) -> str:
        clip, text = messages[0]["content"]
        named = clip["video_url"]["url"]
        if named.startswith("missing"):
            raise MediaNotFound(MISSING)
        return f"{named} in the style {style}: {text['text']}"

    async def render_clip(self, clip: bytes, text: str, *, style: str) -> str:
        return f"{hashlib.sha256(clip).hexdigest()} in the style {style}: {text}"

    async def complete(self, prompt: str, params: Any) -> Any:
        self.working += 1
        try:
            while not self.go_on.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        finally:
            self.working -= 1
        return SimpleNamespace(outputs=[SimpleNamespace(text=prompt)])


class GradioApp:
    """Holds the app, whose users have `KEYS` unless it has none."""

    def __init__(self, *, keys: Mapping[str, str] = KEYS, **settings: Any) -> None:
        self.engine = Engine()
        self.app = FastAPI()
        for router, prefix in (
            (legacy.router, ""),
            (gradio.router, ""),
            (gradio.router, "/gradio_api"),
        ):
            self.app.include_router(router, prefix=prefix)
        server_settings = ServerSettings(**settings)
        self.desk = Desk(server_settings.request_timeout)
        entries = ",".join(f"{name}:{key}" for name, key in keys.items())
        built = services(server_settings, keys=entries, engine=self.engine, desk=self.desk)
        install(self.app, built)
        self.door: Doorkeeper = built.doorkeeper
        self.app.add_middleware(Gate)

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """Serve the app until the block ends; yield its address. Decoding yields the bytes."""

        async def read(clip: ClipFile) -> bytes:
            return clip.read()

        with pytest.MonkeyPatch.context() as patch, light_server(self.app) as port:
            patch.setattr(legacy, "decode_clip", read)
            yield f"http://{HOST}:{port}"
