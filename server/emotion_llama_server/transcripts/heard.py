"""Holds the words that a transcription service heard, and finds those of a window."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Segment:
    """Holds words, mostly a sentence, and when they are said, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Heard:
    """Holds all words of a sound.

    Args:
        text: the words on one line.
        segments: the same words with their times, in order and without overlaps; None if the
            service told no times.
    """

    text: str = ""
    segments: Sequence[Segment] | None = ()

    def between(self, start: float, end: float) -> str:
        """Return the words from one time to another, in whole segments.

        The model was trained with whole sentences. So a window gets each segment of which it holds
        at least a half, and the one that fills at least half of the window.
        """
        first = bisect_right(self._ends, start)
        behind = max(first, bisect_left(self._starts, end))
        inside = (self.segments or ())[first:behind]
        edges = {0, len(inside) - 1}  # only these two may reach out of the window
        return " ".join(
            segment.text
            for number, segment in enumerate(inside)
            if number not in edges or _belongs(segment, start, end)
        )

    def first(self, seconds: float) -> str:
        """Return the words up to a time, or all words if their times are not known."""
        if not self.segments or self.segments[-1].end <= seconds:
            return self.text
        return self.between(0, seconds)

    @cached_property
    def _starts(self) -> Sequence[float]:
        return [segment.start for segment in self.segments or ()]

    @cached_property
    def _ends(self) -> Sequence[float]:
        return [segment.end for segment in self.segments or ()]


def join(pieces: Iterable[tuple[float, Heard]]) -> Heard:
    """Join what was heard in the pieces of one sound, each with its start in seconds."""
    pieces = list(pieces)
    text = " ".join(heard.text for _, heard in pieces if heard.text)
    segments: list[Segment] = []
    for offset, heard in pieces:
        if heard.segments is None:
            return Heard(text, None)
        segments += [Segment(s.start + offset, s.end + offset, s.text) for s in heard.segments]
    return Heard(text, segments)


def _belongs(segment: Segment, start: float, end: float) -> bool:
    together = min(segment.end, end) - max(segment.start, start)
    return together >= min(segment.end - segment.start, end - start) / 2
