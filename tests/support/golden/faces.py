"""Reads the golden data of the face encoders; `tests/data/golden_face/NOTES.md` describes it."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from devtools.paths import CHECKOUT

FOLDER = CHECKOUT / "tests" / "data" / "golden_face"
FACE_MAE = FOLDER / "mae_checkpoint-340.pth"
VIDEO_MAE = FOLDER / "maeVideo_ckp199.pth"


@dataclass(frozen=True)
class FaceCase:
    """Represents the first frames of a clip, and what the original made of them."""

    name: str
    facts: Any

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        with np.load(FOLDER / f"{self.name}.npz") as stored:
            return dict(stored)

    @cached_property
    def crops(self) -> npt.NDArray[np.uint8]:
        """Return the crops [frames, 112, 112, 3]."""
        files = sorted((FOLDER / self.name[:6]).iterdir())[: self.facts["frames"]]
        assert [file.stem for file in files] == list(self.arrays["frame_names"])
        return np.stack([np.array(Image.open(file).convert("RGB")) for file in files])


CASES = [
    FaceCase(name, facts)
    for name, facts in json.loads((FOLDER / "index.json").read_text())["cases"].items()
]
