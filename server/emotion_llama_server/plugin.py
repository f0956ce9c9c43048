"""What vLLM's app gets from us: the `vllm.endpoint_plugins` entry point."""

import asyncio
from argparse import Namespace

from fastapi import FastAPI
from starlette.datastructures import State
from vllm.config import ModelConfig
from vllm.engine.protocol import EngineClient
from vllm.tasks import SupportedTask

from emotion_llama_server import errors, guard
from emotion_llama_server.analyst import Analyst
from emotion_llama_server.answer_cache import AnswerCache
from emotion_llama_server.engine import Engine
from emotion_llama_server.routes import emotion, legacy, models
from emotion_llama_vllm.checkpoint.served import Served, read_served
from emotion_llama_vllm.media.connector import media_reader

NAME = "emotion_llama_api"
"""The entry point's name, which `VLLM_PLUGINS` must list."""


class EmotionLlamaApi:
    """Adds our routes to vLLM's app and gives them the engine."""

    name = NAME
    required_tasks: tuple[SupportedTask, ...] | None = ("generate",)

    def attach_router(self, app: FastAPI) -> None:
        app.include_router(legacy.router)
        app.include_router(models.router)
        app.include_router(emotion.router)
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
        served = await asyncio.to_thread(_served, model)
        engine = Engine(engine_client)
        state.emotion_llama_card = served.card
        state.emotion_llama_engine = engine
        state.emotion_llama_analyst = Analyst(
            engine,
            served,
            reader=media_reader(model.allowed_local_media_path, model.allowed_media_domains),
            cache=AnswerCache(getattr(args, "answer_cache_mb", 0)),
        )
        await engine.warm_up()
        if (start := getattr(args, "on_app_ready", None)) is not None:
            await start(self._app)


def _served(model: ModelConfig) -> Served:
    """What answers: named as clients name it, or by its folder's name."""
    names = model.served_model_name or model.model
    name = names if isinstance(names, str) else names[0]
    return read_served(name, model.model, model.revision)


def create_plugin() -> EmotionLlamaApi:
    """Factory that the entry point names."""
    return EmotionLlamaApi()
