"""A server for the load test, whose delays, failures and counters are known."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.client.conftest import ANSWER

FIRST, GAP, TOKENS = 0.1, 0.05, 5
"""Seconds until a measured answer begins and between its tokens; the number of tokens."""


class Handler(BaseHTTPRequestHandler):
    """Answers as the server does; a question with a word of `FakeServer.failures` fails so."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it would keep the second piece back for 40 ms
    server: "FakeServer"  # type: ignore[assignment]

    def do_GET(self) -> None:
        if self.path == "/metrics":
            return self._whole(self.server.metrics_status, self.server.metrics())
        body = {"/version": {"version": "0.32.0"}, "/v1/models": {"data": [{"id": "demo"}]}}
        return self._whole(200, json.dumps(body[self.path]))

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.note(self.path, self.headers["Authorization"], data)
        self.server.sessions.add(self.headers["X-Session-ID"])
        failure = next((f for word, f in self.server.failures.items() if word in str(data)), None)
        if isinstance(failure, int):
            error = {"message": "no room", "type": "x", "param": None, "code": failure}
            return self._whole(failure, json.dumps({"error": error}))
        time.sleep(self.server.first)
        if self.path == "/v1/chat/completions":
            return self._stream(self._chat(), failure)
        if self.path == "/v1/emotion":
            return self._stream(self._emotion(), failure)
        key = "data" if self.path == "/api/predict/" else "response"
        return self._whole(200, json.dumps({key: ["happy"] if key == "data" else "happy"}))

    def _chat(self) -> Iterator[str]:
        yield 'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}'
        yield 'data: {"choices": [{"delta": {"content": "\u2028"}}]}'  # not the end of a line
        for _ in range(TOKENS - 1):
            time.sleep(self.server.gap)
            yield 'data: {"choices": [{"delta": {"content": ""}, "finish_reason": null}]}'
        yield f'data: {{"choices": [], "usage": {{"completion_tokens": {TOKENS}}}}}'
        yield "data: [DONE]"

    def _emotion(self) -> Iterator[str]:
        numbers = {k: ANSWER[k] for k in ("emotion", "confidence", "probabilities", "answer")}
        yield f"event: emotion\ndata: {json.dumps(numbers | {'answer_matches': True})}"
        time.sleep(self.server.gap)
        yield f"event: done\ndata: {json.dumps(ANSWER)}"

    def _stream(self, events: Iterator[str], failure: str | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            if failure == "hangs up":
                self.close_connection = True
                return
            if failure is not None:
                event = f"data: {failure}"
            data = f"{event}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _whole(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


class FakeServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None, bytes]] = []
        self.sessions: set[str | None] = set()
        self.times: list[float] = []
        self.failures: dict[str, int | str] = {}
        self.first = self.gap = 0.0
        self.metrics_status, self.mm_counters = 200, True

    def note(self, path: str, key: str | None, data: bytes) -> None:
        self.times.append(time.monotonic())
        self.asked.append((path, key, data))

    def metrics(self) -> str:
        """Of every request's 100 tokens 60 were cached; 3 of 4 clips were."""
        count = len(self.asked)
        lines = ["# TYPE vllm:prefix_cache_queries counter"]
        for engine in (0, 1):  # two engines, with half of it each
            lines.append(f'vllm:prefix_cache_queries_total{{engine="{engine}"}} {50.0 * count}')
            lines.append(f'vllm:prefix_cache_hits_total{{engine="{engine}"}} {30.0 * count:e}')
        if self.mm_counters:
            lines.append(f"vllm:mm_cache_queries_total {4 * count}")
            lines.append(f"vllm:mm_cache_hits_total {3 * count}")
        return "\n".join(lines)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(data) for _, _, data in self.asked]
