"""Implements `emotion-llama batch submit`, which uploads clips and begins a batch about them."""

import sys
from typing import Annotated

import typer

from emotion_llama.commands.asked import asked_of_all
from emotion_llama.commands.asking import Server
from emotion_llama.commands.batch.asking import ask
from emotion_llama.commands.batch.asking import submit as send
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
    TaskName,
    Timeline,
    Transcribe,
    Transcripts,
)
from emotion_llama.commands.output import count_of_clips, list_failures
from emotion_llama.commands.preparing import prepare
from emotion_llama.connection import DEFAULT_URL
from emotion_llama.many import Analysis

_COMMAND = "batch submit"


def submit(
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
    completion_window: Annotated[
        str, typer.Option(metavar="HOURS", help="hours in which clips are analysed, 1h to 168h")
    ] = "24h",
    concurrency: Concurrency = 8,
) -> None:
    """Upload clips, begin a batch about them, and print its id."""
    failed: list[Analysis] = []
    try:
        asked_server = Server.of(server, api_key)
        asked = asked_of_all(task, timeline, language, audio_track, frame, transcribe=transcribe)
        found = prepare(clips, asked, transcripts, face_crops)
        for sentence in found.notes:
            note(_COMMAND, sentence)
        more = {"completion_window": completion_window, "concurrency": concurrency}
        asked = found.asked | more
        batch = ask(
            asked_server,
            lambda client: send(client, found.clips, failed.append, found.options, **asked),
        )
    except CommandError as error:
        list_failures(failed)
        fail(_COMMAND, error)
    except KeyboardInterrupt:
        note(_COMMAND, "Stopped: no batch has begun.")
        sys.exit(INTERRUPTED)
    print(batch.id)
    submitted = count_of_clips(len(found.clips) - len(failed))
    note(_COMMAND, f"{submitted} submitted; `emotion-llama batch watch {batch.id}` shows progress.")
    list_failures(failed)
    sys.exit(1 if failed else 0)
