"""Origins with and without TLS, and a fetcher that knows them."""

import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpcore2
import pytest

from emotion_llama_vllm.media.read import http
from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import HOST, Names, Origin


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    async with origin.listening(origin.answer):
        yield origin


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for HOST that issued itself, and its key, in one file."""
    pem = tmp_path_factory.mktemp("certificate") / "pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pem]
    name = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    written = subprocess.run(
        ["openssl", "req", "-x509", *key, *name, "-days", "2"], check=True, capture_output=True
    )
    pem.write_bytes(pem.read_bytes() + written.stdout)
    return pem


@pytest.fixture
async def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    """The same behind TLS, trusted for HOST."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    http._trusted.cache_clear()
    origin = Origin()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: origin.names.append(name)
    async with origin.listening(origin.answer, tls=context):
        yield origin
    http._trusted.cache_clear()


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch, origin: Origin) -> list[str]:
    """What is dialled; the origin answers in its place."""
    connect = getattr(httpcore2.AnyIOBackend, "connect_tcp")  # noqa: B009 pyright sees no method
    addresses: list[str] = []

    async def connect_here(self: object, host: str, port: int, **kwargs: float) -> object:
        addresses.append(host)
        return await connect(self, "127.0.0.1", origin.port, **kwargs)

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect_here)
    return addresses


@pytest.fixture
def fetcher(origin: Origin) -> Fetcher:
    """Fetches from the origin alone, which is on this machine."""
    return Fetcher(
        domains=[origin.name],
        private_hosts=[HOST],
        max_bytes=2**20,
        seconds=5,
        resolve=Names(clips_example=[["127.0.0.1"]]),
    )
