"""Which clips a command is about, and what was said in them."""

import csv
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from emotion_llama.commands.failure import CommandError

VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm")
PICTURES = (".png", ".jpg", ".jpeg")


def find_clips(targets: Iterable[str]) -> list[str]:
    """The clips that are named: of a folder all in it, in the order of their names.

    Files have their absolute paths, so that a clip has one name from wherever it is asked about.

    Raises:
        CommandError: a folder holds none.
    """
    found: list[str] = []
    for target in targets:
        folder = Path(target)
        if is_url(target):
            found.append(target)
        elif folder.is_dir():
            files = (file for file in folder.rglob("*") if file.suffix.lower() in VIDEOS + PICTURES)
            inside = sorted(str(file.absolute()) for file in files if file.is_file())
            if not inside:
                raise CommandError(f"There is no clip in {target}.")
            found += inside
        else:
            found.append(str(folder.absolute()) if folder.is_file() else target)
    return list(dict.fromkeys(found))


def is_url(target: str) -> bool:
    return "://" in target[:32] or target.startswith("data:")


def read_table(file: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file that has at least these columns.

    Raises:
        CommandError: it has not, or cannot be read.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise CommandError(f"{file} has no column {missing[0]!r}.")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error


def read_transcripts(file: Path) -> dict[str, str]:
    """Names of clips, without extension, to what is said in them (`name,transcript`)."""
    rows = read_table(file, ("name", "transcript"))
    return {bare_name(row["name"]): row["transcript"] or "" for row in rows}


def bare_name(clip: str) -> str:
    """A clip's name without folder and extension."""
    path = PurePosixPath(clip)
    return path.stem if path.suffix.lower() in VIDEOS + PICTURES else path.name
