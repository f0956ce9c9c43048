"""Measures how much faster lower precisions are on this CPU.

    python -m benchmarks.cpu_precision [--quick]

It serves the mid-size checkpoint as it is, with the Llama in int8 (`emotion-llama quantize --scheme
w8a8`), with an attention cache in fp8 (`--kv-cache-dtype fp8`) and with both. The servers take
turns, and the median of the rounds counts; requests are those of `benchmarks.throughput`.
"""

import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness import report
from benchmarks.harness.clips import new_clips
from benchmarks.harness.load import seconds_each
from benchmarks.harness.servers import WORK, dtype, midsize, server_of
from emotion_llama_vllm.checkpoint.quantize import quantize
from emotion_llama_vllm.checkpoint.scheme import Scheme

MODULE = "benchmarks.cpu_precision"
FP8_CACHE = ("--kv-cache-dtype", "fp8")
WAYS: dict[str, tuple[bool, Sequence[str]]] = {
    "as it is": (False, ()),
    "int8": (True, ()),
    "fp8 cache": (False, FP8_CACHE),
    "int8, fp8 cache": (True, FP8_CACHE),
}
"""Maps each way to whether the Llama is in int8, and to further flags of the server."""
AT_ONCE, QUESTIONS = 16, 4


def in_int8() -> Path:
    """Return the mid-size checkpoint with its Llama in int8, and make it if it is missing."""
    folder = WORK / "midsize-w8a8"
    if not folder.is_dir():
        quantize(midsize(), folder, Scheme.W8A8)
    return folder


def one_round(url: str, clips: Sequence[Path], tokens: int) -> dict[str, float]:
    """Return the seconds per request: the first clip alone, then the others at once."""
    alone = seconds_each(url, clips[:1], at_once=1, tokens=tokens)
    new = seconds_each(url, clips[1:], at_once=AT_ONCE, tokens=tokens)
    cached = seconds_each(url, clips[1:], at_once=AT_ONCE, tokens=tokens, further=QUESTIONS - 1)
    four = (new + (QUESTIONS - 1) * cached) / QUESTIONS
    return {"one_by_one": alone, "new": new, "cached": cached, "4_questions": four}


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    rounds, tokens = (1, 32) if options.quick else (3, 128)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name, ExitStack() as stack:
        clips = new_clips(Path(name), 2 + rounds * (1 + AT_ONCE))
        servers = {
            way: stack.enter_context(
                server_of(in_int8() if is_int8 else midsize(), Path(name), *flags)
            )
            for way, (is_int8, flags) in WAYS.items()
        }
        for server in servers.values():
            seconds_each(server.url, clips[:2], at_once=2, tokens=2)
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for turn in range(rounds):
            own = clips[2 + turn * (1 + AT_ONCE) :][: 1 + AT_ONCE]
            for way, server in servers.items():
                found[way].append(one_round(server.url, own, tokens))
        kind = dtype(servers["as it is"])
    seconds = {
        way: {name: round(statistics.median(r[name] for r in turns), 4) for name in turns[0]}
        for way, turns in found.items()
    }
    report.write(
        options.out, MODULE, {"dtype": kind, "rounds": rounds, "seconds_per_request": seconds}
    )


if __name__ == "__main__":
    main()
