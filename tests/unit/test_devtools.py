"""What the tests themselves rely on."""

import os
from pathlib import Path

import pytest

from devtools.media import Recipe, make_clip
from devtools.server import running


def test_a_clip_is_made_without_a_change_of_scheduling() -> None:
    before = os.sched_getscheduler(0)
    make_clip(Recipe(video="libsvtav1", audio=None, seconds=0.3))
    assert os.sched_getscheduler(0) == before


def test_what_a_server_has_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    log, held = tmp_path / "log", tmp_path / "held"
    os.mkfifo(held)
    child = f"(sleep 60; echo I outlived it) >{held} &"
    command = ["sh", "-c", f"{child} echo ${{VLLM_LOGGING_LEVEL-unset}} $GIVEN; wait"]
    with running(command, log, lambda: "given" in log.read_text(), {"GIVEN": "given"}):
        pipe = held.open()
    with pipe:
        assert not pipe.read()
    assert log.read_text() == "unset given\n"


def test_a_server_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no model >&2; exit 3"]
    with (
        pytest.raises(RuntimeError, match=r"exit 3\):\nno model"),
        running(command, tmp_path / "log", lambda: False, {}),
    ):
        pass
