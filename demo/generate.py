"""Writes clips and their labels.csv: `python -m demo.generate --split S --count K --out DIR`."""

import argparse
import csv
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.progress import track

from demo.clip import FPS, make_clip
from demo.labels import SPLITS
from demo.recipe import Recipe, numbered
from demo.speech.voice import SAMPLE_RATE
from demo.video import write_mp4

COLUMNS: tuple[str, ...] = ("name", "label", "family", "transcript", "question", "facts")


def write_clip(plan: Recipe, out: Path) -> dict[str, str]:
    """Make a clip, write it as OUT/NAME.mp4 and return its row."""
    clip = make_clip(plan)
    write_mp4(out / f"{plan.name}.mp4", clip.frames, FPS, clip.sound, SAMPLE_RATE, plan.crf)
    return clip.row


def write_clips(plans: list[Recipe], out: Path) -> None:
    """Write a clip for each recipe, and labels.csv, into `out`, on every core."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        with get_context("spawn").Pool() as pool:
            rows = pool.imap(partial(write_clip, out=out), plans)
            writer.writerows(track(rows, "clips", total=len(plans)))


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a folder's labels.csv."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.generate", description=__doc__)
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--change-at", type=float, metavar="S", help="emotion changes at S seconds")
    options = parser.parse_args()
    plans = [
        numbered(options.split, options.seed, index, options.change_at)
        for index in range(options.count)
    ]
    write_clips(plans, options.out)


if __name__ == "__main__":
    main()
