"""Every unit test starts with the environment that the run started with."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def unchanged_environment() -> Iterator[None]:
    """Undo what a test changes in the environment, as the server's start sets variables in it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
