"""Represents the square of a picture in which the landmarks of a face are sought."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Region:
    """Holds a square: its centre and side in pixels, and its clockwise turn in radians."""

    x: float
    y: float
    side: float
    turn: float

    def cut(self, rgb: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
        """Return the square's pixels [size, size, 3], upright; the picture's edges are repeated."""
        return cv2.warpAffine(
            rgb,
            self._to_picture(size),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.uint8, copy=False)

    def in_picture(self, points: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
        """Return points (x, y) of the cut-out square [size, size] as points of the picture."""
        matrix = self._to_picture(size)
        return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)

    def is_near(self, other: "Region") -> bool:
        """Return whether a face of one region lies well inside the other."""
        apart = math.hypot(self.x - other.x, self.y - other.y)
        return apart < self.side / 5 and 0.75 < self.side / other.side < 1.33

    def _to_picture(self, size: int) -> npt.NDArray[np.float64]:
        """Return the affine matrix [2, 3] from the cut-out square to the picture."""
        scale, middle = self.side / size, (size - 1) / 2
        across, down = scale * math.cos(self.turn), scale * math.sin(self.turn)
        turn = np.array([[across, -down], [down, across]])
        shift = np.array([self.x, self.y]) - turn @ (middle, middle)
        return np.concatenate([turn, shift[:, None]], axis=1)
