"""Compares an actor on Ray with the server, on equal weights and with as many clips at once.

    python -m benchmarks.ray_actor [--model demo|midsize] [--out FILE] [--quick]

It needs the extra `ray`. Both take turns with the same clips, which are new in each round, and give
whole analyses: the server to the load tool's uploads, the actor to batches as Ray Data hands them
over. The one that begins a round changes, so that a machine which becomes faster or slower favours
neither. The demo checkpoint shows the work around the engine, the mid-size one that in it.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray  # an extra of its own

from benchmarks.harness import report
from benchmarks.harness.clips import new_clips
from benchmarks.harness.load import as_sent, measure
from benchmarks.harness.servers import ENGINE, WORK, midsize, server_of
from devtools.server import Server
from emotion_llama.bench.clips import Clip, Question
from emotion_llama.bench.routes import ROUTES
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.ray import CLIP, ClipAnnotator

MODULE = "benchmarks.ray_actor"
BATCHES = 4
"""The batches on which the actor works at once."""
EMOTION = ROUTES["emotion"]


@dataclass(frozen=True)
class Size:
    """Describes the amount of measuring."""

    at_once: int
    clips: int
    """The number of clips in a round."""
    tokens: int
    rounds: int
    threads: int
    """The CPUs of the actor, whose engine gets as many threads: the server's own choice."""


FULL = {"demo": Size(64, 128, 64, 4, 1), "midsize": Size(16, 32, 32, 2, 2)}
QUICK = {"demo": Size(16, 32, 64, 1, 1), "midsize": Size(8, 8, 16, 1, 2)}


class Actor(ClipAnnotator):
    """Names the call of a `ClipAnnotator`, as Ray calls actors outside of a dataset by names."""

    def annotate(self, batch: pa.Table) -> pa.Table:
        return self(batch)


@contextmanager
def actor(model: Path, size: Size) -> Iterator[Any]:
    """Run an actor that asks what the load tool asks."""
    asked = {"question": Question(Clip(""), 0).text, "max_tokens": size.tokens}
    remote = ray.remote(Actor).options(num_cpus=size.threads, max_concurrency=BATCHES)
    started = remote.remote(str(model), engine=ENGINE, **asked)
    yield started
    ray.kill(started)


def ask_actor(started: Any, clips: Sequence[Path], at_once: int) -> float:
    """Return the clips per second of the actor, `at_once` clips at any time."""
    size = at_once // BATCHES
    names = [str(clip) for clip in clips]
    batches = [pa.table({CLIP: names[i : i + size]}) for i in range(0, len(names), size)]
    began = time.perf_counter()
    tables = ray.get([started.annotate.remote(batch) for batch in batches])
    seconds = time.perf_counter() - began
    if bad := [row for table in tables for row in table["error"].to_pylist() if row]:
        raise RuntimeError(f"{len(bad)} clips failed: {bad[0]}")
    return len(clips) / seconds


def ask_server(server: Server, clips: Sequence[Path], size: Size) -> float:
    """Return the clips per second of the server, `at_once` requests at any time."""
    figures, _ = measure(
        server.url,
        as_sent(clips, EMOTION),
        at_once=size.at_once,
        tokens=size.tokens,
        route=EMOTION,
    )
    return figures.requests_per_second


def compare(model: Path, size: Size, folder: Path) -> dict[str, Any]:
    """Run all rounds of both with one checkpoint."""
    found: dict[str, list[float]] = {"server": [], "actor": []}
    with server_of(model, folder) as server, actor(model, size) as started:
        for turn in range(size.rounds + 1):
            number = size.clips if turn else size.at_once  # the first round is to warm up
            clips = new_clips(folder, number, first=turn * size.clips)
            ways = {
                "server": partial(ask_server, server, clips, size),
                "actor": partial(ask_actor, started, clips, size.at_once),
            }
            for name in sorted(ways, reverse=turn % 2 == 0):
                speed = ways[name]()
                print(f"round {turn}, {name}: {speed:.3f} clips/s", flush=True)
                if turn:
                    found[name].append(round(speed, 3))
    means = {name: statistics.harmonic_mean(speeds) for name, speeds in found.items()}
    return {
        "model": model.name,
        "clips_at_once": size.at_once,
        "clips_per_round": size.clips,
        "max_tokens": size.tokens,
        "clips_per_second": found,
        "actor_over_server": round(means["actor"] / means["server"], 3),
    }


def main() -> None:
    """Run the command line."""
    parser = report.parser(MODULE, __doc__)
    parser.add_argument("--model", choices=FULL, default="demo", help="[%(default)s]")
    options = parser.parse_args()
    size = (QUICK if options.quick else FULL)[options.model]
    model = demo_files.checkpoint() if options.model == "demo" else midsize()
    WORK.mkdir(parents=True, exist_ok=True)
    ray.init(num_cpus=size.threads, include_dashboard=False)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        command = f"{MODULE} --model {options.model}"
        report.write(options.out, command, compare(model, size, Path(folder)))


if __name__ == "__main__":
    main()
