"""One span for each request, with its stages inside and vLLM's spans beneath."""

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from prometheus_client import REGISTRY
from starlette.responses import PlainTextResponse, Response
from vllm import SamplingParams

from emotion_llama_server.engine import Engine
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.media.workers.decoder import InProcess
from tests.support.apps.gate import Call, House
from tests.support.services.traces import CLIENT, UNTRACED, kept_spans

TRACED = {"traceparent": CLIENT, "tracestate": "a=1"}


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return kept_spans()


def span_of(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [span for span in spans.get_finished_spans() if span.name == name]
    return found


def ids(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return format_trace_id(span.context.trace_id), format_span_id(span.context.span_id)


@pytest.mark.parametrize(
    ("method", "path", "name", "status"),
    [
        ("GET", "/health", "GET /health", 200),
        ("GET", "/look", "GET other", 200),
        ("GET", "/nowhere/secret", "GET other", 404),
        ("BREW", "/health", "_OTHER /health", 405),
        ("POST", "/fail", "POST other", 500),
    ],
)
async def test_each_request_is_a_span_whose_name_tells_no_secret(
    spans: InMemorySpanExporter, method: str, path: str, name: str, status: int
) -> None:
    call = await Call(House(), path, method, {**TRACED, "X-Request-Id": "i1"}).answer()
    assert call.status == status
    span = span_of(spans, name)
    assert span.kind is SpanKind.SERVER
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes["emotion_llama.request_id"] == "i1"
    assert (span.status.status_code is StatusCode.ERROR) == (status >= 500)


async def test_the_span_belongs_to_the_clients_trace_and_becomes_the_parent_of_vllms(
    spans: InMemorySpanExporter,
) -> None:
    house, seen = House(), {}

    async def headers(raw_request: Any) -> Response:
        seen.update(raw_request.headers)
        return PlainTextResponse()

    house.app.router.add_route("/headers", headers, methods=["POST"])
    await Call(house, "/headers", headers=TRACED).answer()
    span = span_of(spans, "POST other")
    trace_id, span_id = ids(span)
    assert trace_id == CLIENT.split("-")[1]
    assert span.parent is not None
    assert format_span_id(span.parent.span_id) == CLIENT.split("-")[2]
    assert seen["traceparent"] == f"00-{trace_id}-{span_id}-01"
    assert seen["tracestate"] == "a=1"


@pytest.mark.parametrize(
    "given", ["", "00-zz", "x" * 5000, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]
)
async def test_headers_that_name_no_trace_harm_no_request(
    spans: InMemorySpanExporter, given: str
) -> None:
    headers = {"traceparent": given, "tracestate": "é,=" + "," * 500}
    assert (await Call(House(), "/look", "GET", headers).answer()).status == 200


async def test_the_wait_for_a_slot_is_a_child_of_the_request(spans: InMemorySpanExporter) -> None:
    house = House()
    house.go_on.set()
    await Call(house, headers=TRACED).answer()
    queue, request = span_of(spans, "queue"), span_of(spans, "POST other")
    assert queue.parent == request.context


async def test_a_request_that_is_not_sampled_has_no_spans_but_says_so_to_vllm(
    spans: InMemorySpanExporter,
) -> None:
    house = House()
    house.go_on.set()
    assert (await Call(house, headers={"traceparent": UNTRACED}).answer()).status == 200
    assert spans.get_finished_spans() == ()


class Told:
    """An engine that keeps the trace headers of its requests."""

    renderer = None

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []

    async def generate(
        self, prompt: Any, params: Any, name: str, *, trace_headers: dict[str, str]
    ) -> AsyncGenerator[Any, None]:
        self.headers.append(trace_headers)
        yield SimpleNamespace(outputs=[SimpleNamespace(finish_reason="stop", token_ids=[7])])


async def test_the_engine_hears_which_span_asks(spans: InMemorySpanExporter) -> None:
    house, client = House(), Told()
    engine = Engine(client)  # type: ignore[arg-type]

    async def ask(raw_request: Any) -> Response:
        await asyncio.gather(*(engine.complete({}, SamplingParams()) for _ in range(2)))  # type: ignore[arg-type]
        return PlainTextResponse()

    house.app.router.add_route("/ask", ask, methods=["POST"])
    await Call(house, "/ask", headers=TRACED).answer()
    stages = [span for span in spans.get_finished_spans() if span.name == "engine"]
    assert all(span.parent == span_of(spans, "POST other").context for span in stages)
    told = {headers["traceparent"] for headers in client.headers}
    assert told == {"00-{}-{}-01".format(*ids(span)) for span in stages}
    assert len(told) == 2


async def test_a_stage_that_fails_is_marked_and_measured(spans: InMemorySpanExporter) -> None:
    house = House()

    def refuse(data: bytes) -> Any:
        raise MediaError("secret words")

    async def decode(raw_request: Any) -> Response:
        with ClipFile.in_memory(b"x") as clip:
            await InProcess().run(refuse, clip)
        return PlainTextResponse()

    house.app.router.add_route("/decode", decode, methods=["POST"])
    before = REGISTRY.get_sample_value("emotion_llama_decode_seconds_count") or 0
    assert (await Call(house, "/decode", headers=TRACED).answer()).status == 400
    stage = span_of(spans, "decode")
    assert stage.status.status_code is StatusCode.ERROR
    assert stage.status.description == "MediaError"
    assert REGISTRY.get_sample_value("emotion_llama_decode_seconds_count") == before + 1
