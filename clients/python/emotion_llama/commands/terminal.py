"""Shows answers to people: a table that fits the terminal, with each timeline as a strip."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from string import ascii_lowercase, digits

from rich.cells import chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emotion_llama.media import is_data_url, is_url
from emotion_llama.schema import EmotionResponse, TimelineWindow

# The maximum widths, so that 80 characters hold all columns and the words.
_NAME_CELLS = 28
_LABEL_CELLS = 12
_STRIP_CELLS = 12
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_COLOURS = ("green", "cyan", "red", "yellow", "magenta", "blue", "bright_black", "bright_green")


def show(found: Sequence[tuple[str, EmotionResponse]]) -> None:
    """Print a table of answers, their warnings, and once the notice about the model."""
    if not found:
        return
    found = sorted(found, key=lambda pair: pair[0])
    names = short_names([video for video, _ in found])
    letters = _letters(response.timeline or () for _, response in found)
    table = Table()
    table.add_column("clip", no_wrap=True)
    table.add_column("emotion", no_wrap=True)
    table.add_column("conf.", no_wrap=True, justify="right")
    if letters:
        table.add_column("timeline", no_wrap=True)
    table.add_column("explanation", overflow="fold")
    for name, (_, response) in zip(names, found, strict=True):
        said = printable(response.explanation or response.answer or "")
        label, share = printable(response.emotion), f"{response.confidence:.0%}"
        cells = [_folded(name, _NAME_CELLS), _folded(label, _LABEL_CELLS), share]
        strip = [_strip(response.timeline or (), letters)] if letters else []
        # rich reads brackets in plain text as styles
        table.add_row(*map(Text, cells), *strip, Text(said))
    console = Console()
    console.print(table)
    if letters:
        told = ", ".join(f"{letter} {printable(label)}" for label, letter in letters.items())
        console.print(Text(f"timeline, from start to end: {told}"))
    for name, (_, response) in zip(names, found, strict=True):
        for warning in getattr(response, "warnings", ()):  # older servers send none
            console.print(Text(f"{name}: {printable(warning.message)}"))
    for notice in dict.fromkeys(response.notice for _, response in found if response.notice):
        console.print(Text(printable(notice)))


def short_names(videos: Sequence[str]) -> list[str]:
    """Return names that distinguish clips: paths without the folders that all of them share."""
    paths = [PurePosixPath(video) for video in videos if not is_url(video)]
    parents = [str(path.parent) for path in paths if path.is_absolute()]
    shared = os.path.commonpath(parents) if parents else "/"
    short = [
        str(PurePosixPath(video).relative_to(shared))
        if not is_url(video) and PurePosixPath(video).is_relative_to(shared)
        else video.partition(",")[0]
        if is_data_url(video)
        else video
        for video in videos
    ]
    return [printable(name) for name in (short if len(set(short)) == len(short) else videos)]


def printable(text: str) -> str:
    """Return a text that moves no cursor and that the terminal can encode."""
    return _CONTROL.sub(" ", text).encode(errors="replace").decode()


def _folded(text: str, cells: int) -> str:
    """Break a text into lines of this width, because rich would cut off the end of a longer one."""
    return "\n".join(chop_cells(text, cells))


def _letters(timelines: Iterable[Sequence[TimelineWindow]]) -> dict[str, str]:
    """Return one character for each label in the timelines, the most frequent labels first."""
    counts = Counter(window.emotion for timeline in timelines for window in timeline)
    letters: dict[str, str] = {}
    for label, _ in counts.most_common():
        free = (c for c in (*label.lower(), *ascii_lowercase, *digits) if c.isalnum())
        letters[label] = next((c for c in free if c not in letters.values()), "?")
    return letters


def _strip(windows: Sequence[TimelineWindow], letters: dict[str, str]) -> Text:
    """Return a timeline with one character for each window, or for several if it is long."""
    strip, size = Text(), max(1, -(-len(windows) // _STRIP_CELLS))
    colours = dict(zip(letters, _COLOURS, strict=False))
    for start in range(0, len(windows), size):
        part = Counter(window.emotion for window in windows[start : start + size])
        label = part.most_common(1)[0][0]
        strip.append(letters[label], style=colours.get(label, ""))
    return strip
