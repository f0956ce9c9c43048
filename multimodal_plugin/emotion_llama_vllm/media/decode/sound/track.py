"""Decodes the sound track of a clip: every sample at its time, mono at 16 kHz."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import soxr
from av import AudioFrame, Packet
from av.container import InputContainer
from av.error import FFmpegError

from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.container import declared_seconds
from emotion_llama_vllm.media.decode.cut_off import is_cut_off
from emotion_llama_vllm.media.decode.sound.placed import PlacedSound
from emotion_llama_vllm.media.decode.tracks import open_audio_track
from emotion_llama_vllm.media.errors import MediaError

_CUT_OFF_SECONDS = 1.0
"""The seconds by which the packets may end early before the file counts as cut off."""


class SoundTrack:
    """Collects the sound of a file, packet by packet; `stream` is None if there is no track.

    Only an absent track, or one without a single packet, counts as no sound. A track that cannot be
    decoded completely is an error, and never becomes silence or a shorter sound. A gap in the file
    becomes silence.

    Raises:
        MediaError: the sound is damaged, cut off, too long, or in an unknown codec.
    """

    def __init__(
        self, container: InputContainer, wanted: int | None, *, max_seconds: float
    ) -> None:
        self.stream, self.track = open_audio_track(container, wanted)
        self._max_seconds = max_seconds
        self._sound: PlacedSound | None = None
        self._has_packets = False
        self._ends: dict[int, int] = {}
        self._bases: dict[int, Fraction] = {}
        self._start = (container.start_time or 0) / 1e6
        self._declared = declared_seconds(container)
        stream = self.stream
        if stream is not None and stream.duration is not None and self._declared is not None:
            base = stream.time_base or Fraction(0)
            check_seconds(float(stream.duration * base), max_seconds)

    def feed(self, packet: Packet) -> None:
        """Decode one packet of the track."""
        self._has_packets = self._has_packets or packet.size > 0
        if self._is_too_long():
            return  # the packets are only counted, so that the error can give the whole length
        try:
            for frame in packet.decode():
                self._add(frame)  # type: ignore[arg-type]
        except (FFmpegError, IndexError) as error:
            raise MediaError("The clip's sound is damaged; re-encode or re-record it.") from error

    def see(self, packet: Packet) -> None:
        """Record the end of a packet of any track."""
        if packet.pts is None:
            return
        track, end = packet.stream_index, packet.pts + (packet.duration or 0)
        if end > self._ends.get(track, 0):
            self._ends[track] = end
            if track not in self._bases:
                self._bases[track] = packet.time_base or Fraction(0)

    def waveform(self, zero: float | None, data: bytes) -> npt.NDArray[np.float32] | None:
        """Return the whole sound [samples] at 16 kHz, or None if there is none.

        Args:
            zero: the time of the first picture in the file's seconds, at which the sound begins;
                None for a file without pictures.
            data: the bytes of the file.
        """
        if self.stream is None or not self._has_packets:
            if zero is None:
                raise MediaError("The file has neither a picture nor a sound.")
            return None
        end = max((float(end * self._bases[track]) for track, end in self._ends.items()), default=0)
        end -= self._start
        sound = self._sound
        if self._is_too_long() and sound is not None:
            check_seconds(max(end, sound.length / sound.rate), self._max_seconds)
        declared = end if self._declared is None else self._declared
        # Some programs write a wrong length, so it is believed only if bytes are missing.
        if end < declared - _CUT_OFF_SECONDS and is_cut_off(data):
            raise MediaError(
                f"The clip is cut off: it should last {declared:.1f} s but ends after {end:.1f} s."
            )
        if sound is None:
            raise MediaError("The clip's sound cannot be decoded; re-encode it as AAC or Opus.")
        check_seconds((sound.length + sound.delay(zero)) / sound.rate, self._max_seconds)
        return resample(sound.waveform(zero), sound.rate)

    def _add(self, frame: AudioFrame) -> None:
        if self._sound is None:
            self._sound = PlacedSound(frame.sample_rate)
        if frame.sample_rate != self._sound.rate:
            raise MediaError("The clip's sound changes its rate midway; re-encode it.")
        self._sound.add(frame)

    def _is_too_long(self) -> bool:
        sound = self._sound
        return sound is not None and sound.length > self._max_seconds * sound.rate


def resample(waveform: npt.NDArray[np.float32], rate: float) -> npt.NDArray[np.float32]:
    """Resample a mono waveform from `rate` Hz to 16 kHz.

    The samples equal those of `librosa.resample`, which calls soxr with the same arguments.

    Raises:
        MediaError: a sample is not a finite number, or the rate is missing.
    """
    if not rate > 0:
        raise MediaError("The clip's sound has no sampling rate; re-encode it.")
    if not np.isfinite(waveform).all():
        raise MediaError("The clip's sound has samples that are not finite; re-encode it.")
    if rate != SAMPLING_RATE:
        count = math.ceil(len(waveform) * (SAMPLING_RATE / rate))
        resampled = soxr.resample(waveform, rate, SAMPLING_RATE, quality="HQ")
        waveform = np.pad(resampled[:count], (0, max(0, count - len(resampled))))
    return np.ascontiguousarray(waveform, dtype=np.float32)


def check_seconds(seconds: float, max_seconds: float) -> None:
    """Raise MediaError for a sound that is too long."""
    if seconds > max_seconds:
        raise MediaError(
            f"The clip's sound lasts {seconds:.1f} s; at most {max_seconds:g} s are allowed. "
            "Cut the clip into shorter ones."
        )
