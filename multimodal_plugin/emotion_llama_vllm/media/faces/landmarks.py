"""Finds the 478 landmarks of a face with MediaPipe's network."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.faces import networks
from emotion_llama_vllm.media.faces.region import Region

COUNT = 478
_SIDE = 256
"""The side of the network's picture in pixels."""
_LEAST_PRESENCE = 0.5
_REGION = 1.5
"""The side of the region of the next picture, in sides of the face."""
_EYE_CORNERS = (33, 263)


@dataclass(frozen=True)
class Face:
    """Holds a face: the points [COUNT, 2] as (x, y) in pixels of the picture."""

    points: npt.NDArray[np.float32]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Return the left and top edge, the width and the height around all points."""
        (left, top), (right, bottom) = self.points.min(axis=0), self.points.max(axis=0)
        return float(left), float(top), float(right - left), float(bottom - top)

    def region(self) -> Region:
        """Return the square in which to seek this face in the next picture."""
        left, top, width, height = self.box
        across, down = self.points[_EYE_CORNERS[1]] - self.points[_EYE_CORNERS[0]]
        side = _REGION * max(width, height)
        return Region(left + width / 2, top + height / 2, side, float(np.arctan2(down, across)))


def find(rgb: npt.NDArray[np.uint8], region: Region) -> Face | None:
    """Return the face in a region of a picture [height, width, 3]; None if there is none."""
    face = _find(rgb, region)
    if face is None or region.is_near(face.region()):
        return face
    return _find(rgb, face.region())  # the points are exact only in the middle of a region


def _find(rgb: npt.NDArray[np.uint8], region: Region) -> Face | None:
    pixels = region.cut(rgb, _SIDE)[None].astype(np.float32)
    pixels /= 255
    points, presence = networks.run(networks.LANDMARKS, pixels, ("Identity", "Identity_1"))
    if presence.item() < np.log(_LEAST_PRESENCE / (1 - _LEAST_PRESENCE)):
        return None
    face = Face(region.in_picture(points.reshape(-1, 3)[:, :2], _SIDE))
    return face if min(face.box[2:]) >= 1 else None
