"""Compares our server with the original's way and with vLLM without clips, on equal weights.

    python -m benchmarks.throughput [--quick]

All ways take turns in one run, each round with new clips; the median of three rounds counts.
Answers are greedy with 128 new tokens, in one piece as the original's; prompts, dtype and number of
threads are the same.

    a       the original's service: first frame by OpenCV, sound through a wav file, HuBERT
            read from disk for each request, one request at a time
    b       the same with all encoders in memory
    c       b in batches of 16
    server  `emotion-llama serve`, over HTTP about a file on the server, as for a and b; then
            three further questions about each clip
    text    vLLM's own server with the same Llama and prompts of as many tokens, without a
            clip; then prompts with the same beginning and new questions
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import torch

from benchmarks.harness import report
from benchmarks.harness.clips import new_clips
from benchmarks.harness.load import complete, first_tokens, seconds_each
from benchmarks.harness.original import Original, read_media
from benchmarks.harness.servers import WORK, dtype, midsize, midsize_server, text_server
from benchmarks.paper.calibration import calibrate
from emotion_llama.bench.clips import Clip, Question
from emotion_llama.bench.routes import chat_text

MODULE = "benchmarks.throughput"
QUESTIONS = 4
QUESTION = chat_text(Question(Clip(""), 0))
"""The load tool's first question."""
COMPARED = 8
"""The number of first tokens of an answer by which two ways are compared."""


@dataclass(frozen=True)
class Size:
    """Describes the amount of measuring."""

    rounds: int
    tokens: int
    at_once: int
    """The number of requests at once; a way that takes one at a time gets one."""
    compared: int
    """The number of clips whose answers' first tokens are compared between the server and b."""
    further: bool
    """True if further questions and way c are measured too."""
    calibrating: float
    """The seconds for each rate of the machine."""


FULL = Size(rounds=3, tokens=128, at_once=16, compared=3, further=True, calibrating=2.0)
QUICK = Size(rounds=1, tokens=32, at_once=8, compared=1, further=False, calibrating=0.2)


@dataclass
class Times:
    """Holds the seconds per request, one value for each round."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        print(f"{name}: {seconds:.3f} s", flush=True)
        self.found.setdefault(name, []).append(seconds)

    def over_questions(self, number: int) -> float:
        """Return the mean over this many questions about a clip, in the last round."""
        return (self.found["server"][-1] + (number - 1) * self.found["server_cached"][-1]) / number

    def medians(self) -> dict[str, float]:
        return {name: round(statistics.median(v), 4) for name, v in self.found.items()}


class Comparison:
    """Runs all ways in turns and holds their times."""

    def __init__(
        self, size: Size, original: Original, clips: "Clips", url: str, text_url: str | None = None
    ) -> None:
        self.size = size
        self._clips, self._url, self._text_url = clips, url, text_url
        self._hubert = tempfile.TemporaryDirectory(prefix="emotion-llama-")
        self._in_memory = original
        self._from_disk = original.with_hubert_on_disk(Path(self._hubert.name))
        self._prompt_tokens = original.config.embeddings_per_clip - 1
        self._prompt_tokens += len(original.prompt_ids(QUESTION))
        self._draw = Random(0)  # noqa: S311
        self.times = Times()

    def warm_up(self) -> None:
        """Load everything that loads on first use."""
        clips = self._clips.new(2)
        for way in (self._from_disk, self._in_memory):
            way.answer([read_media(clips[0], self._side)], QUESTION, 2)
        seconds_each(self._url, clips, at_once=2, tokens=2)
        if self._text_url:
            complete(self._text_url, self._prompts(2), 2)

    def round(self) -> None:
        """Run one turn of each way."""
        size = self.size
        self._one_by_one("a", self._from_disk)
        self._one_by_one("b", self._in_memory)
        self._server("server_one_by_one", self._clips.new(1), at_once=1)
        clips, prompts = self._clips.new(size.at_once), self._prompts(size.at_once)
        self._server("server", clips)
        if self._text_url:
            self._text(self._text_url, "text", prompts)
        if size.further:
            self._server("server_cached", clips, further=QUESTIONS - 1)
            if self._text_url:
                again = [self._further(prompt) for prompt in prompts]
                self._text(self._text_url, "text_cached", again)
            self.times.add("server_4_questions", self.times.over_questions(QUESTIONS))
            self._batched()

    def same_tokens(self) -> dict[str, int]:
        """Return how many first tokens of the server's answers equal those of b's."""
        clips, equal = self._clips.new(self.size.compared), 0
        for clip in clips:
            media = read_media(clip, self._side)
            (expected,) = self._in_memory.answer([media], QUESTION, COMPARED)
            equal += sum(
                ours == theirs
                for ours, theirs in zip(
                    first_tokens(self._url, clip, QUESTION, COMPARED), expected, strict=True
                )
            )
        return {"compared": len(clips) * COMPARED, "equal": equal}

    @property
    def _side(self) -> int:
        return self._in_memory.config.vision.image_size

    def _one_by_one(self, name: str, way: Original) -> None:
        """Measure a way one request at a time, and the part before the Llama."""
        (clip,) = self._clips.new(1)
        media, reading = _timed(lambda: read_media(clip, self._side))
        _, encoding = _timed(lambda: way.embed([media]).cpu())  # the copy waits for a GPU
        _, answering = _timed(lambda: way.answer([media], QUESTION, self._tokens))
        self.times.add(name, reading + answering)
        self.times.add(f"{name}_encoders", reading + encoding)

    def _batched(self) -> None:
        def run() -> None:
            media = [read_media(clip, self._side) for clip in clips]
            self._in_memory.answer(media, QUESTION, self._tokens)

        clips = self._clips.new(self.size.at_once)
        _, seconds = _timed(run)
        self.times.add("c", seconds / self.size.at_once)

    def _server(
        self, name: str, clips: Sequence[Path], *, at_once: int = 0, further: int = 0
    ) -> None:
        """Ask the first question about each clip, or this many further ones."""
        seconds = seconds_each(
            self._url,
            clips,
            at_once=at_once or self.size.at_once,
            tokens=self._tokens,
            further=further,
        )
        self.times.add(name, seconds)

    def _text(self, url: str, name: str, prompts: Sequence[Sequence[int]]) -> None:
        seconds = complete(url, prompts, self._tokens)
        self.times.add(name, seconds / len(prompts))

    @property
    def _tokens(self) -> int:
        return self.size.tokens

    def _prompts(self, number: int) -> list[list[int]]:
        """Return new random prompts, as long as a prompt with a clip."""
        return [[1, *self._random_ids(self._prompt_tokens - 1)] for _ in range(number)]

    def _further(self, prompt: Sequence[int]) -> list[int]:
        """Return the same prompt up to the end of the clip's part, then another question."""
        clip = self._in_memory.config.embeddings_per_clip
        return [*prompt[:clip], *self._random_ids(self._prompt_tokens - clip)]

    def _random_ids(self, number: int) -> list[int]:
        return self._draw.choices(range(300, self._in_memory.config.text.vocab_size), k=number)


@dataclass
class Clips:
    """Hands out each clip only once."""

    folder: Path
    used: int = 0

    def new(self, number: int) -> list[Path]:
        made = new_clips(self.folder, number, first=self.used)
        self.used += number
        return made


def compare(comparison: Comparison) -> dict[str, Any]:
    """Run all rounds of all ways."""
    size = comparison.size
    comparison.warm_up()
    same = comparison.same_tokens()
    for _ in range(size.rounds):
        comparison.round()
    seconds = comparison.times.medians()
    return {
        "new_tokens": size.tokens,
        "rounds": size.rounds,
        "first_tokens": same,
        "seconds_per_request": seconds,
        "each_round": comparison.times.found,
        "ratios": ratios(seconds),
    }


def ratios(seconds: dict[str, float]) -> dict[str, float]:
    """Return the ratios with targets, from the seconds per request."""
    a, b, server = seconds["a"], seconds["b"], seconds["server"]
    found = {
        "server_against_a": a / server,
        "server_against_b": b / server,
        "one_by_one_against_b": b / seconds["server_one_by_one"],
    }
    if "text" in seconds:
        gain = (b - seconds["b_encoders"]) / seconds["text"]
        found["batching_gain_of_text"] = gain
        for name, whole in (("a", a), ("b", b)):
            share = seconds[f"{name}_encoders"] / whole
            found[f"encoders_share_of_{name}"] = share
            found[f"bound_against_{name}"] = 1 / (share + (1 - share) / gain)
    if "c" in seconds:
        found["server_against_c"] = seconds["c"] / server
        found["4_questions_against_a"] = a / seconds["server_4_questions"]
        found["4_questions_against_b"] = b / seconds["server_4_questions"]
    if "text_cached" in seconds:
        found["cached_share_of_text"] = seconds["text_cached"] / seconds["server_cached"]
    return {name: round(value, 3) for name, value in found.items()}


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = run()
    return found, time.perf_counter() - started


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    size = QUICK if options.quick else FULL
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        clips = Clips(Path(folder))
        with midsize_server(clips.folder) as server:
            kind = dtype(server)
            original = Original(midsize(), getattr(torch, kind))
            with text_server(kind) if size.further else nullcontext() as text_url:
                compared = compare(Comparison(size, original, clips, server.url, text_url))
    found = {
        "dtype": kind,
        "threads": torch.get_num_threads(),
        "calibration": calibrate(getattr(torch, kind), size.calibrating).model_dump(),
        **compared,
    }
    report.write(options.out, MODULE, found)


if __name__ == "__main__":
    main()
