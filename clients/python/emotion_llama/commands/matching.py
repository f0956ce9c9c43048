"""Matches the rows of a table with clips: by path, then by a name that only one clip has."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from emotion_llama.commands.clips import OTHER_VIDEOS, PICTURES, SOUNDS, VIDEOS
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.tables import Row
from emotion_llama.media import is_url

_ENDINGS = VIDEOS + PICTURES + SOUNDS + OTHER_VIDEOS + (".npz",)
_SHOWN = 5


@dataclass
class Matches:
    """Holds the rows of a table, with the clips to which they belong."""

    rows: dict[str, Row] = field(default_factory=dict)
    """The clips that have a row, each with its row."""
    unmatched: list[str] = field(default_factory=list)
    """The names in the table to which no clip belongs."""
    ambiguous: list[str] = field(default_factory=list)
    """The names in the table that fit several clips equally, or a clip that others fit as well."""

    def notes(self, table: Path, clips: Sequence[str]) -> list[str]:
        """Return one sentence for each kind of name or clip without a match."""
        left = [clip for clip in clips if clip not in self.rows]
        return [
            *([f"{table}: no clip is named {shown(self.unmatched)}."] if self.unmatched else []),
            *(
                [f"{table}: several clips fit {shown(self.ambiguous)}: name their folders."]
                if self.ambiguous
                else []
            ),
            *([f"{table} has no row for {shown(left)}."] if left else []),
        ]


@dataclass(frozen=True)
class _Name:
    """Holds the parts of a clip's name or path.

    Args:
        parts: the folders and the file name, without the ending of a clip.
        ending: that ending in lower case, or an empty text.
    """

    parts: tuple[str, ...]
    ending: str

    @classmethod
    def of(cls, name: str) -> "_Name":
        text = unquote(urlsplit(name).path) if is_url(name) else name
        text = unicodedata.normalize("NFC", text.strip())
        parts = [part for part in re.split(r"[\\/]+", text) if part not in ("", ".")]
        last = PurePosixPath(parts.pop() if parts else "")
        ending = last.suffix.lower() if last.suffix.lower() in _ENDINGS else ""
        return cls((*parts, last.stem if ending else last.name), ending)

    def tails(self) -> Iterable[tuple[str, ...]]:
        """Yield the path without its first folder, its first two folders and so on."""
        for start in range(len(self.parts)):
            yield self.parts[start:]


def match(
    clips: Sequence[str], rows: Iterable[Row], *, table: Path, roots: Sequence[str]
) -> Matches:
    """Return the row of each clip.

    A row belongs to the clip whose path ends like its name: with the whole name first, then with as
    many of its folders as agree, and at last with the file name alone. An ending may be missing or
    differ. If several clips fit, the name must be the path inside one of the `roots`.

    Raises:
        CommandError: two rows about one clip differ.
    """
    index = _Index(clips, roots)
    claims: dict[str, list[tuple[tuple[bool, int], Row]]] = defaultdict(list)
    found = Matches()
    for row in rows:
        fitting, rank = index.find(row["name"])
        if len(fitting) == 1:
            claims[fitting[0]].append((rank, row))
        else:
            (found.ambiguous if fitting else found.unmatched).append(row["name"])
    for clip, claimed in claims.items():
        _decide(clip, claimed, found, table)
    return found


def _decide(
    clip: str, claimed: list[tuple[tuple[bool, int], Row]], found: Matches, table: Path
) -> None:
    """Give a clip its best row."""
    best = max(rank for rank, _ in claimed)
    winners = [row for rank, row in claimed if rank == best]
    found.unmatched += [row["name"] for rank, row in claimed if rank != best]
    is_path = best[0]
    contents = {tuple(sorted((k, v) for k, v in row.items() if k != "name")) for row in winners}
    if len(contents) == 1:
        found.rows[clip] = winners[0]
    elif is_path:
        names = " and ".join(repr(row["name"]) for row in winners[:2])
        raise CommandError(f"{table} has different rows for {clip}: {names}.")
    else:
        found.ambiguous += [row["name"] for row in winners]


class _Index:
    """Finds the clips whose paths end in a name."""

    def __init__(self, clips: Sequence[str], roots: Sequence[str]) -> None:
        self._by_tail: dict[tuple[str, ...], dict[str, list[str]]] = {}
        self._by_path: dict[tuple[str, ...], dict[str, list[str]]] = {}
        for clip in clips:
            name = _Name.of(clip)
            self._by_path.setdefault(name.parts, {}).setdefault(name.ending, []).append(clip)
            for tail in name.tails():
                self._by_tail.setdefault(tail, {}).setdefault(name.ending, []).append(clip)
        folders = [_Name.of(str(Path(root).absolute())) for root in roots if not is_url(root)]
        self._roots = [(*root.parts[:-1], root.parts[-1] + root.ending) for root in folders]

    def find(self, text: str) -> tuple[Sequence[str], tuple[bool, int]]:
        """Return the clips that fit a name, if it fits wholly, and how many of its parts fit."""
        wanted = _Name.of(text)
        for tail in wanted.tails():
            if fitting := self._by_tail.get(tail):
                clips = _best(fitting, wanted.ending)
                if len(clips) > 1:
                    clips = self._inside_a_root(wanted) or clips
                return clips, (tail == wanted.parts, len(tail))
        return [], (False, 0)

    def _inside_a_root(self, wanted: _Name) -> Sequence[str]:
        """Return the clips whose path inside one of the roots is the name."""
        paths = dict.fromkeys((*root, *wanted.parts) for root in self._roots)
        inside = [
            _best(self._by_path[path], wanted.ending) for path in paths if path in self._by_path
        ]
        return [clip for clips in inside for clip in clips]


def _best(fitting: dict[str, list[str]], ending: str) -> Sequence[str]:
    """Return the clips with this ending, or else at most two others, videos if possible."""
    if ending in fitting:
        return fitting[ending]
    videos = [clips for other, clips in fitting.items() if other in VIDEOS]
    return list(islice(chain.from_iterable(videos or fitting.values()), 2))


def shown(names: Sequence[str]) -> str:
    """Return the first of some names, and the number of the others."""
    told = ", ".join(map(str, names[:_SHOWN]))
    return told if len(names) <= _SHOWN else f"{told} and {len(names) - _SHOWN} more"
