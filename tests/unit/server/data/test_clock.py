"""A clock that is set while the server runs expires nothing."""

import time

import pytest

from emotion_llama_server.data.clock import Clock


@pytest.mark.parametrize("jump", [10**9, -(10**9)])
def test_a_jump_of_the_machines_clock_moves_nothing(
    monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    clock, before = Clock(), time.time()
    monkeypatch.setattr(time, "time", lambda: before + jump)
    assert abs(clock.now() - before) < 5


def test_the_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    before, running = clock.now(), time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "clock_gettime", lambda kind: running + 3600)
    assert clock.now() - before in (3600, 3601)
