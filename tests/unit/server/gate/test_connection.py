"""What a client can do to a connection outside of a request's body, tried with raw sockets."""

import contextlib
import itertools
import json
import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from devtools.paths import CHECKOUT
from emotion_llama_server.gate.connection import MAX_HEAD_BYTES, Connection
from tests.support.apps.light_server import HOST, light_server

ENOUGH = 64 << 20
"""Bytes after which a client gives up that nobody stops."""
UPGRADE = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


class Impatient(Connection):
    head_seconds: ClassVar[float] = 1


seen: list[str] = []
"""The requests that reached the app, as `METHOD path`."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell what was asked, and the body; on `/unread` answer before the body is there."""
    request = Request(scope, receive)
    seen.append(f"{request.method} {request.url.path}")
    body = "" if request.url.path == "/unread" else (await request.body()).decode("latin-1")
    told = {"path": request.url.path, "body": body, "headers": dict(request.headers)}
    await JSONResponse(told)(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with light_server(app, Impatient) as port:
        yield port


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def ask(port: int, text: str) -> bytes:
    """Send a request that closes its connection, and return the whole answer."""
    with connect(port) as connection:
        connection.sendall(text.encode("latin-1"))
        return read_all(connection)


def pour(port: int, start: str, pieces: Iterable[bytes]) -> int:
    """Send until the server hangs up; return how many bytes it took."""
    sent = 0
    with connect(port) as connection:
        connection.sendall(start.encode())
        try:
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
                if sent > ENOUGH:
                    break
        except (ConnectionError, TimeoutError):
            pass
    return sent


CHUNKED = "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "header lines": ("GET / HTTP/1.1\r\n", b"x-a: b\r\n" * 2000),
    "short header lines": ("GET / HTTP/1.1\r\n", b"a:\r\n" * 4000),
    "one header line": ("GET / HTTP/1.1\r\nx-a: ", b"a" * 16_000),
    "one header name": ("GET / HTTP/1.1\r\n", b"a" * 16_000),
    "request line": ("GET /", b"a" * 16_000),
    "query": ("GET /?", b"a" * 16_000),
    "blank lines": ("", b"\r\n" * 8000),
    "trailers": (CHUNKED + "1\r\na\r\n0\r\n", b"x-a: b\r\n" * 2000),
    "one trailer": (CHUNKED + "1\r\na\r\n0\r\nx-a: ", b"a" * 16_000),
    "chunk extension": (CHUNKED + "1;a=", b"a" * 16_000),
    "header lines after a request": (
        "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n",
        b"x: b\r\n" * 3000,
    ),
    "header lines with an upgrade": ("GET / HTTP/1.1\r\n" + UPGRADE, b"x-a: b\r\n" * 2000),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_nothing_endless_is_kept(port: int, kind: str) -> None:
    start, piece = ENDLESS[kind]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = pour(port, start, itertools.repeat(piece))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # What the kernel's buffers take before the server hangs up is not kept by it.
    assert sent < ENOUGH // 2
    assert grown < 32 << 10  # in KiB
    assert b" 200 " in ask(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "start",
    [
        "GET / HTTP/1.1\r\nx-a: " + "a" * MAX_HEAD_BYTES,
        "GET / HTTP/1.1\r\n" + "".join(f"x-{i}: a\r\n" for i in range(300)),
    ],
)
def test_a_large_head_is_refused_with_431(port: int, start: str) -> None:
    answer = ask(port, start)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "headers_too_large"
    assert not seen


def test_as_many_headers_as_clients_send_are_taken(port: int) -> None:
    headers = "".join(f"x-{i}: {'a' * 100}\r\n" for i in range(200))
    answer = ask(port, f"GET / HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")
    assert b" 200 " in answer.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (CHUNKED + "zz\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused(port: int, text: str, status: int) -> None:
    answer = ask(port, text)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("start", ["", "GET / HTTP/1.1\r\nHost:", "\r\n", "POST / HTTP/1.1\r\n"])
@pytest.mark.costly
def test_a_head_has_a_deadline(port: int, start: str) -> None:
    with connect(port) as connection:
        connection.sendall(start.encode())
        began = time.monotonic()
        answer = read_all(connection)
        assert 0.5 < time.monotonic() - began < 10
    assert answer.startswith(b"HTTP/1.1 408 ") if start else not answer


@pytest.mark.costly
def test_a_later_head_has_a_deadline_too(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b" 200 " in connection.recv(65536)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for byte in b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 1000:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        assert time.monotonic() - began < 10


@pytest.mark.costly
def test_what_is_left_of_an_answered_body_has_a_deadline(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"POST /unread HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
        assert b" 200 " in connection.recv(65536)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                connection.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < 10


@pytest.mark.costly
def test_an_idle_connection_is_kept(port: int) -> None:
    """The head's deadline is none for the time between two requests."""
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b" 200 " in connection.recv(65536)
            time.sleep(Impatient.head_seconds * 1.5)


SECOND = "GET /second HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "TLS/1.2", "h2c, websocket"])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_an_upgrade_is_set_aside(port: int, upgrade: str, in_pieces: bool) -> None:
    """The body is the request's, even if it looks like a second one."""
    text = (
        f"POST /first?a=b HTTP/1.1\r\nHost: x\r\nX-Api-Key: k\r\n{UPGRADE.replace('h2c', upgrade)}"
        f"Content-Length: {len(SECOND)}\r\n\r\n{SECOND}"
    ).encode()
    with connect(port) as connection:
        for piece in (bytes([byte]) for byte in text) if in_pieces else [text]:
            connection.sendall(piece)
        connection.sendall(b"GET /third HTTP/1.1\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 200") == 2
    told = json.loads(answer.split(b"\r\n\r\n")[1].partition(b"}HTTP/1.1")[0] + b"}")
    assert told["body"] == SECOND
    assert told["headers"]["x-api-key"] == "k"
    assert "upgrade" not in told["headers"]
    assert seen == ["POST /first", "GET /third"]


def test_an_upgrade_on_a_connection_that_closes_is_set_aside(port: int) -> None:
    upgrade = UPGRADE.replace("Upgrade,", "Upgrade, close,")
    answer = ask(port, f"POST /x HTTP/1.1\r\n{upgrade}Content-Length: 4\r\n\r\nbody")
    assert b'"body":"body"' in answer


def test_many_upgrades_in_one_piece_are_answered(port: int) -> None:
    one = f"GET /x HTTP/1.1\r\n{UPGRADE}\r\n"
    answer = ask(port, one * 10 + "GET /end HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 11


def test_a_chunked_body_with_an_upgrade_is_read(port: int) -> None:
    text = f"POST /x HTTP/1.1\r\n{UPGRADE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    answer = ask(port, text + "GET /end HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b'"body":"abc"' in answer
    assert seen == ["POST /x", "GET /end"]


def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    text = "".join(f"GET /{number} HTTP/1.1\r\n\r\n" for number in range(10))
    answer = ask(port, text + "GET /end HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert seen == [*(f"GET /{number}" for number in range(10)), "GET /end"]
    assert answer.count(b"HTTP/1.1 200") == 11


def test_more_pipelined_requests_than_anybody_needs_are_not_kept(port: int) -> None:
    answer = ask(port, "GET / HTTP/1.1\r\n\r\n" * 5000)
    assert 1 <= answer.count(b"HTTP/1.1 200") < 100


def test_requests_before_one_that_is_not_http_are_answered(port: int) -> None:
    answer = ask(port, "GET /first HTTP/1.1\r\n\r\nnonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert seen == ["GET /first"]


def test_trailers_change_no_header(port: int) -> None:
    text = (
        CHUNKED + "1\r\na\r\n0\r\nX-Api-Key: k\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    )
    answer = ask(port, text)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert b"x-api-key" not in answer


def test_curl_that_asks_for_http_2_is_answered(port: int) -> None:
    command = ["curl", "-s", "--http2", "--data", "the body", f"http://{HOST}:{port}/curl"]
    told = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    assert json.loads(told)["body"] == "the body"


@pytest.mark.skipif(shutil.which("java") is None, reason="There is no Java on this machine.")
@pytest.mark.costly
def test_a_stock_java_client_is_answered(port: int) -> None:
    """Java's own client offers h2c with every request on a connection that has no TLS."""
    program = CHECKOUT / "tests/support/Ask.java"
    command = ["java", str(program), f"http://{HOST}:{port}/java"]
    told = subprocess.run(command, check=True, capture_output=True, timeout=120, text=True).stdout
    answers = [json.loads(line) for line in told.splitlines()]
    assert [answer["path"] for answer in answers] == ["/java"] * 3
    assert [len(answer["body"]) for answer in answers] == [4, 300_000, 0]


@pytest.mark.costly
def test_many_slow_heads_hold_nobody_up(port: int) -> None:
    waiting = [connect(port) for _ in range(200)]
    for connection in waiting:
        connection.sendall(b"GET / HTTP/1.1\r\nx-a: ")
    assert b" 200 " in ask(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    threads = [threading.Thread(target=read_all, args=(connection,)) for connection in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    for connection in waiting:
        connection.close()
