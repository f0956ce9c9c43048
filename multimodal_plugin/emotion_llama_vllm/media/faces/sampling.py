"""Chooses the frames of a clip in which the face is sought."""

import itertools
import math

FEWEST = 17
"""The fewest frames of a longer clip that include those of VideoMAE."""
VIDEO_FRAMES, TUBELET = 16, 2
"""The number of frames that VideoMAE reads, and of the neighbours in one of its patches."""
_PAIRS = VIDEO_FRAMES // TUBELET


def video_frames(count: int) -> list[int]:
    """Return the indices of the frames that VideoMAE reads of `count` frames.

    They are eight pairs of neighbours, spread over the clip. Of up to nine frames they are eight
    times the first two, or the only one.
    """
    tick = (count - 1) / _PAIRS if count > 9 else 0
    starts = [math.floor(tick / 2 + tick * pair) for pair in range(_PAIRS)]
    return [min(start + step, count - 1) for start in starts for step in range(TUBELET)]


def spread(count: int, most: int) -> list[int]:
    """Return the indices of at most `most` of `count` frames, at least `FEWEST`, in order.

    VideoMAE reads the same frames of the chosen ones as of all: they are at those places among the
    chosen ones, and the others lie evenly between them.
    """
    if count <= most:
        return list(range(count))
    kept = (most - 1) // _PAIRS * _PAIRS + 1  # then the places are equally far apart
    starts, places = video_frames(count)[::TUBELET], video_frames(kept)[::TUBELET]
    fixed = [(-1, -1)]
    for start, place in zip(starts, places, strict=True):
        fixed += [(start + step, place + step) for step in range(TUBELET)]
    fixed += [(count, kept)]
    chosen: list[int] = []
    for (index, place), (later, later_place) in itertools.pairwise(fixed):
        gap = (later - index) / (later_place - place)
        chosen += [math.floor(index + gap * step) for step in range(later_place - place)]
    return chosen[1:]
