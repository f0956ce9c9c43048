"""Fixtures that several folders of tests use, and which tests share a worker of
pytest-xdist.

The fixtures import what they need when a test asks for them: PyTorch's and transformers' import
takes longer than all tests of the client.
"""

import gc
import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from emotion_llama_vllm.config import EmotionLlamaConfig

# Threads that wait for each other cost these small networks most. PyTorch reads it at its import.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_WITH_ONE_ENGINE = ("tests/e2e/page/", "tests/e2e/")
"""The folders whose files share one engine. The page's files have one of their own, because
processes that share the tests end sooner than one that has most of them."""


class _ByEngine(LoadFileScheduling):
    """Gives the tests of a file, or of the files with one engine, to one worker in their order."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (folder for folder in _WITH_ONE_ENGINE if nodeid.startswith(folder))
        return next(shared, super()._split_scope(nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while the tests are imported, and never among what these imports made.

    The searches took 8 of the 18 seconds of each process that collects all tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    return _ByEngine(config, log)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint with random weights."""
    from devtools.small_checkpoint import write_random_checkpoint

    folder = tmp_path_factory.mktemp("random") / "checkpoint"
    write_random_checkpoint(folder)
    return folder


@pytest.fixture(scope="session")
def config(checkpoint: Path) -> "EmotionLlamaConfig":
    from emotion_llama_vllm.config import EmotionLlamaConfig

    return EmotionLlamaConfig.from_pretrained(checkpoint)


@pytest.fixture(scope="session")
def tokenizer(checkpoint: Path) -> "PreTrainedTokenizerFast":
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(checkpoint)


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden set put through the converter, in float32, as the original computed."""
    import torch

    from emotion_llama_vllm.checkpoint.convert import convert
    from tests.support.golden.original import ORIGINALS

    folder = tmp_path_factory.mktemp("golden") / "checkpoint"
    convert(ORIGINALS, folder, dtype=torch.float32)
    return folder


@pytest.fixture
def log_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the log of this process to pytest, where a test starts the server in it."""
    from emotion_llama_server.start import log

    monkeypatch.setattr(log, "configure", lambda wanted: None)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of ours or vLLM's from outside, and what a test sets is gone after it."""
    for name in list(os.environ):
        if name.startswith(("EMOTION_LLAMA_", "VLLM_")):
            monkeypatch.delenv(name)
    return monkeypatch
