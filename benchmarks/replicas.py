"""Measures the routers of deploy/routers: what they add to a request, and two replicas against one.

    python -m benchmarks.replicas

The replicas are no models: each sleeps for 50 ms in every request and does four at once, as two
engines on the same cores would measure the cores. Sessions are drawn at random.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
from fastapi import FastAPI, Request

from devtools.routers import HOST, Router, envoy, haproxy, is_installed, nginx, running
from devtools.server import free_port
from emotion_llama.session import HEADER

AT_ONCE, SECONDS = 4, 0.05
CLIP = bytes(100_000)
REQUESTS, USERS = 400, 32
ALONE = 200

app = FastAPI()
_places = asyncio.Semaphore(AT_ONCE)


@app.get("/readyz")
async def readyz() -> None:
    """Answer 200."""


@app.post("/v1/emotion")
async def emotion(raw_request: Request) -> dict[str, int]:
    """Read the body, and sleep as long as an analysis takes, unless the query is `now`."""
    body = await raw_request.body()
    if raw_request.url.query != "now":
        async with _places:
            await asyncio.sleep(SECONDS)
    return {"bytes": len(body)}


@contextlib.contextmanager
def two_replicas() -> Iterator[list[int]]:
    """Run two replicas until the block ends; yield their ports."""
    ports = [free_port(), free_port()]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.replicas:app", "--log-level", "error"]
    processes = [subprocess.Popen([*command, "--port", str(port)]) for port in ports]
    try:
        for port in ports:
            _wait(port)
        yield ports
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            httpx2.get(f"http://{HOST}:{port}/readyz")
            return
        time.sleep(0.05)
    raise RuntimeError("A replica did not start.")


def milliseconds(address: str) -> float:
    """Return the median time of an upload alone that the replica answers at once."""
    times = []
    with httpx2.Client(base_url=address) as http:
        for _ in range(ALONE):
            answer = http.post("/v1/emotion?now", content=CLIP, headers={HEADER: "one"})
            times.append(answer.elapsed.total_seconds() * 1000)
    return statistics.median(times)


async def rate(address: str) -> float:
    """Return the uploads per second of users who each send the next one after an answer."""
    left = iter(range(REQUESTS))

    async def user(http: httpx2.AsyncClient) -> None:
        for _ in left:
            session = {HEADER: os.urandom(32).hex()}
            (await http.post("/v1/emotion", content=CLIP, headers=session)).raise_for_status()

    started = time.monotonic()
    async with httpx2.AsyncClient(base_url=address, timeout=60) as http:
        await asyncio.gather(*(user(http) for _ in range(USERS)))
    return REQUESTS / (time.monotonic() - started)


def measure(router: Router, ports: list[int], direct: float) -> str:
    """Return a line about a router."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(router, Path(folder), ports, free_port()) as address,
    ):
        added, two = milliseconds(address) - direct, asyncio.run(rate(address))
    return f"{router.__name__}: adds {added:.1f} ms; two replicas {two:.0f} requests/s"


def main() -> None:
    """Run the command line."""
    with two_replicas() as ports:
        one = f"http://{HOST}:{ports[0]}"
        direct = milliseconds(one)
        print(f"no router: {direct:.1f} ms; one replica {asyncio.run(rate(one)):.0f} requests/s")
        for router in (nginx, haproxy, envoy):
            if is_installed(router):
                print(measure(router, ports, direct), flush=True)


if __name__ == "__main__":
    main()
