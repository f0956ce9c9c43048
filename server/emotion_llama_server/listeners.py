"""The two ports: how both listen, and the second one over vLLM's app."""

import asyncio
import socket
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from vllm import envs
from vllm.entrypoints.launchers.launcher import NoSignalServer, create_server_socket

from emotion_llama_server.connection import Connection
from emotion_llama_server.lifecycle import Lifecycle

_STALL_SECONDS = 30
_YEAR_SECONDS = 365 * 24 * 3600
_END_SECONDS = 5
"""For connections and background tasks, after the last request was answered."""


def port_options(on_listening: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Return uvicorn's options that both ports share.

    Args:
        on_listening: called once, when the port listens.
    """
    return {
        "http": Connection,
        "ws": "none",
        # It would believe any X-Forwarded-For from this machine.
        "proxy_headers": False,
        "server_header": False,
        "log_config": None,  # what is configured already stays
        "timeout_graceful_shutdown": _END_SECONDS,
        # uvicorn calls it if it did not for so many seconds: once, as the epoch was 56 years ago.
        "callback_notify": on_listening,
        "timeout_notify": 40 * _YEAR_SECONDS,
    }


def cut_stalled(listener: socket.socket, seconds: float = _STALL_SECONDS) -> None:
    """Have the kernel end connections whose client reads nothing, or has vanished.

    The connections inherit the option. It counts only while there is something to send.
    """
    if listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


class LegacyListener:
    """Serves the app on a port of its own from the moment that vLLM's server listens.

    vLLM's server owns one socket, so this is a second `uvicorn.Server` in the same loop. The port
    is bound at once: a busy one is noticed before the engine starts.

    Args:
        args: the flags of the server.
        on_ready: called when both ports listen.
    """

    _app: FastAPI
    """Known when the engine has started; nothing is served before."""
    _first_server: uvicorn.Server

    def __init__(self, args: Namespace, on_ready: Callable[[FastAPI], None]) -> None:
        self._args, self._on_ready = args, on_ready
        self._socket = create_server_socket((args.host, args.legacy_port), reuse_port=False)
        cut_stalled(self._socket)
        self._lifecycle: Lifecycle | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of the server; 0 if a signal ended it before it listened."""
        return self._lifecycle.exit_code if self._lifecycle else 0

    async def prepare(self, app: FastAPI) -> None:
        """Take the app, which vLLM's server is about to serve."""
        self._app = app

    async def start(self) -> None:
        """Listen, now that vLLM's server does; if that fails, end both."""
        self._server = NoSignalServer(self._config(self._app))
        self._first_server = self._app.state.server  # vLLM deletes the app's state at the end
        self._lifecycle = lifecycle = self._app.state.emotion_llama_lifecycle
        lifecycle.watch(self._first_server, self._server)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        self._serving.add_done_callback(self._end_both)

    async def stop(self) -> None:
        """Finish the requests of this port and close it.

        Raises:
            OSError: the port could not be listened on.
        """
        try:
            if self._server is not None and self._serving is not None:
                self._server.should_exit = True
                await self._serving
        finally:
            self._socket.close()

    def _end_both(self, serving: asyncio.Task[None]) -> None:
        self._first_server.should_exit = True

    async def _on_listening(self) -> None:
        self._on_ready(self._app)

    def _config(self, app: FastAPI) -> uvicorn.Config:
        args = self._args
        config = uvicorn.Config(
            app,
            host=args.host,
            port=args.legacy_port,
            lifespan="off",  # vLLM's server runs the app's
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
