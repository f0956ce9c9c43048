"""Runs random weights of the 7B's dimensions through the converter and the server.

    python -m benchmarks.full_size --work DIR

It writes the original's five artefacts with random values (about 17 GB), converts them to bfloat16
(the same size again), serves one request on the CPU, and prints the resources used as JSON. It
needs 40 GB of disk, and removes its files at the end. The answer is noise: only sizes, memory and
time matter.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from devtools.paths import CHECKOUT
from devtools.random_checkpoint import full_config, write_originals

PORTS = (17889, 17887)
CONFIG = CHECKOUT / "configs" / "emotion-llama-7b-cpu.yaml"
CLIP = CHECKOUT / "demo" / "clips" / "happy_face.mp4"


class MemoryWatch:
    """Records the peak memory in use on the machine, in GiB."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self.peak = max(self.peak, _used_gib())


def _used_gib() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return (kib["MemTotal"] - kib["MemAvailable"]) / 2**20


def run_convert(folder: Path, out: Path) -> dict[str, float]:
    command = [_executable(), "convert", "--dtype", "bfloat16", "--out", str(out)]
    for flag, name in {
        "--llama": "llama",
        "--eva": "eva_vit_g.pth",
        "--hubert": "hubert",
        "--checkpoint": "Emotion_LLaMA.pth",
    }.items():
        command += [flag, str(folder / name)]
    started = time.monotonic()
    with subprocess.Popen(command) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("The conversion failed.")
    return {
        "convert_seconds": round(time.monotonic() - started, 1),
        "convert_peak_rss_gib": round(usage.ru_maxrss / 2**20, 2),
    }


@contextmanager
def server(checkpoint: Path, log: Path) -> Iterator[str]:
    """Start the server, and yield its URL when it is ready."""
    port, legacy_port = PORTS
    command = [_executable(), "serve", str(checkpoint), "--config", str(CONFIG)]
    command += ["--media-root", str(CLIP.parent), "--port", str(port)]
    command += ["--legacy-port", str(legacy_port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        while "Emotion-LLaMA is ready" not in log.read_text(errors="replace"):
            if process.poll() is not None:
                raise SystemExit(log.read_text(errors="replace")[-3000:])
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def ask(url: str, text: str, tokens: int) -> dict[str, Any]:
    content = [
        {"type": "video_url", "video_url": {"url": CLIP.name}},
        {"type": "text", "text": text},
    ]
    body = {
        "model": "emotion-llama-7b",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": tokens,
        "ignore_eos": True,
    }
    started = time.monotonic()
    answer = httpx2.post(f"{url}/v1/chat/completions", json=body, timeout=600)
    answer.raise_for_status()
    return {"seconds": round(time.monotonic() - started, 1), **answer.json()["usage"]}


def measure(work: Path) -> dict[str, Any]:
    originals, checkpoint = work / "originals", work / "checkpoint"
    write_originals(originals, full_config())
    result: dict[str, Any] = {"memory_before_gib": round(_used_gib(), 2)}
    result |= run_convert(originals, checkpoint)
    size = sum(file.stat().st_size for file in checkpoint.iterdir())
    result["checkpoint_gib"] = round(size / 2**30, 2)
    shutil.rmtree(originals)
    with MemoryWatch() as watch:
        started = time.monotonic()
        with server(checkpoint, work / "log") as url:
            result["ready_seconds"] = round(time.monotonic() - started, 1)
            result["first"] = ask(url, "[emotion] Which emotion is this?", 8)
            result["second_question"] = ask(url, "[reason] Why?", 8)
    result["serve_peak_memory_in_use_gib"] = round(watch.peak, 2)
    return result


def _executable() -> str:
    return str(Path(sys.executable).with_name("emotion-llama"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    work: Path = parser.parse_args().work
    work.mkdir(parents=True)
    try:
        print(json.dumps(measure(work), indent=2))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
