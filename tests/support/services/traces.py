"""Keeps the spans of this process, and receives those of others as an OTLP collector does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

CLIENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
"""A `traceparent` of a client that is traced."""
UNTRACED = CLIENT[:-1] + "0"

_kept = InMemorySpanExporter()


def kept_spans() -> InMemorySpanExporter:
    """Return the spans that this process ends from now on; a process has one provider for ever."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        # Only requests whose client is traced, so that other tests of this process keep no spans.
        provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(0)))
        provider.add_span_processor(SimpleSpanProcessor(_kept))
        trace.set_tracer_provider(provider)
    _kept.clear()
    return _kept


@dataclass
class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps every span that it receives."""

    port: int = 0
    spans: list[Span] = field(default_factory=list)

    def Export(  # type: ignore[override]  # noqa: N802  (the name in OTLP)
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()

    def of(self, traceparent: str) -> list[Span]:
        """Return the spans of a client's trace."""
        trace_id = bytes.fromhex(traceparent.split("-")[1])
        return [span for span in self.spans if span.trace_id == trace_id]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Receive spans until the block ends."""
    collector, server = Collector(), grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector
    server.stop(None)
