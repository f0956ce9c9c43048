"""Measures the 7B's size on a GPU: against the original's way, and under load.

    python -m benchmarks.gpu [--out FILE] [--quick]

Weights are random and equal for all ways, which take turns as in `benchmarks.throughput`; here the
original's way also computes on the GPU, in bfloat16. Then the users' load tool sends clips at
several levels, next to the prediction of `benchmarks.paper.paper_model`.

It needs 48 GiB of GPU memory, because server and original share it, and 20 GB of disk; the weights
stay in `build/bench` for the next run.
"""

import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import report
from benchmarks.harness.clips import new_clips
from benchmarks.harness.original import Original
from benchmarks.harness.servers import MODEL, WORK
from benchmarks.paper.data_sheets import GPUS
from benchmarks.paper.paper_model import (
    RANDOM_TEXT_TOKENS,
    SHORT_AUDIO_SECONDS,
    Workload,
    live_requests,
    predict,
    rounded,
)
from benchmarks.throughput import FULL, QUICK, Clips, Comparison, Size, compare
from devtools.paths import CHECKOUT
from devtools.random_checkpoint import full_config, write_full
from devtools.server import Server, running_server
from emotion_llama.bench.figures import Bench
from emotion_llama.bench.load import ClosedLoop
from emotion_llama_server.environment import detect_engine

CONFIG = CHECKOUT / "configs" / "emotion-llama-7b.yaml"
MODULE = "benchmarks.gpu"
SERVERS_SHARE = "0.6"
"""The server's share of the GPU's memory; the rest is for the original."""
CONCURRENCY = {FULL: (1, 16, 64), QUICK: (16,)}
LOADS = {FULL: (1, 4), QUICK: (1,)}
"""The numbers of questions about each clip."""


def missing() -> str | None:
    """Return one sentence about a missing requirement, or None."""
    if find_gpu() is None:
        return "nvidia-smi shows no GPU, and without one there is nothing to measure."
    engine = detect_engine()
    if engine is None or engine.name != "vllm":
        return "vLLM for GPUs is not installed: `make setup-dev ENGINE=gpu`."
    return None


@cache
def find_gpu() -> str | None:
    """Return the name of the first GPU, or None."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-gpu=name", "--format=csv,noheader"]
    found = subprocess.run(query, capture_output=True, text=True)
    names = found.stdout.splitlines()
    return names[0].strip() if found.returncode == 0 and names else None


def measure(work: Path, size: Size) -> dict[str, Any]:
    """Start the server as users do, and measure it in both ways."""
    checkpoint, clips = WORK / "full", Clips(work / "clips")
    if not checkpoint.is_dir():
        write_full(checkpoint)
    flags = ["--config", str(CONFIG), "--served-model-name", MODEL]
    flags += ["--media-root", str(clips.folder), "--max-audio-seconds", str(SHORT_AUDIO_SECONDS)]
    flags += ["--gpu-memory-utilization", SERVERS_SHARE]
    clips.folder.mkdir()
    original = Original(checkpoint, torch.bfloat16, device="cuda")
    torch.cuda.empty_cache()  # the server checks the free memory at its start
    with running_server(WORK / "gpu.log", str(checkpoint), *flags) as server:
        return {
            "gpu": find_gpu(),
            **compare(Comparison(size, original, clips, server.url)),
            "under_load": [
                level
                for questions in LOADS[size]
                for level in under_load(server, work, questions, CONCURRENCY[size])
            ],
        }


def under_load(
    server: Server, work: Path, questions: int, concurrency: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Return each level of the load tool, with its prediction."""
    clips, out = work / f"clips_{questions}", work / f"bench_{questions}"
    new_clips(clips, _clips(concurrency, questions), first=10_000 * questions)
    command = [str(Path(sys.executable).with_name("emotion-llama")), "bench"]
    command += ["--server", server.url, "--clips", str(clips), "--out", str(out)]
    command += ["--concurrency", ",".join(map(str, concurrency))]
    command += ["--questions-per-clip", str(questions), "--max-tokens", str(FULL.tokens)]
    subprocess.run(command, check=True)
    found = Bench.model_validate_json((out / "bench.json").read_bytes())
    return [
        {
            "questions_per_clip": questions,
            **run.model_dump(exclude={"records"}),
            "predicted": prediction(run.concurrency or 1, questions),
        }
        for run in found.runs
    ]


def prediction(concurrency: int, questions: int) -> dict[str, Any] | None:
    """Return the paper model's prediction, if it knows the GPU; requests that do not fit wait."""
    gpu = next((one for one in GPUS if one.name == find_gpu()), None)
    if gpu is None:
        return None
    config = full_config()
    workload = Workload(
        text_tokens=RANDOM_TEXT_TOKENS, answer_tokens=FULL.tokens, questions_per_clip=questions
    )
    live = live_requests(config, gpu, workload, SHORT_AUDIO_SECONDS)
    return rounded(predict(config, gpu.speed, workload, max(1, min(concurrency, live))))


def _clips(concurrency: tuple[int, ...], questions: int) -> int:
    """Return the number of clips that the load tool can use; users may not finish the last."""
    loops = [ClosedLoop(number) for number in concurrency]
    return sum(
        loop.default_requests(questions) // questions + loop.concurrency + 1 for loop in loops
    )


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    if sentence := missing():
        print(f"{MODULE}: {sentence}", file=sys.stderr)
        sys.exit(2)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="emotion-llama-") as work:
        found = measure(Path(work), QUICK if options.quick else FULL)
    report.write(options.out, MODULE, found)


if __name__ == "__main__":
    main()
