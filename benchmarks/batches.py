"""Measures how a batch and requests share the demo on this machine.

    python -m benchmarks.batches

It compares the throughput of a batch with that of 16 clients, and the times of one client that asks
without pause, and with pauses, while a batch runs and while none does.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from devtools.server import running_server
from emotion_llama_vllm import demo_files

_LINES, _CLIENTS = 1500, 16
_QUESTIONS = 60
_PAUSES = (0, 0.5)
"""Seconds between an answer and the client's next question."""
_LONG_BATCH = 4000
"""The number of lines of a batch that does not end while it is measured against requests."""
_CLIPS = sorted(path.name for path in demo_files.clips().glob("*.mp4"))


@dataclass(frozen=True)
class Api:
    """Asks a server, whose URL ends in `/v1`."""

    url: str

    def ask(self, number: int) -> float:
        """Return the seconds until the answer to a question, each number of which differs."""
        begun = time.monotonic()
        requests.post(f"{self.url}/emotion", json=_body(number), timeout=300).raise_for_status()
        return time.monotonic() - begun

    def begin(self, count: int) -> str:
        """Begin a batch; return its id."""
        lines = b"".join(_line(number) for number in range(count))
        file = {"file": ("lines.jsonl", lines)}
        sent = requests.post(f"{self.url}/files", files=file, data={"purpose": "batch"}, timeout=60)
        body = {"input_file_id": sent.json()["id"], "endpoint": "/v1/emotion"}
        body |= {"completion_window": "24h"}
        return requests.post(f"{self.url}/batches", json=body, timeout=60).json()["id"]

    def batch(self, batch_id: str) -> dict[str, Any]:
        return requests.get(f"{self.url}/batches/{batch_id}", timeout=60).json()

    def cancel(self, batch_id: str) -> None:
        """End a batch, and wait until it has ended."""
        requests.post(f"{self.url}/batches/{batch_id}/cancel", timeout=60)
        self.wait(batch_id, lambda batch: batch["status"] == "cancelled")

    def wait(self, batch_id: str, is_there: Callable[[dict[str, Any]], bool]) -> None:
        while not is_there(self.batch(batch_id)):
            time.sleep(0.1)


def main() -> None:
    """Run the command line."""
    argparse.ArgumentParser(prog="python -m benchmarks.batches", description=__doc__).parse_args()
    with TemporaryDirectory() as folder:
        data = ["--data-dir", str(Path(folder) / "data")]
        with running_server(Path(folder) / "log", *data) as server:
            api = Api(f"{server.url}/v1")
            for number in range(_CLIENTS):
                api.ask(number)
            _compare_throughputs(api)
            for pause in _PAUSES:
                _compare_times(api, pause)


def _compare_throughputs(api: Api) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as clients:
        list(clients.map(api.ask, range(_LINES)))
    load = _LINES / (time.monotonic() - begun)
    begun = time.monotonic()
    batch_id = api.begin(_LINES)
    api.wait(batch_id, lambda batch: batch["status"] == "completed")
    batch = _LINES / (time.monotonic() - begun)
    print(f"{_CLIENTS} clients: {load:.1f}/s, a batch: {batch:.1f}/s ({batch / load:.2f})")


def _compare_times(api: Api, pause: float) -> None:
    alone = _ask_on(api, pause)
    batch_id = api.begin(_LONG_BATCH)
    api.wait(batch_id, lambda batch: batch["request_counts"]["completed"] > 0)
    beside = _ask_on(api, pause)
    api.cancel(batch_id)
    ratio = beside / alone
    print(f"pauses of {pause} s: p95 {alone:.2f} s, beside a batch {beside:.2f} s ({ratio:.2f})")


def _ask_on(api: Api, pause: float) -> float:
    """Return the 95th percentile of the times of questions, in seconds."""
    times = []
    for number in range(_QUESTIONS):
        times.append(api.ask(number))
        time.sleep(pause)
    return statistics.quantiles(times, n=20)[-1]


def _body(number: int) -> dict[str, Any]:
    clip = _CLIPS[number % len(_CLIPS)]
    return {"video": clip, "question": f"Which emotion is number {number}?"}


def _line(number: int) -> bytes:
    line = {"custom_id": str(number), "method": "POST", "url": "/v1/emotion"}
    return json.dumps(line | {"body": _body(number)}).encode() + b"\n"


if __name__ == "__main__":
    main()
