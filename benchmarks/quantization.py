"""Measures what quantization changes in the demo's answers, on this machine.

    python -m benchmarks.quantization [--count 120]

Each way to serve answers about the same test clips, and is compared with float32: how many labels
are right, how many answers and explanations are the same, word by word, and how far the
log-probability of float32's label moves.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, RootModel

from benchmarks.harness import report
from benchmarks.harness.servers import ENGINE
from demo.generate import read_rows, write_clips
from demo.recipe import numbered
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.checkpoint.scheme import Scheme

MODULE = "benchmarks.quantization"
WHOLE = "float32"
OPTIONS: dict[str, dict[str, str]] = {
    WHOLE: {"dtype": "float32"},
    "bfloat16": {"dtype": "bfloat16"},
    "fp8_per_channel": {"dtype": "bfloat16", "quantization": "fp8_per_channel"},
    "w8a8": {"dtype": "bfloat16"},
    "w4a16": {"dtype": "bfloat16"},
    "fp8 cache": {"dtype": "bfloat16", "kv_cache_dtype": "fp8"},
}
"""Maps each way to options of the engine; for the schemes the demo's checkpoint is quantized."""


class Answer(BaseModel):
    """Holds what is compared of the answer about a clip."""

    emotion: str
    probabilities: dict[str, float]
    words: tuple[str | None, str | None]
    """The answer and the explanation."""


Answers = RootModel[list[Answer]]


def answer(way: str, clips: Path, work: Path) -> Answers:
    """Start an engine, and ask it about all clips of a folder."""
    os.environ["EMOTION_LLAMA_FACE_FRAMES"] = "17"  # as in the demo's configuration
    from emotion_llama_vllm import LocalEmotionLLaMA

    model = LocalEmotionLLaMA(_checkpoint(way, work), **(ENGINE | OPTIONS[way]))
    transcripts: dict[Any, str] = {
        clips / f"{row['name']}.mp4": row["transcript"] for row in read_rows(clips)
    }
    analyses = model.analyze_many(
        transcripts, own_fields=lambda clip: {"transcript": transcripts[clip]}
    )
    return Answers([_answer(analysis.response) for analysis in analyses])


def _checkpoint(way: str, work: Path) -> Path:
    if way not in list(Scheme):
        return demo_files.checkpoint()
    from emotion_llama_vllm.checkpoint.quantize import quantize

    quantize(demo_files.checkpoint(), work / way, Scheme(way))
    return work / way


def _answer(response: Any) -> Answer:
    return Answer(
        emotion=response.emotion,
        probabilities=response.probabilities,
        words=(response.answer, response.explanation),
    )


def compare(run: list[Answer], whole: list[Answer], labels: list[str]) -> dict[str, float]:
    """Return the measures of a way."""
    pairs = list(zip(run, whole, strict=True))
    moved = [
        abs(math.log(ours.probabilities[theirs.emotion] / theirs.probabilities[theirs.emotion]))
        for ours, theirs in pairs
    ]

    def share(same: Callable[[Answer, Answer], bool]) -> float:
        return round(sum(same(ours, theirs) for ours, theirs in pairs) / len(pairs), 4)

    right = sum(a.emotion == label for a, label in zip(run, labels, strict=True))
    return {
        "right": round(right / len(labels), 4),
        "same_label": share(lambda ours, theirs: ours.emotion == theirs.emotion),
        "same_answer": share(lambda ours, theirs: ours.words[0] == theirs.words[0]),
        "same_explanation": share(lambda ours, theirs: ours.words[1] == theirs.words[1]),
        "median_change_of_log_probability": float(f"{statistics.median(moved):.2g}"),
        "largest_change_of_log_probability": float(f"{max(moved):.2g}"),
    }


def answer_in_process(way: str, folder: Path) -> list[Answer]:
    """Return the answers of an engine in a process of its own, which ends with it."""
    command = [sys.executable, "-m", MODULE, "--way", way, "--folder", str(folder)]
    subprocess.run(command, check=True)
    return Answers.model_validate_json((folder / f"{way}.json").read_bytes()).root


def main() -> None:
    """Run the command line."""
    parser = report.parser(MODULE, __doc__)
    parser.add_argument("--count", type=int, default=120, help="test clips [%(default)s]")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        found = answer(options.way, options.folder / "clips", options.folder)
        (options.folder / f"{options.way}.json").write_text(found.model_dump_json())
        return
    count = 12 if options.quick else options.count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clips([numbered("test", 0, index) for index in range(count)], folder / "clips")
        labels = [row["label"] for row in read_rows(folder / "clips")]
        runs = {way: answer_in_process(way, folder) for way in OPTIONS}
    ways = {way: compare(run, runs[WHOLE], labels) for way, run in runs.items()}
    report.write(options.out, MODULE, {"clips": count, "ways": ways})


if __name__ == "__main__":
    main()
