"""Ends without notice: the engine dies, or the operator has no patience."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.faults.conftest import Guarded, Start, chat

CHAT = "/v1/chat/completions"
LEGACY = {"video_path": "clip.mp4", "question": "x"}
DEAD = 503


def wait_inside(guarded: Guarded, count: int) -> None:
    deadline = time.monotonic() + 20
    while guarded.metric("vllm:num_requests_running") < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def leftovers(processes: list[psutil.Process]) -> list[psutil.Process]:
    _, alive = psutil.wait_procs(processes, timeout=15)
    return alive


def test_when_the_engine_dies_everybody_is_told_and_the_server_ends_with_3(start: Start) -> None:
    with start("--max-in-flight", "2") as guarded, ThreadPoolExecutor(4) as pool:
        family = psutil.Process(guarded.server.pid).children(recursive=True)
        inside = [
            pool.submit(guarded.ask, "POST", CHAT, json=chat(seed=number, stream=number == 1))
            for number in range(4)
        ]
        wait_inside(guarded, 2)
        engine = next(process for process in family if "EngineCore" in "".join(process.cmdline()))
        died = time.monotonic()
        engine.kill()
        answers = [future.result(20) for future in inside]
        assert time.monotonic() - died < 5
        streamed = answers.pop(1)
        assert "error" in streamed.text
        assert {answer.status_code for answer in answers} == {DEAD}
        for answer in answers:
            assert "error" in answer.text
            assert "Traceback" not in answer.text
        assert guarded.server.process.wait(20) == 3
        assert not leftovers(family)


def test_a_second_signal_ends_at_once(start: Start) -> None:
    with start() as guarded, ThreadPoolExecutor(1) as pool:
        family = psutil.Process(guarded.server.pid).children(recursive=True)
        inside = pool.submit(guarded.ask, "POST", CHAT, json=chat())
        wait_inside(guarded, 1)
        os.kill(guarded.server.pid, signal.SIGTERM)
        time.sleep(0.5)
        assert guarded.server.process.poll() is None
        began = time.monotonic()
        os.kill(guarded.server.pid, signal.SIGINT)
        assert inside.result(10).status_code == DEAD
        assert guarded.server.process.wait(15) != 0
        assert time.monotonic() - began < 10
        assert not leftovers(family)


def test_when_the_server_is_killed_nothing_of_it_is_left(start: Start) -> None:
    with start() as guarded:
        family = psutil.Process(guarded.server.pid).children(recursive=True)
        assert any("EngineCore" in "".join(process.cmdline()) for process in family)
        guarded.server.process.kill()
        guarded.server.process.wait(10)
        alive = [process for process in leftovers(family) if process.is_running()]
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
