"""What the server says when its engine dies."""

from types import SimpleNamespace
from typing import Any

import pytest

from emotion_llama_server.start import lifecycle, memory_kills
from emotion_llama_server.start.lifecycle import EXIT_ENGINE_DEAD, Lifecycle


@pytest.mark.parametrize("kills", [0, 1])
async def test_an_engine_that_the_kernel_ended_for_memory_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    counts, told = iter([3, 3 + kills]), list[str]()
    monkeypatch.setattr(memory_kills, "count_kills", lambda: next(counts))
    monkeypatch.setattr(lifecycle, "end_process_within", lambda seconds, exit_code: None)
    monkeypatch.setattr(lifecycle.logger, "error", told.append)
    doorkeeper: Any = SimpleNamespace(inside=0, turn_out=lambda words: None)
    engine: Any = SimpleNamespace(errored=True)
    ended = Lifecycle(doorkeeper, engine, drain_seconds=0)
    await ended._watch_engine()
    assert ended.exit_code == EXIT_ENGINE_DEAD
    assert told[0] == "The engine has died."
    assert ["lower --kv-cache-memory-bytes" in words for words in told[1:]] == [True] * kills
