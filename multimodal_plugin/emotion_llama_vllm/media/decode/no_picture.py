"""Stands in for the picture of a file with sound alone: the model sees a black one.

Black is what the authors' own pipeline gives the network where it finds no face, and what a player
shows of such a file. No checkpoint was trained with it, so a warning accompanies the answer. The
cover of an album is no picture of the person who speaks, and is not shown to the model.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from av import Packet
from av.container import InputContainer

from emotion_llama_vllm.media.decode.picture.frames import Frame, FramePolicy, Frames
from emotion_llama_vllm.media.decode.picture.pixels import FirstFrame, resize
from emotion_llama_vllm.media.decode.tracks import has_picture
from emotion_llama_vllm.media.errors import FrameTimeError


def first_frame(container: InputContainer) -> "FirstFrame | NoPicture":
    """Return what decodes the first frame of a file, or stands in for it.

    Raises:
        MediaError: the picture cannot be decoded.
    """
    return FirstFrame(container) if has_picture(container) else NoPicture()


def all_frames(container: InputContainer, size: int | None) -> "Frames | NoPicture":
    """Return what decodes any frame of a file, resized to `size`, or stands in for each.

    Raises:
        MediaError: the picture cannot be decoded.
    """
    return Frames(container, size) if has_picture(container) else NoPicture(size)


class NoPicture:
    """Takes the place of `FirstFrame` or `Frames` for a file with sound alone.

    Args:
        size: the side in pixels of each frame; one pixel by default, which can be resized to any.
    """

    stream = track = zero = None
    found = True
    index, seconds = 0, 0.0
    bytes_per_frame = 3

    def __init__(self, size: int | None = None) -> None:
        self._size = size

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the black picture, RGB [height, width, 3]."""
        return resize(np.zeros((1, 1, 3), np.uint8), self._size)

    def feed(self, packet: Packet) -> None:
        """Ignore a packet, which can only be one of a cover picture."""

    def finish(self) -> None:
        """Do nothing, as there are no packets."""

    def scan(self) -> None:
        """Do nothing, as there are no packets."""

    def choose(self, policy: FramePolicy, start: float = 0.0, end: float | None = None) -> int:
        """Return the index of the only picture.

        Raises:
            FrameTimeError: the policy is a time.
        """
        if not isinstance(policy, str) and policy > 0:
            raise FrameTimeError("The clip is sound alone, without a frame at any time.")
        return 0

    def decode(self, indices: Iterable[int]) -> dict[int, Frame]:
        """Return the black picture under its index."""
        return {0: Frame(self.rgb(), 0, 0.0)}
