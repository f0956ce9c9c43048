"""Runs the two ports: options for both, and the second server for vLLM's app."""

import asyncio
import socket
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from vllm import envs
from vllm.entrypoints.launchers.launcher import NoSignalServer, create_server_socket

from emotion_llama_server.gate.connection import Connection
from emotion_llama_server.services import services_of
from emotion_llama_server.start.lifecycle import Lifecycle

_STALL_SECONDS = 30
_YEAR_SECONDS = 365 * 24 * 3600
_END_SECONDS = 5
"""Seconds for connections and background tasks to end after the last answer."""


def port_options(on_listening: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Return the uvicorn options that both ports share.

    Args:
        on_listening: is called once when the port listens.
    """
    return {
        "http": Connection,
        "ws": "none",
        # uvicorn would trust any X-Forwarded-For from this machine.
        "proxy_headers": False,
        "server_header": False,
        "log_config": None,  # keep the configured logging
        "timeout_graceful_shutdown": _END_SECONDS,
        # uvicorn calls this once: the last call seems to be 56 years ago.
        "callback_notify": on_listening,
        "timeout_notify": 40 * _YEAR_SECONDS,
    }


def cut_stalled(listener: socket.socket, seconds: float = _STALL_SECONDS) -> None:
    """Make the kernel close connections whose client reads nothing or has vanished.

    The connections inherit the option, which counts only while there is data to send.
    """
    if listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


class LegacyListener:
    """Serves the app on a second port as soon as vLLM's server listens.

    vLLM's server owns one socket, so this is a second `uvicorn.Server` in the same loop. The port
    is bound at once: a busy one is noticed before the engine starts.

    Args:
        args: vLLM's flags, most of which hold for both ports.
        port: the second port.
        on_ready: is called when both ports listen.
    """

    _app: FastAPI
    """The app, which is known after the engine has started; nothing is served before."""

    def __init__(self, args: Namespace, port: int, on_ready: Callable[[FastAPI], None]) -> None:
        self._args, self._port, self._on_ready = args, port, on_ready
        self._socket = create_server_socket((args.host, port), reuse_port=False)
        cut_stalled(self._socket)
        self._lifecycle: Lifecycle | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def exit_code(self) -> int:
        """Return the exit code of the server; it is 0 if a signal ended it before it listened."""
        return self._lifecycle.exit_code if self._lifecycle else 0

    def prepare(self, app: FastAPI) -> None:
        """Accept the app, which vLLM's server is about to serve."""
        self._app = app
        self._lifecycle = lifecycle = services_of(app).lifecycle
        lifecycle.start(self._watch(lifecycle))

    async def _watch(self, lifecycle: Lifecycle) -> None:
        """Watch vLLM's server from its first step.

        vLLM creates it and sets its signal handlers without a pause. They would end the engine
        before the port listens, and the process with the exit code of a dead engine.
        """
        while not hasattr(self._app.state, "server"):  # noqa: ASYNC110  (it is soon there)
            await asyncio.sleep(0)
        lifecycle.watch(self._app.state.server)

    async def start(self) -> None:
        """Listen after vLLM's server does; if that fails, both end."""
        lifecycle = services_of(self._app).lifecycle
        self._server = NoSignalServer(self._config(self._app))
        lifecycle.join(self._server)
        self._serving = lifecycle.start(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Finish the requests of this port and close it.

        The lifecycle logs every error of the server and sets the exit code for it.

        Raises:
            OSError: the server could not listen on the port.
        """
        try:
            if self._server is not None and self._serving is not None:
                self._server.should_exit = True
                (error,) = await asyncio.gather(self._serving, return_exceptions=True)
                if isinstance(error, OSError):
                    raise error
        finally:
            self._socket.close()

    async def _on_listening(self) -> None:
        self._on_ready(self._app)

    def _config(self, app: FastAPI) -> uvicorn.Config:
        args = self._args
        config = uvicorn.Config(
            app,
            host=args.host,
            port=self._port,
            lifespan="off",  # vLLM's server runs the app's lifespan
            log_level=args.uvicorn_log_level,
            access_log=not args.disable_uvicorn_access_log,
            timeout_keep_alive=envs.VLLM_HTTP_TIMEOUT_KEEP_ALIVE,
            ssl_keyfile=args.ssl_keyfile,
            ssl_certfile=args.ssl_certfile,
            ssl_ca_certs=args.ssl_ca_certs,
            ssl_cert_reqs=args.ssl_cert_reqs,
            ssl_ciphers=args.ssl_ciphers,
            h11_max_incomplete_event_size=args.h11_max_incomplete_event_size,
            **port_options(self._on_listening),
        )
        config.h11_max_header_count = args.h11_max_header_count  # type: ignore[attr-defined]
        return config
