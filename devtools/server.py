"""Starts a real server in a process of its own, as a user does."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

START_SECONDS = 240


@dataclass(frozen=True)
class Server:
    """Holds the address of a running server."""

    port: int
    legacy_port: int
    log: Path
    process: subprocess.Popen[bytes]
    """The server's process, which responds to requests; the engine runs in a child of it."""
    scheme: str = "http"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def legacy_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.legacy_port}"

    def is_healthy(self) -> bool:
        return requests.get(f"{self.url}/health", timeout=10).status_code == 200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_server(log: Path, *flags: str, tmp: Path | None = None) -> Iterator[Server]:
    """Run `emotion-llama serve` with these flags until the block ends.

    Args:
        log: the file for the server's output.
        flags: the flags beside those for its ports.
        tmp: the server's folder for temporary files.
    """
    port, legacy_port = free_port(), free_port()
    ports = ["--port", str(port), "--legacy-port", str(legacy_port)]
    command = [str(Path(sys.executable).with_name("emotion-llama")), "serve", *flags, *ports]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTION_", "VLLM_"))}
    if tmp is not None:
        environment["TMPDIR"] = str(tmp)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        _wait_until_ready(process, log)
        scheme = "https" if "--ssl-certfile" in flags else "http"
        yield Server(port, legacy_port, log, process, scheme)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Emotion-LLaMA is ready" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-4000:]
            raise RuntimeError(f"The server did not start (exit {process.poll()}):\n{tail}")
        time.sleep(0.2)
