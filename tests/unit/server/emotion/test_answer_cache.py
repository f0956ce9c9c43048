"""The cache of answers: what counts as the same request, and how much is kept."""

import pytest

from emotion_llama.schema import EmotionRequest, EmotionResponse, Evidence, Timing, Usage
from emotion_llama_server.emotion.answer_cache import AnswerCache
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.served import Served

SERVED = Served("demo", Card(), manifest="abc")


def answer(explanation: str) -> EmotionResponse:
    return EmotionResponse(
        id="emotion-1",
        model="demo",
        emotion="happy",
        confidence=0.9,
        probabilities={"happy": 0.9, "sad": 0.1},
        answer="happy",
        answer_matches=True,
        explanation=explanation,
        timeline=None,
        evidence=Evidence(
            frame_index=0,
            frame_time=0,
            frame_policy="first",
            audio_seconds=1,
            has_audio=True,
            features=[],
            checkpoint="demo",
            manifest=None,
            prompt="",
        ),
        usage=Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
        timing=Timing(fetch=0, decode=0, queue=None, first_token=None, total=0),
        notice="",
    )


def key(cache: AnswerCache, **fields: object) -> bytes | None:
    return cache.key("key:alice", b"clip", EmotionRequest.model_validate(fields), SERVED)


def test_off_by_default_nothing_is_kept() -> None:
    assert AnswerCache(0).is_off
    assert key(AnswerCache(0)) is None


def test_the_same_clip_is_the_same_wherever_it_came_from() -> None:
    cache = AnswerCache(1)
    assert key(cache, video="a.mp4") == key(cache, video="b.mp4", stream=True) == key(cache)


@pytest.mark.parametrize(
    "other",
    [
        {"transcript": "well"},
        {"labels": ["a", "b"]},
        {"task": "emotion"},
        {"frame": 1.0},
        {"timeline": {"window": 1, "step": 1}},
        {"seed": 1},
        {"max_tokens": 5},
    ],
)
def test_whatever_changes_the_answer_is_another_request(other: dict[str, object]) -> None:
    assert key(AnswerCache(1), **other) not in (None, key(AnswerCache(1)))


def test_another_clip_or_checkpoint_is_another_request() -> None:
    cache, request = AnswerCache(1), EmotionRequest()
    same = cache.key("", b"clip", request, SERVED)
    assert cache.key("", b"other", request, SERVED) != same
    assert cache.key("", b"clip", request, Served("demo", Card(), "def")) != same
    assert cache.key("", b"clip", request, Served("demo", Card(labels=["a", "b"]), "abc")) != same


def test_another_who_asks_the_same_finds_no_answer() -> None:
    cache, request = AnswerCache(1), EmotionRequest()
    owners = ("", "key:alice", "key:bob", "address:10.0.0.1", "address:10.0.0.2")
    keys = {cache.key(owner, b"clip", request, SERVED) for owner in owners}
    assert len(keys) == len(owners)


def test_chance_is_not_cached_unless_it_is_seeded() -> None:
    assert key(AnswerCache(1), temperature=0.5) is None
    assert key(AnswerCache(1), temperature=0.5, seed=1) is not None


def test_what_was_not_used_for_longest_gives_way() -> None:
    size = len(answer("x" * 100).model_dump_json())
    cache = AnswerCache(2.5 * size / 2**20)
    for name in (b"one", b"two"):
        cache.put(name, answer("x" * 100))
    assert cache.get(b"one") == answer("x" * 100)
    cache.put(b"three", answer("x" * 100))
    assert [cache.get(name) is not None for name in (b"one", b"two", b"three")] == [
        True,
        False,
        True,
    ]


def test_an_answer_that_is_too_large_is_not_kept() -> None:
    cache = AnswerCache(0.01)
    cache.put(b"one", answer("x" * 20_000))
    assert cache.get(b"one") is None


def test_an_answer_put_twice_counts_once() -> None:
    size = len(answer("x" * 100).model_dump_json())
    cache = AnswerCache(2.5 * size / 2**20)
    for name in (b"one", b"one", b"one", b"two"):
        cache.put(name, answer("x" * 100))
    assert cache.get(b"one") is not None
    assert cache.get(b"two") is not None
