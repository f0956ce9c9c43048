"""Decodes a video track into its pictures, in the order in which a player shows them.

FFmpeg's decoders return pictures in this order, and skip those that the file marks as never shown.
They also return pictures that were decoded without their references: see `Picture.flaw`.
"""

from dataclasses import dataclass
from enum import IntEnum

from av import Packet, VideoFrame
from av.error import FFmpegError
from av.video.stream import VideoStream

_GREY_WITHOUT_KEY = frozenset({"mpeg4", "mpeg1video", "mpeg2video"})
"""The decoders that replace missing references by grey; all others drop such pictures."""


class Flaw(IntEnum):
    """Rates the damage of a decoded picture; the worst comes last."""

    NONE = 0
    DAMAGED = 1
    """The decoder concealed damage, or earlier damaged pictures may be its references."""
    NO_REFERENCES = 2
    """The stream begins in the middle of a group of pictures, so most of the picture is grey."""


@dataclass(frozen=True)
class Picture:
    """Holds one shown picture; its times are in units of the track's time base."""

    frame: VideoFrame
    start: int
    end: int
    flaw: Flaw


class PictureDecoder:
    """Decodes a track's packets, which the caller feeds in the order of the file."""

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        # After the file is closed these fields point to freed memory, so they are read now.
        rate, base = stream.average_rate, stream.time_base
        self._usual_duration = max(1, round(1 / rate / base)) if rate and base else 1
        self._reset()

    def restart(self) -> None:
        """Forget all packets so far; the next packet should hold a key frame."""
        self._context.flush_buffers()
        self._reset()

    def feed(self, packet: Packet | None) -> list[Picture]:
        """Feed one packet, or None at the end, and return the pictures that the decoder finishes.

        A packet that cannot be decoded gives no picture, as in a player, and sets `has_errors`.
        """
        if self._flaw == Flaw.NO_REFERENCES and packet is not None and packet.is_discard:
            # A player starts at hidden key frames too.
            is_key = _holds_key(packet, self._context.name)
            self._flaw = Flaw.NONE if is_key else self._flaw
        try:
            frames = self._decode(packet)
        except FFmpegError:
            self.has_errors = True
            self._flaw = max(self._flaw, Flaw.DAMAGED)
            return []
        self._holds_something = True
        return [self._picture(frame) for frame in frames]

    def _decode(self, packet: Packet | None) -> list[VideoFrame]:
        try:
            return self._context.decode(packet)
        except BlockingIOError:  # it still holds parts of an earlier packet that failed
            self._context.flush_buffers()
            return self._context.decode(packet)
        except FFmpegError:
            if not self._holds_something:
                self._context.flush_buffers()  # otherwise parts of it would fail again and again
            raise

    def _reset(self) -> None:
        self.has_errors = self._holds_something = False
        self._times = _Times(self._usual_duration)
        starts_grey = self._context.name in _GREY_WITHOUT_KEY
        self._flaw = Flaw.NO_REFERENCES if starts_grey else Flaw.NONE

    def _picture(self, frame: VideoFrame) -> Picture:
        if frame.key_frame:
            self._flaw = Flaw.NONE
        flaw = max(self._flaw, Flaw.DAMAGED) if frame.is_corrupt else self._flaw
        start, end = self._times.next(frame)
        return Picture(frame, start, end, flaw)


def start_in_file(first: Picture, packet: Packet) -> int:
    """Return the start of the first picture, on the time scale of the other tracks.

    If there are only decoding times, as in AVI, the decoder returns a picture late by the number of
    pictures that it holds back, although players show it when its packet (the first) is decoded.
    """
    has_time = first.frame.pts is not None or packet.dts is None
    return first.start if has_time else packet.dts or 0


def _holds_key(packet: Packet, codec: str) -> bool:
    """Return whether a packet holds a picture without references, for the codecs of MPEG.

    The decoder cannot show this for a hidden picture, because it never returns one.
    """
    data = bytes(packet)
    if codec == "mpeg4":
        start = data.find(b"\0\0\1\xb6")
        return 0 <= start < len(data) - 4 and data[start + 4] >> 6 == 0
    start = data.find(b"\0\0\1\0")
    return 0 <= start < len(data) - 5 and data[start + 5] >> 3 & 7 == 1


class _Times:
    """Guesses the times of successive pictures as FFmpeg does.

    AVI gives packets no presentation times, and some programs write wrong ones. If presentation
    times go backwards, the decoding time of the packet that completed a picture is used.
    """

    def __init__(self, usual_duration: int) -> None:
        self._usual_duration = usual_duration
        self._last_pts: int | None = None
        self._last_dts: int | None = None
        self._wrong_pts = self._wrong_dts = 0
        self._end = 0
        """The end of the previous picture."""

    def next(self, frame: VideoFrame) -> tuple[int, int]:
        """Return the start and the end of the next picture."""
        pts, dts = frame.pts, frame.dts
        if dts is not None and self._last_dts is not None:
            self._wrong_dts += dts <= self._last_dts
        if pts is not None and self._last_pts is not None:
            self._wrong_pts += pts <= self._last_pts
        self._last_dts = next((t for t in (dts, pts) if t is not None), self._last_dts)
        self._last_pts = next((t for t in (pts, dts) if t is not None), self._last_pts)
        trusts_pts = dts is None or self._wrong_pts <= self._wrong_dts
        guess = pts if pts is not None and trusts_pts else dts
        start = self._end if guess is None else guess
        self._end = start + (frame.duration or self._usual_duration)
        return start, self._end
