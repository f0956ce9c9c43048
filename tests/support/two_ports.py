"""Serves a small app on both ports with vLLM's launcher, without an engine.

A test runs `serve` in a fork of a process that has imported this module, as vLLM's import takes
ten seconds and each test ends its process by signals.
"""

import asyncio
import os
import ssl
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvloop
from fastapi import FastAPI
from vllm.entrypoints.launchers.launcher import create_server_socket, serve_http

from emotion_llama_server.services import install
from emotion_llama_server.start.listeners import LegacyListener, port_options
from tests.support.services import services

HEADS = {"h11_max_incomplete_event_size": 65536, "h11_max_header_count": 256}


async def look() -> str:
    return "seen"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start slowly, and remove the app's state at the end, as vLLM's does."""
    print("starting", flush=True)
    await asyncio.sleep(0.5)
    yield
    del app.state


def shut_down(timeout: float) -> None:
    """Act as the end of an engine."""


def flags(host: str) -> Namespace:
    """Return the flags of vLLM that hold for both ports."""
    return Namespace(
        host=host,
        uvicorn_log_level="error",
        disable_uvicorn_access_log=True,
        ssl_keyfile=None,
        ssl_certfile=None,
        ssl_ca_certs=None,
        ssl_cert_reqs=ssl.CERT_NONE,
        ssl_ciphers="TLSv1",
        **HEADS,
    )


async def _main(host: str, port: int, legacy_port: int, may_go_on: Event) -> int:
    app = FastAPI(lifespan=lifespan)
    engine = SimpleNamespace(errored=False, shutdown=shut_down)
    app.add_api_route("/look", look, methods=["GET", "POST"])
    app.state.engine_client = None
    install(app, services(client=engine))
    legacy = LegacyListener(flags(host), legacy_port, lambda _: print("ready", flush=True))
    listener = create_server_socket((host, port), reuse_port=False)
    print("bound", flush=True)
    may_go_on.wait()
    legacy.prepare(app)
    options: dict[str, Any] = {"host": host, "port": port, "log_level": "error", **HEADS}
    try:
        await (await serve_http(app, listener, **options, **port_options(legacy.start)))
        await asyncio.sleep(1)  # vLLM's engine needs time to end
    finally:
        await legacy.stop()
    return legacy.exit_code


def serve(log: Path, host: str, port: int, legacy_port: int, may_go_on: Event) -> None:
    """Serve until a signal arrives; exit with the code of the listeners.

    Args:
        log: the file that takes what the process prints.
        host: the address of both ports.
        port: the port of vLLM's listener.
        legacy_port: the second port.
        may_go_on: the ports are bound, but do not listen, until this event is set.
    """
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.exit(uvloop.run(_main(host, port, legacy_port, may_go_on)))
