"""Runs the three networks of MediaPipe that read faces, with OpenCV."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.workers import child

FOLDER = Path(__file__).parent / "models"
DETECTOR = "face_detection_full_range.tflite"
LANDMARKS = "face_landmarks_detector.tflite"
BLENDSHAPES = "face_blendshapes.tflite"

_of_thread = threading.local()
"""The networks of each thread, because one network computes one input at a time."""


def run(
    name: str, inputs: npt.NDArray[np.float32], outputs: Sequence[str]
) -> list[npt.NDArray[np.float32]]:
    """Return the named outputs of a network, which is loaded on first use."""
    network = getattr(_of_thread, name, None)
    if network is None:
        network = _load(name)
        setattr(_of_thread, name, network)
    network.setInput(inputs)
    return network.forward(list(outputs))


def warm_up() -> int:
    """Load every network, and return their number."""
    for name in (DETECTOR, LANDMARKS, BLENDSHAPES):
        setattr(_of_thread, name, _load(name))
    return len(vars(_of_thread))


def _load(name: str) -> Any:
    child.make_room()
    import cv2  # only where a face is sought

    # The new engine of OpenCV 5 computes only one of several outputs.
    engine = [cv2.dnn.ENGINE_CLASSIC] if hasattr(cv2.dnn, "ENGINE_CLASSIC") else []
    return cv2.dnn.readNetFromTFLite(str(FOLDER / name), *engine)
