"""What tools say about the images' files, and what they share with the rest of the checkout.

tests/e2e/test_image.py builds an image and runs it.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from devtools.paths import CHECKOUT
from emotion_llama import __version__

DOCKERFILE = CHECKOUT / "deploy/docker/Dockerfile"
PROGRAMS = Path(sys.executable).parent


def test_hadolint_finds_nothing_to_correct() -> None:
    command = [PROGRAMS / "hadolint", DOCKERFILE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_for_gpus_is_made_of_the_pinned_vllm() -> None:
    pinned = re.search(r"\bvllm==([\d.]+)", (CHECKOUT / "pyproject.toml").read_text())
    assert pinned is not None
    assert f"vllm/vllm-openai:v{pinned[1]}\n" in DOCKERFILE.read_text()


def test_both_images_run_alike() -> None:
    _, cpu, gpu = re.split(r"^FROM .+ AS (?:cpu|gpu)$", DOCKERFILE.read_text(), flags=re.MULTILINE)
    ends = [re.sub(r"period=\d+m", "", part[part.index("USER ") :]) for part in (cpu, gpu)]
    assert ends[0].partition("\n\n")[0] == ends[1].rstrip()
    assert ends[1].startswith("USER 10001:0\n")
    assert all("install --directory --mode 1777 /var/lib/emotion-llama\n" in p for p in (cpu, gpu))


def test_the_wheels_files_and_no_others_reach_the_build() -> None:
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert all((CHECKOUT / path).exists() for path in kept)
    assert ignored.index("*") < min(ignored.index(f"!{path}") for path in kept)
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    beside = {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "deploy/constraints"}
    folders = {path for path in kept if any(Path(part).is_relative_to(path) for part in wheel)}
    assert kept - folders == beside
    assert [part for part in wheel if not any(Path(part).is_relative_to(f) for f in folders)] == []


def test_make_builds_the_image_of_this_version() -> None:
    command = ["make", "-n", "-C", CHECKOUT, "image", "TARGET=cpu"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"--target cpu --tag emotion-llama:{__version__}-cpu" in told
