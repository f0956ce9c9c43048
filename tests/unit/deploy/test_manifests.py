"""The manifests for those who use no Helm."""

import subprocess
import sys

from devtools.paths import CHECKOUT

FOLDER = CHECKOUT / "deploy/kubernetes"


def test_the_plain_manifests_are_those_of_the_chart() -> None:
    command = [sys.executable, FOLDER / "render.py"]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert (FOLDER / "emotion-llama.yaml").read_text(encoding="utf-8") == made
