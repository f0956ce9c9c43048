"""Cuts a face out as OpenFace does: upright, of one size, and black around it.

Emotion-LLaMA's face encoders have read OpenFace's crops of `CROP` pixels. OpenFace is neither free
for all uses nor part of this project; docs/fidelity says how near this is to it.
"""

import cv2
import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.decode.npz import CROP

_JAW = (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356)
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_MOUTH = (
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
POINTS_68 = (*_JAW, *_BROWS, *_NOSE, *_EYES, *_MOUTH)
"""The landmarks at the 68 points of iBUG, in their order."""

_STIFF: dict[int, tuple[float, float]] = {
    **{1: (5.1, 48.3), 2: (6.6, 61.6), 3: (9.2, 74.3), 4: (14.1, 85.8)},
    **{12: (96.1, 85.7), 13: (101.1, 73.8), 14: (103.7, 60.9), 15: (105.3, 47.8)},
    **{27: (56.5, 26.5), 28: (56.6, 34.3), 29: (56.7, 42.0)},
    **{31: (45.7, 57.8), 32: (51.0, 59.3), 33: (56.4, 60.6), 34: (61.8, 59.3), 35: (66.7, 57.9)},
    **{36: (23.8, 29.8), 39: (42.2, 30.3), 40: (36.2, 31.4), 41: (29.3, 31.6)},
    **{42: (69.5, 30.1), 45: (87.6, 29.3), 46: (82.7, 31.1), 47: (76.1, 31.2)},
}
"""The places in the crop, in pixels, of those of the 68 points that expressions hardly move, for a
face that looks into the camera."""
_PLACES = np.array(list(_STIFF.values()))
_OUTLINE = (*range(17), *range(26, 16, -1))
"""The points around the face: the jaw line, then the brows."""
_RAISED = np.array([0, 16, *range(17, 27)])
_RAISED_BY = 30
"""The pixels by which the outline leaves room for the forehead."""


def crop(rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return the crop [CROP, CROP, 3] of a face.

    Args:
        rgb: the picture [height, width, 3].
        landmarks: the face's landmarks [478, 2] in pixels of the picture.
    """
    points = landmarks[list(POINTS_68)].astype(np.float64)
    matrix = _similarity(points)
    aligned = cv2.warpAffine(rgb, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR)
    aligned[_outside(points @ matrix[:, :2].T + matrix[:, 2])] = 0
    return aligned.astype(np.uint8, copy=False)


def _similarity(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the affine matrix [2, 3] that turns, scales and shifts a face into the crop.

    The stiff points give turn and scale. Their shift would be wrong for a turned head: OpenFace
    centres the origin of a solid face, whose best place is the mean of all 68 points.
    """
    stiff = points[list(_STIFF)]
    source, target = stiff - stiff.mean(axis=0), _PLACES - _PLACES.mean(axis=0)
    # In the plane, the rotation of Kabsch is the angle of this sum of complex numbers.
    turned = np.sum(np.conj(source @ (1, 1j)) * (target @ (1, 1j)))
    scale = np.sqrt(np.sum(target**2) / np.sum(source**2))
    factor = scale * turned / abs(turned)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    shift = CROP / 2 - turn @ points.mean(axis=0)
    return np.concatenate([turn, shift[:, None]], axis=1)


def _outside(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which pixels of the crop [CROP, CROP] are outside the face with these 68 points."""
    raised = points.copy()
    raised[_RAISED, 1] -= _RAISED_BY
    hull = cv2.convexHull(np.round(raised[list(_OUTLINE)]).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((CROP, CROP), np.uint8), hull, 1) == 0
