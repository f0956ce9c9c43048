"""The whole server, run by a user without a home or a name on a machine that is read-only."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from devtools.media import Recipe, make_clip
from devtools.server import START_SECONDS, free_port
from tests.support.paths import CHECKOUT
from tests.support.stranger import as_stranger

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server whose /tmp, the only place to write to, has room for 1 MiB."""
    log = tmp_path_factory.mktemp("stranger") / "log"
    port, legacy_port = free_port(), free_port()
    served = [str(Path(sys.executable).with_name("emotion-llama")), "serve", "--port", str(port)]
    served += ["--legacy-port", str(legacy_port), "--media-root", str(CHECKOUT / "demo" / "clips")]
    command, environment = as_stranger(served, tmp="size=1m")
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Emotion-LLaMA is ready" not in (told := log.read_text(errors="replace")):
            assert process.poll() is None, told[-4000:]
            assert time.monotonic() < deadline, told[-4000:]
            time.sleep(0.2)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_it_starts_and_answers_about_a_file(port: int) -> None:
    asked = {"video": "happy_face.mp4"}
    answer = requests.post(f"http://127.0.0.1:{port}/v1/emotion", json=asked, timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.json()["explanation"]


@pytest.mark.parametrize(("size", "status"), [(20_000, 200), (MEBIBYTE, 200), (4 * MEBIBYTE, 507)])
def test_an_upload_is_taken_if_there_is_room_for_it(port: int, size: int, status: int) -> None:
    clip = make_clip(Recipe(audio=None)).ljust(size, b"\0")
    url = f"http://127.0.0.1:{port}/v1/emotion"
    answer = requests.post(url, files={"video": ("clip.mp4", clip)}, timeout=120)
    assert answer.status_code == status, answer.text
