"""Measures the stages of requests: a histogram for each stage, and spans of OpenTelemetry.

Spans exist only for a request that is traced; vLLM's flag `--otlp-traces-endpoint` exports them.
"""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Literal

from opentelemetry import trace
from opentelemetry.trace import ProxyTracerProvider, Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from emotion_llama_vllm import metrics

tracer = trace.get_tracer("emotion_llama")
propagator = TraceContextTextMapPropagator()
"""Reads and writes the headers `traceparent` and `tracestate`."""

Stage = Literal["fetch", "decode", "transcribe", "queue", "engine"]
_SECONDS = {
    "fetch": metrics.fetch_seconds,
    "decode": metrics.decode_seconds,
    "transcribe": metrics.transcribe_seconds,
    "queue": metrics.queue_seconds,
    "engine": metrics.engine_seconds,
}


def is_on() -> bool:
    """Return whether this process has set up a tracer provider, as vLLM does with an endpoint."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


@contextmanager
def stage(name: Stage) -> Generator[Span, None, None]:
    """Measure a block as a stage of the current request.

    The yielded span never becomes the current one, so the block may be part of an async generator.
    """
    request = trace.get_current_span()
    span = tracer.start_span(name) if request.is_recording() else request
    begun = time.perf_counter()
    try:
        yield span
    except Exception as error:
        if span is not request:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        _SECONDS[name].observe(time.perf_counter() - begun)
        if span is not request:
            span.end()


def headers_of(span: Span) -> Mapping[str, str] | None:
    """Return the headers that make a span the parent of another program's, or None without one."""
    if not span.get_span_context().is_valid:
        return None
    headers: dict[str, str] = {}
    propagator.inject(headers, trace.set_span_in_context(span))
    return headers
