"""Represents a decoded clip: one frame, its sound, and the tracks that they come from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.decode.tracks import Track

SAMPLING_RATE = 16_000
"""The sampling rate of HuBERT's training data, in Hz."""


@dataclass(frozen=True)
class Faces:
    """Tells what was seen of faces in a clip."""

    for_rows: bool
    """Whether the face was sought for the feature rows, and not for the peak alone."""
    count: int
    """The number of faces in the clip's frame."""
    box: tuple[float, float, float, float] | None
    """The left and top edge, the width and the height of the widest one, as shares of the frame's
    width and height."""
    looked_at: int
    """The number of frames in which a face was sought."""
    share: float
    """The share of these frames that show a face."""


@dataclass(frozen=True)
class Clip:
    """Holds one frame and its sound.

    Everything in it depends on the clip's bytes alone, because vLLM derives its cache key from it:
    two reads of the same bytes must agree, and two clips that differ in anything must not.
    """

    frame: npt.NDArray[np.uint8]
    """The RGB frame [height, width, 3], upright, and resized if the job has a size."""

    waveform: npt.NDArray[np.float32] | None
    """The mono sound [samples] at `SAMPLING_RATE`; None if the clip has no sound."""

    frame_index: int = 0
    frame_time: float = 0.0
    """The time of the frame, in seconds from the first picture."""

    video_track: Track | None = None
    """The track of the frame; None for a still picture."""
    audio_track: Track | None = None
    """The track of the sound; None if the clip has no sound."""

    features: npt.NDArray[np.float32] | None = None
    """The pre-extracted rows [3, feature size]; a row of NaN means that it is absent."""

    face_crops: npt.NDArray[np.uint8] | None = None
    """The RGB face crops of the frames [frames, CROP, CROP, 3]; black where there is no face."""

    faces: Faces | None = None
    """What was seen of faces; None if none was sought."""
    lacks_peak: bool = False
    """True if the frame is the middle one because no frame shows a face, whose peak was wanted."""

    @property
    def has_picture(self) -> bool:
        """Return whether the frame is the clip's own; that of sound alone is black."""
        return self.video_track is not None or self.audio_track is None

    @property
    def audio_seconds(self) -> float:
        return 0.0 if self.waveform is None else len(self.waveform) / SAMPLING_RATE

    @property
    def nbytes(self) -> int:
        arrays = (self.frame, self.waveform, self.features, self.face_crops)
        return sum(array.nbytes for array in arrays if array is not None)

    def metadata(self) -> dict[str, Any]:
        """Return the data beside the frame, under the keys that pre-decoded clips use too."""
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
        if self.face_crops is not None:
            facts["face_crops"] = self.face_crops
        return facts
