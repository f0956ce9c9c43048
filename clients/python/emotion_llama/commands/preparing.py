"""Prepares what `analyze` and `batch submit` ask about each clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_llama.commands.asked import options_text
from emotion_llama.commands.clips import find_clips
from emotion_llama.commands.crops import find_crops
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.words import Words, as_options, read_words


@dataclass(frozen=True)
class Prepared:
    """Holds clips, and how they are asked about.

    Args:
        clips: the names of the clips.
        words: the transcript of each clip that has one in the table.
        options: the options of all clips in the form that a results file contains.
        asked: the options of all clips, with the function that gives each clip its own.
        notes: sentences about what is skipped or missing.
    """

    clips: list[str]
    words: Words
    options: str
    asked: dict[str, Any]
    notes: list[str]


def prepare(
    targets: Sequence[str],
    asked: dict[str, Any],
    transcripts: Path | None,
    face_crops: Path | None,
) -> Prepared:
    """Find clips, their words and their face crops.

    Args:
        targets: files, folders or URLs.
        asked: the options of all clips, as asked_of_all returns them.
        transcripts: the table with the words.
        face_crops: the folder with a folder of crops for each clip.

    Raises:
        CommandError: there is no clip, or a table or a folder does not fit.
    """
    if transcripts and asked.get("transcribe"):
        raise CommandError("The words come from --transcripts or --transcribe; give one.")
    found = find_clips(targets)
    words, notes = read_words(transcripts, found.clips, targets) if transcripts else ({}, [])
    crops, more = find_crops(face_crops, found.clips) if face_crops else ({}, [])
    return Prepared(
        clips=found.clips,
        words=words,
        options=options_text(
            asked, has_words=transcripts is not None, has_crops=face_crops is not None
        ),
        asked=asked | {"own_options": as_options(words, crops)},
        notes=[*found.notes(), *notes, *more],
    )
