"""vLLM's own server, without ours: the package being installed is enough."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pybase64
import pytest
import requests

from devtools.media import make_clip
from devtools.server import START_SECONDS, free_port


@pytest.mark.slow
def test_vllms_own_server_answers_about_a_clip(checkpoint: Path, tmp_path: Path) -> None:
    port = free_port()
    flags = ["--port", str(port), "--host", "127.0.0.1", "--enforce-eager"]
    flags += ["--kv-cache-memory-bytes", str(1 << 28), "--max-model-len", "1024"]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTION_", "VLLM_"))}
    environment |= {"VLLM_NO_USAGE_STATS": "1", "TORCHDYNAMO_DISABLE": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--model", str(checkpoint), *flags],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not _is_up(url):
            assert process.poll() is None, (tmp_path / "log").read_text()[-4000:]
            assert time.monotonic() < deadline
            time.sleep(0.5)
        clip = f"data:video/mp4;base64,{pybase64.b64encode(make_clip()).decode()}"
        content = [
            {"type": "video_url", "video_url": {"url": clip}},
            {"type": "text", "text": "[emotion] Which?"},
        ]
        body = {"messages": [{"role": "user", "content": content}], "max_tokens": 4}
        answer = requests.post(f"{url}/v1/chat/completions", json=body, timeout=60)
        assert answer.status_code == 200
        assert answer.json()["usage"]["completion_tokens"] > 0
    finally:
        process.terminate()
        process.wait(60)


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False
