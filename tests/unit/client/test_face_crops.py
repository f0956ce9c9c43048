"""Face crops that a caller hands over: an array, or a folder of pictures as OpenFace writes it."""

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emotion_llama.face_crops import pack
from emotion_llama.options import Options, make_call
from emotion_llama_vllm.media.decode.npz import open_container
from emotion_llama_vllm.settings import MediaSettings
from tests.unit.client.command_server import FakeServer, invoke

CROPS = np.random.default_rng(0).integers(0, 256, (12, 112, 112, 3), np.uint8)


def write(folder: Path, crops: np.ndarray, ending: str = "bmp") -> Path:
    folder.mkdir(parents=True)
    for number, crop in enumerate(crops, start=1):
        Image.fromarray(crop).save(folder / f"frame_det_00_{number:06d}.{ending}")
    (folder / "readme.txt").write_text("no crop")
    return folder


def crops_in(container: Any) -> np.ndarray:
    assert isinstance(container, bytes)
    inside = open_container(container, MediaSettings())
    assert inside.video == b"clip"
    assert inside.face_crops is not None
    return inside.face_crops


@pytest.mark.parametrize("ending", ["bmp", "png"])
def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path, ending: str) -> None:
    folder = write(tmp_path / "clip", CROPS, ending)
    np.testing.assert_array_equal(crops_in(pack(b"clip", folder)), CROPS)


def test_grey_and_jpeg_pictures_are_read_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "clip", CROPS[:2, ..., 0], "jpg")
    assert crops_in(pack(b"clip", str(folder))).shape == (2, 112, 112, 3)


def test_an_array_is_packed_as_it_is() -> None:
    packed = pack(b"clip", CROPS)
    np.testing.assert_array_equal(crops_in(packed), CROPS)
    with np.load(io.BytesIO(packed)) as loaded:
        np.testing.assert_array_equal(loaded["face_crops"], CROPS)


def test_equal_clips_and_crops_give_equal_bytes_at_any_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = pack(b"clip", CROPS)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert pack(b"clip", CROPS) == first


@pytest.mark.parametrize(
    ("crops", "words"),
    [
        (CROPS.astype(np.float32), "not float32"),
        (CROPS[:, :100], r"\[12, 100, 112, 3\]"),
        (CROPS[:0], r"\[0, 112"),
        (CROPS[0], r"\[112, 112, 3\]"),
        ([1, 2], "not a list"),
    ],
)
def test_other_arrays_are_refused(crops: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pack(b"clip", crops)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="100 x 112 pixels"):
        pack(b"clip", write(tmp_path / "small", CROPS[:, :, :100]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no face crops"):
        pack(b"clip", tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        pack(b"clip", tmp_path / "missing")


def test_a_clip_with_crops_is_uploaded_whatever_form_it_has(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"clip")
    options = Options(face_crops=CROPS, frame="peak")
    for given in ((path, None), (None, b"clip"), (None, path), (None, io.BytesIO(b"clip"))):
        call = make_call(*given, "emotion", False, options)
        assert call.video is None
        assert call.fields == {"frame": "peak", "task": "emotion"}
        np.testing.assert_array_equal(crops_in(call.upload), CROPS)
    with pytest.raises(ValueError, match="not a URL"):
        make_call("http://host/clip.mp4", None, "emotion", False, options)


def test_analyze_hands_over_the_crops_of_each_clip(server: FakeServer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.mp4").write_bytes(b"clip")
    write(tmp_path / "crops/one", CROPS)
    words = ("--server", server.url, "--face-crops", tmp_path / "crops")
    done = invoke("analyze", tmp_path / "one.mp4", tmp_path / "two.mp4", *words)
    assert done.exit_code == 0, done.stderr
    assert f"Clips without face crops in {tmp_path / 'crops'}: {tmp_path / 'two.mp4'}." in (
        " ".join(done.stderr.split())
    )
    uploads = [asked["upload"] for asked in server.asked if "upload" in asked]
    assert [asked["video"] for asked in server.asked if "upload" not in asked] == [
        str(tmp_path / "two.mp4")
    ]
    assert [pack(b"clip", CROPS)[:100] in upload for upload in uploads] == [True]


def test_a_folder_without_crops_of_any_clip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.mp4").write_bytes(b"clip")
    done = invoke("analyze", tmp_path / "one.mp4", "--face-crops", tmp_path)
    assert done.exit_code == 2
    assert "--face-crops" in done.stderr
