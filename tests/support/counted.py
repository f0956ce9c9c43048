"""Makes clips whose pictures carry their number, and lists the pictures that FFmpeg shows.

The `ffmpeg` program comes with imageio-ffmpeg: it has encoders that PyAV lacks, and its decoding is
an independent reference.
"""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
from av import Packet
from av.container import Flags

WIDTH, HEIGHT = 160, 120
_COLUMNS, _ROWS = 4, 2
_DARK, _LIGHT = 30, 220
_SURE = 50
"""The grey levels by which a block must differ from the mean to be readable."""

Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ShownPicture:
    """Holds a picture that FFmpeg shows: its time from the first one, its number if readable."""

    seconds: float
    number: int | None


def ffmpeg(*arguments: object, given: bytes | None = None) -> bytes:
    """Run the program and return its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    command += [str(argument) for argument in arguments]
    done = subprocess.run(command, input=given, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def draw_number(number: int) -> Gray:
    """Draw the bits of a number below 256 as dark and light blocks."""
    picture = np.empty((HEIGHT, WIDTH), np.uint8)
    for bit in range(_COLUMNS * _ROWS):
        picture[_block(bit)] = _LIGHT if number >> bit & 1 else _DARK
    return picture


def read_number(gray: Gray) -> int | None:
    """Read the number of a decoded picture; None if it is not readable."""
    number = 0
    for bit in range(_COLUMNS * _ROWS):
        rows, columns = _block(bit)
        inner = gray[rows.start + 15 : rows.stop - 15, columns.start + 10 : columns.stop - 10]
        level = inner.mean() - (_DARK + _LIGHT) / 2
        if abs(level) < _SURE or inner.std() > _SURE:
            return None
        number |= int(level > 0) << bit
    return number


def _block(bit: int) -> tuple[slice, slice]:
    row, column = divmod(bit, _COLUMNS)
    height, width = HEIGHT // _ROWS, WIDTH // _COLUMNS
    return (
        slice(row * height, (row + 1) * height),
        slice(column * width, (column + 1) * width),
    )


def encode(path: Path, *options: object, count: int = 60, rate: str = "25") -> Path:
    """Encode pictures numbered from 0 with these options of the program."""
    pixels = "yuvj420p" if "mjpeg" in options else "yuv420p"
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "-")
    given = b"".join(draw_number(number).tobytes() for number in range(count))
    ffmpeg(*raw, *options, "-pix_fmt", pixels, path, given=given)
    return path


def rewrite(source: Path, target: Path, change: Callable[[int, Packet], bool]) -> Path:
    """Copy the picture's packets for which `change` is true; it may also change them."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        container.flags &= ~Flags.gen_pts.value
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream)
        packets = (packet for packet in container.demux(stream) if packet.size)
        for place, packet in enumerate(packets):
            if change(place, packet):
                packet.stream = copy
                out.mux(packet)
    return target


def shown_by_ffmpeg(path: Path) -> Sequence[ShownPicture]:
    """Decode a whole clip with the program; times never go back."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    command += ["-map", "0:v:0", "-vf", "showinfo", "-fps_mode", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(command, capture_output=True)
    told = re.findall(r"n: *\d+ pts: *\S+ +pts_time:(\S+)", done.stderr.decode())
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, HEIGHT, WIDTH)
    assert len(told) == len(pictures) > 0, done.stderr.decode()[-2000:]
    times = np.maximum.accumulate([float(time) for time in told])
    return [
        ShownPicture(float(time - times[0]), read_number(picture))
        for time, picture in zip(times, pictures, strict=True)
    ]
