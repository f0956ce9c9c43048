"""Runs npm for the tests of JavaScript clients."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def require_npm() -> None:
    """Skip the test if there is no npm, or fail if everything must be tested."""
    if shutil.which("npm") is None:
        reason = "npm is not installed: the JavaScript client needs Node 20 or later."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def npm(folder: Path, *words: str, **variables: str) -> str:
    """Run npm in a folder with additional environment variables; return its output."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EMOTION_LLAMA_")}
    done = subprocess.run(
        ["npm", *words],
        cwd=folder,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
