"""The encoders' own number of threads."""

import pytest
import torch

from emotion_llama_vllm.hooks.encoder_threads import ENCODER_THREADS, encoder_threads


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_torch_computes_with_the_encoders_threads_and_then_as_before(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv(ENCODER_THREADS, str(threads))
    with encoder_threads():
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == before


def test_torchs_threads_stay_without_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENCODER_THREADS, raising=False)
    before = torch.get_num_threads()
    with encoder_threads():
        assert torch.get_num_threads() == before
