"""Mixes decoded sound to mono."""

import numpy as np
import numpy.typing as npt
from av import AudioFrame
from av.audio.resampler import AudioResampler

_MAX_PLANES = 7
"""The maximum number of planes; PyAV 18.1 reads past eight or more planes and crashes."""

_CANCELLED = 0.01
"""The share of the channels' power below which their mean counts as a cancellation."""


def readable(frame: AudioFrame) -> AudioFrame:
    """Return the frame, packed if it has more planes than PyAV reads."""
    if not frame.format.is_planar or frame.layout.nb_channels <= _MAX_PLANES:
        return frame
    packed = AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
    return packed.resample(frame)[0]


def mono(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """Return the mean over the channels, as float32 in -1..1.

    Channels in opposite phase, as from a microphone with swapped wires, would cancel each other; in
    that case the loudest channel is returned.
    """
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "u":
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / 2.0 ** (8 * samples.dtype.itemsize - 1)
    mean = samples.mean(axis=0, dtype=np.float32)
    if len(samples) > 1:
        powers = np.einsum("cs,cs->c", samples, samples)
        if mean.dot(mean) < _CANCELLED * powers.mean():
            return np.ascontiguousarray(samples[powers.argmax()], np.float32)
    return mean
