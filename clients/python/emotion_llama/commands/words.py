"""The words that are said in the clips, as a table of transcripts has them."""

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.matching import match, shown
from emotion_llama.commands.tables import read_table
from emotion_llama.options import Options

Words = dict[str, str]
"""Each clip with a row in the table, and what is said in it."""


def read_words(table: Path, clips: Sequence[str], roots: Sequence[str]) -> tuple[Words, list[str]]:
    """Return what is said in each clip, and sentences about names that did not match.

    Args:
        table: with the columns `name` and `transcript`.
        clips: as find_clips returns them.
        roots: the folders inside which the table may name them.

    Raises:
        CommandError: the table cannot be read, or none of its names is that of a clip.
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


def as_options(words: Words) -> Callable[[str | PathLike[str]], Options]:
    """Return what gives each clip its words."""

    def own_options(clip: str | PathLike[str]) -> Options:
        said = words.get(fspath(clip))
        return {} if said is None else {"transcript": said}

    return own_options
