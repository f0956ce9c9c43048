"""Builds vLLM's own app with our routes and the gate, without an engine."""

from argparse import Namespace
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from vllm.entrypoints.launchers.app import build_app
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser

from emotion_llama.schema import Model
from emotion_llama_server import gate
from emotion_llama_server.routes import exposure
from emotion_llama_server.services import install
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.hooks.vllm_environment import PLUGINS
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.settings import MediaSettings
from tests.support.apps.services import services

MODEL = "org/model"
DESCRIPTION = "A <b>test</b> that recognises nothing."


@dataclass
class VllmApp:
    """Holds the app in the form that `tests.support.apps.gate.Call` needs."""

    app: FastAPI


class Engine:
    errored = False

    async def check_health(self) -> None:
        """Report good health."""


class Models:
    async def show_available_models(self) -> Namespace:
        """Return one model name."""
        card = Model(id=MODEL, created=0, owned_by="vllm", max_model_len=9, description="")
        return Namespace(data=[card])


def vllm_app(environment: pytest.MonkeyPatch, *flags: str, keys: str = "") -> VllmApp:
    """Build the app as vLLM does, and prepare it as the plugin does with an engine.

    Args:
        environment: a clean environment.
        flags: vLLM's flags.
        keys: `name:key` entries, separated by commas.
    """
    environment.setenv("VLLM_PLUGINS", ",".join(PLUGINS))
    parser = make_arg_parser(FlexibleArgumentParser())
    args: Namespace = parser.parse_args(["--middleware", gate.MIDDLEWARE, *flags])  # type: ignore[assignment]
    app = build_app(args, ("generate",))
    exposure.close_others(app, ())
    exposure.read_strictly(app)
    app.state.engine_client = engine = Engine()
    card = Card(description=DESCRIPTION)
    reader = MediaReader(roots=(), domains=(), settings=MediaSettings())
    analyst = Namespace(reader=reader, transcriber=None)
    parts = {"client": engine, "models": Models(), "card": card, "analyst": analyst}
    install(app, services(keys=keys, **parts))
    return VllmApp(app)
