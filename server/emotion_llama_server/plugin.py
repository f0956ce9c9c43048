"""Implements the `vllm.endpoint_plugins` entry point, which adds our routes to vLLM's app."""

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from fastapi import FastAPI
from starlette.datastructures import State
from vllm.config import ModelConfig
from vllm.engine.protocol import EngineClient
from vllm.entrypoints.openai.models.serving import OpenAIServingModels
from vllm.tasks import SupportedTask

from emotion_llama_server import paths, services, storage
from emotion_llama_server.chat import sequences, validation
from emotion_llama_server.emotion.answer_cache import AnswerCache
from emotion_llama_server.emotion.engine_shares import EngineShares
from emotion_llama_server.emotion.service import Analyst
from emotion_llama_server.engine import Engine
from emotion_llama_server.gate import Doorkeeper
from emotion_llama_server.gate.oidc.tokens import Tokens
from emotion_llama_server.gradio.desk import Desk
from emotion_llama_server.openapi import document
from emotion_llama_server.routes import (
    docs,
    emotion,
    error_route,
    exposure,
    gradio,
    legacy,
    mcp,
    models,
    page,
    probes,
)
from emotion_llama_server.services import Services
from emotion_llama_server.shortening import shorten_log
from emotion_llama_server.start.lifecycle import Lifecycle
from emotion_llama_server.start.options import StartOptions
from emotion_llama_server.storage import Storage
from emotion_llama_server.transcripts.transcriber import Transcriber
from emotion_llama_vllm import metrics, stages
from emotion_llama_vllm.checkpoint.served import Served, read_served
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.hooks.connector import media_reader
from emotion_llama_vllm.media.decode.first_frame import warm_up
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
        app.include_router(mcp.router)
        app.include_router(gradio.router)
        app.include_router(gradio.router, prefix=paths.GRADIO_PREFIX)
        docs.install(app)
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
        options = StartOptions.of(args)
        exposure.close_others(self._app, options.settings.expose_route)
        exposure.read_strictly(self._app)
        if not options.settings.no_page:
            await asyncio.to_thread(page.install, self._app, page.folder())
        if options.settings.data_dir is not None:
            storage.install(self._app)
        await asyncio.to_thread(self._app.openapi)  # the app caches it, so no request waits for it
        if (issuer := options.settings.oidc_issuer) is not None:
            document.add_issuer(self._app, issuer, options.settings.oidc_scope)
        built = await _services(self._app, engine_client, args, options)
        services.install(self._app, built)
        metrics.begin_requests(options.keys.names or ("",), paths.WORK)
        if built.storage is not None:
            await built.storage.start(built.lifecycle)
        shorten_log()
        if options.on_ready is not None:
            options.on_ready(self._app)


async def _services(
    app: FastAPI, client: EngineClient, args: Namespace, options: StartOptions
) -> Services:
    """Create what all requests share; vLLM's parts of it are in the app's state."""
    model, settings = client.model_config, options.settings
    models = app.state.openai_serving_models
    served = await asyncio.to_thread(_served, model)
    shares, doorkeeper = _shares(client), Doorkeeper(settings)
    lifecycle = Lifecycle(doorkeeper, client, args.shutdown_timeout, settings.drain_delay)
    engine = Engine(client, shares, by_priority=_takes_turns(client))
    reader = media_reader(model.allowed_local_media_path, model.allowed_media_domains)
    storage.check(settings, reader.roots)
    kept = await asyncio.to_thread(Storage.open, app, settings, lifecycle, _names(models))
    stages.tell("Warming up")
    used, _ = await asyncio.gather(_decoder(model), engine.warm_up())
    decoder.use(used, served.face_rows)
    return Services(
        options=options,
        client=client,
        models=models,
        card=served.card,
        doorkeeper=doorkeeper,
        tokens=Tokens.of(settings, lifecycle.start),
        lifecycle=lifecycle,
        shares=shares,
        engine=engine,
        analyst=Analyst(
            engine,
            served,
            reader=reader,
            decoder=decoder.current(),
            cache=AnswerCache(settings.answer_cache_mb),
            transcriber=Transcriber.of(settings, media_settings()),
        ),
        desk=Desk(settings.request_timeout),
        storage=kept,
    )


def _names(models: OpenAIServingModels) -> Callable[[], Awaitable[list[str]]]:
    async def names() -> list[str]:
        return [model.id for model in (await models.show_available_models()).data]

    return names


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
        await used.warm_up(partial(warm_up, for_faces=bool(config.face_rows)))
    return ClipCache(used, settings.clip_cache_mb) if settings.clip_cache_mb else used


def _served(model: ModelConfig) -> Served:
    """Return the served checkpoint under its served name, or else its folder's name."""
    names = model.served_model_name or model.model
    name = names if isinstance(names, str) else names[0]
    config = cast(EmotionLlamaConfig, model.hf_config)
    return read_served(name, model.model, model.revision, face_rows=config.face_rows)


def create_plugin() -> EmotionLlamaApi:
    """Create the plugin for the entry point."""
    return EmotionLlamaApi()
