"""Protects vLLM's app from the network with pure ASGI middleware, one subject in each file.

The layers from the outside to the inside: `identity` (request id, log line, security headers),
CORS, `failures` (unexpected errors), `keys`, `known_routes` (404, 405 and HEAD), `rate`, `streams`
(headers and comments of event streams), `admission` (slots, deadline, the end of the server),
`body` (sizes).
"""

from argparse import Namespace
from dataclasses import dataclass

from starlette.datastructures import State
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion_llama_server.gate.admission import Admission, Doorkeeper
from emotion_llama_server.gate.body import BodyLimit
from emotion_llama_server.gate.failures import Failures
from emotion_llama_server.gate.identity import Identity
from emotion_llama_server.gate.keys import Keys, key_ring
from emotion_llama_server.gate.known_routes import Routes
from emotion_llama_server.gate.rate import RateLimit
from emotion_llama_server.gate.streams import Streams
from emotion_llama_server.settings import server_settings
from emotion_llama_vllm.settings import media_settings

__all__ = ["MIDDLEWARE", "Doorkeeper", "Gate", "prepare"]

MIDDLEWARE = f"{__name__}.Gate"
"""The value for vLLM's flag `--middleware`, which makes the gate the outermost middleware."""

_READABLE = ["X-Request-Id", "X-Cache", "X-Warning", "Retry-After"]
"""Our headers that a page of another origin may read."""


@dataclass(frozen=True)
class _Plan:
    args: Namespace
    doorkeeper: Doorkeeper

    def build(self, app: ASGIApp) -> ASGIApp:
        """Put the layers around the app, the innermost first."""
        args, settings = self.args, server_settings(self.args)
        router = app
        app = BodyLimit(app, settings.max_body_bytes(media_settings()))
        app = Admission(app, self.doorkeeper)
        app = Streams(app)
        if settings.rate_limit is not None:
            app = RateLimit(
                app,
                settings.rate_limit,
                settings.rate_limit_storage,
                fails_open=settings.rate_limit_fail == "open",
            )
        app = Routes(app, router)
        app = Keys(app, key_ring(args, settings), settings.metrics_key)
        app = Failures(app)
        if origins := getattr(args, "cors_origins", None):
            app = CORSMiddleware(
                app,
                allow_origins=origins,
                allow_credentials=args.allow_credentials,
                allow_methods=args.allowed_methods,
                allow_headers=args.allowed_headers,
                expose_headers=_READABLE,
            )
        return Identity(app, settings.trusted_proxy)


def prepare(state: State, args: Namespace) -> Doorkeeper:
    """Store the plan of an app's gate, and return the doorkeeper, which can close the gate."""
    settings = server_settings(args)
    doorkeeper = Doorkeeper(
        max_in_flight=settings.max_in_flight,
        max_waiting=settings.max_waiting,
        seconds=settings.request_timeout,
    )
    state.emotion_llama_gate = _Plan(args, doorkeeper)
    return doorkeeper


class Gate:
    """Combines all layers in one class, because vLLM passes only the app to a middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._built: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        built = self._built or scope["app"].state.emotion_llama_gate.build(self._app)
        self._built = built
        await built(scope, receive, send)
