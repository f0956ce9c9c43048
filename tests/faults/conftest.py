"""Servers of their own, as these tests set limits, give keys and end what they ask."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from devtools.media import Recipe, write_clip
from devtools.server import Server, running_server
from emotion_llama_vllm import demo_files
from tests.support.ends import value

KEYS = {name: f"key-of-{name}" for name in ("alice", "bob", "carol", "dave")}
"""Each may send 100 requests a minute, so a test that sends many has a key of its own."""


@dataclass(frozen=True)
class Guarded:
    """A server with keys and TLS, and somebody who has one."""

    server: Server
    certificate: Path
    tmp: Path
    """Where its temporary files would be."""

    def ask(
        self,
        method: str,
        path: str,
        key: str | None = "alice",
        *,
        legacy: bool = False,
        **more: Any,
    ) -> requests.Response:
        base = self.server.legacy_url if legacy else self.server.url
        headers = {"X-API-Key": KEYS[key]} if key else {}
        headers |= more.pop("headers", {})
        return requests.request(
            method,
            base + path,
            headers=headers,
            verify=str(self.certificate),
            timeout=60,
            **more,
        )

    def metric(self, name: str) -> float:
        """The sum over its labels."""
        return value(self.ask("GET", "/metrics").text, name)


@pytest.fixture(scope="session")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    write_clip(root / "clip.mp4")
    write_clip(root / "minute.mp4", Recipe(width=64, height=64, seconds=60, frames_per_second=2))
    write_clip(root / "long.mp4", Recipe(width=1280, height=720, seconds=60, frames_per_second=2))
    return root


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine; its key is beside it."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem"


Start = Callable[..., AbstractContextManager[Guarded]]


@pytest.fixture(scope="session")
def start(media_root: Path, certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start a guarded server with further flags."""

    @contextlib.contextmanager
    def started(*flags: str) -> Iterator[Guarded]:
        folder = tmp_path_factory.mktemp("guarded")
        (folder / "keys").write_text("".join(f"{name}:{key}\n" for name, key in KEYS.items()))
        (folder / "tmp").mkdir()
        secured = ["--ssl-certfile", str(certificate)]
        secured += ["--ssl-keyfile", str(certificate.with_name("key.pem"))]
        known = ["--media-root", str(media_root), "--api-key-file", str(folder / "keys")]
        with running_server(folder / "log", *known, *secured, *flags, tmp=folder / "tmp") as server:
            yield Guarded(server, certificate, folder / "tmp")

    return started


def chat(clip: str = "clip.mp4", **fields: Any) -> dict[str, Any]:
    """A chat that goes on for as long as it may."""
    content = [
        {"type": "video_url", "video_url": {"url": clip}},
        {"type": "text", "text": "[reason] Why?"},
    ]
    return {
        "model": demo_files.MODEL_NAME,
        "messages": [{"role": "user", "content": content}],
        "ignore_eos": True,
        "max_tokens": 1500,
        **fields,
    }
