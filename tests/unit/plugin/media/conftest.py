"""Pictures with faces: those of the demo's clips."""

import numpy as np
import numpy.typing as npt
import pytest

from devtools.paths import CHECKOUT
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings


@pytest.fixture(scope="session")
def smile() -> npt.NDArray[np.uint8]:
    """A picture with one face, which smiles: RGB [height, width, 3]."""
    data = (CHECKOUT / "demo/clips/happy_face.mp4").read_bytes()
    return decode(data, settings=MediaSettings()).frame
