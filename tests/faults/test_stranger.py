"""The whole server, run by a user without a home or a name on a machine that is read-only.

The tests run in this order; the last one kills the engine.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from devtools.media import Recipe, make_clip
from devtools.paths import CHECKOUT
from devtools.server import START_SECONDS, Server, free_port
from tests.faults.conftest import chat
from tests.support.ends import INSIDE, engine_in, family_of, left_of, wait_for
from tests.support.stranger import as_stranger

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose /tmp, the only place to write to, has room for 1 MiB."""
    log = tmp_path_factory.mktemp("stranger") / "log"
    port, legacy_port = free_port(), free_port()
    served = [str(Path(sys.executable).with_name("emotion-llama")), "serve", "--port", str(port)]
    served += ["--legacy-port", str(legacy_port), "--media-root", str(CHECKOUT / "demo" / "clips")]
    served += ["--max-in-flight", "2"]
    command, environment = as_stranger(served, tmp="size=1m")
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Emotion-LLaMA is ready" not in (told := log.read_text(errors="replace")):
            assert process.poll() is None, told[-4000:]
            assert time.monotonic() < deadline, told[-4000:]
            time.sleep(0.2)
        yield Server(port, legacy_port, log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_it_starts_and_answers_about_a_file(server: Server) -> None:
    asked = {"video": "happy_face.mp4"}
    answer = requests.post(f"{server.url}/v1/emotion", json=asked, timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.json()["explanation"]


@pytest.mark.parametrize(("size", "status"), [(20_000, 200), (MEBIBYTE, 200), (4 * MEBIBYTE, 507)])
def test_an_upload_is_taken_if_there_is_room_for_it(server: Server, size: int, status: int) -> None:
    clip = make_clip(Recipe(audio=None)).ljust(size, b"\0")
    url = f"{server.url}/v1/emotion"
    answer = requests.post(url, files={"video": ("clip.mp4", clip)}, timeout=120)
    assert answer.status_code == status, answer.text


def test_when_the_engine_dies_everybody_is_told_and_the_server_ends_with_3(server: Server) -> None:
    def ask(number: int) -> requests.Response:
        asked = chat("happy_face.mp4", seed=number, stream=number == 1)
        return requests.post(f"{server.url}/v1/chat/completions", json=asked, timeout=60)

    family = family_of(server)
    with ThreadPoolExecutor(4) as pool:
        inside = [pool.submit(ask, number) for number in range(4)]
        wait_for(server, INSIDE, 2)
        died = time.monotonic()
        engine_in(family).kill()
        answers = [future.result(20) for future in inside]
        assert time.monotonic() - died < 5
    streamed = answers.pop(1)
    assert "error" in streamed.text
    assert {answer.status_code for answer in answers} == {503}
    for answer in answers:
        assert "error" in answer.text
        assert "Traceback" not in answer.text
    assert server.process.wait(20) == 3
    assert not left_of(family)
