"""Signals while the server starts: it ends, and leaves no process behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from devtools.server import START_SECONDS, free_port


def start(log: Path) -> subprocess.Popen[bytes]:
    ports = ["--port", str(free_port()), "--legacy-port", str(free_port())]
    command = [str(Path(sys.executable).with_name("emotion-llama")), "serve", *ports]
    command += ["--log-level", "info"]  # the moments are lines of vLLM
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)


def shows(words: str) -> Callable[[str], bool]:
    return lambda text: words in text


def check_that_it_ends(log: Path, moment: Callable[[str], bool], number: signal.Signals) -> None:
    process = start(log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not moment(log.read_text(errors="replace")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.wait(20) == 0
        _, alive = psutil.wait_procs(family, timeout=15)
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
        assert "leaked" not in log.read_text(errors="replace")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_signal_while_the_engine_starts_ends_the_server(tmp_path: Path) -> None:
    check_that_it_ends(tmp_path / "log", shows("Initializing a V1 LLM engine"), signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize(
    "moment",
    [
        "non-default args",
        "Multi-modal warmup completed",
        "Loading weights took",
        "Supported tasks",
        "Started server process",
    ],
)
def test_a_signal_at_any_moment_ends_the_server(
    tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    check_that_it_ends(tmp_path / "log", shows(moment), number)
