"""The network with a small random checkpoint's weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from devtools.network import load_network
from tests.support.golden.reference import Reference


@pytest.fixture(scope="session")
def model(checkpoint: Path) -> Any:
    return load_network(checkpoint, "float32")


@pytest.fixture(scope="session")
def reference(checkpoint: Path) -> Reference:
    return Reference(checkpoint)


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield
