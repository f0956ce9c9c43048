"""Two servers behind nginx, as `deploy/try-replicas` starts them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx2
import openai
import psutil
import pytest

from devtools.paths import CHECKOUT
from devtools.server import free_port
from emotion_llama import EmotionLLaMA, errors
from emotion_llama_vllm import demo_files
from tests.support.services.redis import Redis, needs_redis

pytestmark = [pytest.mark.slow, needs_redis]

USERS = 4
CLIP = demo_files.clips() / "happy_face.mp4"


@dataclass
class Replicas:
    """Two servers and the router before them."""

    url: str
    urls: list[str]
    pids: list[int]
    redis: Redis

    def looked_up(self) -> dict[str, float]:
        """Return the lookups in the caches of clips by their results, of both servers together."""
        found = {"hit": 0.0, "miss": 0.0}
        for url in self.urls:
            text = httpx2.get(f"{url}/metrics", timeout=30).text
            for result in found:
                line = re.search(
                    rf'emotion_llama_clip_cache_total{{result="{result}"}} (\S+)', text
                )
                found[result] += float(line[1]) if line else 0
        return found

    def share_of_follow_ups_that_hit(self, clips: list[bytes], *, has_session: bool) -> float:
        """Ask twice about each clip; return the share of second questions that hit the cache."""
        before = self.looked_up()
        with httpx2.Client(base_url=self.url, timeout=60) as http:
            for clip in clips:
                headers = {"X-Session-ID": str(hash(clip))} if has_session else {}
                upload = {"video": clip, "request": (None, '{"task": "emotion"}')}
                for _ in range(2):
                    sent = http.post("/v1/emotion", files=upload, headers=headers)
                    assert sent.status_code == 200, sent.text
        after = self.looked_up()
        assert sum(after.values()) - sum(before.values()) == 2 * len(clips)
        return (after["hit"] - before["hit"]) / len(clips)


@contextlib.contextmanager
def two_replicas(folder: Path) -> Iterator[Replicas]:
    port = free_port()
    redis = Redis(folder).start()
    command = [str(CHECKOUT / "deploy/try-replicas"), "--rate-limit", "10000/minute"]
    server = Path(sys.executable).with_name("emotion-llama")
    process = subprocess.Popen(
        [*command, "--rate-limit-storage", redis.uri],
        env=os.environ | {"PORT": str(port), "EMOTION_LLAMA": str(server)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        pids = []
        for line in process.stdout:
            if found := re.match(r"Replica \d: process (\d+)", line):
                pids.append(int(found[1]))
            if line.startswith("Ready"):
                break
        urls = [f"http://127.0.0.1:{port + number}" for number in (1, 2)]
        yield Replicas(f"http://127.0.0.1:{port}", urls, pids, redis)
    finally:
        process.terminate()
        process.wait(60)
        redis.go_on()
        redis.kill()


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with two_replicas(tmp_path_factory.mktemp("replicas")) as made:
        yield made


def different_clips(name: str) -> Iterator[bytes]:
    """Make clips that decode alike and have different bytes: an unused box ends each of them."""
    clip = CLIP.read_bytes()
    for number in count():
        box = f"{name} {number}".encode()
        yield clip + (8 + len(box)).to_bytes(4) + b"free" + box


def test_every_route_upload_and_stream_passes(replicas: Replicas) -> None:
    with EmotionLLaMA(replicas.url) as client:
        assert client.models().data[0].id == demo_files.MODEL_NAME
        assert client.analyze("happy_face.mp4", task="emotion").emotion
        assert client.analyze(video=CLIP.read_bytes(), task="emotion").emotion
        assert len(list(client.stream(video=CLIP.read_bytes()))) > 1
    with httpx2.Client(base_url=replicas.url, timeout=60) as http:
        old = {"video_path": "happy_face.mp4", "question": "[emotion] Which emotion is this?"}
        assert http.post("/process_video", json=old).json()["response"]
        predict = {"data": ["happy_face.mp4", "[emotion] Which emotion is this?"]}
        assert http.post("/api/predict/", json=predict).json()["data"]
    chat = openai.OpenAI(base_url=f"{replicas.url}/v1", api_key="none")
    parts: Any = [
        {"type": "video_url", "video_url": {"url": f"file://{CLIP}"}},
        {"type": "text", "text": "[emotion] Which emotion is this?"},
    ]
    stream = chat.chat.completions.create(
        model=demo_files.MODEL_NAME,
        messages=[{"role": "user", "content": parts}],
        max_tokens=8,
        stream=True,
    )
    assert len(list(stream)) > 1


def test_follow_ups_meet_their_caches_with_a_session_and_half_of_them_without(
    replicas: Replicas,
) -> None:
    clips = list(islice(different_clips("with"), 30))
    assert replicas.share_of_follow_ups_that_hit(clips, has_session=True) >= 0.95
    clips = list(islice(different_clips("without"), 30))
    assert 0.2 < replicas.share_of_follow_ups_that_hit(clips, has_session=False) < 0.8


def test_both_count_one_rate_in_redis_which_holds_nobody_up_when_it_hangs(
    replicas: Replicas,
) -> None:
    replicas.redis.tell("FLUSHALL")
    for clip in islice(different_clips("counted"), 8):
        with EmotionLLaMA(replicas.url) as client:
            client.analyze(video=clip, task="emotion")
    [key] = re.findall(r"LIMITS:\S+", replicas.redis.tell("KEYS *"))
    assert replicas.redis.tell(f"LLEN {key}").strip() == ":8"
    replicas.redis.pause()
    started = time.monotonic()
    with EmotionLLaMA(replicas.url) as client:
        client.analyze("happy_face.mp4", task="emotion")
    assert time.monotonic() - started < 5
    replicas.redis.go_on()


@dataclass
class Load:
    """Users who upload clips without a pause, and never a second time."""

    url: str

    def __post_init__(self) -> None:
        self.answered, self.failed = 0, list[str]()
        self._is_over = threading.Event()
        self._users = [threading.Thread(target=self._ask, args=(n,)) for n in range(USERS)]

    def __enter__(self) -> "Load":
        for user in self._users:
            user.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        for user in self._users:
            user.join()

    def wait_for(self, more: int) -> None:
        """Wait for so many more answers."""
        enough, deadline = self.answered + more, time.monotonic() + 60
        while self.answered < enough:
            assert time.monotonic() < deadline, self.failed
            time.sleep(0.05)

    def _ask(self, number: int) -> None:
        clips = different_clips(f"user {number}")
        with EmotionLLaMA(self.url, max_retries=0) as client:
            while not self._is_over.is_set():
                try:
                    client.analyze(video=next(clips), task="emotion")
                    self.answered += 1
                except errors.EmotionLLaMAError as error:
                    self.failed.append(str(error))


def test_a_replica_that_drains_under_load_loses_no_request(replicas: Replicas) -> None:
    with Load(replicas.url) as load:
        load.wait_for(20)
        leaving = psutil.Process(replicas.pids[0])
        leaving.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert httpx2.get(f"{replicas.urls[0]}/readyz").status_code == 503
        psutil.wait_procs([leaving], timeout=60)
        load.wait_for(20)
    assert load.failed == []


def test_a_replica_that_is_killed_under_load_loses_at_most_what_was_inside(tmp_path: Path) -> None:
    with two_replicas(tmp_path) as replicas, Load(replicas.url) as load:
        load.wait_for(20)
        psutil.Process(replicas.pids[0]).kill()
        load.wait_for(40)
    assert len(load.failed) <= USERS
