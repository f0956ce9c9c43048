"""Makes small clips of every kind."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt


class Pipe(io.RawIOBase):
    """Represents a sink that cannot seek, as in a browser's recorder: the file gets no index."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


_OPTIONS = {
    "libvpx": {"threads": "1"},
    "libx264": {"qp": "18"},
    "libx265": {"x265-params": "log-level=none"},
    "vorbis": {"strict": "experimental"},
}
"""The options that keep encoders from being slow, noisy, not reproducible or closed."""
os.environ["SVT_LOG"] = "0"  # AV1's encoder reads only this


@dataclass(frozen=True)
class Recipe:
    """Describes a clip to make; None for a codec leaves the track out."""

    container: str = "mp4"
    video: str | None = "libx264"
    audio: str | None = "aac"
    pixels: str = "yuv420p"
    width: int = 160
    height: int = 120
    seconds: float = 1.0
    frames_per_second: int = 10
    rate: int = 48_000
    layout: str = "stereo"
    rotation: int | None = None
    live: bool = False
    fragmented: bool = False
    seed: int = 0
    hertz: float = 440.0


def picture(width: int, height: int, index: int = 0, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return a colourful picture, RGB [height, width, 3], different for each index and seed."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = columns * 255 // max(width - 1, 1)
    green = rows * 255 // max(height - 1, 1)
    blue = (rows + columns + 9 * index + 60 * seed) % 256
    image = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    draw = np.random.default_rng(seed)
    for _ in range(6):
        side = max(8, height // 5)
        top, left = int(draw.integers(0, height)), int(draw.integers(0, width))
        image[top : top + side, left : left + side] = draw.integers(0, 256, 3)
    return image


def tone(seconds: float, rate: int, channels: int, hertz: float) -> npt.NDArray[np.float32]:
    """Return a tone with a slow beat, [channels, samples], loudest on the left."""
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * hertz * time) * (1 + 0.3 * np.sin(2 * np.pi * 3 * time))
    gains = np.array([1.0] + [0.5] * (channels - 1))
    gains[3:4] = 0  # encoders remove a tone from the subwoofer
    return (gains[:, None] * wave).astype(np.float32)


@contextmanager
def _unchanged_scheduling() -> Iterator[None]:
    """Undo what AV1's encoder does for root: this thread, and all that it starts, become real-time.

    Two real-time processes that wait for other threads would hold both cores of a machine for ever.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


@lru_cache(maxsize=64)
@_unchanged_scheduling()
def make_clip(recipe: Recipe = Recipe()) -> bytes:
    """Return the bytes of a clip."""
    sink: Any = Pipe() if recipe.live else io.BytesIO()
    options = {"fflags": "+bitexact"}  # otherwise Matroska gets random identifiers
    if recipe.live:
        options["live"] = "1"
    if recipe.fragmented:
        options["movflags"] = "frag_keyframe+empty_moov+default_base_moof"
    with av.open(sink, "w", format=recipe.container, container_options=options) as out:
        tracks = _Tracks(out, recipe)
        for index in range(round(recipe.seconds * recipe.frames_per_second)):
            tracks.write(index)
        tracks.flush()
    return bytes(sink.data) if recipe.live else sink.getvalue()


class _Tracks:
    """Writes a clip's picture and sound side by side."""

    def __init__(self, out: Any, recipe: Recipe) -> None:
        self._out, self._recipe = out, recipe
        self._video = self._audio = None
        self._written = 0
        if recipe.video:
            self._video = out.add_stream(
                recipe.video, rate=recipe.frames_per_second, options=_OPTIONS.get(recipe.video)
            )
            self._video.width, self._video.height = recipe.width, recipe.height
            self._video.pix_fmt = recipe.pixels
            if recipe.rotation is not None:
                self._video.set_display_rotation(recipe.rotation)
        if recipe.audio:
            self._audio = out.add_stream(
                recipe.audio,
                rate=recipe.rate,
                layout=recipe.layout,
                options=_OPTIONS.get(recipe.audio),
            )
            channels = self._audio.layout.nb_channels
            self._wave = tone(recipe.seconds, recipe.rate, channels, recipe.hertz)

    def write(self, index: int) -> None:
        recipe = self._recipe
        if self._video is not None:
            image = picture(recipe.width, recipe.height, index, recipe.seed)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=recipe.pixels)
            frame.pts, frame.time_base = index, Fraction(1, recipe.frames_per_second)
            self._out.mux(self._video.encode(frame))
        if self._audio is not None:
            until = round((index + 1) / recipe.frames_per_second * recipe.rate)
            while self._written < min(until, self._wave.shape[1]):
                piece = self._wave[:, self._written : self._written + 1024]
                packed = np.ascontiguousarray(piece.T).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=recipe.layout)
                frame.sample_rate, frame.pts = recipe.rate, self._written
                frame.time_base = Fraction(1, recipe.rate)
                self._out.mux(self._audio.encode(frame))
                self._written += piece.shape[1]

    def flush(self) -> None:
        for stream in (self._video, self._audio):
            if stream is not None:
                self._out.mux(stream.encode(None))


def write_clip(path: Path, recipe: Recipe = Recipe()) -> Path:
    """Write a clip and return its path."""
    path.write_bytes(make_clip(recipe))
    return path
