"""Any frame of a clip: the packets are kept, and only those that a wanted frame needs are decoded.

Emotion-LLaMA's author ranks the peak frame first, then the middle one, a random one, the first
(issues 126, 127 and 131 of the original); the first is what the original uses.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import FFmpegError

from emotion_llama_vllm.media.errors import FrameTimeError, MediaError
from emotion_llama_vllm.media.picture import open_video_stream, resize, to_rgb

FramePolicy = Literal["first", "middle"] | float
"""Which frame of a stretch: its first, its middle one, or that of a time in seconds from its start.
"""


@dataclass(frozen=True)
class Frame:
    """A decoded frame: RGB uint8 [height, width, 3], its place and its time in the track."""

    rgb: npt.NDArray[np.uint8]
    index: int
    seconds: float


@dataclass
class Frames:
    """The frames of a file's first video track; of use while the file is open.

    Feed it all packets of the track, then call `finish`.
    """

    container: InputContainer
    size: int | None = None
    """Side in pixels to which each decoded frame is resized."""
    _packets: list[Packet] = field(default_factory=list)
    _times: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stream = open_video_stream(self.container)

    def feed(self, packet: Packet) -> None:
        """Keep one packet of the track."""
        if packet.size:
            self._packets.append(packet)

    def finish(self) -> None:
        """Order what was fed.

        Raises:
            MediaError: there is not a single frame.
        """
        if not self._packets:
            raise MediaError("The file has a video track without a frame that can be decoded.")
        if any(packet.pts is None for packet in self._packets):
            for number, packet in enumerate(self._packets):  # as AVI files have them
                packet.pts = packet.dts if packet.dts is not None else number
        self._times = sorted({self._pts(packet) for packet in self._packets})

    @property
    def seconds(self) -> float:
        """When the last frame ends, from the start of the track."""
        last = max(self._packets, key=self._pts)
        return self._seconds(self._pts(last) + (last.duration or 0))

    def choose(self, policy: FramePolicy, start: float = 0.0, end: float | None = None) -> int:
        """The index of a frame of the stretch from `start` to `end` seconds.

        Raises:
            FrameTimeError: a time past the end of the stretch.
        """
        end = self.seconds if end is None else end
        first, behind = self._at(start), max(self._at(start) + 1, self._before(end))
        if policy == "first":
            return first
        if policy == "middle":
            return first + (behind - first) // 2
        if start + policy > end:
            raise FrameTimeError(
                f"The frame at {policy:g} s is past the end: there are {end - start:.2f} s."
            )
        return self._at(start + policy)

    def decode(self, indices: Iterable[int]) -> dict[int, Frame]:
        """Decode the frames with these indices.

        Raises:
            MediaError: one of them is damaged.
        """
        wanted = {self._times[index]: index for index in indices}
        found: dict[int, Frame] = {}
        position = 0
        for pts in sorted(wanted):
            if wanted[pts] in found:
                continue
            start = self._key_before(pts)
            if start > position or pts < self._pts(self._packets[position - 1]):
                self.stream.codec_context.flush_buffers()
                position = start
            while wanted[pts] not in found and position <= len(self._packets):
                self._keep(position, wanted, found)
                position += 1
            if wanted[pts] not in found:
                raise MediaError("The clip's picture is damaged: a frame cannot be decoded.")
        return found

    def _keep(self, position: int, wanted: dict[int, int], found: dict[int, Frame]) -> None:
        """Feed the decoder a packet, or the end, and keep what is wanted of what comes out."""
        packet = self._packets[position] if position < len(self._packets) else None
        try:
            frames: list[VideoFrame] = self.stream.codec_context.decode(packet)
        except FFmpegError as error:
            raise MediaError("The clip's picture is damaged: it cannot be decoded.") from error
        for frame in frames:
            if frame.pts in wanted:
                index = wanted[frame.pts]
                rgb = resize(to_rgb(frame), self.size)
                found[index] = Frame(rgb, index, self._seconds(frame.pts))

    def _key_before(self, pts: int) -> int:
        """The last packet from which a decoder can start and reach this time."""
        starts = (
            number
            for number in range(len(self._packets) - 1, -1, -1)
            if self._packets[number].is_keyframe and self._pts(self._packets[number]) <= pts
        )
        return next(starts, 0)

    def _at(self, seconds: float) -> int:
        """The index of the frame that is shown at a time."""
        return max(0, bisect_right(self._times, self._ticks(seconds)) - 1)

    def _before(self, seconds: float) -> int:
        """How many frames begin before a time."""
        return bisect_right(self._times, self._ticks(seconds) - 1)

    def _pts(self, packet: Packet) -> int:
        return packet.pts or 0

    def _ticks(self, seconds: float) -> int:
        base = self.stream.time_base
        return (self._times[0] if self._times else 0) + round(seconds / base) if base else 0

    def _seconds(self, pts: int) -> float:
        base = self.stream.time_base
        return float((pts - self._times[0]) * base) if base else 0.0
