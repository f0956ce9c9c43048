"""The class that analyses clips without a server: its names, and its way through many clips."""

import asyncio
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from vllm.v1.engine.exceptions import EngineDeadError

import emotion_llama_vllm
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.offline import LocalEmotionLLaMA, read_file


def test_the_package_offers_the_class_by_its_name() -> None:
    assert emotion_llama_vllm.LocalEmotionLLaMA is LocalEmotionLLaMA


def test_programs_that_import_the_old_name_still_get_the_class() -> None:
    assert emotion_llama_vllm.EmotionLlama is LocalEmotionLLaMA


def test_only_a_server_transcribes() -> None:
    model = object.__new__(LocalEmotionLLaMA)  # the request is refused before an engine is needed
    with pytest.raises(FieldError, match="Only a server transcribes"):
        model.analyze(b"x", transcribe=True)


class Scripted(LocalEmotionLLaMA):
    """Answers with the fields of a request after its seconds, or raises its error."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()
        self.counts = Counter[str]()
        self.cancelled = Event()

    async def _decode_and_ask(self, video: Any, read: Any, fields: dict[str, Any]) -> Any:
        self.counts["now"] += 1
        self.counts["most"] = max(self.counts["now"], self.counts["most"])
        try:
            await asyncio.sleep(fields.get("seconds", 0))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.counts["now"] -= 1
        if "error" in fields:
            raise fields["error"]
        return fields


@pytest.fixture
def model() -> Any:
    return Scripted()


def test_the_results_have_the_order_of_the_clips(model: Any) -> None:
    seconds = {"slow": 0.05, "fast": 0.0}
    own = [
        (found.video_path, found.response)
        for found in model.analyze_many(
            seconds, own_fields=lambda clip: {"seconds": seconds[clip]}, task="reason"
        )
    ]
    assert own == [
        ("slow", {"task": "reason", "seconds": 0.05}),
        ("fast", {"task": "reason", "seconds": 0.0}),
    ]


def test_a_clip_that_fails_is_a_result_and_the_others_go_on(model: Any) -> None:
    error = OSError("gone")
    found = list(
        model.analyze_many(
            ["a", "bad", "b"], own_fields=lambda c: {"error": error} if c == "bad" else {}
        )
    )
    assert [one.error for one in found] == [None, error, None]
    assert [one.response is None for one in found] == [False, True, False]


def test_no_more_clips_are_begun_than_may_be_at_once(model: Any) -> None:
    read = []
    clips = (read.append(i) or str(i) for i in range(20))
    found = model.analyze_many(clips, at_once=3, seconds=0.001)
    next(found)
    assert len(read) == 3
    assert len(list(found)) == 19
    assert model.counts["most"] == 3


def test_an_engine_that_failed_is_no_error_of_a_clip(model: Any) -> None:
    with pytest.raises(EngineDeadError):
        list(model.analyze_many(["a"], error=EngineDeadError()))


def test_clips_that_nobody_waits_for_are_given_up(model: Any) -> None:
    found = model.analyze_many(["a", "b"], own_fields=lambda c: {"seconds": 60 * (c == "b")})
    next(found)
    found.close()
    assert model.cancelled.wait(10)


def test_a_name_is_a_path_if_nothing_else_reads_it(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"clip")
    assert read_file(tmp_path / "clip.mp4") == b"clip"
