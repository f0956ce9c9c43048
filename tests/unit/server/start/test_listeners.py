"""Both ports in a process of their own, as signals end it."""

import contextlib
import errno
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from devtools.server import free_port
from emotion_llama_server.start.addresses import claim
from emotion_llama_server.start.banner import url_host

ROOT = Path(__file__).parents[4]


@contextlib.contextmanager
def bound(host: str, port: int, legacy_port: int) -> Iterator[subprocess.Popen[str]]:
    """Start both ports so far that they are bound, and do not listen yet."""
    command = [sys.executable, "-m", "tests.support.two_ports", host, str(port), str(legacy_port)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)
    try:
        assert told_by(process) == "bound"
        yield process
    finally:
        process.kill()
        process.communicate()


def told_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    print(file=process.stdin, flush=True)
    assert told_by(process) == "starting"


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
def test_both_ports_answer_alike_until_a_signal(host: str, number: signal.Signals) -> None:
    ports = free_port(), free_port()
    with bound(host, *ports) as process:
        go_on(process)
        assert told_by(process) == "ready"
        for port in ports:
            url = f"http://{url_host(host)}:{port}/look"
            assert requests.get(url, timeout=60).json() == "seen"
            assert upgrading("::1" if ":" in host else host, port) == b"HTTP/1.1 200 OK"
        process.send_signal(number)
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_the_ports_listen_ends_with_0(number: signal.Signals) -> None:
    with bound("127.0.0.1", free_port(), free_port()) as process:
        go_on(process)
        process.send_signal(number)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


def test_a_second_signal_while_nobody_is_inside_changes_nothing() -> None:
    with bound("127.0.0.1", free_port(), free_port()) as process:
        go_on(process)
        assert told_by(process) == "ready"
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.communicate(timeout=60)[1]
        assert process.returncode == 0


def test_a_second_server_does_not_get_an_address_that_only_begins_to_be_used() -> None:
    port = free_port()
    with claim("127.0.0.1", port), claim("::1", port):
        with pytest.raises(OSError, match="in use") as refused:
            claim("127.0.0.1", port)
        assert refused.value.errno == errno.EADDRINUSE
    claim("127.0.0.1", port).close()
