"""Measures the demo's start: the total time, its steps, and the memory afterwards.

    python -m benchmarks.start [--quick]

It runs `emotion-llama serve` without arguments three times. The disk cache is warm if a similar
program ran before, such as the other recipes of `make bench`.
"""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import report
from devtools.server import free_port

MODULE = "benchmarks.start"
STEPS = {
    "imports and settings": "Multi-modal warmup completed",
    "the engine's process": "Initializing a V1 LLM engine",
    "weights": "Loading weights took|Model loading took",
    "the engine: attention cache, first batches": "init engine",
    "routes, decode workers, a first answer": "Emotion-LLaMA is ready",
}
"""Maps each step to the log line that marks its end."""
_END = "Emotion-LLaMA is ready"
_MOST_SECONDS = 300


def start() -> dict[str, Any]:
    """Start the demo once, and end it."""
    command = [str(Path(sys.executable).with_name("emotion-llama")), "serve"]
    command += ["--port", str(free_port()), "--legacy-port", str(free_port())]
    command += ["--log-level", "info"]  # the steps are read from vLLM's lines
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        try:
            reached = dict(_reached(process.stdout, began))
            memory = _memory_mib(process.pid)
        finally:
            process.terminate()
            for _ in process.stdout:  # without this the server could block on its last lines
                pass
    return {"ready": reached[list(STEPS)[-1]], "steps": _durations(reached), "memory_mib": memory}


def _reached(lines: Iterator[str], began: float) -> Iterator[tuple[str, float]]:
    """Yield each step with the seconds until its end."""
    left = dict(STEPS)
    for line in lines:
        passed = time.monotonic() - began
        for step, pattern in list(left.items()):
            if re.search(pattern, line):
                del left[step]
                yield step, passed
        if not left or _END in line:
            return
        if passed > _MOST_SECONDS:
            break
    raise SystemExit("The server did not get ready.")


def _durations(reached: dict[str, float]) -> dict[str, float]:
    """Return the duration of each step in seconds."""
    durations, before = {}, 0.0
    for step in (step for step in STEPS if step in reached):
        durations[step] = reached[step] - before
        before = reached[step]
    return durations


def _memory_mib(pid: int) -> dict[str, int]:
    """Return the proportional set size of each process, which counts shared pages once."""
    server = psutil.Process(pid)
    found: dict[str, int] = {}
    for process in (server, *server.children(recursive=True)):
        name = "server" if process.pid == pid else _role(process)
        found[name] = found.get(name, 0) + process.memory_full_info().pss // 2**20
    return found


def _role(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    if "VLLM::" in line:
        return line.split()[0].removeprefix("VLLM::").lower()
    return "decode workers" if "forkserver" in line else "others"


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    runs = [start() for _ in range(1 if options.quick else 3)]
    found = {
        "runs": len(runs),
        "ready_seconds": _median([run["ready"] for run in runs]),
        "steps_seconds": {
            step: _median([run["steps"].get(step, 0.0) for run in runs]) for step in STEPS
        },
        "memory_mib": runs[-1]["memory_mib"],
    }
    report.write(options.out, MODULE, found)


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 1)


if __name__ == "__main__":
    main()
