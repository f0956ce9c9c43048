"""Runs a Redis for one test, which can be stopped, killed and made to refuse commands."""

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devtools.server import free_port

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


@dataclass
class Redis:
    """Represents one server on a port of this machine, with nothing on disk."""

    folder: Path
    flags: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)

    def start(self) -> "Redis":
        """Start the server, also after `kill`, and wait until it listens."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self.folder), "--unixsocket", self.unix, *self.flags]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._listens():
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError("redis-server does not listen.")
            time.sleep(0.02)
        return self

    @property
    def uri(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def unix(self) -> str:
        return str(self.folder / "redis.sock")

    def pause(self) -> None:
        """Make the server keep its connections without responding."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def tell(self, *commands: str) -> str:
        """Send commands in one connection; return the replies."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("".join(f"{command}\r\n" for command in commands).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
        return answer.decode()

    def _listens(self) -> bool:
        try:
            return bool(self.tell("PING"))
        except OSError:
            return False
