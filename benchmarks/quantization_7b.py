"""Measures what quantization changes in a network of the 7B's sizes, on this machine.

    python -m benchmarks.quantization_7b [--work DIR]

Weights are random: no answer means anything, and the logarithms of probabilities lie so close
together that a small change turns the answer. That is the worst case for the tokens, and says what
rounding costs the numbers before them. bfloat16 is the reference, because float32 does not fit into
24 GiB. The checkpoints need 35 GB of disk, and stay in the folder for the next run.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, RootModel
from safetensors import safe_open

from benchmarks.harness import report
from benchmarks.harness.servers import WORK
from demo.generate import write_clips
from demo.recipe import numbered
from devtools.random_checkpoint import write_full
from emotion_llama_vllm.checkpoint.layout import LANGUAGE
from emotion_llama_vllm.checkpoint.scheme import Scheme

MODULE = "benchmarks.quantization_7b"
WHOLE = "bfloat16"
WAYS: dict[str, dict[str, str]] = {
    WHOLE: {},
    "w8a8": {},
    "w4a16": {},
    "fp8 cache": {"kv_cache_dtype": "fp8"},
}
"""Maps each way to options of the engine; for the schemes the checkpoint is quantized."""
ENGINE: dict[str, Any] = {
    "dtype": "bfloat16",
    "enforce_eager": True,
    "max_model_len": 512,
    "max_num_seqs": 4,
    "kv_cache_memory_bytes": 1 << 30,
    "max_logprobs": -1,
}
QUESTION = "[emotion] Which emotion does the person show?"
TOKENS = 16
"""The number of tokens that are generated about each clip."""


class Answer(BaseModel):
    """Holds what is compared of the answer about a clip."""

    log_probabilities: list[float]
    """The first token's log-probability at each entry of the vocabulary."""
    tokens: list[int]


Answers = RootModel[list[Answer]]


def checkpoint(way: str, work: Path) -> Path:
    """Return the checkpoint of a way, and make it as a user does if it is missing."""
    whole = work / "full"
    if not whole.is_dir():
        write_full(whole)
    if way not in list(Scheme):
        return whole
    if not (made := work / f"full-{way}").is_dir():
        program = Path(sys.executable).parent / "emotion-llama"
        command = [program, "quantize", whole, "--out", made, "--scheme", way]
        subprocess.run(command, check=True)
    return made


def answer(way: str, clips: Path, work: Path) -> Answers:
    """Start an engine, and ask it about all clips of a folder."""
    from vllm import SamplingParams

    from emotion_llama_vllm import LocalEmotionLLaMA
    from emotion_llama_vllm.analysis.prompts import one_turn
    from emotion_llama_vllm.media.decode.first_frame import decode
    from emotion_llama_vllm.settings import MediaSettings

    llm = LocalEmotionLLaMA(checkpoint(way, work), **(ENGINE | WAYS[way])).llm
    tokenizer = llm.get_tokenizer()
    prompt = tokenizer.encode(one_turn(tokenizer, QUESTION, "eval"), add_special_tokens=False)
    decoded = [
        decode(clip.read_bytes(), settings=MediaSettings()) for clip in sorted(clips.glob("*.mp4"))
    ]
    prompts = [
        {
            "prompt_token_ids": prompt,
            "multi_modal_data": {"video": [(clip.frame[None], clip.metadata())]},
        }
        for clip in decoded
    ]
    first = llm.generate(prompts, SamplingParams(max_tokens=1, temperature=0, logprobs=-1))
    greedy = SamplingParams(max_tokens=TOKENS, temperature=0, ignore_eos=True)
    whole = llm.generate(prompts, greedy)
    return Answers([_answer(*outputs) for outputs in zip(first, whole, strict=True)])


def _answer(first: Any, whole: Any) -> Answer:
    (step,) = first.outputs[0].logprobs
    return Answer(
        log_probabilities=[step[token].logprob for token in sorted(step)],
        tokens=list(whole.outputs[0].token_ids),
    )


def compare(run: list[Answer], whole: list[Answer]) -> dict[str, float]:
    """Return the measures of a way."""
    pairs = list(zip(run, whole, strict=True))
    ours, theirs = (np.array([a.log_probabilities for a in answers]) for answers in (run, whole))
    divergences = np.sum(np.exp(theirs) * (theirs - ours), axis=1)
    return {
        "same_first_token": sum(a.tokens[0] == b.tokens[0] for a, b in pairs) / len(pairs),
        "same_tokens_of_16": statistics.mean(_same_tokens(a, b) for a, b in pairs),
        "correlation_of_log_probabilities": round(float(_correlation(ours, theirs).mean()), 5),
        "median_change_of_log_probability": float(f"{np.median(np.abs(ours - theirs)):.2g}"),
        "largest_change_of_log_probability": float(f"{np.abs(ours - theirs).max():.2g}"),
        "divergence": float(f"{divergences.mean():.2g}"),
    }


def _same_tokens(ours: Answer, theirs: Answer) -> int:
    """Return the number of tokens before the first one that differs."""
    differ = [a != b for a, b in zip(ours.tokens, theirs.tokens, strict=True)]
    return differ.index(True) if any(differ) else len(differ)


def _correlation(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the correlation of each row with the same row of the other array."""
    ours, theirs = (values - values.mean(axis=1, keepdims=True) for values in (ours, theirs))
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return np.sum(ours * theirs, axis=1) / norms


def changed_encoders(quantized: Path, whole: Path) -> list[str]:
    """Return the names of the tensors outside the Llama that quantization has changed."""
    there, here = (_files(folder) for folder in (quantized, whole))
    changed = []
    for name in here:
        if not name.startswith(LANGUAGE):
            with safe_open(there[name], "pt") as a, safe_open(here[name], "pt") as b:
                if not a.get_tensor(name).equal(b.get_tensor(name)):
                    changed.append(name)
    return changed


def _files(folder: Path) -> dict[str, Path]:
    """Return the file of each tensor in a checkpoint."""
    found = {}
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as opened:
            found |= dict.fromkeys(opened.keys(), file)
    return found


def answer_in_process(way: str, clips: Path, work: Path) -> list[Answer]:
    """Return the answers of an engine in a process of its own, which ends with it."""
    out = clips / f"{way}.json"
    command = [sys.executable, "-m", MODULE, "--work", work, "--way", way, "--clips", clips]
    subprocess.run([*command, "--out", out], check=True)
    return Answers.model_validate_json(out.read_bytes()).root


def main() -> None:
    """Run the command line."""
    parser = report.parser(MODULE, __doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="checkpoints [%(default)s]")
    parser.add_argument("--count", type=int, default=4, help="clips [%(default)s]")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--clips", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        found = answer(options.way, options.clips, options.work)
        options.out.write_text(found.model_dump_json())
        return
    count = 2 if options.quick else options.count
    with tempfile.TemporaryDirectory() as name:
        write_clips([numbered("test", 0, index) for index in range(count)], clips := Path(name))
        runs = {way: answer_in_process(way, clips, options.work) for way in WAYS}
    ways = {way: compare(run, runs[WHOLE]) for way, run in runs.items()}
    changed = {
        way: changed_encoders(checkpoint(way, options.work), checkpoint(WHOLE, options.work))
        for way in WAYS
        if way in list(Scheme)
    }
    report.write(options.out, MODULE, {"clips": count, "ways": ways, "changed_encoders": changed})


if __name__ == "__main__":
    main()
