"""The one frame that the model sees: the very pixels that OpenCV, as in the original, reads."""

import numpy as np
import numpy.typing as npt
from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from emotion_llama_vllm.media.container import check_codec
from emotion_llama_vllm.media.errors import MediaError

_MAX_PIXELS = 8192 * 4320


def resize(frame: npt.NDArray[np.uint8], size: int | None) -> npt.NDArray[np.uint8]:
    """Bring an RGB frame to the network's `size`, as the original does; None leaves it."""
    if size is None:
        return frame
    return np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.BICUBIC))


class FirstFrame:
    """The first frame in display order of a file's first video track.

    Raises:
        MediaError: from the constructor if there is no picture track, from `feed` and `rgb` if it
            cannot be decoded.
    """

    def __init__(self, container: InputContainer) -> None:
        self.stream = open_video_stream(container)
        # Read now: behind a closed file the stream's own fields are whatever lies in that memory.
        self._start = self.stream.start_time or 0
        self._frame: VideoFrame | None = None

    @property
    def found(self) -> bool:
        return self._frame is not None

    @property
    def seconds(self) -> float:
        """When the frame is shown, from the start of the track."""
        frame = self._found_frame()
        if frame.pts is None or frame.time_base is None:
            return 0.0
        return float((frame.pts - self._start) * frame.time_base)

    def feed(self, packet: Packet) -> None:
        try:
            self._frame = next(iter(packet.decode()), None)  # type: ignore[assignment]
        except FFmpegError as error:
            raise MediaError("The clip's picture is damaged: no frame can be decoded.") from error

    def rgb(self) -> npt.NDArray[np.uint8]:
        """[height, width, 3], turned upright by the track's display matrix."""
        return to_rgb(self._found_frame())

    def _found_frame(self) -> VideoFrame:
        if self._frame is None:
            raise MediaError("The file has a video track without a frame that can be decoded.")
        return self._frame


def to_rgb(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """A decoded frame as RGB [height, width, 3], turned upright by the track's display matrix."""
    check_size(frame.width, frame.height)
    # OpenCV's own conversion: to BGR with bicubic chroma.
    bgr = frame.reformat(format="bgr24", interpolation="BICUBIC").to_ndarray()
    # Channel by channel: NumPy copies a reversed view six times as slowly.
    rgb = np.empty(bgr.shape, np.uint8)
    for channel in range(3):
        rgb[..., channel] = bgr[..., 2 - channel]
    turns = round(frame.rotation / 90) % 4 if frame.rotation % 90 == 0 else 0
    return np.ascontiguousarray(np.rot90(rgb, turns))


def open_video_stream(container: InputContainer) -> VideoStream:
    """The file's first video track, ready to be decoded in this thread.

    Raises:
        MediaError: there is none, or its pictures are too large.
    """
    for stream in container.streams.video:
        # A cover picture is no video, and a codec that FFmpeg does not know has no context.
        if stream.codec_context and not stream.disposition & Disposition.attached_pic:
            check_codec(stream.codec_context)
            stream.codec_context.thread_count = 1
            check_size(stream.codec_context.width, stream.codec_context.height)
            return stream
    raise MediaError("The file has no picture that can be decoded; a clip needs at least a frame.")


def check_size(width: int, height: int) -> None:
    """Raise MediaError for a picture that is too large."""
    if width * height > _MAX_PIXELS:
        raise MediaError(
            f"The picture is {width} x {height}; at most {_MAX_PIXELS // 10**6} megapixels are "
            "taken. Send a smaller one."
        )
