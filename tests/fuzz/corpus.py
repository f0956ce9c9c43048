"""Intact clips to begin from: every container that is read, many codecs and shapes."""

import io
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image

from devtools.media import Recipe, make_clip, picture

_FEATURE_SIZE = 128
"""The demo checkpoint's."""

_SMALL = Recipe(width=64, height=48, seconds=0.6, rate=16_000, layout="mono")
VIDEOS = {
    "h264-aac.mp4": _SMALL,
    "fragmented.mp4": replace(_SMALL, fragmented=True),
    "turned.mp4": replace(_SMALL, rotation=90),
    "odd-size.mp4": replace(_SMALL, width=63, height=47, pixels="yuv444p"),
    "surround.mp4": replace(_SMALL, rate=48_000, layout="7.1"),
    "h265-opus.mp4": replace(_SMALL, video="libx265", audio="libopus", rate=48_000),
    "mpeg4-mp3.mp4": replace(_SMALL, video="mpeg4", audio="libmp3lame"),
    "silent.mp4": replace(_SMALL, audio=None),
    "h264-aac.mov": replace(_SMALL, container="mov", rotation=270),
    "mjpeg-pcm.mov": replace(
        _SMALL, container="mov", video="mjpeg", audio="pcm_s16be", pixels="yuvj420p"
    ),
    "mpeg4-mp3.avi": replace(_SMALL, container="avi", video="mpeg4", audio="libmp3lame"),
    "mjpeg-pcm.avi": replace(
        _SMALL, container="avi", video="mjpeg", audio="pcm_u8", pixels="yuvj420p"
    ),
    "h264-alaw.avi": replace(_SMALL, container="avi", audio="pcm_alaw", rate=8_000),
    "h264-flac.mkv": replace(_SMALL, container="matroska", audio="flac"),
    "mpeg2-float.mkv": replace(
        _SMALL, container="matroska", video="mpeg2video", audio="pcm_f32le", frames_per_second=25
    ),
    "vp9-vorbis.mkv": replace(
        _SMALL, container="matroska", video="libvpx-vp9", audio="vorbis", layout="stereo"
    ),
    "h264-ac3.mkv": replace(
        _SMALL, container="matroska", audio="ac3", rate=48_000, layout="5.1", pixels="yuv420p10le"
    ),
    "vp8-opus.webm": replace(
        _SMALL, container="webm", video="libvpx", audio="libopus", rate=48_000
    ),
    "live.webm": replace(
        _SMALL, container="webm", video="libvpx", audio="libopus", rate=48_000, live=True
    ),
    "av1-opus.webm": replace(
        _SMALL, container="webm", video="libsvtav1", audio="libopus", rate=48_000
    ),
}


@dataclass(frozen=True)
class Intact:
    """A clip that the server takes, or features that may come along with one."""

    name: str
    data: bytes


@cache
def corpus() -> tuple[Intact, ...]:
    """Make all of them; the same bytes in every process."""
    videos = {name: make_clip(recipe) for name, recipe in VIDEOS.items()}
    made = {**videos, **_pictures(), **_features(videos["h264-aac.mp4"])}
    return tuple(Intact(name, data) for name, data in made.items())


def _pictures() -> dict[str, bytes]:
    image = Image.fromarray(picture(64, 48))
    turned = Image.Exif()
    turned[0x0112] = 6  # the orientation
    return {
        "plain.png": _encoded(image, "png"),
        "palette.png": _encoded(image.quantize(16), "png"),
        "deep.png": _encoded(image.convert("I;16"), "png"),
        "plain.jpg": _encoded(image, "jpeg", exif=turned),
        "progressive.jpg": _encoded(image.convert("CMYK"), "jpeg", progressive=True),
    }


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _features(video: bytes) -> dict[str, bytes]:
    """Pre-extracted features and face crops, together with a clip, and features alone."""
    features = np.ones((3, _FEATURE_SIZE), np.float32)
    crops = np.zeros((3, 112, 112, 3), np.uint8)
    together, watched, alone = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez_compressed(together, video=np.frombuffer(video, np.uint8), features=features)
    np.savez_compressed(watched, video=np.frombuffer(video, np.uint8), face_crops=crops)
    np.save(alone, features)
    return {
        "features.npz": together.getvalue(),
        "face_crops.npz": watched.getvalue(),
        "features.npy": alone.getvalue(),
    }
