"""The examples in deploy/proxies, run as they are but for names, ports and times."""

import contextlib
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi import Request
from starlette.responses import PlainTextResponse, Response

from devtools.paths import CHECKOUT
from devtools.routers import nginx_command, replaced
from devtools.server import free_port
from emotion_llama_server.gate import streams
from emotion_llama_server.gate.caller import caller_of
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.settings import MediaSettings
from tests.support.apps.gated_app import GatedApp
from tests.support.apps.light_server import HOST, light_server

EXAMPLES = CHECKOUT / "deploy/proxies"
LARGEST = ServerSettings().max_body_bytes(MediaSettings())
"""Bytes of the largest body that the server takes."""


class App(GatedApp):
    """Streams, counts the bytes of a body, and says which address it sees."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.app.add_api_route("/v1/emotion", self.stream, methods=["POST"])
        self.app.add_api_route("/process_video", self.count, methods=["POST"])
        self.app.add_api_route("/address", self.address, methods=["GET"])

    async def count(self, raw_request: Request) -> Response:
        return PlainTextResponse(str(len(await raw_request.body())))

    async def address(self, raw_request: Request) -> Response:
        return PlainTextResponse(caller_of(raw_request.scope).address)


@dataclass
class Proxied:
    """An app, and a client that asks it through a proxy."""

    app: App
    client: httpx2.Client


def adapted(example: str, changes: dict[str, str]) -> str:
    """Return an example with these texts replaced; each stands there once, comments aside."""
    lines = (EXAMPLES / example).read_text(encoding="utf-8").splitlines()
    return replaced("\n".join(x for x in lines if not x.strip().startswith("#")), changes)


def nginx(folder: Path, app_port: int, port: int) -> list[str]:
    """Write what nginx needs; return the command that starts it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=emotion.example"),
        ],
        check=True,
        capture_output=True,
    )
    changes = {
        "127.0.0.1:7889": f"{HOST}:{app_port}",
        "listen 443 ssl": f"listen {HOST}:{port} ssl",
        "/etc/ssl/certs/emotion.example.pem": str(certificate),
        "/etc/ssl/private/emotion.example.key": str(key),
        "proxy_read_timeout 310s": "proxy_read_timeout 1s",
    }
    return nginx_command(folder, adapted("nginx.conf", changes))


def caddy(folder: Path, app_port: int, port: int) -> list[str]:
    """Write what Caddy needs; return the command that starts it."""
    changes = {
        "127.0.0.1:7889": f"{HOST}:{app_port}",
        "{$SITE:emotion.example} {": f"https://{HOST}:{port} {{\n\ttls internal",
    }
    options = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + adapted("Caddyfile", changes))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy])
def proxied(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxied]:
    name = request.param.__name__
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(streams, "_SECONDS", 0.2)
    app, port = App(), free_port()
    with light_server(app.app) as app_port:
        command = request.param(tmp_path, app_port, port)
        with running(command, tmp_path), client(f"https://{HOST}:{port}") as made:
            yield Proxied(app, made)
        app.go_on.set()


@contextlib.contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def client(address: str) -> Iterator[httpx2.Client]:
    """Ask from an address that the server does not trust, once the proxy listens."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    transport = httpx2.HTTPTransport(verify=tls, local_address="127.0.0.2")
    with httpx2.Client(base_url=address, transport=transport, timeout=20) as made:
        deadline = time.monotonic() + 10
        while True:
            try:
                made.get("/address")
            except httpx2.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                break
        yield made


@pytest.mark.costly
def test_a_stream_comes_piece_by_piece_however_long_it_is_silent(proxied: Proxied) -> None:
    with proxied.client.stream("POST", "/v1/emotion") as response:
        pieces = response.iter_text()
        assert next(pieces) == "data: 1\n\n"
        started = time.monotonic()
        while time.monotonic() < started + 2:  # longer than nginx waits for a word here
            assert set(next(pieces).split("\n\n")) == {": keep-alive", ""}
        proxied.app.go_on.set()
        assert "".join(pieces).endswith("data: 2\n\n")


def test_the_server_sees_the_clients_own_address(proxied: Proxied) -> None:
    forged = {"X-Forwarded-For": "192.0.2.1, 127.0.0.1"}
    assert proxied.client.get("/address", headers=forged).text == "127.0.0.2"


@pytest.mark.costly
def test_a_large_body_passes_and_a_too_large_one_gets_the_servers_words(proxied: Proxied) -> None:
    passes = proxied.client.post("/process_video", content=bytes(LARGEST))
    assert (passes.status_code, passes.text) == (200, str(LARGEST))
    refused = proxied.client.post("/process_video", content=bytes(LARGEST + 2**20))
    assert refused.status_code == 413
    assert "--max-upload-mb" in refused.json()["details"]


def test_the_examples_wait_longer_than_the_server_takes() -> None:
    settings = ServerSettings()
    for example in ("nginx.conf", "traefik.yaml"):
        assert settings.request_timeout < 310
        assert "310s" in (EXAMPLES / example).read_text()
    for example in ("nginx.conf", "Caddyfile", "traefik.yaml"):
        assert settings.keep_alive_seconds > 60
        assert "60" in (EXAMPLES / example).read_text()
