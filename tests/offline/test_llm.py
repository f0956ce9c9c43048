"""Any vLLM launcher serves a checkpoint folder once the package is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import CHECKOUT
from tests.support.media import picture, tone
from tests.support.reference import Reference

TOLERANCE = 1e-4


def clips(feature_size: int) -> list[dict[str, np.ndarray]]:
    """Decoded clips that share a frame and differ in sound or features, and one that does not."""
    frame = picture(90, 70)[None]
    features = np.random.default_rng(0).standard_normal((3, feature_size)).astype(np.float32)
    some = features.copy()
    some[[0, 2]] = np.nan
    sound = tone(1.0, 16_000, 1, 300)[0]
    return [
        {"frames": frame},
        {"frames": frame, "waveform": sound},
        {"frames": frame, "waveform": tone(0.7, 16_000, 1, 500)[0]},
        {"frames": frame, "waveform": sound, "features": features},
        {"frames": frame, "waveform": sound, "features": some},
        {"frames": picture(50, 90, seed=2)[None], "waveform": sound},
    ]


def run_script(checkpoint: Path, given: list[dict[str, np.ndarray]], *options: str) -> list[Any]:
    arrays = {f"{name}{i}": array for i, clip in enumerate(given) for name, array in clip.items()}
    path = checkpoint.parent / "clips.npz"
    np.savez(path, **arrays)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTION_", "VLLM_"))}
    environment |= {"VLLM_NO_USAGE_STATS": "1", "TORCHDYNAMO_DISABLE": "1"}
    if options:
        environment["VLLM_CPU_OMP_THREADS_BIND"] = "0|1"  # a core for each rank
    command = [sys.executable, "-m", "tests.support.offline", str(checkpoint), str(path), *options]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=CHECKOUT, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr + done.stdout
    (answers,) = (line for line in done.stdout.splitlines() if line.startswith("[{"))
    return json.loads(answers)


def check(checkpoint: Path, *options: str) -> None:
    reference = Reference(checkpoint)
    given = clips(reference.config.feature_size)
    answers = run_script(checkpoint, given, *options)
    assert len(answers) == len(given)
    for clip, answer in zip(given, answers, strict=True):
        embeddings = reference.embed(clip["frames"][0], clip.get("waveform"), clip.get("features"))
        theirs = reference.log_probabilities(answer["prompt_ids"], answer["ids"], embeddings)
        ours = torch.tensor(answer["log_probabilities"])
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE)
    first = {round(answer["log_probabilities"][0], 4) for answer in answers}
    assert len(first) == len(given)  # no clip was answered from another's cache entry


def test_decoded_clips_offline_compute_what_the_reference_computes(checkpoint: Path) -> None:
    check(checkpoint)


@pytest.mark.slow
def test_two_tensor_parallel_ranks_compute_the_same(checkpoint: Path) -> None:
    check(checkpoint, "2")
