"""The server that is shot at, and the requests that are shot."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import requests

from devtools.server import Server, running_server


@dataclass(frozen=True)
class Target:
    """A live server."""

    url: str
    model: str
    media_root: Path | None = None
    """A folder that it reads, where it is known."""
    log: Path | None = None
    pid: int | None = None

    @classmethod
    def at(cls, url: str, media_root: Path | None = None, pid: int | None = None) -> Self:
        """One that somebody else started."""
        return cls(url, _model(url), media_root, pid=pid)

    @classmethod
    def of(cls, server: Server, media_root: Path) -> Self:
        return cls(server.url, _model(server.url), media_root, server.log, server.pid)

    def is_healthy(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", timeout=60).status_code == 200
        except requests.RequestException:
            return False


def _model(url: str) -> str:
    return requests.get(f"{url}/v1/models", timeout=60).json()["data"][0]["id"]


@contextmanager
def demo_target(*flags: str) -> Iterator[Target]:
    """A server of our own with an empty media root, until the block or this program ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with TemporaryDirectory(prefix="emotion-llama-") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        log = Path(folder) / "log"
        folders = ["--media-root", str(root), "--data-dir", str(Path(folder) / "data")]
        with running_server(log, *folders, *flags) as server:
            yield Target.of(server, root)


@dataclass(frozen=True)
class Shot:
    """A request to send."""

    kind: str
    """The line of the summary that it is counted in."""
    origin: str
    """How to make it again."""
    request: requests.PreparedRequest
    statuses: frozenset[int] | None = None
    """What it may be answered with, where that is known; else anything but a server error."""


def post_json(url: str, body: dict[str, Any]) -> requests.PreparedRequest:
    """Any text can be in the body, lone surrogates too, as JSON writes them in ASCII."""
    headers = {"Content-Type": "application/json"}
    return requests.Request("POST", url, headers, data=json.dumps(body).encode()).prepare()


def chat(model: str, clip: str, text: str = "[emotion]") -> dict[str, Any]:
    """A body for `/v1/chat/completions` that asks for one token."""
    content = [{"type": "video_url", "video_url": {"url": clip}}, {"type": "text", "text": text}]
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1}
