"""Display matrices: every turn and mirror against FFmpeg, and where OpenCV differs."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings
from tests.support.counted import encode, ffmpeg

SETTINGS = MediaSettings()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("orientation") / "plain.mp4"
    lopsided = "trim=start_frame=37,setpts=PTS-STARTPTS"
    return encode(path, "-c:v", "libx264", "-vf", lopsided, count=39)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("mirror", [(), ("-display_hflip",), ("-display_vflip",)], ids=str)
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.costly
def test_a_picture_is_shown_as_ffmpeg_shows_it(
    plain: Path, tmp_path: Path, degrees: int, mirror: tuple[str, ...], ending: str
) -> None:
    path = tmp_path / f"turned.{ending}"
    ffmpeg("-display_rotation", degrees, *mirror, "-i", plain, "-c", "copy", path)
    raw = ffmpeg("-i", path, "-frames:v", 1, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    frame = decode(path.read_bytes(), settings=SETTINGS).frame
    expected = np.frombuffer(raw, np.uint8).reshape(frame.shape[:2]).astype(float)
    assert expected.std() > 50
    assert np.abs(expected - frame.mean(axis=2)).mean() < 3
    read, bgr = cv2.VideoCapture(str(path)).read()
    assert read
    if not mirror:
        np.testing.assert_array_equal(frame, bgr[..., ::-1])
