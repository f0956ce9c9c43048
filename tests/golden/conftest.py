"""The converted golden set, as plain transformers sees it."""

import shutil
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from emotion_llama_vllm.checkpoint.add_encoders import add_encoders
from tests.support.golden.faces import FACE_MAE, VIDEO_MAE
from tests.support.golden.reference import Reference


@pytest.fixture(scope="session")
def golden_tokenizer(converted: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(converted)


@pytest.fixture(scope="session")
def with_golden_faces(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random checkpoint with the golden face encoders."""
    folder = tmp_path_factory.mktemp("faces") / "checkpoint"
    shutil.copytree(checkpoint, folder)
    add_encoders(folder, face_mae=FACE_MAE, video_mae=VIDEO_MAE)
    return folder


@pytest.fixture(scope="session")
def plain(converted: Path) -> Reference:
    """The converted weights in plain torch and transformers."""
    return Reference(converted)
