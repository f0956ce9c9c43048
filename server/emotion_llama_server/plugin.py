"""Implements the `vllm.endpoint_plugins` entry point, which adds our routes to vLLM's app."""

import asyncio
from argparse import Namespace
from typing import cast

from fastapi import FastAPI
from starlette.datastructures import State
from vllm.config import ModelConfig
from vllm.engine.protocol import EngineClient
from vllm.tasks import SupportedTask

from emotion_llama_server import gate, paths
from emotion_llama_server.chat import sequences, validation
from emotion_llama_server.emotion.answer_cache import AnswerCache
from emotion_llama_server.emotion.engine_shares import EngineShares
from emotion_llama_server.emotion.service import Analyst
from emotion_llama_server.engine import Engine
from emotion_llama_server.routes import (
    emotion,
    error_route,
    exposure,
    gradio,
    legacy,
    models,
    pages,
    probes,
)
from emotion_llama_server.settings import server_settings
from emotion_llama_server.shortening import shorten_log
from emotion_llama_server.start.lifecycle import Lifecycle
from emotion_llama_vllm import stages
from emotion_llama_vllm.checkpoint.served import Served, read_served
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.hooks.connector import media_reader
from emotion_llama_vllm.media.workers import decoder
from emotion_llama_vllm.media.workers.cache import ClipCache
from emotion_llama_vllm.media.workers.pool import Workers
from emotion_llama_vllm.settings import media_settings

NAME = "emotion_llama_api"
"""The entry point's name, which `VLLM_PLUGINS` must list."""


class EmotionLlamaApi:
    """Adds our routes to vLLM's app and gives them the engine."""

    name = NAME
    required_tasks: tuple[SupportedTask, ...] | None = ("generate",)

    def attach_router(self, app: FastAPI) -> None:
        app.include_router(probes.router)
        app.include_router(legacy.router)
        app.include_router(models.router)
        app.include_router(emotion.router)
        app.include_router(gradio.router)
        app.include_router(gradio.router, prefix=paths.GRADIO_PREFIX)
        pages.install(app)
        validation.install(app)
        sequences.install(app)
        error_route.install(app)
        app.title = "Emotion-LLaMA Server"
        self._app = app

    async def init_state(
        self, engine_client: EngineClient | None, state: State, args: Namespace
    ) -> None:
        if engine_client is None:
            raise RuntimeError("Emotion-LLaMA's routes need an engine.")
        model, settings = engine_client.model_config, server_settings(args)
        exposure.close_others(self._app, settings.expose_route)
        exposure.read_strictly(self._app)
        await asyncio.to_thread(self._app.openapi)  # the app caches it, so no request waits for it
        state.emotion_llama_settings = settings
        doorkeeper = gate.prepare(state, args)
        state.emotion_llama_doorkeeper = doorkeeper
        state.emotion_llama_gradio = gradio.Desk(settings.request_timeout)
        state.emotion_llama_lifecycle = Lifecycle(doorkeeper, engine_client, args.shutdown_timeout)
        served = await asyncio.to_thread(_served, model)
        state.emotion_llama_engine_shares = shares = _shares(engine_client)
        engine = Engine(engine_client, shares, by_priority=_takes_turns(engine_client))
        stages.tell("Warming up")
        decoder.use(await _decoder(model))
        state.emotion_llama_card = served.card
        state.emotion_llama_allow_text_only = settings.allow_text_only
        state.emotion_llama_engine = engine
        state.emotion_llama_analyst = Analyst(
            engine,
            served,
            reader=media_reader(model.allowed_local_media_path, model.allowed_media_domains),
            decoder=decoder.current(),
            cache=AnswerCache(settings.answer_cache_mb),
        )
        await engine.warm_up()
        shorten_log()
        if (start := getattr(args, "on_app_ready", None)) is not None:
            await start(self._app)


def _shares(client: EngineClient) -> EngineShares:
    config = client.vllm_config
    ranks = config.parallel_config.data_parallel_size
    return EngineShares(config.scheduler_config.max_num_seqs * ranks)


def _takes_turns(client: EngineClient) -> bool:
    """Return whether the engine schedules by priority, as `emotion-llama serve` sets it."""
    return client.vllm_config.scheduler_config.policy == "priority"


async def _decoder(model: ModelConfig) -> decoder.Decoder:
    """Return the decoder: worker processes if the operator wants any, and a cache before them."""
    settings = media_settings()
    used: decoder.Decoder = decoder.InProcess()
    if settings.decode_workers:
        config = cast(EmotionLlamaConfig, model.hf_config)
        used = Workers(settings, config.vision.image_size)
        await used.warm_up()
    return ClipCache(used, settings.clip_cache_mb) if settings.clip_cache_mb else used


def _served(model: ModelConfig) -> Served:
    """Return the served checkpoint under its served name, or else its folder's name."""
    names = model.served_model_name or model.model
    name = names if isinstance(names, str) else names[0]
    return read_served(name, model.model, model.revision)


def create_plugin() -> EmotionLlamaApi:
    """Create the plugin for the entry point."""
    return EmotionLlamaApi()
