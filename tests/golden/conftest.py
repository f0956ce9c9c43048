"""The golden set put through the converter, once."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from emotion_llama_vllm.checkpoint.convert import convert
from tests.support.golden import ORIGINALS
from tests.support.reference import Reference


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In float32, as the original computed."""
    folder = tmp_path_factory.mktemp("golden") / "checkpoint"
    convert(ORIGINALS, folder, dtype=torch.float32)
    return folder


@pytest.fixture(scope="session")
def golden_tokenizer(converted: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(converted)


@pytest.fixture(scope="session")
def plain(converted: Path) -> Reference:
    """The converted weights in plain torch and transformers."""
    return Reference(converted)
