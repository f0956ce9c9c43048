"""Runs the scripts beside it in processes of their own, among them requests for `vllm.LLM`."""

import pickle
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PENALTY = "generated_repetition_penalty"


@dataclass(frozen=True)
class Job:
    """Describes one request: a prompt (text, or token ids) and a decoded clip."""

    prompt: str | list[int]
    frames: np.ndarray
    metadata: dict[str, Any] = field(default_factory=dict)
    max_tokens: int = 6
    penalty: float = 1.0


@dataclass(frozen=True)
class Answer:
    """Holds the engine's answer; the first step's log-probabilities cover the whole vocabulary."""

    prompt_ids: list[int]
    ids: list[int]
    log_probabilities: list[float]
    first_step: dict[int, float]


def answer(
    checkpoint: Path, jobs: list[Job], folder: Path, environment: dict[str, str], *options: str
) -> tuple[list[Answer], list[Answer]]:
    """Run the script in a process of its own; return the single and the batched answers."""
    given, made = folder / "jobs.pickle", folder / "answers.pickle"
    given.write_bytes(pickle.dumps(jobs))
    run("llm", str(checkpoint), str(given), str(made), *options, environment=environment)
    return pickle.loads(made.read_bytes())


def run(script: str, *words: str, environment: dict[str, str]) -> None:
    """Run a script of this folder in a process of its own; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.support.scripts.{script}", *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
