"""Calls that hang: they keep their own threads, and nobody else's, nor the end of the process."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from emotion_llama_vllm.media.errors import ServerBusy
from emotion_llama_vllm.media.read.threads import Threads


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opens at the end, so that no thread stays behind a test."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_call_returns_or_raises_in_another_thread() -> None:
    pool = Threads("testers", 2, wait_seconds=1)
    assert await pool.run(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)


async def test_no_more_calls_run_at_once_than_there_are_threads() -> None:
    pool, running, peak = Threads("testers", 3, wait_seconds=None), 0, 0
    lock = threading.Lock()

    def call() -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    await asyncio.gather(*(pool.run(call) for _ in range(30)))
    assert peak == 3


async def test_where_all_threads_hang_a_call_is_refused_in_time(gate: threading.Event) -> None:
    pool = Threads("testers", 2, wait_seconds=0.1)
    stuck = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(ServerBusy, match="testers are all stuck") as caught:
        await pool.run(lambda: 1)
    assert caught.value.status == 503
    assert not pool._waiting
    gate.set()
    assert await asyncio.gather(*stuck) == [True, True]
    assert await pool.run(lambda: 1) == 1


async def test_a_caller_that_is_cancelled_leaves_at_once(gate: threading.Event) -> None:
    pool, ran = Threads("testers", 1, wait_seconds=None), list[str]()
    running = asyncio.ensure_future(pool.run(gate.wait))
    await asyncio.sleep(0.05)
    waiting = asyncio.ensure_future(pool.run(lambda: ran.append("waiting")))
    await asyncio.sleep(0.05)
    for task in (running, waiting):
        task.cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(running, waiting, return_exceptions=True)
    assert not pool._waiting
    gate.set()
    assert await pool.run(lambda: 1) == 1
    assert not ran


async def test_a_result_that_nobody_waits_for_is_disposed_of(gate: threading.Event) -> None:
    pool, disposed = Threads("testers", 1, wait_seconds=None), list[bool]()
    task = asyncio.ensure_future(pool.run(gate.wait, discard=disposed.append))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    gate.set()
    await pool.run(lambda: None)
    assert disposed == [True]


async def test_a_system_without_threads_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = Threads("testers", 1, wait_seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ServerBusy, match="no thread"):
            await pool.run(lambda: 1)
    assert await pool.run(lambda: 1) == 1


_HANGS = """
import asyncio, time
from emotion_llama_vllm.media.read.threads import files

async def main():
    task = asyncio.ensure_future(files.run(lambda: time.sleep(600)))
    await asyncio.sleep(0.2)
    task.cancel()

asyncio.run(main())
"""


@pytest.mark.costly
def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    subprocess.run([sys.executable, "-c", _HANGS], check=True, timeout=60)
