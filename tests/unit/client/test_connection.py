"""Addresses of servers, the proxies of the environment, and servers that are not there."""

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emotion_llama import AsyncEmotionLLaMA, EmotionLLaMA, errors
from emotion_llama.connection import Connection, base_url
from tests.unit.client.command_server import FakeServer, invoke
from tests.unit.server.start.test_checks import make_certificate

BAD_PROXIES = (
    "socks://127.0.0.1:7891/",
    "socks4://127.0.0.1:7891",
    "ftp://127.0.0.1:21",
    "http://[bad",
    "http://127.0.0.1:x",
    "http://127.0.0.1:99999",
    "http://",
    "::::",
)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("http://localhost:7889", "http://localhost:7889"),
        ("http://localhost:7889///", "http://localhost:7889"),
        ("http://localhost:7889/v1", "http://localhost:7889"),
        ("http://localhost:7889/V1/", "http://localhost:7889"),
        ("http://localhost:7889/v1/emotion", "http://localhost:7889"),
        ("http://localhost:7889/v1/chat/completions", "http://localhost:7889"),
        (" localhost:7889\n", "http://localhost:7889"),
        ("10.0.0.5:7889/v1", "http://10.0.0.5:7889"),
        ("gpu-box", "http://gpu-box"),
        ("[::1]:7889", "http://[::1]:7889"),
        ("https://host/behind/a/proxy/v1/", "https://host/behind/a/proxy"),
        ("http://host/v1?x=1#y", "http://host"),
    ],
)
def test_addresses_as_other_clients_have_them(address: str, base: str) -> None:
    assert str(base_url(address)) == base


@pytest.mark.parametrize("address", ["", "http://", "ftp://x", "x:y", "x:99999", "x:0", "::1"])
def test_what_is_no_address(address: str) -> None:
    for kind in (EmotionLLaMA, AsyncEmotionLLaMA):
        with pytest.raises(errors.InvalidSettings, match="no server's address") as raised:
            kind(address)
        assert isinstance(raised.value, ValueError)
    done = invoke("analyze", "x.mp4", "--server", address)
    assert len(done.stderr.splitlines()) == 1
    assert "--server" in done.stderr


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"])
@pytest.mark.parametrize("proxy", BAD_PROXIES)
def test_loopback_needs_no_proxy(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    with EmotionLLaMA(server.url) as client:
        assert client.analyze("happy.mp4").emotion == "happy"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.2", "[::1]", "a.localhost", "0.0.0.0", "[::ffff:127.0.0.1]"]
)
def test_every_name_of_this_machine_is_loopback(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    assert Connection.to(f"http://{host}:7889").proxy is None


@pytest.mark.parametrize("proxy", BAD_PROXIES)
def test_a_bad_proxy_is_one_sentence(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.replace("://", "://user:secret@", 1))
    with pytest.raises(errors.InvalidSettings, match="all_proxy"):
        EmotionLLaMA("http://192.0.2.1:7889")
    done = invoke("analyze", "x.mp4", "--server", "http://192.0.2.1:7889")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert "no_proxy" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({"http_proxy": "http://p:3128", "ALL_PROXY": "socks://x:1"}, "http://p:3128"),
        ({"HTTP_PROXY": "p:3128"}, "http://p:3128"),
        ({"ALL_PROXY": " http://p:3128 "}, "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, None),
        ({"ALL_PROXY": "", "http_proxy": ""}, None),
        ({"ALL_PROXY": "socks://x:1", "NO_PROXY": "10.1.2.3"}, None),
        ({"ALL_PROXY": "socks://x:1", "NO_PROXY": "a.b, 10.0.0.0/8"}, None),
        ({"ALL_PROXY": "socks://x:1", "no_proxy": "*"}, None),
        ({"http_proxy": "http://p:3128", "no_proxy": "10.2.0.0/16"}, "http://p:3128"),
    ],
)
def test_the_proxy_of_another_machine(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = Connection.to("http://10.1.2.3:7889").proxy
    assert (found and str(found.url)) == proxy


@pytest.fixture
def closed() -> str:
    """Return an address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("command", ["analyze", "evaluate", "bench"])
@pytest.mark.costly
def test_no_server_is_one_sentence(tmp_path: Path, closed: str, command: str) -> None:
    """With many clips as well: the command stops, and leaves no file behind."""
    clips, table, out = tmp_path / "clips", tmp_path / "labels.csv", tmp_path / "results.csv"
    clips.mkdir()
    for index in range(40):
        (clips / f"{index}.mp4").write_bytes(b"x")
    table.write_text("name,label\n0,happy\n1,sad\n")
    words = {
        "analyze": (clips, "--out", out),
        "evaluate": ("--csv", table, "--root", clips, "--out", tmp_path / "evaluation"),
        "bench": (),
    }
    done = invoke(command, *words[command], "--server", f"{closed}/v1")
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert f"http://{closed} cannot be reached" in line
    assert "emotion-llama serve" in line
    assert "Traceback" not in done.output
    assert not out.exists()


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An HTTPS server's host and port, and the file of its self-signed certificate."""
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    certificate, key = make_certificate(tmp_path, "-nodes", "-addext", names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    made = OtherServer(("127.0.0.1", 0), OtherHandler)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{made.server_port}", certificate
    made.shutdown()
    made.server_close()


def test_a_self_signed_certificate_is_told_with_its_cure(
    https: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, certificate = https
    with pytest.raises(errors.ConnectionFailed, match="SSL_CERT_FILE") as raised:
        EmotionLLaMA(f"https://{address}", max_retries=0).models()
    assert "emotion-llama serve" not in str(raised.value)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    with pytest.raises(errors.EmotionLLaMAError) as raised:
        EmotionLLaMA(f"https://{address}", max_retries=0).models()
    assert raised.value.status is not None  # the server has answered


def test_http_to_an_https_server_is_told_with_its_cure(https: tuple[str, str]) -> None:
    address, _ = https
    with pytest.raises(errors.ConnectionFailed, match="if it speaks HTTPS, write https://"):
        EmotionLLaMA(address, max_retries=0).models()


def test_https_to_a_plain_server_is_told_with_its_cure(other: "OtherServer") -> None:
    with pytest.raises(errors.ConnectionFailed, match="if it speaks HTTP, write http://"):
        EmotionLLaMA(f"https://127.0.0.1:{other.server_port}", max_retries=0).models()


class OtherHandler(BaseHTTPRequestHandler):
    """Is another program's server; with `key` in its path it is ours, and refuses the key."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/key"):
            body, status = b'{"error": {"message": "Unknown key.", "type": "x"}}', 401
        else:
            body, status = b'{"detail": "Not Found"}', 404
        self.server.count += 1  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class OtherServer(ThreadingHTTPServer):
    count = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about clients that hang up: a command prints into the same stream."""


@pytest.fixture
def other() -> Iterator[OtherServer]:
    made = OtherServer(("127.0.0.1", 0), OtherHandler)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(
    ("path", "message"), [("", "no Emotion-LLaMA server"), ("/key", "refuses the API key")]
)
def test_a_server_that_answers_no_clip_is_asked_no_more(
    other: OtherServer, tmp_path: Path, path: str, message: str
) -> None:
    for index in range(40):
        (tmp_path / f"{index}.mp4").write_bytes(b"x")
    address = f"127.0.0.1:{other.server_port}{path}"
    done = invoke("analyze", tmp_path, "--server", address, "--concurrency", 2)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    assert address in done.stderr
    assert other.count < 10


def test_the_sdk_names_the_server_that_is_not_there(closed: str) -> None:
    with pytest.raises(errors.ConnectionFailed, match=f"http://{closed} cannot be reached"):
        EmotionLLaMA(closed, max_retries=0).analyze("x.mp4")


@pytest.mark.parametrize("key", ["secret\n", " secret "])
def test_a_key_out_of_a_file(key: str) -> None:
    seen: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["Authorization"])
        return httpx2.Response(200, json={"object": "list", "data": []})

    more: dict[str, Any] = {"transport": httpx2.MockTransport(serve)}
    EmotionLLaMA(api_key=key, **more).models()
    assert seen == ["Bearer secret"]
    with pytest.raises(errors.InvalidSettings, match="API key"):
        EmotionLLaMA(api_key="schlüssel", **more)


def test_a_function_is_asked_for_a_fresh_token_before_each_attempt() -> None:
    seen: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["Authorization"])
        status = 503 if len(seen) == 1 else 200
        return httpx2.Response(status, json={"object": "list", "data": []})

    def fresh() -> str:
        return f"token-{len(seen)}"

    transport = httpx2.MockTransport(serve)
    client = EmotionLLaMA(api_key=fresh, transport=transport, sleep=lambda seconds: None)
    client.models()
    client.models()
    assert seen == ["Bearer token-0", "Bearer token-1", "Bearer token-2"]


async def test_a_coroutine_may_fetch_the_token() -> None:
    seen: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["Authorization"])
        return httpx2.Response(200, json={"object": "list", "data": []})

    async def fresh() -> str:
        return "token"

    for key in (fresh, lambda: "token"):
        await AsyncEmotionLLaMA(api_key=key, transport=httpx2.MockTransport(serve)).models()
    assert seen == ["Bearer token"] * 2
