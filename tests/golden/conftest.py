"""The converted golden set, as plain transformers sees it."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from tests.support.reference import Reference


@pytest.fixture(scope="session")
def golden_tokenizer(converted: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(converted)


@pytest.fixture(scope="session")
def plain(converted: Path) -> Reference:
    """The converted weights in plain torch and transformers."""
    return Reference(converted)
