"""Decodes any frames of a clip: it keeps the packets and decodes only those that they need.

Emotion-LLaMA's author ranks the peak frame first, then the middle one, a random one, the first
(issues 126, 127 and 131 of the original); the original uses the first.

A frame is a picture that a player shows. These pictures are first predicted from the packets. Every
decoded picture is compared with the prediction; if they differ, all packets are decoded once to
learn the shown pictures, and from then on frames are decoded only from the beginning of the file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, chain
from typing import Literal

import numpy as np
import numpy.typing as npt
from av import Packet
from av.container import InputContainer

from emotion_llama_vllm.media.decode.picture.decoding import (
    Flaw,
    Picture,
    PictureDecoder,
    start_in_file,
)
from emotion_llama_vllm.media.decode.picture.pixels import check_size, resize, to_rgb
from emotion_llama_vllm.media.decode.picture.shown import Shown, observe, predict
from emotion_llama_vllm.media.decode.tracks import open_video_track
from emotion_llama_vllm.media.errors import FrameTimeError, MediaError

FramePolicy = Literal["first", "middle", "peak"] | float
"""The choice of a frame in a stretch: the first, the middle one, the one with the strongest
expression of a face, or the one at a time in seconds from the stretch's start."""


_TOLERANCE = 1e-3
"""The tolerance in ticks for a time in seconds, which is a rounded number."""


@dataclass(frozen=True)
class Frame:
    """Holds a decoded frame: RGB uint8 [height, width, 3], its index and its time in the track."""

    rgb: npt.NDArray[np.uint8]
    index: int
    seconds: float


class Mispredicted(Exception):
    """Reports that the decoder returned other pictures than the packets promised."""


@dataclass(frozen=True)
class _Keys:
    """Holds the packets at which, according to the file, decoding can begin."""

    places: Sequence[int]
    earliest: Sequence[int]
    """The earliest time among each key packet and the packets after it."""

    @classmethod
    def find(cls, packets: Sequence[Packet], shown: Shown) -> "_Keys":
        """Find the key packets whose pictures are shown; only these are surely key frames."""
        times = set(shown.times)
        keys = [
            (place, packet.pts)
            for place, packet in enumerate(packets)
            if packet.is_keyframe and not packet.is_discard and packet.pts in times
        ]
        backwards = accumulate((time for _, time in reversed(keys)), min)
        return cls([place for place, _ in keys], list(backwards)[::-1])


class Frames:
    """Chooses and decodes frames of a file's video track, while the file is open.

    Feed it all packets of the track, then call `finish`. If `decode` raises Mispredicted, call
    `scan`, then choose and decode again.
    """

    def __init__(self, container: InputContainer, size: int | None = None) -> None:
        """Open the track; `size` is the side in pixels to which each frame is resized."""
        self.stream, self.track = open_video_track(container)
        check_size(self.stream.codec_context.width, self.stream.codec_context.height)
        self._size = size
        self._base = self.stream.time_base or Fraction(1)
        self._decoder = PictureDecoder(self.stream)
        self._packets: list[Packet] = []
        self._shown = observe(())
        self._keys = _Keys((), ())
        self._zero = 0
        self._first: Picture | None = None
        """The first picture, if it need not be decoded again."""
        self._position = 0
        """The index of the packet that the decoder gets next."""
        self._coming = 0
        """The index of the picture that should come out next."""
        self._is_at_key = False
        """True if decoding has just begun at a key frame inside the track."""

    def feed(self, packet: Packet) -> None:
        """Keep one packet of the track."""
        if packet.size:
            self._packets.append(packet)

    def finish(self) -> None:
        """Determine which pictures are shown, if necessary by decoding them all.

        Raises:
            MediaError: no picture of the track can be decoded.
        """
        pictures: list[Picture] = []
        while not pictures and self._position <= len(self._packets):
            pictures = self._step()
        if pictures:
            self._zero = start_in_file(pictures[0], self._packets[0])
        codec = self.stream.codec_context.codec.canonical_name
        shown = predict(self._packets, codec, pictures[0]) if pictures else None
        if shown is None:
            self._observe(pictures)
        else:
            self._shown, self._first, self._coming = shown, pictures[0], len(pictures)
            self._keys = _Keys.find(self._packets, shown)

    def scan(self) -> None:
        """Decode the whole track to learn which pictures are shown.

        Raises:
            MediaError: no picture of the track can be decoded.
        """
        self._first = None
        self._restart(0)
        self._observe([])

    def _observe(self, pictures: list[Picture]) -> None:
        """Decode the rest of the track; the decoder has returned these pictures before."""
        steps = range(self._position, len(self._packets) + 1)
        rest = (picture for _ in steps for picture in self._step())
        self._shown = observe(chain(pictures, rest))
        self._coming = len(self._shown.times)
        if not self._shown.usable:
            raise MediaError("The file has a video track without a frame that can be decoded.")

    @property
    def pixels(self) -> int:
        """Return the number of pixels of a decoded picture."""
        return max(self.stream.codec_context.width * self.stream.codec_context.height, 1)

    @property
    def bytes_per_frame(self) -> int:
        """Return the memory in bytes of a frame."""
        return 3 * (self.pixels if self._size is None else self._size**2)

    @property
    def zero(self) -> float:
        """Return the time of the first picture, in the file's own seconds."""
        return float(self._zero * self._base)

    @property
    def seconds(self) -> float:
        """Return the end of the last frame, in seconds from the start of the first."""
        return self._seconds(self._shown.end)

    def choose(self, policy: FramePolicy, start: float = 0.0, end: float | None = None) -> int:
        """Return the index of a frame of the stretch from `start` to `end` seconds.

        The peak, which depends on faces, is chosen elsewhere.

        Raises:
            FrameTimeError: the time is past the end of the stretch.
        """
        end = self.seconds if end is None else end
        stretch = self.between(start, end)
        index = stretch[0]
        if policy == "middle":
            index = stretch[len(stretch) // 2]
        elif not isinstance(policy, str):
            if start + policy > end:
                raise FrameTimeError(
                    f"The frame at {policy:g} s is past the end: there are {end - start:.2f} s."
                )
            index = self._at(start + policy)
        return self.usable(index)

    def between(self, start: float, end: float) -> range:
        """Return the indices of the frames shown from `start` to `end` seconds, at least one."""
        index = self._at(start)
        return range(index, max(index + 1, self._before(end)))

    def usable(self, index: int) -> int:
        """Return the index of the usable frame in place of a frame, which may be damaged."""
        return self._shown.nearest_usable(index)

    def decode(self, indices: Iterable[int]) -> dict[int, Frame]:
        """Decode the frames with these indices.

        Raises:
            Mispredicted: the decoder returned other pictures than the packets promised.
        """
        return {index: self.resized(index, rgb) for index, rgb in self.pictures(indices)}

    def pictures(self, indices: Iterable[int]) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """Yield the frames with these indices in their order: the index, and RGB in full size.

        Raises:
            Mispredicted: the decoder returned other pictures than the packets promised.
        """
        wanted = set(indices)
        if self._first is not None and 0 in wanted:
            wanted.remove(0)
            yield 0, to_rgb(self._first.frame)
        for index in sorted(wanted):
            if index not in wanted:
                continue
            key = self._key_before(index)
            if index < self._coming or key > self._position:
                self._restart(key)
            while index in wanted:
                if self._position > len(self._packets):
                    raise Mispredicted
                for picture in self._step():
                    found = self._index_of(picture)
                    if found in wanted:
                        wanted.remove(found)
                        yield found, to_rgb(picture.frame)

    def resized(self, index: int, rgb: npt.NDArray[np.uint8]) -> Frame:
        """Return the frame with this index, of the size that all frames get."""
        return Frame(resize(rgb, self._size), index, self._seconds(self._shown.times[index]))

    def _restart(self, position: int) -> None:
        """Restart decoding at this packet."""
        self._decoder.restart()
        self._position, self._is_at_key = position, position > 0
        start = self._packets[position].pts if position else None
        times = self._shown.times
        self._coming = self._shown.grey if start is None else bisect_left(times, start)

    def _step(self) -> list[Picture]:
        """Feed the decoder the next packet, or the end, and return the finished pictures."""
        at_end = self._position == len(self._packets)
        packet = None if at_end else self._packets[self._position]
        self._position += 1
        return self._decoder.feed(packet)

    def _index_of(self, picture: Picture) -> int | None:
        """Count the picture, and return its index; None if it is none of the shown ones."""
        if picture.flaw == Flaw.NO_REFERENCES:
            return None  # after a restart the number of these pictures varies
        if self._shown.is_predicted:
            if self._is_at_key and picture.start < self._shown.times[self._coming]:
                return None  # it refers to pictures before the key frame
            self._check(picture)
        index, self._coming, self._is_at_key = self._coming, self._coming + 1, False
        return index

    def _check(self, picture: Picture) -> None:
        """Raise Mispredicted unless this is the promised picture, decoded from its references."""
        times = self._shown.times
        is_promised = self._coming < len(times) and times[self._coming] == picture.start
        is_key = picture.frame.key_frame or not self._is_at_key
        if picture.flaw or self._decoder.has_errors or not (is_promised and is_key):
            raise Mispredicted

    def _key_before(self, index: int) -> int:
        """Return the index of the last key packet from which decoding reaches a frame."""
        if not self._shown.is_predicted:
            return 0
        place = bisect_right(self._keys.earliest, self._shown.times[index]) - 1
        return self._keys.places[place] if place >= 0 else 0

    def _at(self, seconds: float) -> int:
        """Return the index of the frame that is shown at a time."""
        if seconds <= 0:
            return 0
        return max(0, bisect_right(self._shown.times, self._ticks(seconds) + _TOLERANCE) - 1)

    def _before(self, seconds: float) -> int:
        """Return how many frames begin before a time."""
        return bisect_left(self._shown.times, self._ticks(seconds) - _TOLERANCE)

    def _ticks(self, seconds: float) -> float:
        return self._shown.times[0] + seconds / float(self._base)

    def _seconds(self, ticks: int) -> float:
        return float((ticks - self._shown.times[0]) * self._base)
