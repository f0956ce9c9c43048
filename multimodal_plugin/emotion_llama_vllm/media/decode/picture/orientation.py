"""Turns and mirrors a picture according to its display matrix, as players do."""

import struct
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from av import VideoFrame

_SLANT = 0.01
"""The tolerance of a matrix: one that is not nearly quarter turns and mirrors is ignored."""


def upright(rgb: npt.NDArray[np.uint8], frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the pixels of `frame` [height, width, 3] in the orientation of a player."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return rgb
    # A pixel at (x, y) is shown at (a * x + c * y, b * x + d * y), then moved into the picture.
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(cast(Any, matrix)))
    if max(abs(b), abs(c)) <= _SLANT * min(abs(a), abs(d)):
        right, down = a, d
    elif max(abs(a), abs(d)) <= _SLANT * min(abs(b), abs(c)):
        rgb, right, down = rgb.swapaxes(0, 1), c, b
    else:
        return rgb
    return np.ascontiguousarray(rgb[:: 1 if down > 0 else -1, :: 1 if right > 0 else -1])
