"""Makes the clips of the benchmarks: many sizes and lengths, each new to the server.

Encoding a video takes seconds, so one second of each size is encoded and repeated. Each clip gets
its own sound, so that the server and its caches treat it as another clip.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

SIZES = {"360p": (640, 360), "480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
SECONDS = (2, 4, 6, 8, 10)
FRAMES_PER_SECOND = 25
_RATE = 48_000


@dataclass(frozen=True)
class Video:
    """Describes the picture track of a clip."""

    size: str
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.size}_{self.seconds:g}s"


VIDEOS = tuple(
    Video(size, SECONDS[(row + 2 * column) % len(SECONDS)])
    for column in range(len(SECONDS))
    for row, size in enumerate(SIZES)
)
"""The twenty videos: each size with each length, ordered so that any few in a row vary."""


def new_clips(folder: Path, number: int, *, first: int = 0) -> list[Path]:
    """Write clips into `folder`; those of different `first` to `first + number` are different."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_clip(folder, VIDEOS[i % len(VIDEOS)], i) for i in range(first, first + number)]


def write_clip(folder: Path, video: Video, seed: int) -> Path:
    """Write one clip: a video, and a sound that is unique to this seed."""
    path = folder / f"{seed:05}_{video.name}.mp4"
    path.write_bytes(make_clip(video, seed))
    return path


def make_clip(video: Video, seed: int) -> bytes:
    """Return the bytes of a clip: MP4, H.264 and AAC, as phones and call recorders write it."""
    sink = io.BytesIO()
    with av.open(io.BytesIO(_one_second(video.size))) as source, av.open(sink, "w", "mp4") as out:
        picture = out.add_stream_from_template(source.streams.video[0])
        sound = out.add_stream("aac", rate=_RATE, layout="stereo")
        data = [
            (bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
            for packet in cast(InputContainer, source).demux(video=0)
            if packet.pts is not None and packet.dts is not None
        ]
        base = cast(Fraction, source.streams.video[0].time_base)
        for second in range(round(video.seconds)):
            for content, pts, dts, is_keyframe in data:
                packet = av.Packet(content)
                packet.pts, packet.dts = pts + round(second / base), dts + round(second / base)
                packet.time_base, packet.is_keyframe, packet.stream = base, is_keyframe, picture
                out.mux(packet)
        _write_sound(out, sound, _voice(video.seconds, seed))
    return sink.getvalue()


def _write_sound(out: Any, sound: Any, wave: npt.NDArray[np.float32]) -> None:
    for start in range(0, len(wave), 1024):
        piece = np.repeat(wave[None, start : start + 1024], 2, axis=0)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))


@cache
def _one_second(size: str) -> bytes:
    """Return a file with one second of picture, which starts with a key frame."""
    width, height = SIZES[size]
    sink = io.BytesIO()
    with av.open(sink, "w", "mp4") as out:
        params = f"keyint={FRAMES_PER_SECOND}:scenecut=0:open-gop=0"
        options = {"preset": "veryfast", "x264-params": params}
        stream = out.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index, frame in enumerate(_pictures(width, height)):
            frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_SECOND)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return sink.getvalue()


def _pictures(width: int, height: int) -> Iterator[av.VideoFrame]:
    """Yield pictures with moving colours and the grain of a camera."""
    draw = np.random.default_rng(height)
    rows, columns = np.mgrid[0:height, 0:width]
    grain = draw.normal(0, 4, (height, width, 3))
    for index in range(FRAMES_PER_SECOND):
        channels = [rows * 255 / height, columns * 255 / width, (rows + columns + 9 * index) % 256]
        image = np.stack(channels, axis=-1) + np.roll(grain, 7 * index, axis=1)
        image = np.clip(image, 0, 255).astype(np.uint8)
        yield av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")


def _voice(seconds: float, seed: int) -> npt.NDArray[np.float32]:
    """Return a buzz [samples] whose pitch and loudness vary as in a voice."""
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * _RATE), dtype=np.float32) / _RATE
    pitch, beat = draw.uniform(90, 260), draw.uniform(2, 5)
    phase = 2 * np.pi * pitch * time + 3 * np.sin(2 * np.pi * draw.uniform(0.3, 1) * time)
    wave = sum(np.sin(number * phase) / number for number in range(1, 5))
    wave = 0.2 * wave * (1 + 0.6 * np.sin(2 * np.pi * beat * time))
    return (wave + draw.normal(0, 0.005, len(time))).astype(np.float32)
