"""Protects vLLM's app from the network with pure ASGI middleware, one subject in each file.

The layers from the outside to the inside: `traces` (spans, if they are exported), `identity`
(request id, log line, security headers), CORS, `failures` (unexpected errors), `origins` (pages in
browsers), `keys` (with `oidc`, access tokens too), `known_routes` (404, 405 and HEAD), `rate`,
`streams` (headers and comments of event streams), `admission` (slots, deadline, the end of the
server), `body` (sizes).
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion_llama_server import paths
from emotion_llama_server.gate.admission import Admission, Doorkeeper
from emotion_llama_server.gate.body import BodyLimit
from emotion_llama_server.gate.failures import Failures
from emotion_llama_server.gate.identity import Identity
from emotion_llama_server.gate.keys import Keys
from emotion_llama_server.gate.known_routes import Routes
from emotion_llama_server.gate.origins import Origins
from emotion_llama_server.gate.rate import RateLimit
from emotion_llama_server.gate.streams import Streams
from emotion_llama_server.gate.traces import Traces
from emotion_llama_server.services import Services, services_of
from emotion_llama_vllm import telemetry
from emotion_llama_vllm.settings import media_settings

__all__ = ["MIDDLEWARE", "Doorkeeper", "Gate"]

MIDDLEWARE = f"{__name__}.Gate"
"""The value for vLLM's flag `--middleware`, which makes the gate the outermost middleware."""

_READABLE = ["X-Request-Id", "X-Cache", "X-Warning", "Retry-After"]
"""Our headers that a page of another origin may read."""


class Gate:
    """Combines all layers in one class, because vLLM passes only the app to a middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._built: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        built = self._built or _build(self._app, services_of(scope["app"]))
        self._built = built
        await built(scope, receive, send)


def _build(router: ASGIApp, services: Services) -> ASGIApp:
    """Put the layers around the app, the innermost first."""
    options, settings = services.options, services.settings
    media = media_settings()
    most, of_file = settings.max_body_bytes(media), settings.max_file_body_bytes(media)
    app: ASGIApp = BodyLimit(router, most, {paths.FILES: of_file})
    app = Admission(app, services.doorkeeper)
    app = Streams(app)
    if settings.rate_limit is not None:
        app = RateLimit(
            app,
            settings.rate_limit,
            settings.rate_limit_storage,
            fails_open=settings.rate_limit_fail == "open",
            start=services.lifecycle.start,
        )
    app = Routes(app, router)
    app = Keys(app, options.keys, services.tokens, settings.metrics_key)
    if not options.needs_key:
        app = Origins(app, options.names_origin)
    app = Failures(app)
    if (cors := options.cors) is not None:
        app = CORSMiddleware(
            app,
            allow_origins=cors.allow_origins,
            allow_credentials=cors.allow_credentials,
            allow_methods=cors.allow_methods,
            allow_headers=cors.allow_headers,
            expose_headers=_READABLE,
        )
    app = Identity(app, settings.trusted_proxy)
    return Traces(app) if telemetry.is_on() else app
