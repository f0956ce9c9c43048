"""A real server in a process of its own, started as a user starts it."""

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
    """Where a running server listens."""

    port: int
    legacy_port: int
    log: Path
    pid: int
    """Of the process that answers; the engine runs in a child of it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def legacy_url(self) -> str:
        return f"http://127.0.0.1:{self.legacy_port}"

    def is_healthy(self) -> bool:
        return requests.get(f"{self.url}/health", timeout=10).status_code == 200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_server(log: Path, *flags: str) -> Iterator[Server]:
    """Run `emotion-llama serve` with these flags until the block ends."""
    port, legacy_port = free_port(), free_port()
    ports = ["--port", str(port), "--legacy-port", str(legacy_port)]
    command = [str(Path(sys.executable).with_name("emotion-llama")), "serve", *flags, *ports]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTION_", "VLLM_"))}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        _wait_until_ready(process, log)
        yield Server(port, legacy_port, log, process.pid)
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
