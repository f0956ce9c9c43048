"""Holds what the server creates once, and gives it to the routes and to the gate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI

if TYPE_CHECKING:  # these modules use this one
    from vllm.engine.protocol import EngineClient
    from vllm.entrypoints.openai.models.serving import OpenAIServingModels

    from emotion_llama_server.emotion.engine_shares import EngineShares
    from emotion_llama_server.emotion.service import Analyst
    from emotion_llama_server.engine import Engine
    from emotion_llama_server.gate import Doorkeeper
    from emotion_llama_server.gate.oidc.tokens import Tokens
    from emotion_llama_server.gradio.desk import Desk
    from emotion_llama_server.settings import ServerSettings
    from emotion_llama_server.start.lifecycle import Lifecycle
    from emotion_llama_server.start.options import StartOptions
    from emotion_llama_server.storage import Storage
    from emotion_llama_vllm.checkpoint.card import Card


@dataclass(frozen=True, kw_only=True)
class Services:
    """Holds the objects that all requests to one app share."""

    options: "StartOptions"
    client: "EngineClient"
    models: "OpenAIServingModels"
    card: "Card"
    """The card of the served checkpoint."""
    doorkeeper: "Doorkeeper"
    tokens: "Tokens | None"
    """What verifies access tokens; None if only keys count."""
    lifecycle: "Lifecycle"
    shares: "EngineShares"
    engine: "Engine"
    analyst: "Analyst"
    desk: "Desk"
    storage: "Storage | None"
    """What is kept across restarts; None without a data folder."""

    @property
    def settings(self) -> "ServerSettings":
        """Return the operator's settings."""
        return self.options.settings

    @property
    def is_ready(self) -> bool:
        """Return whether routers may send requests: no end has begun, and the engine works."""
        is_open = self.doorkeeper.closed is None
        return is_open and not self.lifecycle.is_draining and not self.client.errored


def install(app: FastAPI, services: Services) -> None:
    """Give the app its services, before it answers the first request."""
    app.state.emotion_llama = services


def services_of(app: FastAPI) -> Services:
    """Return the services of an app."""
    return app.state.emotion_llama
