"""Runs a uvicorn server without an engine in a thread, configured as both ports are."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from devtools.server import free_port
from emotion_llama_server.gate.connection import Connection

HOST = "127.0.0.1"
_NOTHING = contextlib.nullcontext()


@contextlib.contextmanager
def light_server(
    app: ASGIApp,
    protocol: type[Connection] = Connection,
    *,
    during: AbstractAsyncContextManager[object] = _NOTHING,
    **options: Any,
) -> Iterator[int]:
    """Serve an app until the block ends; yield the port.

    Args:
        app: the app.
        protocol: how connections are read.
        during: is entered in the server's event loop, and left when it ends.
        options: uvicorn's.
    """
    port = free_port()
    settings: dict[str, Any] = {"ws": "none", "lifespan": "off", "log_level": "error", **options}
    server = uvicorn.Server(uvicorn.Config(app, HOST, port, http=protocol, **settings))

    async def serve() -> None:
        async with during:
            await server.serve()

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
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
