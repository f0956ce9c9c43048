"""The `.npz` container."""

import base64
import contextlib
import io
import random
import zipfile
from typing import Any

import numpy as np
import pytest

from devtools.media import make_clip
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.npz import check_face_crops, open_container, read_base64
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.errors import MediaError, MediaTooLarge
from emotion_llama_vllm.settings import MediaSettings

VIDEO = np.frombuffer(make_clip(), np.uint8)
FEATURES = np.arange(3 * 8, dtype=np.float32).reshape(3, 8)
CROPS = np.arange(3 * 112 * 112 * 3, dtype=np.uint8).reshape(3, 112, 112, 3)
SETTINGS = MediaSettings(max_media_mb=1, max_face_crops=17)


def container(**arrays: Any) -> bytes:
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def test_a_container_gives_the_clip_and_its_features() -> None:
    data = container(video=VIDEO, features=FEATURES)
    clip = decode(data, settings=MediaSettings())
    plain = decode(VIDEO.tobytes(), settings=MediaSettings())
    np.testing.assert_array_equal(clip.frame, plain.frame)
    assert clip.features is not None
    np.testing.assert_array_equal(clip.features, FEATURES)


def test_an_uncompressed_and_fortran_ordered_container_is_the_same() -> None:
    data = io.BytesIO()
    np.savez(data, video=VIDEO, features=np.asfortranarray(FEATURES))
    features = open_container(data.getvalue(), SETTINGS).features
    assert features is not None
    np.testing.assert_array_equal(features, FEATURES)


def test_a_row_of_nan_is_not_given() -> None:
    features = FEATURES.copy()
    features[0] = np.nan
    opened = open_container(container(video=VIDEO, features=features), SETTINGS).features
    assert opened is not None
    assert np.isnan(opened[0]).all()


@pytest.mark.parametrize("more", [{}, {"features": FEATURES}], ids=["alone", "with features"])
def test_a_container_gives_the_face_crops(more: dict[str, Any]) -> None:
    data = container(video=VIDEO, face_crops=CROPS, **more)
    clip = decode(data, settings=SETTINGS)
    assert clip.face_crops is not None
    np.testing.assert_array_equal(clip.face_crops, CROPS)
    assert (clip.features is not None) == bool(more)
    plain = decode(VIDEO.tobytes(), settings=SETTINGS)
    assert clip.nbytes == plain.nbytes + CROPS.nbytes + sum(rows.nbytes for rows in more.values())


def test_the_crops_are_those_of_the_whole_clip_and_not_of_its_windows() -> None:
    data = container(video=VIDEO, face_crops=CROPS)
    recording = record(data, frame="middle", window=1, step=1, settings=SETTINGS)
    cut = recording.cut()
    assert cut.whole.face_crops is not None
    np.testing.assert_array_equal(cut.whole.face_crops, CROPS)
    assert cut.windows
    assert all(window.clip.face_crops is None for window in cut.windows)
    plain = record(VIDEO.tobytes(), frame="middle", window=1, step=1, settings=SETTINGS)
    assert recording.nbytes == plain.nbytes + CROPS.nbytes


def test_a_windowed_analysis_of_a_container_with_features_is_refused() -> None:
    data = container(video=VIDEO, features=FEATURES, face_crops=CROPS)
    with pytest.raises(MediaError, match="are for chat"):
        record(data, frame="middle", settings=SETTINGS)


@pytest.mark.parametrize(
    "crops",
    [
        CROPS[:0],
        CROPS[0],
        CROPS[:, :111],
        CROPS[..., :1],
        CROPS.transpose(0, 3, 1, 2),
        CROPS.astype(np.float32) / 255,
        CROPS.astype(np.int8),
    ],
    ids=lambda crops: f"{crops.dtype}{list(crops.shape)}",
)
def test_crops_of_another_kind_are_refused_in_one_sentence(crops: np.ndarray) -> None:
    with pytest.raises(MediaError, match=r"uint8 \[frames, 112, 112, 3\] of at least one frame"):
        check_face_crops(crops, most=4)
    with pytest.raises(MediaError):
        open_container(container(video=VIDEO, face_crops=crops), SETTINGS)


def test_more_crops_than_the_server_takes_are_refused() -> None:
    with pytest.raises(MediaTooLarge, match="has 3 frames, but this server takes at most 2"):
        check_face_crops(CROPS, most=2)


def _spoilt(row: int, column: int, value: float) -> np.ndarray:
    features = FEATURES.copy()
    features[row, column] = value
    return features


@pytest.mark.parametrize(
    "arrays",
    [
        {"video": VIDEO},
        {"features": FEATURES},
        {"video": VIDEO, "features": FEATURES, "more": FEATURES},
        {"video": VIDEO.astype(np.int16), "features": FEATURES},
        {"video": VIDEO[None], "features": FEATURES},
        {"video": VIDEO, "features": FEATURES.astype(np.float64)},
        {"video": VIDEO, "features": FEATURES[:2]},
        {"video": VIDEO, "features": FEATURES[0]},
        {"video": VIDEO, "features": _spoilt(1, 2, np.nan)},
        {"video": VIDEO, "features": _spoilt(1, 2, np.inf)},
        {"video": np.array([{"pickled": 1}], dtype=object), "features": FEATURES},
    ],
)
def test_any_other_content_is_refused(arrays: dict[str, Any]) -> None:
    with pytest.raises(MediaError):
        open_container(container(**arrays), SETTINGS)


@pytest.mark.costly
def test_sizes_are_checked_before_inflating() -> None:
    bomb = container(video=np.zeros(50 << 20, np.uint8), features=FEATURES)
    assert len(bomb) < 200_000
    with pytest.raises(MediaTooLarge):
        open_container(bomb, SETTINGS)
    bomb = container(video=VIDEO, face_crops=np.zeros((1000, 112, 112, 3), np.uint8))
    with pytest.raises(MediaTooLarge, match="over 639744 bytes"):
        open_container(bomb, SETTINGS)
    bomb = container(video=VIDEO, features=np.zeros((3, 1 << 20), np.float32))
    with pytest.raises(MediaTooLarge):
        open_container(bomb, SETTINGS)


@pytest.mark.parametrize("cut", [10, 100, 1000])
def test_a_damaged_container_is_refused(cut: int) -> None:
    data = container(video=VIDEO, features=FEATURES)
    with pytest.raises(MediaError):
        decode(data[:-cut], settings=MediaSettings())


def test_a_header_that_lies_about_its_size_is_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 900000000000), }"
        padded = header + b" " * (117 - len(header)) + b"\n"
        archive.writestr("features.npy", b"\x93NUMPY\x01\x00\x76\x00" + padded)
        buffer = io.BytesIO()
        np.save(buffer, VIDEO)
        archive.writestr("video.npy", buffer.getvalue())
    with pytest.raises(MediaError):
        open_container(data.getvalue(), SETTINGS)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_rare_compression_is_refused(compression: int) -> None:
    with (
        zipfile.ZipFile(io.BytesIO(container(video=VIDEO, features=FEATURES))) as whole,
        io.BytesIO() as data,
    ):
        with zipfile.ZipFile(data, "w", compression) as other:
            for name in whole.namelist():
                other.writestr(name, whole.read(name))
        with pytest.raises(MediaError, match="compressed in a way"):
            decode(data.getvalue(), settings=MediaSettings())


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_header_is_refused(seed: int) -> None:
    draw = random.Random(seed)
    array = io.BytesIO()
    np.save(array, np.zeros((3, 8), np.float32))
    spoiled = bytearray(array.getvalue())
    for _ in range(1 + seed % 4):
        spoiled[draw.randrange(6, 128)] = draw.randrange(256)
    with contextlib.suppress(MediaError):
        read_base64(base64.b64encode(bytes(spoiled)).decode(), 8)
