"""Finds the clips of a command in files, folders and URLs, and skips everything else."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emotion_llama.commands.failure import CommandError
from emotion_llama.media import is_url

VIDEOS = (
    *(".mp4", ".m4v", ".mp4v", ".mov", ".qt", ".f4v", ".3gp", ".3gpp", ".3g2", ".3gpp2"),
    *(".mkv", ".mk3d", ".webm", ".avi", ".divx"),
)
"""The file endings of the containers that a server reads."""
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")
SOUNDS = (".wav", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".flac", ".weba")
"""The file endings of sound alone, which a server answers with a warning."""
OTHER_VIDEOS = (
    *(".mts", ".m2ts", ".m2t", ".ts", ".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".vob", ".mod"),
    *(".wmv", ".asf", ".flv", ".ogv", ".ogm", ".rm", ".rmvb", ".mxf", ".dv", ".tod", ".h264"),
)
"""The file endings of containers that a server does not read; such files are reported."""

_SIDECARS = frozenset(
    {
        *("__macosx", "@eadir", "@tmp", "@recycle", "@recently-snapshot", "@synoresource"),
        *("#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found"),
        *("network trash folder", "temporary items", "thumbnails", "thmbnl"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini"),
    }
)
"""The files and folders that systems, storage boxes and cameras leave, in lower case."""


@dataclass
class Found:
    """Holds the clips of a command, and the files that it skips."""

    clips: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """The hidden files and folders, sidecars and thumbnails."""
    unreadable: list[str] = field(default_factory=list)
    """The videos in containers that a server does not read."""
    denied: list[str] = field(default_factory=list)
    """The folders that this user may not read."""

    def notes(self) -> list[str]:
        """Return one sentence for each kind of skipped file."""
        notes = []
        if self.skipped:
            notes.append(f"{_count(self.skipped, 'hidden file or sidecar')} skipped.")
        if self.unreadable:
            kinds = Counter(Path(name).suffix.lower() for name in self.unreadable)
            told = ", ".join(f"{kind} ({number})" for kind, number in sorted(kinds.items()))
            notes.append(
                f"{_count(self.unreadable, 'file')} skipped that a server cannot read: {told}; "
                "convert to MP4."
            )
        if self.denied:
            notes.append(
                f"{_count(self.denied, 'folder')} skipped that cannot be read: "
                f"{', '.join(sorted(self.denied))}; allow this user to read."
            )
        return notes


def find_clips(targets: Sequence[str]) -> Found:
    """Return the clips that are named, as `look_for` does.

    Raises:
        CommandError: there is no clip.
    """
    found = look_for(targets)
    if not found.clips:
        raise CommandError(" ".join([f"There is no clip in {', '.join(targets)}.", *found.notes()]))
    return found


def look_for(targets: Iterable[str]) -> Found:
    """Return the named clips, and all clips in the named folders in the order of their names.

    Files get absolute paths, so that a clip has the same name from every folder. A hidden file or
    folder is accepted if it is named itself; a sidecar is not, because a shell's `*` names it.
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


def is_sidecar(name: str) -> bool:
    """Return whether a system leaves files or folders with this name beside the clips."""
    path = Path(name)
    is_thumbnail = path.suffix.lower() in PICTURES and Path(path.stem).suffix.lower() in VIDEOS
    return name.startswith("._") or name.lower() in _SIDECARS or is_thumbnail


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # the name is too long, or its folder may not be read
        return False


def _look_into(folder: Path, found: Found) -> None:
    clips = []
    for file in _files(folder, found):
        if file.suffix.lower() in VIDEOS + PICTURES + SOUNDS:
            clips.append(str(file))
        elif file.suffix.lower() in OTHER_VIDEOS:
            found.unreadable.append(str(file))
    found.clips += sorted(clips)


def _files(folder: Path, found: Found) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders that are neither hidden nor sidecars."""

    def note(error: OSError) -> None:
        found.denied.append(str(error.filename))

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
    return f"{len(things)} {' or '.join(f'{noun}s' for noun in name.split(' or '))} were"
