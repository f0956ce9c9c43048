"""A decoded clip: one frame, its sound, and what was used of the file."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.decode.tracks import Track

SAMPLING_RATE = 16_000
"""Hz; what HuBERT was trained on."""


@dataclass(frozen=True)
class Clip:
    """One frame and its sound.

    Everything in here depends on the clip's bytes alone: vLLM derives the cache key from it, so
    two reads of the same bytes must agree, and two clips that differ in anything must not.
    """

    frame: npt.NDArray[np.uint8]
    """RGB, [height, width, 3], upright; already of the network's size where it was asked for."""

    waveform: npt.NDArray[np.float32] | None
    """Mono at `SAMPLING_RATE`, [samples]; None where the clip has no sound at all."""

    frame_index: int = 0
    frame_time: float = 0.0
    """Seconds from the start of the picture."""

    video_track: Track | None = None
    """Where the frame is from; None for a picture."""
    audio_track: Track | None = None
    """Where the sound is from."""

    features: npt.NDArray[np.float32] | None = None
    """Pre-extracted rows [3, feature size]; a row of NaN is not given."""

    @property
    def audio_seconds(self) -> float:
        return 0.0 if self.waveform is None else len(self.waveform) / SAMPLING_RATE

    @property
    def nbytes(self) -> int:
        arrays = (self.frame, self.waveform, self.features)
        return sum(array.nbytes for array in arrays if array is not None)

    def metadata(self) -> dict[str, Any]:
        """What travels beside the frame, in the keys that pre-decoded clips use too."""
        facts: dict[str, Any] = {
            "frame_index": self.frame_index,
            "frame_time": self.frame_time,
            "has_audio": self.waveform is not None,
            "audio_seconds": self.audio_seconds,
            "sampling_rate": SAMPLING_RATE,
        }
        if self.waveform is not None:
            facts["waveform"] = self.waveform
        if self.features is not None:
            facts["features"] = self.features
        return facts
