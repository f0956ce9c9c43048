"""Decode workers: the same result as here, and what a hostile clip can do to the others."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import numpy as np
import psutil
import pytest
from prometheus_client import REGISTRY

from devtools.media import Recipe, make_clip
from devtools.paths import CHECKOUT
from emotion_llama.schema import EmotionRequest, TimelineRequest
from emotion_llama_vllm.analysis.clips import cut, decoding
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.first_frame import decode, warm_up
from emotion_llama_vllm.media.errors import DecodeTimeout, MediaError
from emotion_llama_vllm.media.workers.child import ENVIRONMENT
from emotion_llama_vllm.media.workers.decoder import InProcess
from emotion_llama_vllm.media.workers.pool import Workers
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Asker, asking
from tests.support.scripts import jobs, worker

SETTINGS = MediaSettings(decode_workers=2, decode_seconds=3, decode_memory_mb=512)
CLIP = make_clip(Recipe(seconds=3))


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    started = Workers(SETTINGS, 64)
    await started.warm_up()
    yield started
    await asyncio.to_thread(started.stop)


async def run(workers: Workers, job: Callable[[bytes], object], data: bytes = CLIP) -> object:
    with ClipFile.in_memory(data) as clip:
        return await workers.run(job, clip)


async def run_for(owner: str, workers: Workers, job: Callable[[bytes], object]) -> object:
    """Run a job as a request of this owner would; each task has an owner of its own."""
    asking.set(Asker(owner))
    return await run(workers, job)


def processes() -> set[int]:
    """The processes that this one and its descendants have started and that still run."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def restarts(cause: str) -> float:
    name = "emotion_llama_decode_worker_restarts_total"
    return REGISTRY.get_sample_value(name, {"cause": cause}) or 0.0


@pytest.mark.costly
async def test_a_worker_returns_what_decoding_here_does(workers: Workers) -> None:
    job = partial(decode, size=64, settings=SETTINGS)
    with ClipFile.in_memory(CLIP) as clip:
        there, here = await workers.run(job, clip), await InProcess().run(job, clip)
    np.testing.assert_array_equal(there.frame, here.frame)
    assert there.frame.shape == (64, 64, 3)
    assert there.waveform is not None
    assert here.waveform is not None
    np.testing.assert_array_equal(there.waveform, here.waveform)
    assert there.frame_time == here.frame_time


@pytest.mark.costly
async def test_a_worker_finds_faces_as_this_process_does_with_one_thread(workers: Workers) -> None:
    await workers.warm_up(partial(warm_up, for_faces=True))
    data = (CHECKOUT / "demo/clips/happy_face.mp4").read_bytes()
    job = partial(decode, size=64, face_rows=(0, 1), settings=SETTINGS)
    with ClipFile.in_memory(data) as clip:
        there, here = await workers.run(job, clip), await InProcess().run(job, clip)
    assert there.faces == here.faces
    assert there.face_crops is not None
    np.testing.assert_array_equal(there.face_crops, here.face_crops)
    assert await run(workers, jobs.count_opencv_threads) == 1


@pytest.mark.costly
async def test_a_timeline_comes_back_with_each_sample_once(workers: Workers) -> None:
    request = EmotionRequest(timeline=TimelineRequest(window=1, step=0.5))
    job = decoding(request, size=64, settings=SETTINGS)
    with ClipFile.in_memory(CLIP) as clip:
        timeline = cut(await workers.run(job, clip), request, 0)
    assert [window.start for window in timeline.windows] == [0, 0.5, 1, 1.5, 2]
    first, second = (window.clip.waveform for window in timeline.windows[:2])
    assert first is not None
    assert second is not None
    assert np.shares_memory(first, second)


@pytest.mark.costly
async def test_a_refused_clip_is_told_as_here(workers: Workers) -> None:
    with pytest.raises(MediaError, match="no video that can be read"):
        await run(workers, partial(decode, settings=SETTINGS), b"\x00" * 1000)


BAD = {
    "crash": (jobs.crash, 400, "crash"),
    "abort": (jobs.abort, 400, "crash"),
    "killed": (jobs.be_killed, 503, "killed"),
    "leave": (jobs.leave, 504, "deadline"),
    "hoard": (jobs.hoard, 400, None),
    "sleep": (jobs.sleep, 504, "deadline"),
    "spin": (jobs.spin, 504, None),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.costly
async def test_a_bad_clip_costs_its_own_request_and_no_other(workers: Workers, name: str) -> None:
    job, status, cause = BAD[name]
    before = restarts(cause or "")
    beside = asyncio.gather(*(run(workers, jobs.length) for _ in range(20)))
    with pytest.raises(MediaError) as caught:
        await run(workers, job)
    assert caught.value.status == status
    assert await beside == [len(CLIP)] * 20
    assert await asyncio.gather(*(run(workers, jobs.length) for _ in range(4))) == [len(CLIP)] * 4
    if cause:
        assert restarts(cause) == before + 1


@pytest.mark.costly
async def test_cpu_time_is_limited_where_the_clock_is_slow(workers: Workers) -> None:
    """On a busy machine the deadline is far off: a clip may still not take more CPU than it."""
    del workers
    patient = Workers(SETTINGS.model_copy(update={"decode_seconds": 1}), 64)
    try:
        started = time.monotonic()
        with pytest.raises(DecodeTimeout):
            await run(patient, jobs.spin)
        assert time.monotonic() - started < 10
    finally:
        await asyncio.to_thread(patient.stop)


async def test_a_worker_has_nothing_of_the_servers(workers: Workers) -> None:
    os.environ["EMOTION_LLAMA_TEST_SECRET"] = "x"
    try:
        found = await run(workers, jobs.look_around)
    finally:
        del os.environ["EMOTION_LLAMA_TEST_SECRET"]
    assert found == {"environment": ENVIRONMENT, "may gain privileges": False, "modules": []}


@pytest.mark.costly
@pytest.mark.parametrize("name", [["-m", worker.__name__], [worker.__file__]])
def test_a_worker_has_loaded_the_decoders_and_not_the_users_script(name: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *name],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        check=True,
    )
    modules = json.loads(done.stdout)
    assert "emotion_llama_vllm.media.decode.timeline" in modules
    assert Workers.__module__ not in modules  # the script's import


async def test_a_worker_writes_no_file(workers: Workers) -> None:
    with pytest.raises(OSError, match="too large"):
        await run(workers, jobs.write)


@pytest.mark.costly
async def test_workers_killed_between_two_clips_are_replaced(workers: Workers) -> None:
    for _ in range(3):
        victim = await run(workers, jobs.own_id)
        assert isinstance(victim, int)
        os.kill(victim, signal.SIGKILL)
        await asyncio.sleep(0.3)
        assert await run(workers, jobs.length) == len(CLIP)


@pytest.mark.costly
async def test_a_pool_whose_lock_is_lost_is_replaced(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the system kills a worker in the middle of its answer."""
    monkeypatch.setattr("emotion_llama_vllm.media.workers.pool._STUCK_SECONDS", 0.5)
    channel = workers._pool._pool_manager.worker_manager.workers_channel
    assert channel is not None
    lock = channel.mutex
    assert lock.acquire(timeout=5)
    with pytest.raises(DecodeTimeout):
        await run(workers, jobs.length)
    assert await run(workers, jobs.length) == len(CLIP)


@pytest.mark.costly
async def test_a_request_that_is_given_up_frees_its_worker(workers: Workers) -> None:
    given_up = [asyncio.ensure_future(run(workers, jobs.sleep)) for _ in range(6)]
    await asyncio.sleep(0.3)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    started = time.monotonic()
    assert await run(workers, jobs.length) == len(CLIP)
    assert time.monotonic() - started < 2.5  # those that were given up would take 3 s
    assert REGISTRY.get_sample_value("emotion_llama_decodes_in_flight") == 0


@pytest.mark.costly
async def test_a_worker_is_replaced_after_so_many_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emotion_llama_vllm.media.workers.pool._CLIPS_PER_WORKER", 3)
    workers = Workers(SETTINGS.model_copy(update={"decode_workers": 1}), 64)
    try:
        ids = [await run(workers, jobs.own_id) for _ in range(7)]
    finally:
        await asyncio.to_thread(workers.stop)
    assert len(set(ids)) == 3


async def test_clips_wait_for_a_worker(workers: Workers) -> None:
    """More clips than workers: all are decoded, and none is handed over before its turn."""
    waiting: list[Awaitable[object]] = [run(workers, jobs.length) for _ in range(50)]
    assert await asyncio.gather(*waiting) == [len(CLIP)] * 50


@pytest.mark.costly
async def test_one_owners_endless_clips_leave_a_worker_for_another(workers: Workers) -> None:
    hostile = [asyncio.create_task(run_for("hostile", workers, jobs.sleep)) for _ in range(8)]
    await asyncio.sleep(0.3)
    started = time.monotonic()
    honest = [asyncio.create_task(run_for("honest", workers, jobs.length)) for _ in range(10)]
    assert await asyncio.gather(*honest) == [len(CLIP)] * 10
    # The deadline of a clip is 3 s: whoever waits for one of the hostile ones waits that long.
    assert time.monotonic() - started < 2.5
    assert not any(task.done() for task in hostile)
    for task in hostile:
        task.cancel()
    await asyncio.gather(*hostile, return_exceptions=True)
    assert REGISTRY.get_sample_value("emotion_llama_decodes_in_flight") == 0


@pytest.mark.costly
async def test_many_owners_take_turns(workers: Workers) -> None:
    """One that comes last with one clip does not wait for all clips of the first."""
    done: list[str] = []

    async def decode_for(owner: str) -> None:
        await run_for(owner, workers, jobs.nap)
        done.append(owner)

    many = [asyncio.create_task(decode_for("a")) for _ in range(12)]
    many += [asyncio.create_task(decode_for("b")) for _ in range(12)]
    await asyncio.sleep(0.05)
    await asyncio.create_task(decode_for("c"))
    assert done.count("a") + done.count("b") <= 8
    await asyncio.gather(*many)


@pytest.mark.costly
async def test_the_reserve_starts_when_a_second_owner_needs_it(workers: Workers) -> None:
    before = processes()
    alone = [asyncio.create_task(run_for("a", workers, jobs.length)) for _ in range(20)]
    await asyncio.gather(*alone)
    assert processes() == before
    both = [asyncio.create_task(run_for(owner, workers, jobs.nap)) for owner in "aaab"]
    await asyncio.gather(*both)
    assert len(processes() - before) == 1


@pytest.mark.costly
async def test_a_reserve_that_breaks_is_replaced(workers: Workers) -> None:
    for _ in range(2):
        hostile = [asyncio.create_task(run_for("a", workers, jobs.sleep)) for _ in range(2)]
        await asyncio.sleep(0.1)
        victim = await asyncio.create_task(run_for("b", workers, jobs.own_id))
        assert isinstance(victim, int)
        os.kill(victim, signal.SIGKILL)
        await asyncio.sleep(0.3)
        assert await asyncio.create_task(run_for("b", workers, jobs.length)) == len(CLIP)
        for task in hostile:
            task.cancel()
        await asyncio.gather(*hostile, return_exceptions=True)
