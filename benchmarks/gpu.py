"""The real size on a GPU: throughput under load, beside what `benchmarks.paper_model` predicts.

    python -m benchmarks.gpu [--out FILE] [--quick]

Not run yet: no GPU was at hand when this was written.

The checkpoint is a folder without weights, for which vLLM makes random ones (`--load-format
dummy`): no time depends on their values, and 17 GB need be neither written nor read. The original's
way (`benchmarks.original`) is not measured beside: it has no device to choose.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.clips import new_clips
from benchmarks.gpus import GPUS
from benchmarks.paper_model import (
    RANDOM_TEXT_TOKENS,
    SHORT_AUDIO_SECONDS,
    Workload,
    live_requests,
    predict,
    rounded,
)
from benchmarks.random_checkpoint import full_config, tokenizer
from emotion_llama.bench.figures import Bench
from emotion_llama.bench.load import ClosedLoop
from emotion_llama_server.environment import detect_engine
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.folder import write_files
from emotion_llama_vllm.checkpoint.tokenizer import read_sentencepiece
from tests.support.server import Server, running_server

CONFIG = Path(__file__).parent.parent / "configs" / "emotion-llama-7b.yaml"
MODULE = "benchmarks.gpu"
CONCURRENCY = (1, 16, 64)
QUICK = (1, 16)
QUESTIONS = (1, 4)
ANSWER_TOKENS = 128


def missing() -> str | None:
    """What there must be and is not, in one sentence."""
    if find_gpu() is None:
        return "nvidia-smi shows no GPU, and without one there is nothing to measure."
    engine = detect_engine()
    if engine is None or engine.name != "vllm":
        return "vLLM for GPUs is not installed: `make setup-dev ENGINE=gpu`."
    return None


def find_gpu() -> str | None:
    """The name of the first GPU; asked of nvidia-smi, as torch would keep some of its memory."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-gpu=name", "--format=csv,noheader"]
    found = subprocess.run(query, capture_output=True, text=True)
    names = found.stdout.splitlines()
    return names[0].strip() if found.returncode == 0 and names else None


def write_checkpoint(folder: Path) -> None:
    """Write all of a 7B checkpoint but its weights."""
    model = folder / "tokenizer.model"
    config = full_config()
    model.write_bytes(tokenizer(config.text.vocab_size))
    write_files(folder, config, read_sentencepiece(model), Card())
    model.unlink()


def measure(work: Path, concurrency: tuple[int, ...]) -> dict[str, Any]:
    """Start the server as its users do, and load it with new clips."""
    checkpoint = work / "checkpoint"
    checkpoint.mkdir()
    write_checkpoint(checkpoint)
    flags = ["--config", str(CONFIG), "--load-format", "dummy"]
    flags += ["--max-audio-seconds", str(SHORT_AUDIO_SECONDS)]
    gpu, written = find_gpu(), 0
    found: dict[str, Any] = {"gpu": gpu}
    with running_server(work / "log", str(checkpoint), *flags) as server:
        for questions in QUESTIONS:
            clips = work / f"clips_{questions}"
            written += len(new_clips(clips, _clips(concurrency, questions), first=written))
            runs = load(server, clips, questions, concurrency, work / f"bench_{questions}").runs
            found[f"{questions}_questions_per_clip"] = [
                {
                    **run.model_dump(exclude={"records"}),
                    "predicted": prediction(gpu, run.concurrency or 1, questions),
                }
                for run in runs
            ]
    return found


def load(
    server: Server, clips: Path, questions: int, concurrency: tuple[int, ...], out: Path
) -> Bench:
    """Run the load tool that users have."""
    command = [str(Path(sys.executable).with_name("emotion-llama")), "bench"]
    command += ["--server", server.url, "--clips", str(clips), "--out", str(out)]
    command += ["--concurrency", ",".join(map(str, concurrency))]
    command += ["--questions-per-clip", str(questions), "--max-tokens", str(ANSWER_TOKENS)]
    subprocess.run(command, check=True)
    return Bench.model_validate_json((out / "bench.json").read_bytes())


def prediction(gpu: str | None, concurrency: int, questions: int) -> dict[str, Any] | None:
    """What the paper says, where it knows the GPU; others than those that fit wait."""
    known = next((one for one in GPUS if one.name == gpu), None)
    if known is None:
        return None
    config = full_config()
    workload = Workload(
        text_tokens=RANDOM_TEXT_TOKENS, answer_tokens=ANSWER_TOKENS, questions_per_clip=questions
    )
    live = live_requests(config, known, workload, SHORT_AUDIO_SECONDS)
    return rounded(predict(config, known.speed, workload, max(1, min(concurrency, live))))


def _clips(concurrency: tuple[int, ...], questions: int) -> int:
    """As many as the load tool can use: the last of each user is perhaps not asked all about."""
    loops = [ClosedLoop(number) for number in concurrency]
    return sum(
        loop.default_requests(questions) // questions + loop.concurrency + 1 for loop in loops
    )


def main() -> None:
    """The command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    if sentence := missing():
        print(f"{MODULE}: {sentence}", file=sys.stderr)
        sys.exit(2)
    with tempfile.TemporaryDirectory(prefix="emotion-llama-") as work:
        found = measure(Path(work), QUICK if options.quick else CONCURRENCY)
    report.write(options.out, MODULE, found)


if __name__ == "__main__":
    main()
