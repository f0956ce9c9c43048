"""The routes for Gradio's clients, with the model behind them."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from devtools.server import Server

QUESTION = "[emotion] Which emotion does this reflect?"


def run(server: Server, clip: Any) -> requests.Response:
    body = {"data": [clip, QUESTION], "fn_index": 0, "session_hash": "s"}
    return requests.post(f"{server.url}/run/predict", json=body, timeout=120)


def test_an_uploaded_clip_is_answered(server: Server, media_root: Path) -> None:
    files = {"files": ("clip.mp4", (media_root / "clip1.mp4").read_bytes())}
    (path,) = requests.post(f"{server.url}/upload", files=files, timeout=120).json()
    answer = run(server, {"path": path, "meta": {"_type": "gradio.FileData"}}).json()
    (text,) = answer["data"]
    assert isinstance(text, str)
    assert 0 < answer["duration"] < 120


@pytest.mark.parametrize("base", ["", "/gradio_api"])
def test_a_call_is_answered_in_its_stream(server: Server, base: str) -> None:
    address = f"{server.url}{base}/call/predict"
    called = requests.post(address, json={"data": ["clip1.mp4", QUESTION]}, timeout=120).json()
    stream = requests.get(f"{address}/{called['event_id']}", timeout=120)
    assert stream.headers["cache-control"] == "no-cache"
    event, data = stream.text.strip().split("\n")
    assert event == "event: complete"
    assert isinstance(json.loads(data.removeprefix("data: "))[0], str)


@pytest.mark.parametrize(
    ("clip", "status"),
    [("../outside.mp4", 400), ("/etc/hostname", 400), ("missing.mp4", 404), ("text.mp4", 400)],
)
def test_no_other_file_is_read_than_elsewhere(server: Server, clip: str, status: int) -> None:
    for named in (clip, {"path": clip}):
        refused = run(server, named)
        assert refused.status_code == status
        assert refused.json()["error"] == refused.json()["details"]
