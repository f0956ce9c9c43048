"""Writes the samples of a clip as WAV files in memory."""

import io
import math
import wave
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.clip import SAMPLING_RATE, Clip
from emotion_llama_vllm.media.decode.timeline import Recording

Samples = npt.NDArray[np.float32]

_MOST = 600 * SAMPLING_RATE
"""The maximum number of samples in a file: ten minutes have 19 MB, and services take 25 MB."""
_FEWEST = SAMPLING_RATE // 10
"""The minimum number of samples: OpenAI refuses a sound of less than 0.1 s."""


def sound_of(decoded: Clip | Recording) -> Samples | None:
    """Return all samples of a decoded clip; None if it has no sound, or too little for a word."""
    sound = decoded.waveform if isinstance(decoded, Clip) else decoded.sound
    return None if sound is None or len(sound) < _FEWEST else sound


def pieces_of(sound: Samples) -> Sequence[Samples]:
    """Return a sound in equal pieces, each short enough for one file."""
    return np.array_split(sound, math.ceil(len(sound) / _MOST))


def as_wav(samples: Samples) -> bytes:
    """Return samples as a WAV file: 16 bits, mono, 16 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, SAMPLING_RATE, len(samples), "NONE", ""))
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
