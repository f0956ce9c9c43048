"""Measures how strong the expression of a face is, with MediaPipe's blendshapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.faces import networks

_READ = (
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65),
    *(66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136),
    *(144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168),
    *(172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276),
    *(282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318),
    *(321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380),
    *(381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466),
    *range(468, 478),
)
"""The landmarks that the network reads, as MediaPipe's `face_blendshapes_graph.cc` lists them."""

_BLINK = (9, 10)
"""eyeBlink, left and right."""
_UNITS: dict[str, tuple[int, ...]] = {
    "AU01": (3,),  # browInnerUp
    "AU02": (4, 5),  # browOuterUp
    "AU04": (1, 2),  # browDown
    "AU05": (21, 22),  # eyeWide
    "AU06": (7, 8),  # cheekSquint
    "AU07": (19, 20),  # eyeSquint
    "AU09": (50, 51),  # noseSneer
    "AU10": (48, 49),  # mouthUpperUp
    "AU12": (44, 45),  # mouthSmile
    "AU14": (28, 29),  # mouthDimple
    "AU15": (30, 31),  # mouthFrown
    "AU17": (42,),  # mouthShrugLower
    "AU20": (46, 47),  # mouthStretch
    "AU23": (36, 37),  # mouthPress
    "AU25": (25,),  # jawOpen
    "AU26": (25,),  # jawOpen
    "AU45": _BLINK,
}
"""The blendshapes that stand for each action unit; left and right are averaged."""
_CLOSED, _MORE_CLOSED = 0.4, 0.15


@dataclass(frozen=True)
class Expression:
    """Holds the strength of an expression, the sum of the action units, and the eyes' closure."""

    strength: float
    closed: float
    """The closure of the eyes, from 0 to 1."""


def blendshapes(landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the 52 blendshapes, from 0 to 1, of a face with landmarks [478, 2] in pixels."""
    read = landmarks[None, list(_READ)]
    [shapes] = networks.run(networks.BLENDSHAPES, read, ("StatefulPartitionedCall:0",))
    return shapes.ravel()


def measure(landmarks: npt.NDArray[np.float32]) -> Expression:
    """Return the expression of a face with landmarks [478, 2] in pixels."""
    shares = blendshapes(landmarks)
    strength = sum(float(shares[list(unit)].mean()) for unit in _UNITS.values())
    return Expression(strength, float(shares[list(_BLINK)].mean()))


def peak(expressions: Mapping[int, Expression]) -> int | None:
    """Return the index of the strongest expression, the first one of equals; None without any.

    A blink is passed over: eyes that are closed, and more so than in half of the pictures. Eyes
    that are narrow, or look down, count as half closed all the time.
    """
    if not expressions:
        return None
    usual = median(expression.closed for expression in expressions.values())
    shut = max(_CLOSED, usual + _MORE_CLOSED)
    awake = {index: e.strength for index, e in expressions.items() if e.closed <= shut}
    return max(sorted(awake), key=awake.__getitem__)
