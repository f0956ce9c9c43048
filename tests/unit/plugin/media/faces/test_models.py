"""The networks that come with the package: unchanged, licensed, and in the wheel."""

import hashlib
import re
import subprocess
import sys
import tomllib

from devtools.paths import CHECKOUT
from emotion_llama_vllm.media.faces import networks

SOURCES = (networks.FOLDER / "SOURCES.md").read_text(encoding="utf-8")


def test_each_network_is_the_one_that_its_source_published() -> None:
    told = dict(re.findall(r"`(\S+\.tflite)` .* `([0-9a-f]{64})`", SOURCES))
    files = {file.name: file.read_bytes() for file in networks.FOLDER.glob("*.tflite")}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == told
    assert set(told) == {networks.DETECTOR, networks.LANDMARKS, networks.BLENDSHAPES}


def test_the_licence_lies_beside_them() -> None:
    assert "Apache License" in (networks.FOLDER / "LICENSE").read_text(encoding="utf-8")[:100]
    notice = " ".join((CHECKOUT / "NOTICE").read_text(encoding="utf-8").split())
    assert "media/faces/models" in notice


def test_the_wheel_takes_them_along() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert any(networks.FOLDER.is_relative_to(CHECKOUT / place) for place in wheel["only-include"])
    assert all(place.startswith("clients/page/") for place in wheel["exclude"])


def test_loading_one_writes_nothing_to_standard_error() -> None:
    load = "from emotion_llama_vllm.media.faces import networks as n; n.load(n.BLENDSHAPES)"
    process = subprocess.run([sys.executable, "-c", load], capture_output=True, check=True)
    assert process.stderr == b""
