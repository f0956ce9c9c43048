"""Reads the spoken words of clips from a table of transcripts."""

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

from emotion_llama.commands.crops import Crops
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.matching import match, shown
from emotion_llama.commands.tables import read_table
from emotion_llama.many import OwnOptions
from emotion_llama.options import Options

Words = dict[str, str]
"""Maps each clip that has a row in the table to its words."""


def read_words(table: Path, clips: Sequence[str], roots: Sequence[str]) -> tuple[Words, list[str]]:
    """Return the words of each clip, and sentences about names without a match.

    Args:
        table: the file, with the columns `name` and `transcript`.
        clips: the clips in the form of find_clips.
        roots: the folders that contain the paths of the table.

    Raises:
        CommandError: the table cannot be read, or none of its names belongs to a clip.
    """
    rows = read_table(table, ("name", "transcript"))
    found = match(clips, rows, table=table, roots=roots)
    if not found.rows:
        names = shown([row["name"] for row in rows]) or "nothing"
        raise CommandError(
            f"{table} is about none of the clips: it names {names}; the clips are {shown(clips)}."
        )
    words = {clip: row["transcript"].strip() for clip, row in found.rows.items()}
    return words, found.notes(table, clips)


def as_options(words: Words, crops: Crops) -> OwnOptions:
    """Return a function that gives each clip its transcript and its face crops."""

    def own_options(clip: str | PathLike[str]) -> Options:
        own: Options = {}
        if (said := words.get(fspath(clip))) is not None:
            own["transcript"] = said
        if (folder := crops.get(fspath(clip))) is not None:
            own["face_crops"] = folder
        return own

    return own_options
