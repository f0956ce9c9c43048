"""`emotion-llama analyze`: many clips, one line of answer for each."""

import sys
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emotion_llama.client import DEFAULT_URL, KEY_VARIABLE, EmotionLLaMA
from emotion_llama.commands.clips import bare_name, find_clips, read_transcripts
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.progress import progress
from emotion_llama.commands.records import Records, as_record, json_line
from emotion_llama.many import Analysis
from emotion_llama.options import Options
from emotion_llama.schema import EmotionResponse, Task, TimelineRequest


def analyze(
    clips: Annotated[list[str], typer.Argument(help="files, folders or URLs")],
    server: Annotated[str, typer.Option(help="address of the server")] = DEFAULT_URL,
    api_key: Annotated[str | None, typer.Option(envvar=KEY_VARIABLE, help="for the server")] = None,
    task: Annotated[str, typer.Option(help="emotion, reason or both")] = "both",
    timeline: Annotated[
        str | None, typer.Option(metavar="WINDOW/STEP", help="in seconds, as 2/1")
    ] = None,
    transcripts: Annotated[
        Path | None, typer.Option(help="CSV file `name,transcript`: what is said")
    ] = None,
    language: Annotated[str, typer.Option(help="of the question: en or zh")] = "en",
    out: Annotated[Path | None, typer.Option(help="file to write: .jsonl or .csv")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="clips asked about at once")] = 8,
    resume: Annotated[bool, typer.Option(help="go on with OUT: skip what it holds")] = False,
) -> None:
    """Say which emotion each clip shows, and why."""
    try:
        options = _options(task, timeline, language)
        spoken = read_transcripts(transcripts) if transcripts else {}
        if resume and out is None:
            raise CommandError("--resume goes on with a file: name it with --out.")
        records = Records(out, resume=resume) if out else None
        wanted = [clip for clip in find_clips(clips) if records is None or clip not in records.done]
    except CommandError as error:
        print(f"emotion-llama analyze: {error}", file=sys.stderr)
        sys.exit(2)

    def own_options(path: str | PathLike[str]) -> Options:
        said = spoken.get(bare_name(fspath(path)))
        return {} if said is None else {"transcript": said}

    failed, shown = [], []
    with EmotionLLaMA(server, api_key=api_key) as client, progress() as bar:
        row = bar.add_task("clips", total=len(wanted))
        answers = client.analyze_many(
            wanted,
            concurrency=concurrency,
            task=_task(task),
            explain=False,
            own_options=own_options,
            **options,
        )
        for found in answers:
            bar.advance(row)
            if found.response is None:
                failed.append(found)
            elif records is not None:
                records.add(fspath(found.video_path), found.response)
            elif sys.stdout.isatty():
                shown.append((fspath(found.video_path), found.response))
            else:
                line = json_line(as_record(fspath(found.video_path), found.response))
                print(line, end="", flush=True)
    if records is not None:
        records.close()
    _show(shown)
    _list_failures(failed)
    sys.exit(1 if failed else 0)


def _task(task: str) -> Task:
    if task not in ("emotion", "reason", "both"):
        raise CommandError(f"--task is emotion, reason or both, not {task!r}.")
    return task


def _options(task: str, timeline: str | None, language: str) -> Options:
    _task(task)
    if language not in ("en", "zh"):
        raise CommandError(f"--language is en or zh, not {language!r}.")
    options: Options = {} if language == "en" else {"language": language}
    if timeline is not None:
        try:
            window, step = map(float, timeline.split("/"))
            options["timeline"] = TimelineRequest(window=window, step=step)
        except ValueError as error:
            raise CommandError(
                "--timeline is WINDOW/STEP in seconds, as 2/1; a window has 0.5 at least."
            ) from error
    return options


def _show(found: Sequence[tuple[str, EmotionResponse]]) -> None:
    if not found:
        return
    table = Table("clip", "emotion", "confidence", "explanation")
    for video, response in sorted(found, key=lambda pair: pair[0]):
        words = (video, response.emotion, f"{response.confidence:.0%}", response.explanation or "")
        table.add_row(*map(Text, words))  # rich takes brackets in mere words for styles
    Console().print(table)


def _list_failures(failed: Sequence[Analysis]) -> None:
    if failed:
        print(f"{len(failed)} clips failed:", file=sys.stderr)
    for analysis in failed:
        print(f"  {analysis.video_path}: {analysis.error}", file=sys.stderr)
