"""Draws `bench.png`: throughput and times over the load."""

from pathlib import Path
from typing import TYPE_CHECKING

from emotion_llama.bench.figures import Bench, Distribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(bench: Bench, file: Path) -> None:
    """Write the picture.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    figures = [run.figures for run in bench.runs]
    loads = [run.concurrency or run.rate or 0 for run in bench.runs]
    times = {"time to first token, s": [found.ttft for found in figures]}
    times["end to end, s"] = [found.end_to_end for found in figures]
    told = {name: found for name, found in times.items() if any(found)}
    picture = Figure(figsize=(4 * (1 + len(told)), 3.6), layout="constrained")
    panels = picture.subplots(1, 1 + len(told), squeeze=False)[0]
    panels[0].plot(loads, [found.requests_per_second for found in figures], "o-")
    panels[0].set_ylabel("answers per second")
    for axes, (name, found) in zip(panels[1:], told.items(), strict=True):
        _draw_times(axes, loads, found)
        axes.set_ylabel(name)
    is_closed = bench.runs[0].concurrency is not None
    for axes in panels:
        axes.set_xlabel("requests at once" if is_closed else "requests per second, meant")
        axes.set_xscale("log", base=2)
        axes.set_xticks(loads, [f"{load:g}" for load in loads])
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    picture.savefig(file, dpi=120)


def _draw_times(axes: "Axes", loads: list[float], found: list[Distribution | None]) -> None:
    for figure in ("p50", "p90", "p99"):
        heights = [float("nan") if one is None else getattr(one, figure) for one in found]
        axes.plot(loads, heights, "o-", label=figure)
    axes.legend()
