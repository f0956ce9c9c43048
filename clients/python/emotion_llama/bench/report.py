"""Formats a load test's results for people: the table, and sentences about errors."""

from collections.abc import Callable, Iterator

from rich.table import Table

from emotion_llama.bench.figures import Bench, Distribution, Run

_Cell = Callable[[Run], str | None]
_TIMES: dict[str, Callable[[Run], Distribution | None]] = {
    "TTFT": lambda run: run.figures.ttft,
    "inter-token": lambda run: run.figures.inter_token,
    "time per token": lambda run: run.figures.time_per_output_token,
    "end to end": lambda run: run.figures.end_to_end,
}


def title(bench: Bench) -> str:
    """Return a line about the measured server and route."""
    server, settings = bench.server, bench.settings
    model = server.model or "an unknown model"
    version = f", vLLM {server.version}" if server.version else ""
    return f"{settings.route} of {model}{version} at {server.url}"


def table(bench: Bench) -> Table:
    """Return a table with one column for each run, without rows that are empty in all runs."""
    made = Table("requests/s" if bench.runs[0].rate else "concurrency")
    for run in bench.runs:
        made.add_column(f"{run.rate or run.concurrency:g}", justify="right")
    for name, cell in _rows():
        cells = [cell(run) for run in bench.runs]
        if any(text is not None for text in cells):
            made.add_row(name, *(text or "" for text in cells))
    return made


def _rows() -> Iterator[tuple[str, _Cell]]:
    yield "good answers", lambda run: f"{run.figures.good} of {run.figures.requests}"
    yield "requests/s sent", lambda run: _number(run.sent_per_second)
    yield "requests/s", lambda run: _number(run.figures.requests_per_second)
    yield "output tokens/s", lambda run: _number(run.figures.output_tokens_per_second)
    for name, times in _TIMES.items():
        yield from _percentiles(name, times)
    yield "prefix cache hits", lambda run: _share(run.prefix_cache_hits)
    yield "media cache hits", lambda run: _share(run.mm_cache_hits)
    yield "clips reused", lambda run: "yes" if run.clips_reused else "no"


def _percentiles(
    name: str, times: Callable[[Run], Distribution | None]
) -> Iterator[tuple[str, _Cell]]:
    for figure in ("mean", "p50", "p90", "p99"):

        def cell(run: Run, figure: str = figure) -> str | None:
            found = times(run)
            return None if found is None else f"{1000 * getattr(found, figure):.1f}"

        yield f"{name}, ms, {figure}" if figure == "mean" else f"  {figure}", cell


def failures(bench: Bench) -> Iterator[str]:
    """Yield a line for each kind of error of each run, with the sentence of the first one."""
    for run in bench.runs:
        for kind, count in run.figures.errors.items():
            message = next(record.message for record in run.records if record.error == kind)
            yield f"{run.name}: {count} × {kind}: {message}"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
