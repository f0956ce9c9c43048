"""Detects the faces of a picture with MediaPipe's full-range detector."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.faces import networks
from emotion_llama_vllm.media.faces.region import Region

_SIDE = 192
"""The side of the network's picture in pixels."""
_CELLS = 48
"""The network has one candidate for each cell of a grid of this side."""
_BORDER = 0.25
"""The border around a picture in which no face was found, as a share of the longer side."""
_LEAST_SCORE, _MOST_OVERLAP = 0.5, 0.3
_REGION = 1.5
"""The side of the region that the landmarks need, in sides of the face."""


@dataclass(frozen=True)
class Detection:
    """Holds the box of a face: its left and top edge, width and height, in pixels."""

    left: float
    top: float
    width: float
    height: float
    eyes: Sequence[tuple[float, float]]
    """The eye on the left of the picture, then the one on the right, as (x, y)."""

    def region(self) -> Region:
        """Return the square around the face in which its landmarks are found."""
        (x0, y0), (x1, y1) = self.eyes
        centre = (self.left + self.width / 2, self.top + self.height / 2)
        side = _REGION * max(self.width, self.height)
        return Region(*centre, side, float(np.arctan2(y1 - y0, x1 - x0)))


def detect(rgb: npt.NDArray[np.uint8]) -> list[Detection]:
    """Return the faces of a picture [height, width, 3], the widest first.

    A face that fills the picture is only found where the picture is small and has a border, and a
    small face only where it is large.
    """
    scale = _SIDE / max(rgb.shape[:2])
    picture = _resize(rgb, scale)
    found = _detect(picture, 1.0, scale) or _detect(picture, 1 / (1 + 2 * _BORDER), scale)
    return sorted(found, key=lambda face: -face.width)


def _detect(picture: npt.NDArray[np.uint8], shrink: float, scale: float) -> list[Detection]:
    """Return the faces of a picture in pixels of the original, which is larger by 1 / `scale`."""
    framed, corner = _frame(_resize(picture, shrink))
    inputs = framed[None].astype(np.float32) / 127.5 - 1
    names = ("reshaped_classifier_face_4", "reshaped_regressor_face_4")
    scores, values = (out[0] for out in networks.run(networks.DETECTOR, inputs, names))
    found = np.flatnonzero(scores[:, 0] > np.log(_LEAST_SCORE / (1 - _LEAST_SCORE)))
    # A candidate is a centre, a size and six points, relative to the centre of its cell.
    cells = (np.stack([found % _CELLS, found // _CELLS], axis=1) + 0.5) * (_SIDE / _CELLS)
    enlarge = 1 / (shrink * scale)
    centres = (values[found, :2] + cells - corner) * enlarge
    sizes = values[found, 2:4] * enlarge
    eyes = (values[found, 4:8].reshape(-1, 2, 2) + (cells - corner)[:, None]) * enlarge
    boxes = np.concatenate([centres - sizes / 2, sizes], axis=1)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores[found, 0].tolist(), 0.0, _MOST_OVERLAP)
    return [Detection(*boxes[n].tolist(), eyes=eyes[n].tolist()) for n in np.ravel(kept)]


def _resize(picture: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return resized.astype(np.uint8, copy=False)


def _frame(picture: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """Put a picture into the middle of the network's, and repeat its edges around it.

    Returns:
        The network's picture [_SIDE, _SIDE, 3], and the place (x, y) of the corner in it.
    """
    height, width = picture.shape[:2]
    left, top = (_SIDE - width) // 2, (_SIDE - height) // 2
    ends = (top, _SIDE - height - top, left, _SIDE - width - left)
    framed = cv2.copyMakeBorder(picture, *ends, cv2.BORDER_REPLICATE)
    return framed.astype(np.uint8, copy=False), (left, top)
