"""What vLLM's app gets from us: the `vllm.endpoint_plugins` entry point."""

import asyncio
from argparse import Namespace

from fastapi import FastAPI
from starlette.datastructures import State
from vllm.engine.protocol import EngineClient
from vllm.tasks import SupportedTask

from emotion_llama_server import errors, guard
from emotion_llama_server.engine import Engine
from emotion_llama_server.routes import legacy, models
from emotion_llama_vllm.checkpoint.card import read_card

NAME = "emotion_llama_api"
"""The entry point's name, which `VLLM_PLUGINS` must list."""


class EmotionLlamaApi:
    """Adds our routes to vLLM's app and gives them the engine."""

    name = NAME
    required_tasks: tuple[SupportedTask, ...] | None = ("generate",)

    def attach_router(self, app: FastAPI) -> None:
        app.include_router(legacy.router)
        app.include_router(models.router)
        guard.install(app)
        errors.install(app)
        app.title = "Emotion-LLaMA Server"
        self._app = app

    async def init_state(
        self, engine_client: EngineClient | None, state: State, args: Namespace
    ) -> None:
        if engine_client is None:
            raise RuntimeError("Emotion-LLaMA's routes need an engine.")
        model = engine_client.model_config
        state.emotion_llama_card = await asyncio.to_thread(read_card, model.model, model.revision)
        state.emotion_llama_engine = Engine(engine_client)
        await state.emotion_llama_engine.warm_up()
        if (start := getattr(args, "on_app_ready", None)) is not None:
            await start(self._app)


def create_plugin() -> EmotionLlamaApi:
    """Factory that the entry point names."""
    return EmotionLlamaApi()
