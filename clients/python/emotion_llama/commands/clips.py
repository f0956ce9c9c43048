"""Which clips a command is about: files, folders and URLs, without what is none."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emotion_llama.commands.failure import CommandError

VIDEOS = (
    *(".mp4", ".m4v", ".mp4v", ".mov", ".qt", ".f4v", ".3gp", ".3gpp", ".3g2", ".3gpp2"),
    *(".mkv", ".mk3d", ".webm", ".avi", ".divx"),
)
"""Endings of the containers that a server reads."""
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")
OTHER_VIDEOS = (
    *(".mts", ".m2ts", ".m2t", ".ts", ".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".vob", ".mod"),
    *(".wmv", ".asf", ".flv", ".ogv", ".ogm", ".rm", ".rmvb", ".mxf", ".dv", ".tod", ".h264"),
)
"""Endings of containers that a server does not read: their files are named, not passed over."""

_SIDECARS = frozenset(
    {
        *("__macosx", "@eadir", "@tmp", "@recycle", "@recently-snapshot", "@synoresource"),
        *("#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found"),
        *("network trash folder", "temporary items", "thumbnails", "thmbnl"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini"),
    }
)
"""Files and folders that systems, storage boxes and cameras leave, in small letters."""


@dataclass
class Found:
    """The clips that a command is about, and what it passes over."""

    clips: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Hidden files and folders, sidecars and thumbnails."""
    unreadable: list[str] = field(default_factory=list)
    """Videos in containers that a server does not read, and folders that may not be read."""

    def notes(self) -> list[str]:
        """Return one sentence for each kind of thing that is passed over."""
        notes = []
        if self.skipped:
            notes.append(f"{_count(self.skipped, 'hidden file or sidecar')} skipped.")
        kinds = Counter(Path(name).suffix.lower() or name for name in self.unreadable)
        if kinds:
            told = ", ".join(f"{kind} ({number})" for kind, number in sorted(kinds.items()))
            notes.append(
                f"{_count(self.unreadable, 'file')} skipped that a server cannot read: {told}; "
                "convert them to MP4, or allow this user to read them."
            )
        return notes


def find_clips(targets: Sequence[str]) -> Found:
    """Return the clips that are named, as `look_for` does.

    Raises:
        CommandError: there is none.
    """
    found = look_for(targets)
    if not found.clips:
        raise CommandError(" ".join([f"There is no clip in {', '.join(targets)}.", *found.notes()]))
    return found


def look_for(targets: Iterable[str]) -> Found:
    """Return the clips that are named: of a folder all in it, in the order of their names.

    Files have their absolute paths, so that a clip has one name from wherever it is asked about. A
    hidden file or folder that is named itself is taken; a sidecar is not: a shell's `*` names it.
    """
    found = Found()
    for target in targets:
        path = Path(target)
        if is_url(target) or not _exists(path):
            found.clips.append(target)
        elif is_sidecar(path.name):
            found.skipped.append(target)
        elif path.is_dir():
            _look_into(path.absolute(), found)
        else:
            found.clips.append(str(path.absolute()))
    found.clips = list(dict.fromkeys(found.clips))
    return found


def is_url(target: str) -> bool:
    """Return whether a clip is named by a URL, not by a path."""
    return "://" in target[:32] or target[:5].lower() == "data:"


def is_sidecar(name: str) -> bool:
    """Return whether a file or folder of this name is left by a system beside the clips."""
    path = Path(name)
    is_thumbnail = path.suffix.lower() in PICTURES and Path(path.stem).suffix.lower() in VIDEOS
    return name.startswith("._") or name.lower() in _SIDECARS or is_thumbnail


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or in a folder that may not be read
        return False


def _look_into(folder: Path, found: Found) -> None:
    clips = []
    for file in _files(folder, found):
        if file.suffix.lower() in VIDEOS + PICTURES:
            clips.append(str(file))
        elif file.suffix.lower() in OTHER_VIDEOS:
            found.unreadable.append(str(file))
    found.clips += sorted(clips)


def _files(folder: Path, found: Found) -> Iterator[Path]:
    """Yield the files in a folder and its folders that are neither hidden nor sidecars."""

    def note(error: OSError) -> None:
        found.unreadable.append(str(error.filename))

    for parent, folders, files in os.walk(folder, onerror=note):
        seen = [name for name in folders if not _is_hidden(name)]
        found.skipped += [str(Path(parent, name)) for name in folders if _is_hidden(name)]
        folders[:] = sorted(seen)
        for name in files:
            file = Path(parent, name)
            if _is_hidden(name):
                found.skipped.append(str(file))
            elif file.is_file():
                yield file


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or is_sidecar(name)


def _count(things: list[str], name: str) -> str:
    if len(things) == 1:
        return f"1 {name} was"
    return f"{len(things)} {name.replace('file', 'files', 1).replace('sidecar', 'sidecars')} were"
