"""Starts real servers in processes of their own, ours as a user does."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

START_SECONDS = 240
_READY = "Emotion-LLaMA is ready"


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
    variables = {} if tmp is None else {"TMPDIR": str(tmp)}
    scheme = "https" if "--ssl-certfile" in flags else "http"
    with running(command, log, lambda: _READY in _text(log), variables) as process:
        yield Server(port, legacy_port, log, process, scheme)


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, is_ready: Callable[[], bool], variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, which begins when the server is ready.

    The server gets none of this process's variables that begin with `EMOTION_` or `VLLM_`, and all
    processes that it starts end with it.

    Args:
        command: the program with its arguments.
        log: the file for its output.
        is_ready: tells whether it can be asked.
        variables: its environment variables beside those of this process.

    Raises:
        RuntimeError: it is not ready in time; the message has the end of its log.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTION_", "VLLM_"))}
    environment = {**kept, **variables}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=environment, start_new_session=True
        )
    try:
        _wait(process, log, is_ready)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def answers(url: str) -> bool:
    """Return whether a server answers a GET request well."""
    try:
        return requests.get(url, timeout=10).ok
    except requests.ConnectionError:
        return False


def _wait(process: subprocess.Popen[bytes], log: Path, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = _text(log)[-4000:]
            raise RuntimeError(f"The server did not start (exit {process.poll()}):\n{tail}")
        time.sleep(0.2)


def _text(log: Path) -> str:
    return log.read_text(errors="replace")
