"""The cache of decoded clips: what is decoded again, and what gives way."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from devtools.media import Recipe, make_clip
from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.analysis.clips import decoding
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.media.workers import decoder as decoders
from emotion_llama_vllm.media.workers.cache import ClipCache
from emotion_llama_vllm.media.workers.decoder import InProcess
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Asker, asking

SETTINGS = MediaSettings()
SIZE = 4
KIBIBYTE = 2**-10


class Counting:
    """A decoder that tells how often it was asked."""

    size = SIZE

    def __init__(self) -> None:
        self.runs = 0

    async def run(self, job: Callable[[bytes], Any], clip: ClipFile) -> Any:
        self.runs += 1
        return job(clip.read())


@pytest.fixture
def decoder() -> Counting:
    return Counting()


def painted(data: bytes, size: int) -> Clip:
    """A clip of one byte, `size` times."""
    return Clip(np.full((1, size, 1), data[0], np.uint8), waveform=None)


async def ask(cache: ClipCache, data: bytes, size: int = 400) -> Clip:
    with ClipFile.in_memory(data) as clip:
        return await cache.run(partial(painted, size=size), clip)


async def test_the_same_bytes_are_decoded_once(decoder: Counting) -> None:
    cache = ClipCache(decoder, 1)
    once, again = await ask(cache, b"a"), await ask(cache, b"a")
    assert once is again
    assert once.frame[0, 0, 0] == ord("a")
    assert decoder.runs == 1


async def test_other_bytes_or_another_job_are_not(decoder: Counting) -> None:
    cache = ClipCache(decoder, 1)
    found = [await ask(cache, b"a"), await ask(cache, b"b"), await ask(cache, b"a", size=200)]
    assert [(clip.frame[0, 0, 0], clip.nbytes) for clip in found] == [
        (97, 400),
        (98, 400),
        (97, 200),
    ]
    assert decoder.runs == 3


async def test_another_who_asks_about_it_waits_for_decoding_as_for_any_clip(
    decoder: Counting,
) -> None:
    cache = ClipCache(decoder, 1)
    for runs, owner in enumerate(("key:alice", "key:bob", "address:10.0.0.1"), start=1):
        asking.set(Asker(owner))
        for _ in range(2):
            await ask(cache, b"a")
            assert decoder.runs == runs


async def test_what_was_not_used_for_longest_gives_way(decoder: Counting) -> None:
    cache = ClipCache(decoder, KIBIBYTE)
    for data in (b"a", b"b", b"a", b"c"):
        await ask(cache, data)
    assert decoder.runs == 3
    await ask(cache, b"a")
    assert decoder.runs == 3
    await ask(cache, b"b")
    assert decoder.runs == 4


@pytest.mark.parametrize(("megabytes", "size"), [(0, 1), (KIBIBYTE, 1025)])
async def test_what_is_too_large_is_not_kept(
    decoder: Counting, megabytes: float, size: int
) -> None:
    cache = ClipCache(decoder, megabytes)
    for _ in range(2):
        assert (await ask(cache, b"a", size)).nbytes == size
    assert decoder.runs == 2


async def test_a_refusal_is_not_kept(decoder: Counting) -> None:
    cache = ClipCache(decoder, 1)
    with ClipFile.in_memory(b"no clip") as clip:
        for _ in range(2):
            with pytest.raises(MediaError):
                await cache.run(partial(decode, settings=SETTINGS), clip)
    assert decoder.runs == 2


class Gated(Counting):
    """A decoder that waits for `gate`, and reads its clip only then, as a busy worker does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def run(self, job: Callable[[bytes], Any], clip: ClipFile) -> Any:
        self.runs += 1
        await self.gate.wait()
        return job(clip.read())


async def until_all_wait() -> None:
    """Let every question pass its digest, which a thread computes."""
    await asyncio.sleep(0.05)


async def test_first_questions_that_come_together_decode_a_clip_once() -> None:
    decoder = Gated()
    cache = ClipCache(decoder, 1)
    asked = [asyncio.create_task(ask(cache, b"a")) for _ in range(8)]
    await until_all_wait()
    decoder.gate.set()
    first, *others = await asyncio.gather(*asked)
    assert all(clip is first for clip in others)
    assert decoder.runs == 1


async def test_a_clip_too_large_to_keep_is_decoded_once_for_those_that_wait() -> None:
    decoder = Gated()
    cache = ClipCache(decoder, KIBIBYTE)
    asked = [asyncio.create_task(ask(cache, b"a", size=1025)) for _ in range(3)]
    await until_all_wait()
    decoder.gate.set()
    assert [clip.nbytes for clip in await asyncio.gather(*asked)] == [1025] * 3
    assert decoder.runs == 1


async def test_two_owners_that_come_together_decode_for_themselves() -> None:
    decoder = Gated()
    cache = ClipCache(decoder, 1)
    asked = []
    for owner in ("key:alice", "key:bob"):
        asking.set(Asker(owner))
        asked.append(asyncio.create_task(ask(cache, b"a")))
    await until_all_wait()
    assert decoder.runs == 2
    decoder.gate.set()
    await asyncio.gather(*asked)


async def test_a_cancelled_first_question_leaves_the_others_their_clip() -> None:
    decoder = Gated()
    cache = ClipCache(decoder, 1)
    first, *others = [asyncio.create_task(ask(cache, b"a")) for _ in range(4)]
    await until_all_wait()
    first.cancel()
    await asyncio.wait({first})
    await until_all_wait()
    assert decoder.runs == 2  # one of the others decodes its own file
    decoder.gate.set()
    assert [clip.frame[0, 0, 0] for clip in await asyncio.gather(*others)] == [ord("a")] * 3
    assert first.cancelled()
    assert decoder.runs == 2


async def test_a_cancelled_later_question_stops_nothing() -> None:
    decoder = Gated()
    cache = ClipCache(decoder, 1)
    first, later = [asyncio.create_task(ask(cache, b"a")) for _ in range(2)]
    await until_all_wait()
    later.cancel()
    await asyncio.wait({later})
    decoder.gate.set()
    assert (await first).nbytes == 400
    assert later.cancelled()
    assert decoder.runs == 1


async def test_questions_that_come_together_share_an_error_and_later_ones_do_not() -> None:
    decoder = Gated()
    cache = ClipCache(decoder, 1)

    async def fail() -> None:
        with ClipFile.in_memory(b"no clip") as clip:
            await cache.run(partial(decode, settings=SETTINGS), clip)

    asked = [asyncio.create_task(fail()) for _ in range(3)]
    await until_all_wait()
    decoder.gate.set()
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in errors] == [MediaError] * 3
    assert decoder.runs == 1
    with pytest.raises(MediaError):
        await fail()
    assert decoder.runs == 2


async def test_chat_and_emotion_share_a_clip(decoder: Counting) -> None:
    cache = ClipCache(decoder, 1)
    with ClipFile.in_memory(make_clip(Recipe(seconds=1))) as clip:
        await cache.run(partial(decode, size=SIZE, settings=SETTINGS), clip)
        asked = EmotionRequest(question="Why?")
        await cache.run(decoding(asked, size=SIZE, settings=SETTINGS), clip)
        assert decoder.runs == 1
        other = EmotionRequest(frame="middle")
        await cache.run(decoding(other, size=SIZE, settings=SETTINGS), clip)
    assert decoder.runs == 2


async def test_crops_belong_to_the_key_and_further_questions_share_them(
    decoder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "media_settings", lambda: SETTINGS)
    cache = ClipCache(decoder, 1)
    with ClipFile.in_memory(make_clip(Recipe(seconds=1))) as clip:
        plain = decoding(EmotionRequest(), size=SIZE, settings=SETTINGS)
        without = await cache.run(plain, clip)
        try:
            decoders.use(cache, face_rows=(0, 1))
            with_faces = await decoders.decode_clip(clip)
        finally:
            decoders.use(InProcess())
        assert decoder.runs == 2
        assert (without.faces, with_faces.faces is None) == (None, False)
        asked = EmotionRequest(question="Why?")
        again = await cache.run(
            decoding(asked, size=SIZE, face_rows=(0, 1), settings=SETTINGS), clip
        )
        assert again is with_faces
        fewer = SETTINGS.model_copy(update={"face_frames": 17})
        await cache.run(decoding(asked, size=SIZE, face_rows=(0, 1), settings=fewer), clip)
    assert decoder.runs == 3


def test_the_first_frame_is_the_same_either_way() -> None:
    """What `decoding` takes for granted."""
    source = make_clip(Recipe(seconds=2))
    one = decode(source, settings=SETTINGS)
    other = record(source, frame="first", settings=SETTINGS).cut().whole
    np.testing.assert_array_equal(one.frame, other.frame)
    np.testing.assert_array_equal(one.waveform, other.waveform)
    assert (one.frame_index, one.frame_time) == (other.frame_index, other.frame_time)


def test_arrays_are_what_counts() -> None:
    wave, rows = np.zeros(10, np.float32), np.zeros((3, 5), np.float32)
    assert Clip(np.zeros((2, 2, 3), np.uint8), wave, features=rows).nbytes == 12 + 40 + 60
    recording = record(make_clip(Recipe(seconds=2)), window=1, step=1, size=SIZE, settings=SETTINGS)
    assert recording.sound is not None
    assert recording.nbytes == 2 * SIZE * SIZE * 3 + recording.sound.nbytes
