"""The second port: another listener over vLLM's app, and the words when both are open."""

import asyncio
import socket
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI
from vllm.entrypoints.launchers.launcher import NoSignalServer, create_server_socket


@dataclass
class LegacyListener:
    """Serves the app on a port of its own from the moment that vLLM's server listens.

    vLLM's server owns one socket, so this is a second `uvicorn.Server` in the same loop. The port
    is bound at once: a busy one is noticed before the engine starts.
    """

    host: str
    port: int
    on_ready: Callable[[FastAPI, uvicorn.Server], None]
    _socket: socket.socket = field(init=False)
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._socket = create_server_socket((self.host, self.port), reuse_port=False)

    async def start(self, app: FastAPI) -> None:
        """Wait in the background for vLLM's server, then listen."""
        self._task = asyncio.create_task(self._serve(app))

    async def stop(self) -> None:
        """Finish the requests of this port and close it."""
        if self._server is not None:
            self._server.should_exit = True
        if self._task is not None:
            if self._server is None:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()

    async def _serve(self, app: FastAPI) -> None:
        await _started(lambda: getattr(app.state, "server", None))
        self._server = NoSignalServer(self._config(app, app.state.args))
        announcing = asyncio.create_task(self._announce(self._server, app))
        await self._server.serve(sockets=[self._socket])
        announcing.cancel()

    async def _announce(self, server: uvicorn.Server, app: FastAPI) -> None:
        await _started(lambda: server)
        self.on_ready(app, server)

    def _config(self, app: FastAPI, args: Namespace) -> uvicorn.Config:
        config = uvicorn.Config(
            app,
            host=self.host,
            port=self.port,
            lifespan="off",  # vLLM's server runs the app's
            log_level=args.uvicorn_log_level,
            access_log=not args.disable_uvicorn_access_log,
            proxy_headers=False,
            server_header=False,
            ssl_keyfile=args.ssl_keyfile,
            ssl_certfile=args.ssl_certfile,
            ssl_ca_certs=args.ssl_ca_certs,
            ssl_cert_reqs=args.ssl_cert_reqs,
            ssl_ciphers=args.ssl_ciphers,
        )
        if args.h11_max_incomplete_event_size is not None:
            config.h11_max_incomplete_event_size = args.h11_max_incomplete_event_size
        return config


async def _started(server: Callable[[], uvicorn.Server | None]) -> None:
    """Wait until a server listens; uvicorn has no event for it."""
    while (found := server()) is None or not found.started:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
