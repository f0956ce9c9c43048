"""Implements `emotion-llama bench`, which measures a server's throughput and answer times."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from emotion_llama.bench.clips import DEMO_CLIPS, Clip, named
from emotion_llama.bench.figures import Bench, Settings
from emotion_llama.bench.load import ClosedLoop, Load, OpenLoop
from emotion_llama.bench.measure import Plan, measure
from emotion_llama.bench.picture import draw
from emotion_llama.bench.report import failures, table, title
from emotion_llama.bench.routes import ROUTES
from emotion_llama.commands.clips import find_clips
from emotion_llama.commands.failure import CommandError, fail, note
from emotion_llama.commands.flags import Address, ApiKey
from emotion_llama.commands.progress import progress
from emotion_llama.connection import DEFAULT_URL, Connection
from emotion_llama.errors import EmotionLLaMAError, InvalidSettings

_CONCURRENCY = "1,4,16,64"


def bench(
    server: Address = DEFAULT_URL,
    route: Annotated[
        str, typer.Option(metavar="ROUTE", help="chat, emotion, predict or process_video")
    ] = "chat",
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N,...", help=f"requests at once, one run for each number [{_CONCURRENCY}]"
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="requests per second, sent without waiting for answers"),
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="folder of clips to send; by default the demo's names"),
    ] = None,
    questions_per_clip: Annotated[
        int, typer.Option(min=1, metavar="N", help="number of different questions about each clip")
    ] = 1,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="chat: every answer has exactly so many tokens (ignore_eos, temperature 0), "
            "which makes runs comparable; emotion: at most so many",
        ),
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="requests of each run; by default enough for its load"
        ),
    ] = None,
    api_key: ApiKey = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="folder for bench.json and bench.png")
    ] = None,
) -> None:
    """Measure a server's throughput and answer times under load."""
    try:
        loads = _loads(concurrency, rate)
        settings = Settings(
            route=route,
            clips=str(clips.absolute()) if clips else None,
            questions_per_clip=questions_per_clip,
            max_tokens=max_tokens,
            seed=next((load.seed for load in loads if isinstance(load, OpenLoop)), None),
        )
        plan = _plan(server, api_key, settings, loads, requests)
        if out is not None:
            _make(out)
    except CommandError as error:
        fail("bench", error)
    try:
        found = _measure(plan)
    except EmotionLLaMAError as error:
        note("bench", str(error))
        sys.exit(1)
    _show(found)
    if out is not None:
        _write(found, out)
    sys.exit(0 if all(run.figures.good for run in found.runs) else 1)


def _loads(concurrency: str | None, rate: float | None) -> list[Load]:
    if rate is not None:
        if concurrency is not None:
            raise CommandError("--concurrency and --rate exclude each other: give one.")
        if not 0 < rate < float("inf"):
            raise CommandError(f"--rate is a number of requests a second, not {rate}.")
        return [OpenLoop(rate)]
    text = _CONCURRENCY if concurrency is None else concurrency
    try:
        counts = [int(number) for number in text.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1:
        raise CommandError(f"--concurrency is numbers from 1, as {_CONCURRENCY}, not {text!r}.")
    return [ClosedLoop(count) for count in counts]


def _plan(
    server: str, api_key: str | None, settings: Settings, loads: list[Load], requests: int | None
) -> Plan:
    _check(server, settings)
    counted = [
        (load, requests or load.default_requests(settings.questions_per_clip)) for load in loads
    ]
    for load, count in counted:
        if isinstance(load, ClosedLoop) and count < load.concurrency:
            raise CommandError(
                f"--requests {count} are never {load.concurrency} at once: "
                "send more, or ask for less with --concurrency."
            )
    most = sum(count + 1 for _, count in counted)  # one for each, and one to warm up
    return Plan(server, api_key, settings, _clips(settings, most), counted)


def _check(server: str, settings: Settings) -> None:
    try:
        Connection.to(server)
    except InvalidSettings as error:
        raise CommandError(f"--server: {error}") from error
    if settings.route not in ROUTES:
        raise CommandError(f"--route is {', '.join(ROUTES)}, not {settings.route!r}.")
    if settings.max_tokens is not None and not ROUTES[settings.route].takes_max_tokens:
        raise CommandError(f"--max-tokens does not work with {settings.route}: leave it out.")


def _clips(settings: Settings, most: int) -> list[Clip]:
    """Return the clips in the route's form, only as many as the runs can use."""
    if settings.clips is None:
        return [named(name) for name in DEMO_CLIPS]
    if not Path(settings.clips).is_dir():
        raise CommandError(f"--clips: there is no folder {settings.clips}.")
    found = find_clips([settings.clips])
    for sentence in found.notes():
        note("bench", sentence)
    read = ROUTES[settings.route].read_clip
    try:
        return [read(Path(file)) for file in found.clips[:most]]
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--out: {folder} cannot be made: {error.strerror}.") from error


def _measure(plan: Plan) -> Bench:
    with progress("requests") as bar:
        row = bar.add_task("warming up", total=sum(requests for _, requests in plan.loads))
        return asyncio.run(
            measure(plan, lambda load: bar.update(row, advance=1, description=load.name))
        )


def _show(found: Bench) -> None:
    print(title(found))
    Console().print(table(found))
    for line in failures(found):
        print(line, file=sys.stderr)


def _write(found: Bench, folder: Path) -> None:
    numbers, picture = folder / "bench.json", folder / "bench.png"
    numbers.write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    try:
        draw(found, picture)
    except ModuleNotFoundError:
        pip = f"{sys.executable} -m pip install matplotlib"
        print(f"Wrote {numbers}, and no picture: `{pip}` lets it draw one.")
    else:
        print(f"Wrote {numbers} and {picture}.")
