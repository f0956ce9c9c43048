"""Places decoded sound according to its time stamps, at the file's sampling rate.

Time stamps are slightly wrong in most files: they are rounded, and come from other clocks than the
samples. Only a difference above `TOLERANCE` is believed, so that ordinary sound keeps every sample,
and a gap in a file becomes silence of the same length.
"""

from itertools import accumulate

import numpy as np
import numpy.typing as npt
from av import AudioFrame
from av.audio.fifo import AudioFifo

from emotion_llama_vllm.media.decode.sound.mono import mono, readable

TOLERANCE = 0.05
"""The seconds by which a time stamp may differ from the count of samples."""

_PIECE = 2**16
"""The number of samples that are mixed to mono at once: a decoder's frame has about a thousand, and
its conversion to an array costs as much as its decoding."""

Samples = npt.NDArray[np.float32]


class PlacedSound:
    """Collects the frames of one sampling rate in the order of the file."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.length = 0
        """The number of samples from the start of the first frame to the end of the last, with
        gaps."""
        self._begin: float | None = None
        """The start of the first frame, in the file's own seconds."""
        self._pieces: list[tuple[int, Samples]] = []
        self._fifo = AudioFifo()
        self._kind: tuple[str, int] | None = None
        self._place = 0
        """The position of the queue's first sample, counted from the first frame."""

    def add(self, frame: AudioFrame) -> None:
        """Add a frame at its time, or else after the previous frame."""
        frame = readable(frame)
        jump = self._jump(frame)
        # The queue checks only the format: with one more channel it would read past the planes.
        kind = (frame.format.name, frame.layout.nb_channels)
        if jump or kind != self._kind or self._fifo.samples >= _PIECE:
            self._drain()
            self._kind = kind
            self._place += jump
        frame.pts = None  # it has been read, and the queue insists on an unbroken count
        self._fifo.write(frame)
        self.length = max(self.length, self._place + self._fifo.samples)

    def delay(self, zero: float | None) -> int:
        """Return how many samples after the second `zero` of the file the sound starts.

        Without a picture, and so without `zero`, the clip begins with its sound.
        """
        seconds = 0.0 if self._begin is None or zero is None else self._begin - zero
        return round(seconds * self.rate) if abs(seconds) > TOLERANCE else 0

    def waveform(self, zero: float | None) -> Samples:
        """Return the samples from the second `zero` of the file on.

        Earlier samples are left out, and a later start is filled with silence.
        """
        self._drain()
        shift = self.delay(zero)
        if not shift and self._is_unbroken():
            return np.concatenate([piece for _, piece in self._pieces])
        sound = np.zeros(max(0, self.length + shift), np.float32)
        for place, piece in self._pieces:
            start = place + shift
            kept = piece[max(0, -start) :]
            sound[max(0, start) : max(0, start) + len(kept)] = kept
        return sound

    def _jump(self, frame: AudioFrame) -> int:
        """Return by how many samples a frame's time differs from the end of the sound so far."""
        seconds = frame.time
        if seconds is None:
            return 0
        if self._begin is None:
            self._begin = seconds
        end = self._place + self._fifo.samples
        ahead = seconds - self._begin - end / self.rate
        # There is no room before the first sample.
        return max(round(ahead * self.rate), -end) if abs(ahead) > TOLERANCE else 0

    def _drain(self) -> None:
        """Mix the queued frames to one mono piece."""
        if (frame := self._fifo.read()) is not None:
            piece = mono(frame)
            self._pieces.append((self._place, piece))
            self._place += len(piece)
        self._fifo = AudioFifo()

    def _is_unbroken(self) -> bool:
        ends = accumulate(len(piece) for _, piece in self._pieces)
        return [place for place, _ in self._pieces] == [0, *ends][:-1]
