"""The JavaScript client: its own tests, and those that need a server."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import CHECKOUT
from tests.support.server import Server

CLIP = CHECKOUT / "demo/clips/happy_face.mp4"


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the client, built: the checkout stays as it is."""
    if shutil.which("npm") is None:
        reason = "npm is not installed: the JavaScript client needs Node 20 or later."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sdk") / "js"
    built = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(CHECKOUT / "clients/js", folder, ignore=built)
    npm(folder, "ci")
    npm(folder, "run", "build")
    return folder


def npm(folder: Path, *words: str, **variables: str) -> str:
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


def passed(output: str) -> int:
    """How many tests Node reports as passed, in either of its forms."""
    counts = re.findall(r"^(?:#|ℹ) pass (\d+)$", output, re.MULTILINE)
    assert len(counts) == 1, output
    return int(counts[0])


def test_it_passes_its_own_tests(sdk: Path) -> None:
    assert passed(npm(sdk, "test")) > 0


def test_it_asks_a_running_server(server: Server, sdk: Path) -> None:
    variables = {"EMOTION_LLAMA_URL": server.url, "EMOTION_LLAMA_CLIP": str(CLIP)}
    assert passed(npm(sdk, "run", "test:live", **variables)) > 0
