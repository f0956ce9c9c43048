"""Runs MediaPipe's three networks that read faces, with LiteRT, the runtime for their files."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

FOLDER = Path(__file__).parent / "models"
DETECTOR = "face_detection_full_range.tflite"
LANDMARKS = "face_landmarks_detector.tflite"
BLENDSHAPES = "face_blendshapes.tflite"

_of_thread = threading.local()
"""The networks of each thread, because one network computes one input at a time."""


def run(
    name: str, inputs: npt.NDArray[np.float32], outputs: Sequence[str]
) -> list[npt.NDArray[np.float32]]:
    """Return the named outputs of a network, which is loaded on first use.

    Args:
        name: the file of the network.
        inputs: the network's only input; pictures are [1, height, width, 3].
        outputs: the names of the outputs in the file.
    """
    network: Interpreter | None = getattr(_of_thread, name, None)
    if network is None:
        network = load(name)
        setattr(_of_thread, name, network)
    network.set_tensor(network.get_input_details()[0]["index"], inputs)
    network.invoke()
    index = {output["name"]: output["index"] for output in network.get_output_details()}
    return [network.get_tensor(index[output]) for output in outputs]


def load(name: str) -> Interpreter:
    """Return a network that computes with one thread."""
    with _silence():
        network = Interpreter(str(FOLDER / name), num_threads=1)
        network.allocate_tensors()
    return network


@contextmanager
def _silence() -> Iterator[None]:
    """Discard what C++ writes to standard error: LiteRT reports there that it uses XNNPACK."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
