"""Traces every request as one span, the parent of its stages' spans and of vLLM's.

The gate has this layer, its outermost, only if spans are exported.
"""

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server import paths
from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.caller import caller_of
from emotion_llama_vllm import telemetry

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = (b"traceparent", b"tracestate")
_REQUEST_ID = "emotion_llama.request_id"


class Traces:
    """Starts the span of each request, as the child of the client's if the request names one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        route = paths.label(path_of(scope))
        with telemetry.tracer.start_as_current_span(
            f"{method} {route}",
            context=telemetry.propagator.extract(_given(scope)),
            kind=SpanKind.SERVER,
            attributes={HTTP_REQUEST_METHOD: method, HTTP_ROUTE: route},
        ) as span:
            _become_parent(scope, span)

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _note(span, message["status"])
                await send(message)

            try:
                await self._app(scope, receive, noting)
            finally:
                span.set_attribute(_REQUEST_ID, caller_of(scope).request_id)


def _given(scope: Scope) -> dict[str, str]:
    """Return the headers of the client's trace."""
    return {
        name.decode(): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in _HEADERS
    }


def _become_parent(scope: Scope, span: Span) -> None:
    """Replace the client's span by ours in the headers, which vLLM's chat route reads."""
    headers = telemetry.headers_of(span)
    if headers is not None:
        others = [(name, value) for name, value in scope["headers"] if name not in _HEADERS]
        ours = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        scope["headers"] = [*others, *ours]


def _note(span: Span, status: int) -> None:
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
    if status >= 500:
        span.set_attribute(ERROR_TYPE, str(status))
        span.set_status(Status(StatusCode.ERROR))
