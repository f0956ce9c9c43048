"""A server is killed again and again: each line of its batch is answered, and told once."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from devtools.server import free_port
from tests.support.apps.stored import lines
from tests.support.waiting import until

COUNT = 500


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; kill the server with signal 9 at the end."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.apps.batch_server", str(folder), str(port)]
    with subprocess.Popen(command) as process:
        url = f"http://127.0.0.1:{port}/v1"
        try:
            until(lambda: answers(f"{url}/batches"), 60)
            yield url
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def begin(url: str) -> str:
    """Begin a batch; return its id."""
    file = {"file": ("a.jsonl", lines(COUNT))}
    sent = requests.post(f"{url}/files", files=file, data={"purpose": "batch"}, timeout=10).json()
    body = {"endpoint": "/v1/emotion", "completion_window": "24h", "input_file_id": sent["id"]}
    return requests.post(f"{url}/batches", json=body, timeout=10).json()["id"]


def reach(url: str, batch_id: str, is_there: Callable[[Any], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        batch = requests.get(f"{url}/batches/{batch_id}", timeout=10).json()
        if is_there(batch):
            return batch
        assert time.monotonic() < deadline, batch
        time.sleep(0.02)


@pytest.mark.slow
def test_three_kills_lose_no_line_and_repeat_none(tmp_path: Path) -> None:
    with served(tmp_path) as url:
        batch_id = begin(url)
        reach(url, batch_id, lambda batch: batch["request_counts"]["completed"] >= 100)
    for goal in (200, 350):
        with served(tmp_path) as url:
            reach(url, batch_id, lambda b, goal=goal: b["request_counts"]["completed"] >= goal)
    with served(tmp_path) as url:
        batch = reach(url, batch_id, lambda batch: batch["status"] == "completed")
        output = requests.get(f"{url}/files/{batch['output_file_id']}/content", timeout=10)
    assert batch["request_counts"] == {"total": COUNT, "completed": COUNT, "failed": 0}
    found = [json.loads(text) for text in output.text.splitlines()]
    assert len(found) == COUNT
    assert {result["custom_id"] for result in found} == {f"line-{n}" for n in range(COUNT)}
    for result in found:
        said = result["response"]["body"]["said"]
        assert result["custom_id"] == f"line-{said}"
