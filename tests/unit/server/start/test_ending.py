"""How processes end: tried with real ones, as signals and parents cannot be imitated."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emotion_llama_vllm.hooks.orphan import SERVER_PID

CHILD = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', "
CHILD += "'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)']); "
IMPORTS = "import os, time, threading; from emotion_llama_server.start import ending; "


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a test starts; none outlives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def run(started: list[subprocess.Popen[str]], program: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    started.append(process)
    return process


def pid_told_by(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def is_gone(pid: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


TRACKED = (
    f"{IMPORTS}import multiprocessing, signal; from multiprocessing import resource_tracker\n"
    "ending.start_tracker()\n"
    "lock = multiprocessing.get_context('spawn').Lock()\n"
    "os.kill(resource_tracker._resource_tracker._pid, signal.SIGHUP)\n"
    "time.sleep(0.2)\n"
)


@pytest.mark.costly
def test_a_closed_terminal_leaves_the_semaphores_known() -> None:
    command = [sys.executable, "-c", TRACKED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


STARTING = (
    f"{IMPORTS}{CHILD}\n"
    "with ending.at_once_on_signal():\n"
    "    print(child.pid, flush=True)\n"
    "    try:\n"
    "        time.sleep(99)\n"
    "    except BaseException:\n"
    "        time.sleep(99)\n"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_start_with_0_and_its_children(
    started: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    process = run(started, STARTING)
    child = pid_told_by(process)
    process.send_signal(number)
    assert process.wait(20) == 0
    assert is_gone(child)


@pytest.mark.costly
def test_what_nohup_has_ignored_stays_ignored(started: list[subprocess.Popen[str]]) -> None:
    process = run(
        started, f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{STARTING}"
    )
    pid_told_by(process)
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.costly
def test_a_stuck_thread_does_not_hold_the_end_up(started: list[subprocess.Popen[str]]) -> None:
    program = (
        f"{IMPORTS}{CHILD}\n"
        "threading.Thread(target=time.sleep, args=(99,)).start()\n"
        "print(child.pid, flush=True)\n"
        "ending.end_process_within(0.5, lambda: 3)\n"
    )
    process = run(started, program)
    child = pid_told_by(process)
    assert process.wait(20) == 3
    assert is_gone(child)


SERVER = """
import multiprocessing, os, signal, time
from emotion_llama_vllm.hooks import orphan

orphan._LEAVE_SECONDS = 0.5

def engine():
    orphan.end_with_server()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is stuck
    print(os.getpid(), flush=True)
    time.sleep(99)

if __name__ == "__main__":
    if {announced}:
        orphan.announce_server()
    multiprocessing.get_context("{method}").Process(target=engine).start()
    time.sleep(99)
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
@pytest.mark.costly
def test_an_engine_ends_with_its_server(
    started: list[subprocess.Popen[str]], tmp_path_factory: pytest.TempPathFactory, method: str
) -> None:
    process = start_server(started, tmp_path_factory, announced=True, method=method)
    engine = pid_told_by(process)
    process.kill()
    process.wait()
    assert is_gone(engine)


TERMINAL = """
import asyncio, multiprocessing, os, signal, time
from emotion_llama_vllm.hooks import orphan

def engine():
    for number in (signal.SIGINT, signal.SIGHUP):  # as vLLM does for one of them
        signal.signal(number, lambda *_: os._exit(7))
    orphan.end_with_server()
    print(os.getpid(), flush=True)
    time.sleep(99)

async def serve():
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)
    multiprocessing.get_context("{method}").Process(target=engine).start()
    await told.wait()
    print("told", flush=True)
    time.sleep(99)

if __name__ == "__main__":
    orphan.announce_server()
    orphan.end_with_server()
    asyncio.run(serve())
"""


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.costly
def test_a_terminals_signal_to_an_engine_reaches_neither_it_nor_the_server(
    started: list[subprocess.Popen[str]], tmp_path: Path, method: str
) -> None:
    program = tmp_path / "server.py"
    program.write_text(TERMINAL.format(method=method))
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    started.append(process)
    engine = pid_told_by(process)
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(engine, number)
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 1)[0] == []
    assert not is_gone(engine, seconds=0.1)
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline() == "told\n"


@pytest.mark.costly
def test_a_librarys_engine_outlives_a_parent_that_is_no_server(
    started: list[subprocess.Popen[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    process = start_server(started, tmp_path_factory, announced=False, method="spawn")
    engine = pid_told_by(process)
    process.kill()
    process.wait()
    assert not is_gone(engine, seconds=2)
    psutil.Process(engine).kill()


def start_server(
    started: list[subprocess.Popen[str]],
    tmp_path_factory: pytest.TempPathFactory,
    *,
    announced: bool,
    method: str,
) -> subprocess.Popen[str]:
    program = tmp_path_factory.mktemp("server") / "server.py"
    program.write_text(SERVER.format(announced=announced, method=method))
    # Another test of this process may have announced it as a server.
    environment = {name: value for name, value in os.environ.items() if name != SERVER_PID}
    process = subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment
    )
    started.append(process)
    return process
