"""The sound of a clip: every sample of its first sound track, mono at 16 kHz."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import soxr
from av import AudioFrame, Packet
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.container import check_codec
from emotion_llama_vllm.media.errors import MediaError

_CUT_OFF_SECONDS = 1.0
"""A file whose packets end this much before it says was cut off."""

_MAX_PLANES = 7
"""PyAV 18.1 reads past its planes from eight planar channels on, and ends the process."""

_PIECE = 2**16
"""Samples that are made mono at once: a decoder's frame has about a thousand, and to turn each into
an array costs as much as to decode it."""


class SoundTrack:
    """Collects the sound of a file, packet by packet; `stream` is None where there is none.

    Only an absent track, or one without a single packet, counts as no sound: what is there and
    cannot be decoded whole is an error, never silence or a cut.

    Raises:
        MediaError: a damaged, cut-off or too long sound, or one in an unknown codec.
    """

    def __init__(self, container: InputContainer, *, max_seconds: float) -> None:
        self.stream = _audio_stream(container)
        self._max_seconds = max_seconds
        self._pieces: list[npt.NDArray[np.float32]] = []
        self._fifo = AudioFifo()
        self._kind: tuple[str, int] | None = None
        self._rate = 0
        self._samples = 0
        self._has_packets = False
        self._ends: dict[int, int] = {}
        self._bases: dict[int, Fraction] = {}
        self._declared = None if container.duration is None else container.duration / 1e6
        if self.stream is not None:
            check_codec(self.stream.codec_context)
            self.stream.codec_context.thread_count = 1
            if self.stream.duration is not None and self.stream.time_base is not None:
                check_seconds(float(self.stream.duration * self.stream.time_base), max_seconds)

    def feed(self, packet: Packet) -> None:
        """Decode one packet of the track."""
        self._has_packets = self._has_packets or packet.size > 0
        if self._is_too_long():
            return  # only walked on, so that the error can tell the whole length
        try:
            for frame in packet.decode():
                self._add(frame)  # type: ignore[arg-type]
        except (FFmpegError, IndexError) as error:
            raise MediaError("The clip's sound is damaged; re-encode or re-record it.") from error

    def see(self, packet: Packet) -> None:
        """Note where a packet of any track ends."""
        if packet.pts is None:
            return
        track, end = packet.stream_index, packet.pts + (packet.duration or 0)
        if end > self._ends.get(track, 0):
            self._ends[track] = end
            if track not in self._bases:
                self._bases[track] = packet.time_base or Fraction(0)

    def waveform(self) -> npt.NDArray[np.float32] | None:
        """The whole sound [samples] at 16 kHz, or None where there is none."""
        if self.stream is None or not self._has_packets:
            return None
        end = max((float(end * self._bases[track]) for track, end in self._ends.items()), default=0)
        if self._is_too_long():
            check_seconds(max(end, self._samples / self._rate), self._max_seconds)
        if self._declared is not None and end < self._declared - _CUT_OFF_SECONDS:
            raise MediaError(
                f"The clip is cut off: it should last {self._declared:.1f} s "
                f"but ends after {end:.1f} s."
            )
        self._drain()
        if not self._pieces:
            raise MediaError("The clip's sound cannot be decoded; re-encode it as AAC or Opus.")
        return resample(np.concatenate(self._pieces), self._rate)

    def _add(self, frame: AudioFrame) -> None:
        self._rate = self._rate or frame.sample_rate
        if frame.sample_rate != self._rate:
            raise MediaError("The clip's sound changes its rate midway; re-encode it.")
        frame = _readable(frame)
        # The queue checks the format alone: with a channel more it would read past the planes.
        kind = (frame.format.name, frame.layout.nb_channels)
        if kind != self._kind or self._fifo.samples >= _PIECE:
            self._drain()
            self._kind = kind
        frame.pts = None  # of no use here, and the queue insists on an unbroken count
        self._fifo.write(frame)
        self._samples += frame.samples

    def _drain(self) -> None:
        """Make a piece of what is queued."""
        if (frame := self._fifo.read()) is not None:
            self._pieces.append(_mono(frame))
        self._fifo = AudioFifo()

    def _is_too_long(self) -> bool:
        return self._samples > self._max_seconds * self._rate


def resample(waveform: npt.NDArray[np.float32], rate: float) -> npt.NDArray[np.float32]:
    """Bring a mono waveform at `rate` Hz to 16 kHz.

    The samples equal those of `librosa.resample`, which asks soxr for the same. librosa itself is
    left out because importing it compiles code that has to be stored: it fails for a user without
    a writable home.

    Raises:
        MediaError: the waveform has a sample that is no finite number, or it has no rate.
    """
    if not rate > 0:
        raise MediaError("The clip's sound has no sampling rate; re-encode it.")
    if not np.isfinite(waveform).all():
        raise MediaError("The clip's sound has samples that are no finite numbers; re-encode it.")
    if rate != SAMPLING_RATE:
        count = math.ceil(len(waveform) * (SAMPLING_RATE / rate))
        resampled = soxr.resample(waveform, rate, SAMPLING_RATE, quality="HQ")
        waveform = np.pad(resampled[:count], (0, max(0, count - len(resampled))))
    return np.ascontiguousarray(waveform, dtype=np.float32)


def check_seconds(seconds: float, max_seconds: float) -> None:
    """Raise MediaError for a sound that is too long."""
    if seconds > max_seconds:
        raise MediaError(
            f"The clip's sound lasts {seconds:.1f} s; at most {max_seconds:g} s are taken. "
            "Cut the clip into shorter ones."
        )


def _audio_stream(container: InputContainer) -> AudioStream | None:
    streams = container.streams.audio
    known = next((stream for stream in streams if stream.codec_context), None)
    if streams and known is None:
        raise MediaError("The clip's sound is in a codec that cannot be decoded; re-encode it.")
    return known


def _readable(frame: AudioFrame) -> AudioFrame:
    """The frame, packed if it has more planes than PyAV reads."""
    if not frame.format.is_planar or frame.layout.nb_channels <= _MAX_PLANES:
        return frame
    packed = AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
    return packed.resample(frame)[0]


def _mono(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """The mean over the channels, as float32 in -1..1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "u":
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / 2.0 ** (8 * samples.dtype.itemsize - 1)
    return samples.mean(axis=0, dtype=np.float32)
