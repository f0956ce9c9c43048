"""Looks at a server that is about to end: what is inside it, and what is left of it."""

import time

import psutil
import requests

from devtools.server import Server

INSIDE = "vllm:num_requests_running"
"""The metric that counts the requests that the engine answers."""


def value(metrics: str, name: str) -> float:
    """Return a metric's sum over its labels, from the text of /metrics."""
    found = [line for line in metrics.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(line.split()[-1]) for line in found)


def wait_for(server: Server, name: str, wanted: float) -> None:
    """Wait until a metric has this value."""
    deadline = time.monotonic() + 20
    while value(requests.get(f"{server.url}/metrics").text, name) != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def family_of(server: Server) -> list[psutil.Process]:
    """Return the processes that the server has started: the engine, and what decodes clips."""
    family = psutil.Process(server.pid).children(recursive=True)
    assert engine_in(family).is_running()
    return family


def engine_in(family: list[psutil.Process]) -> psutil.Process:
    return next(process for process in family if "EngineCore" in "".join(process.cmdline()))


def left_of(family: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run a while later."""
    _, alive = psutil.wait_procs(family, timeout=15)
    running = [process for process in alive if process.is_running()]
    return [process for process in running if process.status() != psutil.STATUS_ZOMBIE]
