"""Runs a uvicorn server without an engine in a thread, configured as both ports are."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from devtools.server import free_port
from emotion_llama_server.gate.connection import Connection

HOST = "127.0.0.1"


@contextlib.contextmanager
def light_server(
    app: ASGIApp, protocol: type[Connection] = Connection, **options: Any
) -> Iterator[int]:
    """Serve an app until the block ends; yield the port."""
    port = free_port()
    settings = {"ws": "none", "lifespan": "off", "log_level": "error", **options}
    server = uvicorn.Server(uvicorn.Config(app, HOST, port, http=protocol, **settings))
    thread = threading.Thread(target=lambda: uvloop.run(server.serve()))
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
