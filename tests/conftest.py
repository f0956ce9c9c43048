"""Fixtures that several folders of tests use."""

import os
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from demo.random_checkpoint import write_random_checkpoint
from emotion_llama_vllm.config import EmotionLlamaConfig

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint with random weights."""
    folder = tmp_path_factory.mktemp("random") / "checkpoint"
    write_random_checkpoint(folder)
    return folder


@pytest.fixture(scope="session")
def config(checkpoint: Path) -> EmotionLlamaConfig:
    return EmotionLlamaConfig.from_pretrained(checkpoint)


@pytest.fixture(scope="session")
def tokenizer(checkpoint: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(checkpoint)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of ours or vLLM's from outside, and what a test sets is gone after it."""
    for name in list(os.environ):
        if name.startswith(("EMOTION_LLAMA_", "VLLM_")):
            monkeypatch.delenv(name)
    return monkeypatch
