"""Each sound is transcribed once, in pieces, by so many at once, and before its deadline."""

import asyncio
from dataclasses import replace

import httpx2
import numpy as np
import pytest

from emotion_llama.schema import EmotionRequest
from emotion_llama_server.transcripts import service, sound
from emotion_llama_server.transcripts.errors import TranscriptionError, TranscriptionTimeout
from emotion_llama_server.transcripts.service import Service
from emotion_llama_server.transcripts.transcriber import AT_ONCE, Transcriber
from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.shares import Asker, asking, with_reserve
from tests.support.apps.gate import until
from tests.support.services.transcription import Asked, FakeService, said

FRAME = np.zeros((1, 1, 3), np.uint8)


def clip(seed: int = 0, seconds: float = 1) -> Clip:
    samples = np.random.default_rng(seed).uniform(-1, 1, round(16_000 * seconds))
    return Clip(FRAME, samples.astype(np.float32))


def transcriber(fake: FakeService, *, seconds: float = 60, kept: int = 1 << 20) -> Transcriber:
    url = "http://service.test/v1/audio/translations"
    return Transcriber(Service(url, "m", transport=fake), seconds, False, kept)


async def words(made: Transcriber, of: Clip, *, with_times: bool = False) -> str:
    heard = await made.hear(of, with_times=with_times)
    assert heard is not None
    return heard.text


async def test_a_clip_is_transcribed_once() -> None:
    fake = FakeService()
    made = transcriber(fake)
    assert [await words(made, clip()) for _ in range(3)] == ["Hello there!"] * 3
    assert len(fake.asked) == 1
    await words(made, clip(seed=1))
    await words(made, clip(), with_times=True)
    assert len(fake.asked) == 3


async def test_another_owner_cannot_tell_that_a_clip_was_sent_before() -> None:
    fake = FakeService()
    made = transcriber(fake)
    for owner in ("ann", "bob"):
        asking.set(Asker(owner))
        await words(made, clip())
    assert len(fake.asked) == 2


async def test_nothing_is_kept_without_a_cache_of_clips() -> None:
    fake = FakeService()
    made = transcriber(fake, kept=0)
    await words(made, clip())
    await words(made, clip())
    assert len(fake.asked) == 2


async def test_a_failure_is_not_kept_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAUSE", 0)
    fake = FakeService(lambda _: httpx2.Response(500))
    made = transcriber(fake)
    counter = metrics.transcription_failures.labels("status")
    before = counter._value.get()
    with pytest.raises(TranscriptionError):
        await words(made, clip())
    assert counter._value.get() == before + 1
    fake.answer = lambda _: said("Now.")
    assert await words(made, clip()) == "Now."


@pytest.mark.parametrize("silent", [Clip(FRAME, None), clip(seconds=0.05)], ids=["none", "short"])
async def test_no_sound_is_not_sent(silent: Clip) -> None:
    fake = FakeService()
    assert await transcriber(fake).hear(silent, with_times=False) is None
    assert fake.asked == []


async def test_a_long_sound_goes_in_equal_pieces_whose_times_are_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sound, "_MOST", 16_000)
    fake = FakeService(lambda _: said("Yes.", (0.1, 0.5, "Yes.")))
    whole = clip(seconds=2.4)
    heard = await transcriber(fake).hear(whole, with_times=True)
    assert heard is not None
    assert whole.waveform is not None
    assert heard.text == "Yes. Yes. Yes."
    assert [segment.start for segment in heard.segments or ()] == pytest.approx([0.1, 0.9, 1.7])
    sent = np.concatenate([asked.samples for asked in fake.asked])
    np.testing.assert_allclose(sent, whole.waveform, atol=1 / 32767)


async def _hang(_: Asked) -> httpx2.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_service_that_hangs_costs_no_more_than_the_deadline() -> None:
    made = transcriber(FakeService(_hang), seconds=0.01)
    with pytest.raises(TranscriptionTimeout, match=r"within 0\.01 s") as caught:
        await words(made, clip())
    assert caught.value.status == 504


async def test_the_wait_for_a_place_counts_too() -> None:
    made = transcriber(FakeService(_hang), seconds=0.01)
    waiting = [words(made, clip(seed)) for seed in range(3 * AT_ONCE)]
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(failure) for failure in failures} == {TranscriptionTimeout}
    assert made._places.taken == 0


async def test_one_key_has_so_many_at_once_and_leaves_places_to_others() -> None:
    goes_on = asyncio.Event()

    async def wait(_: Asked) -> httpx2.Response:
        await goes_on.wait()
        return said()

    fake = FakeService(wait)
    made = transcriber(fake)

    async def ask(owner: str, seed: int) -> str:
        asking.set(Asker(owner))
        return await words(made, clip(seed))

    tasks = [asyncio.create_task(ask("ann", seed)) for seed in range(2 * AT_ONCE)]
    await until(lambda: len(fake.asked) == AT_ONCE)
    tasks += [asyncio.create_task(ask("bob", seed)) for seed in range(2 * AT_ONCE)]
    await until(lambda: len(fake.asked) == with_reserve(AT_ONCE))
    assert made._places.held("ann") == AT_ONCE
    goes_on.set()
    assert await asyncio.gather(*tasks) == ["Hello there!"] * 4 * AT_ONCE


@pytest.mark.parametrize(
    ("fields", "when_asked", "when_automatic"),
    [
        ({}, False, True),
        ({"transcribe": True}, True, True),
        ({"transcribe": False}, False, False),
        ({"transcript": " "}, False, True),
        ({"transcript": "Given."}, False, False),
    ],
)
def test_which_requests_are_transcribed(
    fields: dict[str, object], when_asked: bool, when_automatic: bool
) -> None:
    made, request = transcriber(FakeService()), EmotionRequest.model_validate(fields)
    assert made.is_wanted(request) is when_asked
    assert replace(made, is_automatic=True).is_wanted(request) is when_automatic
