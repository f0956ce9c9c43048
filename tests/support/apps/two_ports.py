"""Serves a small app on both ports with vLLM's launcher, without an engine.

The program imports vLLM once, which takes ten seconds, and forks for each line of its input:

    start LOG HOST PORT LEGACY_PORT   binds both ports in a new process, and prints its id;
                                      the ports listen when somebody has written to LOG.go
    wait ID                           prints the exit code of a process when it has ended
"""

import asyncio
import os
import ssl
import sys
import traceback
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvloop
from fastapi import FastAPI
from vllm.entrypoints.launchers.launcher import create_server_socket, serve_http

from emotion_llama_server.services import install
from emotion_llama_server.start.listeners import LegacyListener, port_options
from tests.support.apps.services import services

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


async def _main(host: str, port: int, legacy_port: int, may_go_on: Path) -> int:
    app = FastAPI(lifespan=lifespan)
    engine = SimpleNamespace(errored=False, shutdown=shut_down)
    app.add_api_route("/look", look, methods=["GET", "POST"])
    app.state.engine_client = None
    install(app, services(client=engine))
    legacy = LegacyListener(flags(host), legacy_port, lambda _: print("ready", flush=True))
    listener = create_server_socket((host, port), reuse_port=False)
    print("bound", flush=True)
    may_go_on.read_bytes()  # noqa: ASYNC240  (a pipe, and nothing else runs yet)
    legacy.prepare(app)
    options: dict[str, Any] = {"host": host, "port": port, "log_level": "error", **HEADS}
    try:
        await (await serve_http(app, listener, **options, **port_options(legacy.start)))
        await asyncio.sleep(1)  # vLLM's engine needs time to end
    finally:
        await legacy.stop()
    return legacy.exit_code


def _start(log: Path, host: str, port: int, legacy_port: int) -> int:
    """Fork a process that serves until a signal arrives; return its id."""
    may_go_on = log.with_suffix(".go")
    os.mkfifo(may_go_on)
    if process := os.fork():
        return process
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    try:
        code = uvloop.run(_main(host, port, legacy_port, may_go_on))
    except BaseException:
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    os._exit(code)


def main() -> None:
    """Obey the lines of the input."""
    for line in sys.stdin:
        match line.split():
            case ["start", log, host, port, legacy_port]:
                print(_start(Path(log), host, int(port), int(legacy_port)), flush=True)
            case ["wait", process]:
                status = os.waitpid(int(process), 0)[1]
                print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
