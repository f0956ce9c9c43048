"""Measures the accuracy of `POST /v1/emotion`'s numbers: `python -m demo.numbers --out DIR`.

Calibration compares how often the most probable label is right with its stated probability.
Timeline uses clips whose emotion changes, and the windows entirely before or after the change.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import Progress, track

from demo.generate import write_clip
from demo.measure.answers import AT_ONCE
from demo.recipe import Recipe, numbered
from emotion_llama import AsyncEmotionLLaMA, EmotionResponse
from emotion_llama.commands.metrics import calibration_error
from emotion_llama.options import Options
from emotion_llama.schema import TimelineWindow

CHANGE_AT = 2.0
WINDOW, STEP = 1.0, 0.5
MOST_ERROR, LEAST_RIGHT = 0.05, 0.90


async def analyse_all(
    url: str, clips: Mapping[str, Options], **options: Any
) -> dict[str, EmotionResponse]:
    """Return the responses about clips, by the clips' paths."""
    found: dict[str, EmotionResponse] = {}
    async with AsyncEmotionLLaMA(url, timeout=300) as client:
        with Progress() as bar:
            task = bar.add_task("asking", total=len(clips))
            async for analysis in client.analyze_many(
                clips,
                concurrency=AT_ONCE,
                task="emotion",
                explain=False,
                own_options=lambda path: clips[str(path)],
                **options,
            ):
                if analysis.error is not None:
                    raise analysis.error
                bar.advance(task)
                found[str(analysis.video_path)] = analysis.response  # type: ignore[assignment]
    return found


def make(plans: Sequence[Recipe], folder: Path) -> dict[str, dict[str, str]]:
    """Write the clips, and map each path to its row."""
    with get_context("spawn").Pool() as pool:
        made = pool.imap(partial(write_clip, out=folder), plans)
        rows = list(track(made, "clips", total=len(plans)))
    return {str(folder / f"{row['name']}.mp4"): row for row in rows}


def measure_calibration(url: str, seed: int, count: int, folder: Path) -> float:
    """Return the calibration error over test clips of all families."""
    rows = make([numbered("test", seed, index) for index in range(count)], folder)
    clips: dict[str, Options] = {
        path: {"transcript": row["transcript"]} for path, row in rows.items()
    }
    answers = asyncio.run(analyse_all(url, clips))
    right = [answers[path].emotion == row["label"] for path, row in rows.items()]
    return calibration_error([answers[path].confidence for path in rows], right)


def measure_timeline(url: str, seed: int, count: int, folder: Path) -> float:
    """Return the share of correct windows before and after a change."""
    plans = [numbered("test", seed, index, change_at=CHANGE_AT) for index in range(count)]
    rows = make(plans, folder)
    clips: dict[str, Options] = {path: {} for path in rows}
    answers = asyncio.run(analyse_all(url, clips, timeline=(WINDOW, STEP)))
    right = [
        window.emotion == expected
        for path, row in rows.items()
        for window in answers[path].timeline or []
        if (expected := _shown(window, json.loads(row["facts"]))) is not None
    ]
    return sum(right) / len(right)


def _shown(window: TimelineWindow, facts: dict[str, Any]) -> str | None:
    """Return the emotion of a window; None if it changes inside."""
    if window.end <= CHANGE_AT:
        return facts["emotion"]
    return facts["then"]["emotion"] if window.start >= CHANGE_AT else None


def evaluate(url: str, *, seed: int, count: int, changes: int, out: Path) -> list[str]:
    """Write `numbers.json`; return the measures that miss their target."""
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
    """Run the command line."""
    from devtools.server import running_server

    parser = argparse.ArgumentParser(prog="python -m demo.numbers", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--changes", type=int, default=100, help="clips whose emotion changes")
    parser.add_argument("--server", metavar="URL", help="use this running server")
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
