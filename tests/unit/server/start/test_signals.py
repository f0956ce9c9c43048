"""How signals end a process with both ports."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from devtools.paths import CHECKOUT
from devtools.server import free_port
from emotion_llama_server.start.banner import url_host


class Template:
    """A process that has imported vLLM, and forks."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.apps.two_ports"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=CHECKOUT)

    def ask(self, *words: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        print(*words, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class TwoPorts:
    """A process with both ports, which are bound and do not listen yet."""

    template: Template
    process: int
    log: Path

    def go_on(self) -> None:
        """Let the process listen; return when it has begun to start."""
        self.log.with_suffix(".go").write_text("")
        self.wait_for("starting")

    def wait_for(self, word: str) -> None:
        deadline = time.monotonic() + 60
        while word not in self.printed():
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.01)

    def printed(self) -> list[str]:
        return self.log.read_text().split("\n") if self.log.exists() else []

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.process, number)

    def ended(self) -> tuple[int, list[str]]:
        """Return the exit code and the lines that the process has printed."""
        return self.template.ask("wait", self.process), self.printed()[:-1]


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    made = Template()
    yield made
    made.end()


Start = Callable[..., TwoPorts]


@pytest.fixture
def bind(template: Template, tmp_path: Path) -> Iterator[Start]:
    """Start a process whose ports are bound, but do not listen yet."""
    started: list[TwoPorts] = []

    def start(host: str, port: int, legacy_port: int) -> TwoPorts:
        log = tmp_path / "log"
        process = template.ask("start", log, host, port, legacy_port)
        started.append(TwoPorts(template, process, log))
        started[-1].wait_for("bound")
        return started[-1]

    yield start
    for made in started:
        with contextlib.suppress(ProcessLookupError):
            made.send_signal(signal.SIGKILL)


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
@pytest.mark.costly
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
@pytest.mark.costly
def test_a_signal_before_the_ports_listen_ends_with_0(bind: Start, number: signal.Signals) -> None:
    both = bind("127.0.0.1", free_port(), free_port())
    both.go_on()
    both.send_signal(number)
    assert both.ended() == (0, ["bound", "starting"])


@pytest.mark.costly
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
