"""Decodes the model's one frame into the same pixels as OpenCV, which the original uses."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image

from emotion_llama_vllm.media.decode.picture.decoding import (
    Flaw,
    Picture,
    PictureDecoder,
    start_in_file,
)
from emotion_llama_vllm.media.decode.picture.orientation import upright
from emotion_llama_vllm.media.decode.tracks import open_video_track
from emotion_llama_vllm.media.errors import MediaError

_MAX_PIXELS = 8192 * 4320


def resize(frame: npt.NDArray[np.uint8], size: int | None) -> npt.NDArray[np.uint8]:
    """Resize an RGB frame to the network's `size`, as the original does; None keeps its size."""
    if size is None:
        return frame
    return np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.BICUBIC))


class FirstFrame:
    """Decodes the first frame of a file's video track that has all its references."""

    def __init__(self, container: InputContainer) -> None:
        """Open the track.

        Raises:
            MediaError: no track can be decoded, or its pictures are too large.
        """
        self.stream, self.track = open_video_track(container)
        check_size(self.stream.codec_context.width, self.stream.codec_context.height)
        # After the file is closed these fields point to freed memory, so they are read now.
        self._base = self.stream.time_base or Fraction(1)
        self._decoder = PictureDecoder(self.stream)
        self._count = 0
        self._first_packet: Packet | None = None
        self._zero = self._first_start = 0
        self._latest: int | None = None
        self._best: Picture | None = None
        self._best_place = self._best_start = 0

    @property
    def found(self) -> bool:
        """Return whether no more packets are needed."""
        return self._best is not None and self._best.flaw == Flaw.NONE

    def feed(self, packet: Packet) -> None:
        """Decode one packet of the track, or its end: a packet without bytes and time."""
        if packet.size == 0 and packet.dts is not None:
            return  # AVI repeats a picture in this way
        first = self._first_packet = self._first_packet or packet
        for picture in self._decoder.feed(packet if packet.size else None):
            if self._latest is None:
                self._first_start, self._zero = picture.start, start_in_file(picture, first)
            self._latest = max(picture.start, self._latest or picture.start)
            if self._best is None or picture.flaw < self._best.flaw:
                self._best, self._best_place, self._best_start = picture, self._count, self._latest
            self._count += 1

    @property
    def index(self) -> int:
        """Return the number of pictures shown before the frame, which is 0 in an intact clip."""
        self._usable()
        return self._best_place

    @property
    def zero(self) -> float:
        """Return the time of the very first picture, in the file's own seconds."""
        return float(self._zero * self._base)

    @property
    def seconds(self) -> float:
        """Return the time of the frame, in seconds from the very first picture."""
        self._usable()
        return float((self._best_start - self._first_start) * self._base)

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the pixels [height, width, 3], upright.

        Raises:
            MediaError: no picture was decoded from its references.
        """
        return to_rgb(self._usable().frame)

    def _usable(self) -> Picture:
        if self._best is None or self._best.flaw == Flaw.NO_REFERENCES:
            raise MediaError("The file has a video track without a frame that can be decoded.")
        return self._best


def to_rgb(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """Return a decoded frame as RGB [height, width, 3], turned and mirrored as players show it.

    Raises:
        MediaError: it is too large, or damaged.
    """
    check_size(frame.width, frame.height)
    # This is OpenCV's own conversion: to BGR with bicubic chroma. Each frame has its own converter;
    # on a busy machine the stacks of their threads would fill the worker's memory.
    try:
        bgr = frame.reformat(format="bgr24", interpolation="BICUBIC", threads=1).to_ndarray()
    except (FFmpegError, ValueError) as error:
        raise MediaError("The clip's picture is damaged: its colours cannot be read.") from error
    # NumPy copies a reversed view six times as slowly as channel by channel.
    rgb = np.empty(bgr.shape, np.uint8)
    for channel in range(3):
        rgb[..., channel] = bgr[..., 2 - channel]
    return upright(rgb, frame)


def check_size(width: int, height: int) -> None:
    """Raise MediaError for a picture that is too large."""
    if width * height > _MAX_PIXELS:
        raise MediaError(
            f"The picture is {width} x {height}; at most {_MAX_PIXELS // 10**6} megapixels are "
            "allowed. Send a smaller one."
        )
