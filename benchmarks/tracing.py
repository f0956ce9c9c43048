"""Measures what traces cost a request, while they are off and while they are on.

python -m benchmarks.tracing
"""

import asyncio
import timeit
from collections.abc import Callable, Sequence

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.gate.traces import Traces
from emotion_llama_vllm import metrics, telemetry

_ROUNDS, _TIMES = 7, 20_000


class _Nowhere(SpanExporter):
    """Exports nothing, so that only the server's own work is measured."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def main() -> None:
    """Run the command line."""
    plain = _best(_histogram)
    off = _best(_stage)
    print(f"a stage, traces off: {off - plain:.2f} µs more than the histogram's {plain:.2f} µs")
    print(f"a request, traces off: the layer is {'in' if telemetry.is_on() else 'not in'} the gate")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(_Nowhere()))
    trace.set_tracer_provider(provider)
    request, traced = asyncio.run(_requests())
    print(f"a request with four stages, traces on: {traced - request:.0f} µs more")
    provider.shutdown()


def _histogram() -> None:
    with metrics.queue_seconds.time():
        pass


def _stage() -> None:
    with telemetry.stage("queue"):
        pass


def _best(work: Callable[[], None]) -> float:
    """Return the microseconds of one call in the fastest round."""
    return min(timeit.repeat(work, number=_TIMES, repeat=_ROUNDS)) / _TIMES * 1e6


async def _requests() -> tuple[float, float]:
    """Return the microseconds of a request without and with the layer of traces."""
    return await _each(_app), await _each(Traces(_app))


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    for _ in range(4):
        _stage()
    await PlainTextResponse()(scope, receive, send)


async def _each(app: ASGIApp) -> float:
    rounds = []
    for _ in range(_ROUNDS):
        begun = timeit.default_timer()
        for _ in range(_TIMES // 20):
            await app(_scope(), _receive, _send)
        rounds.append(timeit.default_timer() - begun)
    return min(rounds) / (_TIMES // 20) * 1e6


def _scope() -> Scope:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/emotion", "headers": headers}
    return {**scope, "root_path": ""}


async def _receive() -> Message:
    return {"type": "http.request"}


async def _send(message: Message) -> None:
    pass


if __name__ == "__main__":
    main()
