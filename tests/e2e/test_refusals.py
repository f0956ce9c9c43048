"""One table of what is refused: a row says who asks what, where, and what the answer is.

Each row also holds that the answer has its route's shape and a request id, tells nothing of ours,
and that a good request right after it succeeds.
"""

import base64
import json
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from devtools.server import Server
from emotion_llama.error_codes import ERROR_CODES, error_type
from tests.e2e.conftest import MODEL

CHAT, EMOTION = "/v1/chat/completions", "/v1/emotion"
PREDICT, PROCESS = "/api/predict/", "/process_video"
ROUTES = (CHAT, EMOTION, PREDICT, PROCESS)
ALL = ROUTES

JSON = {"Content-Type": "application/json"}
SECRETS = ("Traceback", "site-packages", " at 0x", "/root/", "emotion_llama_server", "asyncio")


def body(route: str, clip: str = "clip0.mp4", **fields: Any) -> dict[str, Any]:
    """A request about a clip, as the route has it."""
    if route == PREDICT:
        return {"data": [clip, "x"], **fields}
    if route == PROCESS:
        return {"video_path": clip, "question": "x", **fields}
    if route == EMOTION:
        return {"video": clip, "max_tokens": 1, "task": "emotion", **fields}
    content = [{"type": "video_url", "video_url": {"url": clip}}, {"type": "text", "text": "x"}]
    message = {"role": "user", "content": content}
    return {"model": MODEL, "messages": [message], "max_tokens": 1, **fields}


@dataclass(frozen=True)
class Row:
    """What is asked, and what is answered."""

    name: str
    route: str
    status: int | tuple[int, ...]
    body: dict[str, Any] | None = None
    data: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    words: str = ""
    param: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.route}"

    def ask(self, server: Server) -> requests.Response:
        data = self.data if self.data is not None else json.dumps(self.body).encode()
        headers = JSON | self.headers
        return requests.request(
            self.method, server.url + self.route, data=data, headers=headers, timeout=60
        )


def on_each(name: str, status: int, **row: Any) -> list[Row]:
    """The same body on every route."""
    return [Row(name, route, status, **row) for route in ROUTES]


def with_clip(name: str, clip: str, status: int, words: str = "") -> list[Row]:
    """The same clip on every route; in a chat, a missing one is a 400."""
    statuses = {route: 400 if route == CHAT and status == 404 else status for route in ROUTES}
    return [Row(name, route, statuses[route], body(route, clip), words=words) for route in ROUTES]


BODIES = {
    "json 2000 deep": b"[" * 2000 + b"]" * 2000,
    "an object 2000 deep": b'{"video":' * 2000 + b"1" + b"}" * 2000,
    "a number of a million digits": b'{"video": ' + b"9" * 1_000_000 + b"}",
    "not a number": b'{"video": NaN, "data": NaN, "video_path": Infinity, "messages": NaN}',
    "bytes that are no utf-8": b'{"video": "\xff"}',
    "half a surrogate": b'{"video": "\\ud800", "data": 7, "video_path": 7, "messages": 7}',
    "nothing": b"",
    "a list": b"[]",
}

URLS = [
    "http://127.0.0.1/x.mp4",
    "http://localhost/x.mp4",
    "http://[::1]/x.mp4",
    "http://0.0.0.0/x.mp4",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/x",
    "http://[fd00::1]/x",
    "http://[::ffff:169.254.169.254]/x",
    "http://[64:ff9b::a9fe:a9fe]/x",
    "http://2130706433/x",
    "http://0x7f.1/x",
    "http://0177.0.0.1/x",
    "http://127.1/x",
    "http://allowed\\@evil.example/x",
    "http://user:word@evil.example/x",
    "HTTP://EVIL.example/x",
    "http://evil.example:99999/x",
    "http:///x",
    "gopher://evil.example/x",
    "file:///etc/passwd",
    "/proc/self/environ",
    "../../etc/passwd",
    "clip0.mp4/../../outside.mp4",
    "x" * 5000,
    "data:video/mp4;base64,AAAA",
    "data:text/plain,hello",
]

CLIENT_FIELDS: dict[str, Any] = {
    "media_io_kwargs": {"video": {"num_frames": 10**9}},
    "mm_processor_kwargs": {"x": 1},
    "chat_template": "{{ 1 }}",
    "prompt_embeds": "AAAA",
    "priority": 1,
    "cache_salt": "x",
    "uuid": "x",
}
CLIP_WITH_ID = {"type": "video_url", "video_url": {"url": "clip0.mp4"}, "uuid": "x"}
ID_ALONE = {"type": "video_url", "video_url": None, "uuid": "x"}
NUMBERS: dict[str, list[Any]] = {
    "temperature": [-1, "hot"],
    "top_p": [0, 2],
    "max_tokens": [-1, "many"],
    "n": [0, 9, 10**9],
    "max_completion_tokens": [10**6],
    "min_tokens": [10**6],
    "prompt_logprobs": [20],
    "vllm_xargs": [{"kv_transfer_params": 1}, {"x": 1}],
    "bad_words": [["x"] * 1000],
}
FORMS: dict[str, dict[str, Any]] = {
    "that is a list": {"structured_outputs": []},
    "that refers to itself": {"structured_outputs": {"json": {"$ref": "#"}}},
    "that never ends": {"structured_outputs": {"grammar": "root ::= root"}},
    "that is no grammar": {"structured_outputs": {"grammar": "root ::= "}},
    "that takes minutes": {"structured_outputs": {"choice": ["a" * n for n in range(1, 999)]}},
    "of tools": {"tools": [{"type": "function", "function": {"name": "tell"}}]},
}
PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"


def as_data_url(data: bytes) -> str:
    return f"data:video/mp4;base64,{base64.b64encode(data).decode()}"


TABLE: list[Row] = [
    *(row for name, data in BODIES.items() for row in on_each(name, 400, data=data)),
    *(
        Row("a key twice", route, 400, data=json.dumps(body(route)).encode()[:-1] + twice)
        for route, twice in {
            CHAT: b', "max_tokens": 2}',
            EMOTION: b', "max_tokens": 2}',
            PREDICT: b', "data": ["a", "b"]}',
            PROCESS: b', "question": "y"}',
        }.items()
    ),
    *(row for url in URLS for row in with_clip(f"clip {url[:40]}", url, 400)),
    *with_clip("a file that is not there", "missing.mp4", 404),
    *with_clip("a path that looks like a URL", "javascript:alert(1)", 404),
    *with_clip("a playlist", as_data_url(PLAYLIST), 400, "no video that can be read"),
    *with_clip("a concat script", as_data_url(CONCAT), 400, "no video that can be read"),
    *(
        Row(f"field {name}", CHAT, 400, body(CHAT, **{name: value}), words=name, param=name)
        for name, value in CLIENT_FIELDS.items()
    ),
    Row(
        "a clip's id",
        CHAT,
        400,
        body(CHAT, messages=[{"role": "user", "content": [CLIP_WITH_ID]}]),
        param="uuid",
    ),
    Row(
        "a clip's id alone",
        CHAT,
        400,
        body(CHAT, messages=[{"role": "user", "content": [ID_ALONE]}]),
        param="uuid",
    ),
    *(
        Row(f"{name} {value}"[:60], CHAT, 400, body(CHAT, **{name: value}))
        for name, values in NUMBERS.items()
        for value in values
    ),
    *(Row(f"a form {name}", CHAT, 400, body(CHAT, **fields)) for name, fields in FORMS.items()),
    Row("half a surrogate", CHAT, 400, body(CHAT, stop=["\ud800"])),
    Row("a number of 65 bits", CHAT, 400, body(CHAT, seed=2**65)),
    Row("another model", CHAT, 404, body(CHAT, model="gpt")),
    Row("a model's long name", CHAT, 404, body(CHAT, model="/a" * 8000), param="model"),
    Row("a tiny step", EMOTION, 400, body(EMOTION, timeline={"window": 0.5, "step": 5e-324})),
    Row("a long question", EMOTION, 400, body(EMOTION, question="x" * 40_000), param="question"),
    Row(
        "a slow charset",
        EMOTION,
        400,
        data=b"--x\r\n\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x; charset=punycode"},
        words="UTF-8",
    ),
    Row("a field that is not there", EMOTION, 400, body(EMOTION, uuid="x"), param="uuid"),
    *(
        Row("another method", route, 405, method=method)
        for route in ROUTES
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
    ),
    *(
        Row("text", route, 415, body(route), headers={"Content-Type": "text/plain"})
        for route in ROUTES
    ),
    *(
        Row("gzip", route, 415, data=b"x", headers={"Content-Encoding": "gzip"}, words="gzip")
        for route in ROUTES
    ),
    Row(
        "a form without a boundary",
        EMOTION,
        400,
        data=b"x",
        headers={"Content-Type": "multipart/form-data"},
    ),
    Row(
        "another charset",
        EMOTION,
        400,
        data=json.dumps(body(EMOTION)).encode("utf-16"),
        headers={"Content-Type": "application/json; charset=utf-16"},
    ),
    *(
        Row("a header of 10 KB", route, 431, body(route), headers={"X-Padding": "x" * 10_240})
        for route in ROUTES
    ),
    *(
        Row("a route that vLLM has", path, 404, {}, words=f"No POST {path} here: ")
        for path in (
            "/invocations",
            "/tokenize",
            "/detokenize",
            "/pause",
            "/update_weights",
            "/collective_rpc",
            "/scale_elastic_ep",
            "/generative_scoring",
            "/v1/completions",
            "/v1/responses",
            "/inference/v1/generate",
            "/inference/v1/abort_requests",
            "/v1/chat/completions/render",
            "/v1/messages",
            "/v1/systemone",
        )
    ),
    *(
        Row("another way to write a path", path, 404, {})
        for path in ("//v1/emotion", "/V1/EMOTION", "/v1/%2e%2e/v1/emotion%00", "/v1/emotion;x")
    ),
]


def check_refusal(row: Row, response: requests.Response) -> None:
    """The shape of the route's errors, the headers, and nothing of ours."""
    statuses = (row.status,) if isinstance(row.status, int) else row.status
    assert response.status_code in statuses, response.text[:300]
    assert response.headers["x-request-id"]
    error = response.json()
    if row.route in (PREDICT, PROCESS):
        assert set(error) == {"error", "code", "details"}
        assert error["code"] == response.status_code
        words = error["details"]
    else:
        assert set(error) == {"error"}
        words = error["error"]["message"]
        assert error["error"]["type"] == error_type(response.status_code)
        assert error["error"]["code"] in ERROR_CODES
        if row.param is not None:
            assert error["error"]["param"] == row.param
    assert words
    assert row.words in words
    for secret in SECRETS:
        assert secret not in response.text


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_it_is_refused_and_the_next_request_is_not(server: Server, row: Row) -> None:
    check_refusal(row, row.ask(server))
    good = row.route if row.route in ROUTES else PROCESS
    response = requests.post(server.url + good, json=body(good), timeout=60)
    assert response.status_code == 200
    assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/emotion HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        b"\x00\xff\r\n\r\n",
        b"GET /he\x00alth HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/emotion HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/emotion HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nhello",
    ],
)
def test_what_is_no_proper_http_is_refused_or_dropped(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert all(b"200" <= status < b"500" for status in statuses), answer[:300]
    assert len(statuses) <= 1
    assert server.is_healthy()
