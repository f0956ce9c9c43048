"""Draws the pictures of `docs/*/performance.md` from the committed results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

Results = dict[str, dict[str, Any]]

WAYS = ("a", "b", "c", "server_one_by_one", "server", "server_4_questions")
"""The ways that answer about clips, on a CPU and on a GPU."""


def draw(found: Results, folder: Path) -> None:
    """Draw the pictures."""
    folder.mkdir(exist_ok=True)
    seconds = found["throughput"]["seconds_per_request"]
    shown = {way: seconds[way] for way in (*WAYS, "text")}
    _bars(folder / "throughput.png", shown, "s per request")
    on_gpu = found["gpu"]["seconds_per_request"]
    _bars(folder / "gpu.png", {way: on_gpu[way] for way in WAYS}, "s per request")
    data = found["follow_up"]
    times = {
        f"{name}, {which}": data[key][f"{which}_ms"]
        for name, key in (("alone", "one_by_one"), ("16 at once", "many"))
        for which in ("first", "next")
    }
    _bars(folder / "follow_up.png", times, "TTFT, ms")
    _lines(folder / "preprocessing.png", found["preprocessing"]["rows"])


def _bars(file: Path, values: dict[str, float], unit: str) -> None:
    figure = Figure(figsize=(7, 0.45 * len(values) + 0.8), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(values), list(values.values()))
    axes.bar_label(bars, fmt="%.3g", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(unit)
    figure.savefig(file, dpi=110)


def _lines(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    short = [row for row in rows if row["seconds"] <= 10]
    for way, style in (("ours", "o-"), ("original", "s--")):
        for size in ("360p", "1080p"):
            of_size = [row for row in short if row["size"] == size]
            seconds = [row["seconds"] for row in of_size]
            times = [row["milliseconds"][way] for row in of_size]
            axes.plot(seconds, times, style, label=f"{way}, {size}")
    axes.set_xlabel("seconds of clip")
    axes.set_ylabel("ms")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(file, dpi=110)
