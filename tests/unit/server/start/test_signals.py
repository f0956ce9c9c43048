"""How signals end a process with both ports."""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import requests

from devtools.server import free_port
from emotion_llama_server.start.banner import url_host

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.two_ports"])


@dataclass
class TwoPorts:
    """A process with both ports."""

    process: ForkServerProcess
    log: Path
    may_go_on: Event

    def go_on(self) -> None:
        """Let the process listen; return when it has begun to start."""
        self.may_go_on.set()
        self.wait_for("starting")

    def wait_for(self, word: str) -> None:
        deadline = time.monotonic() + 120
        while word not in self.printed():
            assert self.process.is_alive(), self.printed()
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.01)

    def printed(self) -> list[str]:
        return self.log.read_text().split("\n") if self.log.exists() else []

    def send_signal(self, number: signal.Signals) -> None:
        assert self.process.pid
        os.kill(self.process.pid, number)

    def ended(self) -> tuple[int | None, list[str]]:
        """Return the exit code and the lines that the process has printed."""
        self.process.join(60)
        return self.process.exitcode, self.printed()[:-1]


Start = Callable[..., TwoPorts]


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Start]:
    """Start a process whose ports are bound, but do not listen yet."""
    started: list[TwoPorts] = []

    def start(host: str, port: int, legacy_port: int) -> TwoPorts:
        # The process imports this module when it starts, and only it needs vLLM.
        from tests.support import two_ports

        log, may_go_on = tmp_path / "log", FORKS.Event()
        words = (log, host, port, legacy_port, may_go_on)
        made = TwoPorts(FORKS.Process(target=two_ports.serve, args=words), log, may_go_on)
        made.process.start()
        started.append(made)
        made.wait_for("bound")
        return made

    yield start
    for made in started:
        made.process.kill()
        made.process.join()


def upgrading(host: str, port: int) -> bytes:
    """Ask as a client does that offers h2c, and return the first line of the answer."""
    with socket.create_connection((host, port), timeout=60) as connection:
        head = b"POST /look HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
        connection.sendall(head + b"Upgrade: h2c\r\nContent-Length: 4\r\n\r\nbody")
        return connection.recv(65536).splitlines()[0]


@pytest.mark.parametrize(
    ("host", "number"),
    [("127.0.0.1", signal.SIGTERM), ("::1", signal.SIGINT), ("::", signal.SIGHUP)],
)
def test_both_ports_answer_alike_until_a_signal(
    bind: Start, host: str, number: signal.Signals
) -> None:
    ports = free_port(), free_port()
    both = bind(host, *ports)
    both.go_on()
    both.wait_for("ready")
    for port in ports:
        url = f"http://{url_host(host)}:{port}/look"
        assert requests.get(url, timeout=60).json() == "seen"
        assert upgrading("::1" if ":" in host else host, port) == b"HTTP/1.1 200 OK"
    both.send_signal(number)
    assert both.ended()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_the_ports_listen_ends_with_0(bind: Start, number: signal.Signals) -> None:
    both = bind("127.0.0.1", free_port(), free_port())
    both.go_on()
    both.send_signal(number)
    assert both.ended() == (0, ["bound", "starting"])


def test_a_second_signal_while_nobody_is_inside_changes_nothing(bind: Start) -> None:
    both = bind("127.0.0.1", free_port(), free_port())
    both.go_on()
    both.wait_for("ready")
    both.send_signal(signal.SIGINT)
    time.sleep(0.5)
    both.send_signal(signal.SIGINT)
    code, printed = both.ended()
    assert code == 0
    assert "Traceback" not in "\n".join(printed)
