"""Decoded sound put where its time stamps say, in the rate of the file.

Time stamps are a little off in most files: they are rounded, and counted by other clocks than the
samples. Only what is off by more than `TOLERANCE` is believed, so that an ordinary sound keeps
every sample, and a hole of a file becomes a silence of its length.
"""

from itertools import accumulate

import numpy as np
import numpy.typing as npt
from av import AudioFrame
from av.audio.fifo import AudioFifo

from emotion_llama_vllm.media.decode.sound.mono import mono, readable

TOLERANCE = 0.05
"""Seconds by which a time stamp may differ from the count of samples."""

_PIECE = 2**16
"""Samples that are made mono at once: a decoder's frame has about a thousand, and to turn each into
an array costs as much as to decode it."""

Samples = npt.NDArray[np.float32]


class PlacedSound:
    """Collects the frames of one rate in the order of the file."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.length = 0
        """Samples from the start of the first frame to the end of the last, holes included."""
        self._begin: float | None = None
        """Seconds at which the first frame starts, as the file counts."""
        self._pieces: list[tuple[int, Samples]] = []
        self._fifo = AudioFifo()
        self._kind: tuple[str, int] | None = None
        self._place = 0
        """The place of the first sample of the queue, counted from the first frame's."""

    def add(self, frame: AudioFrame) -> None:
        """Put a frame where it says, or else behind the one before."""
        frame = readable(frame)
        jump = self._jump(frame)
        # The queue checks the format alone: with a channel more it would read past the planes.
        kind = (frame.format.name, frame.layout.nb_channels)
        if jump or kind != self._kind or self._fifo.samples >= _PIECE:
            self._drain()
            self._kind = kind
            self._place += jump
        frame.pts = None  # read by now, and the queue insists on an unbroken count
        self._fifo.write(frame)
        self.length = max(self.length, self._place + self._fifo.samples)

    def delay(self, zero: float) -> int:
        """Return how many samples after the second `zero` of the file the sound starts."""
        seconds = 0.0 if self._begin is None else self._begin - zero
        return round(seconds * self.rate) if abs(seconds) > TOLERANCE else 0

    def waveform(self, zero: float) -> Samples:
        """Return the samples from the second `zero` of the file on.

        What starts before is left out, and what starts later has silence before it.
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
        """Return by how many samples a frame's time differs from the end of those so far."""
        seconds = frame.time
        if seconds is None:
            return 0
        if self._begin is None:
            self._begin = seconds
        end = self._place + self._fifo.samples
        ahead = seconds - self._begin - end / self.rate
        # Before the first sample there is no room.
        return max(round(ahead * self.rate), -end) if abs(ahead) > TOLERANCE else 0

    def _drain(self) -> None:
        """Make a piece of what is queued."""
        if (frame := self._fifo.read()) is not None:
            piece = mono(frame)
            self._pieces.append((self._place, piece))
            self._place += len(piece)
        self._fifo = AudioFifo()

    def _is_unbroken(self) -> bool:
        ends = accumulate(len(piece) for _, piece in self._pieces)
        return [place for place, _ in self._pieces] == [0, *ends][:-1]
