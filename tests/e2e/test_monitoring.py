"""A real Prometheus and a collector of traces, beside the real server."""

import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from devtools.media import Recipe, write_clip
from devtools.server import Server
from emotion_llama_vllm import demo_files
from tests.support import waiting
from tests.support.services.monitoring import metrics_in, queries, running_prometheus
from tests.support.services.traces import Collector

until = partial(waiting.until, seconds=20, pause=0.2)

CHAT = {
    "model": demo_files.MODEL_NAME,
    "max_tokens": 8,
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "video_url", "video_url": {"url": "traced3.mp4"}},
                {"type": "text", "text": "Why?"},
            ],
        }
    ],
}
BODIES: dict[str, Any] = {
    "/v1/emotion": {"video": "traced0.mp4", "task": "emotion"},
    "/process_video": {"video_path": "traced1.mp4", "question": "[emotion] Which?"},
    "/api/predict/": {"data": ["traced2.mp4", "[emotion] Which?"]},
    "/v1/chat/completions": CHAT,
}


@pytest.fixture(scope="module", autouse=True)
def _new_clips(media_root: Path) -> None:
    """Write clips that no cache knows, as a cached clip is neither read nor decoded."""
    for index in range(len(BODIES)):
        write_clip(media_root / f"traced{index}.mp4", Recipe(seed=50 + index))


def ask_traced(server: Server, path: str) -> str:
    """Send a request as the part of a trace, and return its `traceparent`."""
    traceparent = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"
    headers = {"traceparent": traceparent}
    answer = requests.post(f"{server.url}{path}", json=BODIES[path], headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return traceparent


@pytest.mark.parametrize("path", BODIES)
def test_a_request_is_one_trace_from_the_client_to_the_engine(
    server: Server, collector: Collector, path: str
) -> None:
    asked = ask_traced(server, path)
    wanted = {f"POST {path}", "llm_request"}  # two processes send them
    until(lambda: wanted <= {span.name for span in collector.of(asked)})
    spans = {span.span_id: span for span in collector.of(asked)}
    (request,) = [span for span in spans.values() if span.name == f"POST {path}"]
    assert request.parent_span_id.hex() == asked.split("-")[2]
    names = Counter(span.name for span in spans.values())
    assert names["fetch"] == names["decode"] == names["queue"] == 1
    assert names["llm_request"] >= 1
    above_vllm = "engine" if names["engine"] else request.name  # chats are vLLM's own route
    assert names["engine"] or path == "/v1/chat/completions"
    for span in spans.values():
        if span is not request:
            parent = spans[span.parent_span_id]
            assert parent.name == (above_vllm if span.name == "llm_request" else request.name)
            assert within(span, request)  # vLLM's begins where its clip is fetched


def within(span: Span, parent: Span) -> bool:
    """Return whether a span begins while its parent lasts; clocks differ by a little."""
    slack = 50_000_000
    first, last = parent.start_time_unix_nano - slack, parent.end_time_unix_nano + slack
    return first <= span.start_time_unix_nano <= last


def test_each_panel_shows_numbers_of_the_live_server_and_each_alert_is_read(
    server: Server, tmp_path: Path
) -> None:
    with running_prometheus(f"127.0.0.1:{server.port}", tmp_path) as prometheus:
        until(lambda: ready(prometheus.url))
        for path in BODIES:
            ask_traced(server, path)
        until(lambda: len(prometheus.ask("emotion_llama_requests_in_flight[1m]")[0]["values"]) > 3)
        for query in queries():
            assert prometheus.ask(query), query
            for name in metrics_in(query):
                assert prometheus.ask(f'{{__name__=~"{name}.*"}}'), name
        (group,) = prometheus.get("rules")["groups"]
        assert {rule["health"] for rule in group["rules"]} == {"ok"}
        traffic = prometheus.ask('emotion_llama_requests_total{route="/v1/emotion",status="200"}')
        assert sum(float(series["value"][1]) for series in traffic) >= 1


def ready(url: str) -> bool:
    """Return whether Prometheus has read the server's metrics once."""
    try:
        answer = requests.get(f"{url}/api/v1/query", {"query": "up == 1"}, timeout=5)
    except requests.ConnectionError:
        return False
    return answer.ok and bool(answer.json()["data"]["result"])
