"""Implements `emotion-llama analyze`, which writes one line of answer for each of many clips."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import Annotated

import typer

from emotion_llama.commands.asked import asked_of_all, check_same, options_text
from emotion_llama.commands.asking import Server, ask_all
from emotion_llama.commands.clips import find_clips
from emotion_llama.commands.crops import find_crops
from emotion_llama.commands.failure import INTERRUPTED, CommandError, fail, note
from emotion_llama.commands.records import as_record, json_line
from emotion_llama.commands.results import Results, begin, check_form
from emotion_llama.commands.saved import Saved
from emotion_llama.commands.terminal import printable, show
from emotion_llama.commands.words import Words, as_options, read_words
from emotion_llama.connection import DEFAULT_URL
from emotion_llama.keys import KEY_VARIABLE
from emotion_llama.many import Analysis
from emotion_llama.schema import EmotionResponse


def analyze(
    clips: Annotated[list[str], typer.Argument(help="files, folders or URLs")],
    server: Annotated[str, typer.Option(help="address of the server")] = DEFAULT_URL,
    api_key: Annotated[str | None, typer.Option(envvar=KEY_VARIABLE, help="API key")] = None,
    task: Annotated[
        str,
        typer.Option(
            help="emotion (numbers and the label), reason (numbers and an explanation) or both"
        ),
    ] = "both",
    timeline: Annotated[
        str | None, typer.Option(metavar="WINDOW/STEP", help="windows in seconds, as 2/1")
    ] = None,
    transcripts: Annotated[
        Path | None,
        typer.Option(help="CSV file `name,transcript`: the words; a name is the clip's path"),
    ] = None,
    frame: Annotated[
        str,
        typer.Option(
            metavar="FRAME",
            help="picture that the model sees: first, middle, peak or a time in seconds",
        ),
    ] = "first",
    face_crops: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="face crops, as OpenFace writes them: DIR/CLIP/*.bmp"),
    ] = None,
    transcribe: Annotated[
        bool, typer.Option(help="let the server's transcription service write the words")
    ] = False,
    audio_track: Annotated[
        int | None, typer.Option(min=0, help="sound track, from 0, if not the default one")
    ] = None,
    language: Annotated[str, typer.Option(help="language of the question: en or zh")] = "en",
    out: Annotated[Path | None, typer.Option(help="file to write: .jsonl or .csv")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="number of clips at once")] = 8,
    resume: Annotated[bool, typer.Option(help="continue OUT: skip its clips")] = False,
    retry_failed: Annotated[
        bool, typer.Option(help="with --resume: repeat the clips that failed")
    ] = False,
) -> None:
    """Estimate the emotion in each clip, and explain it."""
    try:
        _check_output(out, resume, retry_failed)
        asked_server = Server.of(server, api_key)
        if transcripts and transcribe:
            raise CommandError("The words come from --transcripts or --transcribe; give one.")
        asked = asked_of_all(task, timeline, language, audio_track, frame, transcribe=transcribe)
        found = find_clips(clips)
        words, notes = read_words(transcripts, found.clips, clips) if transcripts else ({}, [])
        crops, more = find_crops(face_crops, found.clips) if face_crops else ({}, [])
        has_crops = face_crops is not None
        options = options_text(asked, has_words=transcripts is not None, has_crops=has_crops)
        saved = begin(out, resume=resume) if out else Saved()
        if out:
            check_same(out, saved, options, words, found.clips)
        wanted = _wanted(found.clips, saved, retry_failed)
        run = _Run(words, options, Results(out, saved) if out else None)
    except CommandError as error:
        fail("analyze", error)
    for sentence in (*found.notes(), *notes, *more):
        note("analyze", sentence)
    try:
        is_over = ask_all(
            asked_server,
            wanted,
            run.take,
            concurrency=concurrency,
            own_options=as_options(words, crops),
            **asked,
        )
    except CommandError as error:
        run.close()
        fail("analyze", error, code=1)
    run.close()
    if out and is_over:
        print(f"Wrote {out} ({_clips(len(found.clips))}).", file=sys.stderr)
    _list_failures(run.failed)
    if not is_over:
        kept = f"; {out} has them, and --resume continues it" if out else ""
        note("analyze", f"Stopped: {run.count} of {len(wanted)} clips are done{kept}.")
        sys.exit(INTERRUPTED)
    sys.exit(1 if run.failed else 0)


@dataclass
class _Run:
    """Writes the answers: lines of a file or of the output, or a table in a terminal.

    A file has a line for each clip. The output has a line for each answer, because the error stream
    lists the failed clips.
    """

    words: Words
    options: str
    results: Results | None

    def __post_init__(self) -> None:
        self.count = 0
        self.failed: list[Analysis] = []
        self._shown: list[tuple[str, EmotionResponse]] = []
        self._is_table = self.results is None and sys.stdout.isatty()

    def take(self, analysis: Analysis) -> None:
        """Write the result of one clip."""
        video = fspath(analysis.video_path)
        self.count += 1
        if analysis.response is None:
            self.failed.append(analysis)
        elif self._is_table:
            self._shown.append((video, analysis.response))
        if self._is_table:
            return
        said = self.words.get(video)
        if said is None and analysis.response is not None:
            said = analysis.response.evidence.transcript
        record = as_record(analysis, transcript=said, options=self.options)
        try:
            if self.results is not None:
                self.results.add(record)
            elif analysis.response is not None:
                sys.stdout.buffer.write(json_line(record).encode())
                sys.stdout.buffer.flush()
        except OSError as error:  # the disk is full, or the reader has closed the pipe
            raise CommandError(f"The results cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        """Close the file, or show the table."""
        if self.results is not None:
            self.results.close()
        show(self._shown)


def _check_output(out: Path | None, resume: bool, retry_failed: bool) -> None:
    if resume and out is None:
        raise CommandError("--resume continues a file: name it with --out.")
    if retry_failed and not resume:
        raise CommandError("--retry-failed is for going on with a file: add --resume.")
    if out is not None:
        check_form(out)


def _wanted(clips: Sequence[str], saved: Saved, retry_failed: bool) -> list[str]:
    """Return the clips that have no result yet."""
    done = saved.done.keys() - (saved.failed if retry_failed else set())
    return [clip for clip in clips if clip not in done]


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"


def _list_failures(failed: Sequence[Analysis]) -> None:
    if failed:
        print(f"{_clips(len(failed))} failed:", file=sys.stderr)
    for analysis in failed:
        print(f"  {printable(fspath(analysis.video_path))}: {analysis.error}", file=sys.stderr)
