"""A server that answers at once, and the commands that ask it."""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emotion_llama_server.cli import app
from tests.unit.client.conftest import ANSWER

LABELS = ("happy", "sad")


class Handler(BaseHTTPRequestHandler):
    """Tells the label that a clip's name begins with.

    A name `bad...` is refused, and `missing...` is one that this server has no file of.
    """

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self._read()
        name = Path(asked["video"]).name
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        time.sleep(self.server.seconds)  # type: ignore[attr-defined]
        if name.startswith("bad"):
            error = {"message": "damaged", "type": "x", "param": "video", "code": 400}
            return self._answer(400, {"error": error})
        if name.startswith("missing"):
            error = {"message": "media roots", "type": "x", "param": "video"}
            return self._answer(404, {"error": error | {"code": "video_not_readable"}})
        emotion = next((label for label in LABELS if name.startswith(label)), "happy")
        rest = {label: 0.2 for label in LABELS if label != emotion}
        self._answer(
            200,
            ANSWER
            | {"emotion": emotion, "confidence": 0.8, "probabilities": {emotion: 0.8} | rest}
            | {"explanation": "One line,\nand another."}
            | self.server.more,  # type: ignore[attr-defined]
        )
        return None

    def _read(self) -> dict[str, Any]:
        """Return the request; an upload is in `upload`, without being taken apart."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "application/json":
            return json.loads(body)
        return {"video": "upload", "upload": body}

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class FakeServer(ThreadingHTTPServer):
    asked: list[dict[str, Any]]
    seconds: float = 0.0
    more: dict[str, Any]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about clients that hang up: a command prints into the same stream."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[FakeServer]:
    """Run a server inside the `with` block."""
    made = FakeServer(("127.0.0.1", 0), Handler)
    made.asked, made.more = [], {}
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


def command(*words: object) -> list[str]:
    return [str(Path(sys.executable).with_name("emotion-llama")), *map(str, words)]


def invoke(*words: object) -> Result:
    """Run a command in this process, which takes a fiftieth of the time of a process."""
    return CliRunner().invoke(app, list(map(str, words)))


def shown(*words: object, columns: int = 80) -> str:
    """Return what a command prints into a terminal, without colours."""
    ours, theirs = os.openpty()
    text: list[bytes] = []
    reader = threading.Thread(target=lambda: text.extend(_until_closed(ours)))
    reader.start()
    with (
        pytest.MonkeyPatch.context() as environment,
        os.fdopen(theirs, "w") as terminal,
        redirect_stdout(terminal),
    ):
        environment.setenv("COLUMNS", str(columns))
        environment.setenv("TERM", "xterm")
        with pytest.raises(SystemExit) as ended:
            app([str(word) for word in words])
    reader.join()
    assert not ended.value.code
    return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(text).decode())


def _until_closed(terminal: int) -> Iterator[bytes]:
    with os.fdopen(terminal, "rb", buffering=0) as stream:
        try:
            while piece := stream.read(1 << 16):
                yield piece
        except OSError:  # this is how Linux signals the end of a terminal
            return
