"""The progress of loading weights."""

import pytest
import torch

from emotion_llama_vllm import stages
from emotion_llama_vllm.hooks import loading_progress
from tests.support.logs import hear_vllm


@pytest.fixture
def told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """The log of a start, in a world of one rank."""
    hear_vllm(caplog, monkeypatch)
    monkeypatch.setattr(loading_progress, "_numbers", lambda network: 100)
    monkeypatch.setenv("EMOTION_LLAMA_BEGUN", "0")
    caplog.set_level("INFO")
    return caplog


WEIGHTS = [(str(number), torch.zeros(10)) for number in range(10)]


def stages_of(told: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["stage"] for record in told.records if "stage" in record.__dict__]


def test_a_slow_one_tells_every_fifth_part(
    told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading_progress, "_SECONDS", 0)
    assert list(loading_progress.tell_progress(WEIGHTS, torch.nn.Module())) == WEIGHTS
    parts = [f"Loading weights {share} %" for share in (20, 40, 60, 80, 100)]
    assert stages_of(told) == ["Loading weights", *parts, "Preparing the engine"]


def test_a_quick_one_tells_only_that_it_begins(told: pytest.LogCaptureFixture) -> None:
    assert len(list(loading_progress.tell_progress(WEIGHTS, torch.nn.Module()))) == 10
    assert stages_of(told) == ["Loading weights", "Preparing the engine"]


def test_nothing_is_told_where_no_start_has_begun(
    told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMOTION_LLAMA_BEGUN")
    stages.tell("Importing vLLM")
    assert not told.records


def test_the_total_is_what_the_network_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading_progress, "get_tensor_model_parallel_world_size", lambda: 2)
    monkeypatch.setattr(loading_progress, "get_pp_group", lambda: torch.nn.Identity())
    monkeypatch.setattr(torch.nn.Identity, "world_size", 3, raising=False)
    assert loading_progress._numbers(torch.nn.Linear(4, 5)) == 25 * 2 * 3
