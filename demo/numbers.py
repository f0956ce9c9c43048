"""How far the numbers of `POST /v1/emotion` can be trusted: `python -m demo.numbers --out DIR`.

Calibration: how often the most probable label is right, against how probable it is said to be.
Timeline: clips whose emotion changes, and the windows that lie wholly on either side of it.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx2
from rich.progress import Progress, track

from demo.evaluate import AT_ONCE
from demo.generate import write_clip
from demo.recipe import Recipe, numbered

CHANGE_AT = 2.0
TIMELINE = {"window": 1.0, "step": 0.5}
BINS = 10
MOST_ERROR, LEAST_RIGHT = 0.05, 0.90


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error: confidence against accuracy in equal bins, by their sizes."""
    total = 0.0
    for number in range(BINS):
        inside = [i for i, c in enumerate(confidences) if min(int(c * BINS), BINS - 1) == number]
        if inside:
            gap = sum(confidences[i] - right[i] for i in inside)
            total += abs(gap) / len(confidences)
    return total


async def analyse_all(
    url: str, clips: Sequence[Path], asked: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The answer about each clip."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(base_url=url, timeout=300) as client:
        with Progress() as bar:
            task = bar.add_task("asking", total=len(clips))

            async def ask(clip: Path, request: dict[str, Any]) -> dict[str, Any]:
                async with gate:
                    data = await asyncio.to_thread(clip.read_bytes)
                    response = await client.post(
                        "/v1/emotion",
                        files={"video": (clip.name, data, "video/mp4")},
                        data={"request": json.dumps(request)},
                    )
                response.raise_for_status()
                bar.advance(task)
                return response.json()

            return list(await asyncio.gather(*map(ask, clips, asked)))


def make(plans: Sequence[Recipe], folder: Path) -> list[dict[str, str]]:
    """Write the clips and return their rows."""
    with get_context("spawn").Pool() as pool:
        made = pool.imap(partial(write_clip, out=folder), plans)
        return list(track(made, "clips", total=len(plans)))


def measure_calibration(url: str, seed: int, count: int, folder: Path) -> float:
    """The calibration error over test clips of all families."""
    rows = make([numbered("test", seed, index) for index in range(count)], folder)
    asked = [{"task": "emotion", "transcript": row["transcript"]} for row in rows]
    clips = [folder / f"{row['name']}.mp4" for row in rows]
    answers = asyncio.run(analyse_all(url, clips, asked))
    right = [answer["emotion"] == row["label"] for answer, row in zip(answers, rows, strict=True)]
    return calibration_error([answer["confidence"] for answer in answers], right)


def measure_timeline(url: str, seed: int, count: int, folder: Path) -> float:
    """The share of windows on either side of a change that are named right."""
    plans = [numbered("test", seed, index, change_at=CHANGE_AT) for index in range(count)]
    rows = make(plans, folder)
    clips = [folder / f"{row['name']}.mp4" for row in rows]
    asked = [{"task": "emotion", "timeline": TIMELINE}] * count
    answers = asyncio.run(analyse_all(url, clips, asked))
    right = [
        window["emotion"] == expected
        for answer, row in zip(answers, rows, strict=True)
        for window in answer["timeline"]
        if (expected := _shown(window, json.loads(row["facts"]))) is not None
    ]
    return sum(right) / len(right)


def _shown(window: dict[str, float], facts: dict[str, Any]) -> str | None:
    """The emotion of a window; None where it changes within."""
    if window["end"] <= CHANGE_AT:
        return facts["emotion"]
    return facts["then"]["emotion"] if window["start"] >= CHANGE_AT else None


def evaluate(url: str, *, seed: int, count: int, changes: int, out: Path) -> list[str]:
    """Write `numbers.json`; return what misses its target."""
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "split": "test",
            "seed": seed,
            "clips": count,
            "calibration_error": round(measure_calibration(url, seed, count, Path(folder)), 4),
            "changing_clips": changes,
            "windows_right": round(measure_timeline(url, seed, changes, Path(folder)), 4),
        }
    out.mkdir(parents=True, exist_ok=True)
    (out / "numbers.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    missed = ["calibration error"] if found["calibration_error"] > MOST_ERROR else []
    return missed + (["windows right"] if found["windows_right"] < LEAST_RIGHT else [])


def main() -> None:
    """The command line."""
    from tests.support.server import running_server

    parser = argparse.ArgumentParser(prog="python -m demo.numbers", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--changes", type=int, default=100, help="clips whose emotion changes")
    parser.add_argument("--server", metavar="URL", help="ask this one instead of starting one")
    options = parser.parse_args()
    run = partial(
        evaluate,
        seed=options.seed,
        count=options.count,
        changes=options.changes,
        out=options.out,
    )
    if options.server:
        failed = run(options.server)
    else:
        with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "log")) as server:
            failed = run(server.url)
    sys.exit(f"Missed: {', '.join(failed)}." if failed else 0)


if __name__ == "__main__":
    main()
