"""Implements `emotion-llama analyze`, which writes one line of answer for each of many clips."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from emotion_llama.commands.asked import asked_of_all, check_same
from emotion_llama.commands.asking import Server, ask_all
from emotion_llama.commands.batch.asking import ask_as_batch
from emotion_llama.commands.failure import INTERRUPTED, CommandError, fail, note
from emotion_llama.commands.flags import (
    Address,
    ApiKey,
    AudioTrack,
    Clips,
    Concurrency,
    FaceCrops,
    Frame,
    LanguageName,
    Out,
    TaskName,
    Timeline,
    Transcribe,
    Transcripts,
)
from emotion_llama.commands.output import Output, count_of_clips, list_failures
from emotion_llama.commands.preparing import prepare
from emotion_llama.commands.results import Results, begin, check_form
from emotion_llama.commands.saved import Saved
from emotion_llama.connection import DEFAULT_URL


def analyze(
    clips: Clips,
    server: Address = DEFAULT_URL,
    api_key: ApiKey = None,
    task: TaskName = "both",
    timeline: Timeline = None,
    transcripts: Transcripts = None,
    frame: Frame = "first",
    face_crops: FaceCrops = None,
    transcribe: Transcribe = False,
    audio_track: AudioTrack = None,
    language: LanguageName = "en",
    out: Out = None,
    concurrency: Concurrency = 8,
    resume: Annotated[bool, typer.Option(help="continue --out: skip its clips")] = False,
    retry_failed: Annotated[
        bool, typer.Option(help="with --resume: repeat the clips that failed")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="as one batch of a server that keeps files")
    ] = False,
) -> None:
    """Estimate the emotion in each clip, and explain it."""
    try:
        _check_output(out, resume, retry_failed)
        asked_server = Server.of(server, api_key)
        asked = asked_of_all(task, timeline, language, audio_track, frame, transcribe=transcribe)
        found = prepare(clips, asked, transcripts, face_crops)
        saved = begin(out, resume=resume) if out else Saved()
        if out:
            check_same(out, saved, found.options, found.words, found.clips)
        wanted = _wanted(found.clips, saved, retry_failed)
        output = Output(found.words, found.options, Results(out, saved) if out else None)
    except CommandError as error:
        fail("analyze", error)
    for sentence in found.notes:
        note("analyze", sentence)
    asked = found.asked | {"concurrency": concurrency}
    try:
        if batch:
            is_over = ask_as_batch(asked_server, wanted, output.take, found.options, **asked)
        else:
            is_over = ask_all(asked_server, wanted, output.take, **asked)
    except CommandError as error:
        output.close()
        fail("analyze", error, code=1)
    output.close()
    if out and is_over:
        print(f"Wrote {out} ({count_of_clips(len(found.clips))}).", file=sys.stderr)
    list_failures(output.failed)
    if not is_over:
        kept = f"; {out} has them, and --resume continues it" if out else ""
        note("analyze", f"Stopped: {output.count} of {len(wanted)} clips are done{kept}.")
        sys.exit(INTERRUPTED)
    sys.exit(1 if output.failed else 0)


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
